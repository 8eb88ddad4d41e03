"""Counts what many texts hold, with NumPy: half a megabyte of texts at a time as one array of code points.

All characters are counted at once, and only the few texts that may hold a mark are searched. Texts that a stage has
decoded are not decoded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints, Codes, Positions, pieces
from chat_corpus.pipeline.decoded import DecodedTexts, Piece
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics.mark_places import MarkPlaces
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import CHARACTERS, tally_of_names

Counts = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

_LINE_END, _RETURN, _BACKSLASH, _N = map(ord, "\n\r\\n")
#: Characters that a TSV file has as a blank.
_BLANKS = [0x09, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029]


def count_many(texts: pl.Series, decoded: Sequence[DecodedTexts] = ()) -> tuple[pl.DataFrame, pl.Series]:
    """Return what `texts.count_texts` does."""
    counter = _Counter(texts)
    for look in reversed(decoded):  # of a text that has changed, the last look has it as it is
        counter.add(look.rows.to_numpy(), counter.unchanged(look), look.pieces)
    rows = counter.left
    left = texts.gather(rows)
    decode = (CodePoints(some) for some in (pieces(left) if len(left) else ()))
    counter.add(rows, np.ones(len(rows), np.bool_), ((points.codes, points.ends) for points in decode))
    return counter.tally(), pl.Series(counter.lengths)


class _Counter:
    """Counts texts, each once.

    lengths  how many characters each text has: u32; 0 of one that is null or not counted
    """

    def __init__(self, texts: pl.Series) -> None:
        self.lengths = np.zeros(len(texts), np.uint32)
        self._texts = texts
        self._open: _Mask = texts.is_not_null().to_numpy().copy()
        self._characters = np.zeros(0x10000, np.int64)
        self._marks = MarkPlaces()

    @property
    def left(self) -> Positions:
        """The row numbers of the texts that are not counted yet."""
        return np.flatnonzero(self._open)

    def unchanged(self, look: DecodedTexts) -> _Mask:
        """A mask of the texts of a look that are to be counted and are still as they were."""
        rows = look.rows
        now = self._texts if len(rows) == len(self._texts) else self._texts.gather(rows)
        same: _Mask = (now == look.texts).fill_null(value=False).to_numpy() & self._open[rows.to_numpy()]
        return same

    def add(self, rows: npt.NDArray[np.integer], mask: _Mask, pieces: Iterable[Piece]) -> None:
        """Count those of the texts in some rows that a mask has."""
        self._open[rows[mask]] = False
        numbers, begin = np.where(mask, rows.astype(np.int64), -1), 0
        for codes, ends in pieces:
            some, chosen = numbers[begin : begin + len(ends)], mask[begin : begin + len(ends)]
            begin += len(ends)
            if chosen.any():
                self._add(codes, np.diff(ends, prepend=-1), some, chosen)
                self._marks.add(some, codes, ends)

    def _add(self, codes: Codes, sizes: Positions, numbers: Positions, chosen: _Mask) -> None:
        """Count the chosen texts of a piece; the sizes of texts are with their separators."""
        count = np.count_nonzero(chosen)
        self.lengths[numbers[chosen]] = sizes[chosen] - 1
        if 2 * count < len(chosen):
            self._add_codes(codes[np.repeat(chosen, sizes)], 1)
        else:
            self._add_codes(codes, 1)
            if count < len(chosen):
                self._add_codes(codes[np.repeat(~chosen, sizes)], -1)
        self._characters[ord(SEPARATOR)] -= count

    def _add_codes(self, codes: Codes, factor: int) -> None:
        counts = np.bincount(codes)
        if len(counts) > len(self._characters):
            self._characters = np.pad(self._characters, (0, len(counts) - len(self._characters)))
        self._characters[: len(counts)] += factor * counts

    def tally(self) -> pl.DataFrame:
        """Return the tally of the characters and marks of the texts, and shorten `lengths` by what files write so."""
        marks = self._marks.found()
        for rows in (marks.line_breaks, marks.returns):
            np.subtract.at(self.lengths, rows, 1)
        counts = as_written(self._characters, len(marks.line_breaks), len(marks.returns))
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
