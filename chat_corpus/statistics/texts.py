"""Counts what texts hold: lengths, characters and marks.

Texts are given as lines, with tabs between the texts of a line, as in a TSV file. Much text is counted with NumPy,
which takes a while to import; little text in plain Python, which is also the definition of what is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import polars as pl

from chat_corpus.exports.tsv import LINE_BREAK
from chat_corpus.pipeline.character_scan import numpy_pays
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import (
    ANSWER_CHARS,
    QUERY_CHARS,
    TextCounts,
    tally_of_characters,
    tally_of_values,
    times,
)


def count_texts(lines: bytes) -> TextCounts:
    """Count the texts of whole lines in UTF-8."""
    if numpy_pays(len(lines)):
        from chat_corpus.statistics.text_arrays import count_many

        return count_many(lines)
    texts = [text.replace(LINE_BREAK, "\n") for text in re.split("[\t\n]", lines.decode())[:-1]]
    return TextCounts(
        lengths=pl.Series([len(text) for text in texts], dtype=pl.UInt32),
        tally=tally_of_characters(Counter(map(ord, "".join(texts))), count_marks(texts, texts, texts)),
    )


def tally_of_pairs(tsv: bytes) -> pl.DataFrame:
    """Return the tally of pairs as they are written in a TSV file."""
    counts = count_texts(tsv)
    return _tally([counts.tally], counts.lengths.gather_every(2), counts.lengths.gather_every(2, 1))


def tally_of_linked(texts: pl.DataFrame, links: pl.DataFrame, turns: int) -> pl.DataFrame:
    """Return the same as `tally_of_pairs`, but count a turn once that is in several pairs.

    `texts` has `query` and `answer` of each pair as they are written, `links` their numbers `query_at` and `answer_at`
    among so many turns. A turn in n pairs is counted for each bit of n, so that a few passes are enough.
    """
    import numpy as np

    query, answer = (links[name].to_numpy() for name in ("query_at", "answer_at"))
    uses = np.bincount(query, minlength=turns) + np.bincount(answer, minlength=turns)
    places = np.zeros(turns, np.uint32)  # of each turn one row of all queries, followed by all answers
    places[query] = np.arange(len(query))
    places[answer] = np.arange(len(query), 2 * len(query))
    columns = pl.concat([texts["query"], texts["answer"].rename("query")])
    lengths, tallies = np.zeros(turns, np.uint32), []
    for bit in range(int(uses.max(initial=0)).bit_length()):
        rows = np.flatnonzero(uses & (1 << bit))
        if len(rows):
            counts = count_texts(columns.gather(places[rows]).str.join("\n").cast(pl.Binary).item() + b"\n")
            lengths[rows] = counts.lengths.to_numpy()
            tallies.append(times(counts.tally, 1 << bit))
    return _tally(tallies, pl.Series(lengths[query]), pl.Series(lengths[answer]))


def _tally(tallies: Iterable[pl.DataFrame], queries: pl.Series, answers: pl.Series) -> pl.DataFrame:
    return pl.concat([*tallies, tally_of_values(QUERY_CHARS, queries), tally_of_values(ANSWER_CHARS, answers)])
