"""Count lengths, characters and marks of texts.

NumPy counts large amounts of text. Its import is slow, so plain Python counts small amounts. The code in plain Python
is also the definition of the counts.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.exports.tsv import LINE_BREAK
from chat_corpus.pipeline.character_scan import numpy_pays
from chat_corpus.pipeline.decoded import Decoded
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import ANSWER_CHARS, QUERY_CHARS, tally_of_characters, tally_of_values, times


def count_texts(
    texts: pl.Series, kept: pl.Series | None = None, decoded: Decoded | None = None
) -> tuple[pl.DataFrame, pl.Series]:
    """Return the tally of the characters and marks of texts, and the length of each text (UInt32).

    Null, and texts outside of the mask `kept`, count as empty. `decoded` has the counts of characters from the stages.
    """
    if kept is None or texts.null_count():
        kept = texts.is_not_null() if kept is None else kept & texts.is_not_null()
    if (decoded and decoded.texts) or numpy_pays(int(texts.str.len_bytes().sum() or 0)):
        from chat_corpus.statistics.text_arrays import count_many

        return count_many(texts, kept, decoded or Decoded())
    listed = tsv.rewritten(texts.set(~kept, "")).to_list()
    tally = tally_of_characters(Counter(map(ord, "".join(listed))), count_marks(listed))
    return tally, pl.Series([len(text) for text in listed], dtype=pl.UInt32)


def tally_of_lengths(queries: pl.Series, answers: pl.Series) -> pl.DataFrame:
    """Return the tally of the lengths of queries and answers."""
    return pl.concat([tally_of_values(QUERY_CHARS, queries), tally_of_values(ANSWER_CHARS, answers)])


def tally_of_dropped(lines: bytes) -> pl.DataFrame:
    """Return the tally to add if these lines are removed from a TSV file. Its counts are negative."""
    if not lines:
        return tally_of_lengths(*(pl.Series([], dtype=pl.UInt32) for _ in range(2)))
    texts = lines.decode().replace("\t", "\n").split("\n")[:-1]
    lengths = pl.Series([len(text) - text.count(LINE_BREAK) for text in texts], dtype=pl.UInt32)
    return times(tally_of_lengths(lengths.gather_every(2), lengths.gather_every(2, 1)), -1)
