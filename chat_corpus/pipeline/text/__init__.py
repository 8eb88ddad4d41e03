"""Text normalization: a named, ordered table of steps, each a pure function from expression to expression.

`steps.STEPS` is the table, `normalizer.normalize` runs it on a column, and `options.TextOptions` switches its steps.
The other modules contain the steps, one topic each. No step depends on a corpus: `chat_corpus.schema.Traits` describes
what a text is like.
"""
