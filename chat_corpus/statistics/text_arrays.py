"""Counts what many texts hold, with NumPy: half a megabyte of texts at a time as one array of code points.

All characters are counted at once, and only the few texts that may hold a mark are searched. Texts that a stage has
decoded are not decoded again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.pipeline.code_points import CharacterCounter
from chat_corpus.pipeline.decoded import MARKS, Decoded, DecodedTexts
from chat_corpus.pipeline.filters import personal
from chat_corpus.row_masks import matches
from chat_corpus.statistics.mark_places import PossibleMarks, find_marks
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import CHARACTERS, tally_of_names

Counts = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

_LINE_END, _RETURN, _BACKSLASH, _N = map(ord, "\n\r\\n")
#: Characters that a TSV file has as a blank.
_BLANKS = [0x09, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029]


def count_many(texts: pl.Series, kept: pl.Series, decoded: Decoded) -> tuple[pl.DataFrame, pl.Series]:
    """Return what `texts.count_texts` does; none of the texts that are `kept` is null."""
    counter = _Counter(texts, kept)
    for look in reversed(decoded.looks):  # of a text that has changed, the last look has it as it is
        counter.add_unchanged(look)
    counter.add_left()
    marked = (matches(texts, f"[{MARKS}]") if decoded.marked is None else decoded.marked) & kept
    tally = counter.tally(find_marks(texts.filter(marked), marked.arg_true()))
    return tally, pl.Series(counter.lengths.astype(np.uint32))


class _Counter:
    """Counts the texts of a mask, each once.

    lengths  how many characters each text has: i64; 0 of one that is not counted
    """

    def __init__(self, texts: pl.Series, kept: pl.Series) -> None:
        self.lengths = np.zeros(len(texts), np.int64)
        self._texts = texts
        self._open: _Mask = kept.to_numpy().copy()
        self._characters = CharacterCounter()

    def add_unchanged(self, look: DecodedTexts) -> None:
        """Count the texts that are still as they were, if most are. Those that changed are decoded and subtracted."""
        every = len(look.rows) == len(self._texts)
        rows = slice(None) if every else look.rows.to_numpy()
        counted = look.counter.counted
        wanted = self._open[rows] & counted
        if not _most(wanted):
            return
        now = self._texts if every else self._texts.gather(look.rows)
        wanted = wanted & (now == look.texts).fill_null(value=False).to_numpy()
        if not _most(wanted):
            return
        others = CharacterCounter()
        others.add_texts(look.texts.filter(pl.Series(counted & ~wanted)))
        self._characters.add_counts(look.counter.counts)
        self._characters.add_counts(others.counts, -1)
        self._open[rows] &= ~wanted
        self.lengths[rows] += np.where(wanted, look.counter.lengths, 0)

    def add_left(self) -> None:
        """Decode and count the texts that are not counted yet."""
        rows, left = np.flatnonzero(self._open), CharacterCounter()
        left.add_texts(self._texts.gather(rows))
        self._characters.add_counts(left.counts)
        self.lengths[rows] = left.lengths

    def tally(self, marks: PossibleMarks) -> pl.DataFrame:
        """Return the tally of the characters and marks of the texts; shorten `lengths` as line breaks are written."""
        for rows in (marks.line_breaks, marks.returns):
            np.subtract.at(self.lengths, rows, 1)
        counts = as_written(self._characters.counts, len(marks.line_breaks), len(marks.returns))
        values = np.flatnonzero(counts).astype(np.uint32)
        characters = pl.DataFrame({"value": values, "count": counts[values]})
        texts = tsv.rewritten(self._texts.gather(marks.others))
        listed = texts.to_list()
        # Few of the texts that may hold personal data do, and one cheap look at all of them finds these.
        names = count_marks(texts.filter(personal.candidates(texts)).to_list(), listed, listed)
        return pl.concat([characters.select(pl.lit(CHARACTERS).alias("name"), pl.all()), tally_of_names(names)])


def as_written(counts: Counts, line_breaks: int, returns: int) -> Counts:
    r"""The characters of texts as a TSV file has them, by the counts of those that the texts have: by code point.

    The two characters `\n`, of which there are `line_breaks`, count as one line break, and so do the `returns` which
    are followed by a line feed; other line breaks and tabs are blanks.
    """
    table = counts.copy()
    table[_LINE_END] += table[_RETURN] - returns + line_breaks
    table[_RETURN] = 0
    table[[_BACKSLASH, _N]] -= line_breaks
    table[0x20] += table[_BLANKS].sum()
    table[_BLANKS] = 0
    return table


def _most(wanted: _Mask) -> bool:
    return bool(2 * np.count_nonzero(wanted) > len(wanted))
