"""Text normalization: a named, ordered table of steps, each a pure function from expression to expression.

`steps.STEPS` is the table, `normalizer.normalize` runs it on a column, `options.TextOptions` switches its steps; the
other modules hold the steps, one topic each. Nothing here knows a corpus: what a text is like is told by
`chat_corpus.schema.Traits`.
"""
