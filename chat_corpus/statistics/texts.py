"""Counts what texts hold: lengths, characters and marks.

Much text is counted with NumPy, which takes a while to import; little text in plain Python, which is also the
definition of what is counted.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from chat_corpus.exports.tsv import LINE_BREAK
from chat_corpus.pipeline.character_scan import numpy_pays
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import ANSWER_CHARS, QUERY_CHARS, tally_of_characters, tally_of_values, times


def tally_of_texts(texts: pl.Series) -> pl.DataFrame:
    """Return the tally of the characters and marks of texts; null counts nothing."""
    texts = texts.drop_nulls()
    if numpy_pays(int(texts.str.len_bytes().sum() or 0)):
        from chat_corpus.statistics.seen_turns import SeenTurns

        return SeenTurns.of(texts).tally()
    listed = texts.to_list()
    return tally_of_characters(Counter(map(ord, "".join(listed))), count_marks(listed, listed, listed))


def tally_of_lengths(queries: pl.Series, answers: pl.Series) -> pl.DataFrame:
    """Return the tally of the lengths of queries and answers."""
    return pl.concat([tally_of_values(QUERY_CHARS, queries), tally_of_values(ANSWER_CHARS, answers)])


def lengths(texts: pl.Series, characters: frozenset[str] = frozenset("\\\r")) -> pl.Series:
    r"""Return the length of each text in characters: u32. The two characters `\n` count as one line break.

    So a text has the same length before and after it is written to a TSV file. `characters` has those of backslash and
    carriage return that any of the texts holds.

    >>> lengths(pl.Series(["好的", "a\nb", "a\r\nb", r"a\nb"])).to_list()
    [2, 3, 3, 3]
    """
    counted = texts.str.len_chars()
    for pair in (LINE_BREAK, "\r\n"):
        if pair[0] not in characters:
            continue
        rows = texts.str.contains(pair, literal=True).arg_true()
        if len(rows):
            some = counted.gather(rows) - texts.gather(rows).str.count_matches(pair, literal=True)
            counted = counted.scatter(rows, some)
    return counted


def tally_of_dropped(lines: bytes) -> pl.DataFrame:
    """Return the tally to add where these lines of a TSV file are left out."""
    if not lines:
        return tally_of_lengths(*(pl.Series([], dtype=pl.UInt32) for _ in range(2)))
    texts = pl.Series(lines.decode().replace("\t", "\n").split("\n")[:-1], dtype=pl.String)
    counted = lengths(texts)
    return times(tally_of_lengths(counted.gather_every(2), counted.gather_every(2, 1)), -1)
