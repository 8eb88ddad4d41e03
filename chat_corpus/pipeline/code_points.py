"""Texts of a column as one array of code points, for work that looks at every character.

A few passes of NumPy over all texts cost a fraction of one search per text. NumPy takes a while to import: callers
import this module where there is much text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.files.lines import text_lines

Codes = npt.NDArray[np.uint32]
Bits = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)

# A noncharacter, which Unicode reserves for such internal use; rare text holds it all the same.
SEPARATOR = "\ufdd0"
# Characters that end a line, or that are taken from its end, where Polars finds lines.
_LINE_ENDS = "\n\r"
# Bytes of texts that are worked on at once: their arrays stay in the processor's cache, and in memory that is reused.
_PIECE = 1 << 20
# `numpy.take` makes 64-bit indices of what it is given: those of so many code points stay in the processor's cache.
_BLOCK = 1 << 14


def pieces(texts: pl.Series) -> Iterator[pl.Series]:
    """A column in pieces of a megabyte or so; at least one, which is empty if the column is."""
    size = int(texts.str.len_bytes().sum() or 0)
    rows = 1 + len(texts) * _PIECE // max(size, _PIECE)
    for begin in range(0, max(len(texts), 1), rows):
        yield texts.slice(begin, rows)


def codes_of(text: str) -> Codes:
    """The code points of a text; an array of NumPy's texts holds them, which takes less time than the codec UTF-32."""
    return np.array([text]).view(np.uint32)[: len(text)]


def _text_of(codes: Codes) -> str:
    return str(codes.view(f"U{len(codes)}")[0]) if len(codes) else ""


class CodePoints:
    """The texts of a column one after the other, with a separator after each.

    text    all of them as one string
    codes   its code points
    """

    def __init__(self, texts: pl.Series) -> None:
        """Join the texts of a column of strings without null."""
        end = pl.Series(texts.name, [""])
        self.text: str = pl.concat([texts, end], rechunk=False).str.join(SEPARATOR).item()
        self.codes = codes_of(self.text)
        self._texts = texts

    @cached_property
    def ends(self) -> Positions:
        """Where the separator after each text is."""
        ends: Positions = np.flatnonzero(self.codes == ord(SEPARATOR))
        if len(ends) == len(self._texts):  # no text holds one itself
            return ends
        lengths = self._texts.str.len_chars().to_numpy()
        return np.cumsum(lengths + 1, dtype=np.int64) - 1

    @cached_property
    def starts(self) -> Positions:
        """Where each text begins, or its separator if it is empty."""
        return np.concatenate([[0], self.ends[:-1] + 1])

    def rows(self, places: Positions) -> Positions:
        """The number of the text that each place is in."""
        return np.searchsorted(self.ends, places)

    def replaced(self, codes: Codes) -> pl.Series:
        """A column of texts of the same lengths that have other code points. It may change the array `codes`."""
        if not any((codes == ord(end)).any() for end in _LINE_ENDS):
            codes[self.ends] = ord("\n")  # Polars finds lines sooner than what a separator separates
            return text_lines(_text_of(codes).encode()).rename(self._texts.name)
        text = _text_of(codes)
        column = pl.Series(self._texts.name, [text]).str.split(SEPARATOR).explode()
        if len(column) == len(self._texts) + 1:
            return column[:-1]
        starts = [0, *(self.ends + 1).tolist()]
        rows = [text[start : end - 1] for start, end in pairwise(starts)]
        return pl.Series(self._texts.name, rows, dtype=pl.String)


def lookup(table: npt.NDArray[Number], codes: Codes) -> npt.NDArray[Number]:
    """The entry of each code point in a table of all code points."""
    found = np.empty(len(codes), table.dtype)
    for begin in range(0, len(codes), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        np.take(table, codes[block], out=found[block], mode="clip")
    return found
