"""Convert the texts of a column to one array of code points, for code that checks every character.

A few passes of NumPy over all texts cost a fraction of one search per text. NumPy takes a while to import, so callers
import this module only if there is much text.
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

# A noncharacter, which Unicode reserves for internal use. Rare texts have it anyway, and are handled too.
SEPARATOR = "\ufdd0"
# Characters that end a line for Polars, or that it strips from the end of a line.
_LINE_ENDS = "\n\r"
# Size in bytes of a piece of a column: its arrays fit in the processor's cache, and their memory is reused.
_PIECE = 1 << 20
# Number of code points per call of `numpy.take`, which converts them to 64-bit indices: these fit in the cache.
_BLOCK = 1 << 14


def pieces(texts: pl.Series) -> Iterator[pl.Series]:
    """Yield a column in pieces of about a megabyte; one empty piece if the column is empty."""
    size = int(texts.str.len_bytes().sum() or 0)
    rows = 1 + len(texts) * _PIECE // max(size, _PIECE)
    for begin in range(0, max(len(texts), 1), rows):
        yield texts.slice(begin, rows)


def codes_of(text: str) -> Codes:
    """Return the code points of a text. A NumPy array of strings stores them, and is faster than the codec UTF-32."""
    return np.array([text]).view(np.uint32)[: len(text)]


def _text_of(codes: Codes) -> str:
    return str(codes.view(f"U{len(codes)}")[0]) if len(codes) else ""


class CodePoints:
    """The texts of a column joined to one, with a separator after each.

    text    the joined text
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
        """The position of the separator after each text."""
        ends: Positions = np.flatnonzero(self.codes == ord(SEPARATOR))
        if len(ends) == len(self._texts):  # no text has a separator itself
            return ends
        lengths = self._texts.str.len_chars().to_numpy()
        return np.cumsum(lengths + 1, dtype=np.int64) - 1

    @cached_property
    def starts(self) -> Positions:
        """The position of the first character of each text, or of its separator if it is empty."""
        return np.concatenate([[0], self.ends[:-1] + 1])

    def rows(self, places: Positions) -> Positions:
        """Return the row number of the text at each position; a separator belongs to the text before it."""
        return np.searchsorted(self.ends, places)

    def replaced(self, codes: Codes) -> pl.Series:
        """Return a column of texts of the same lengths with these code points instead. May change the array `codes`."""
        if not any((codes == ord(end)).any() for end in _LINE_ENDS):
            codes[self.ends] = ord("\n")  # Polars finds lines faster than it splits by a separator
            return text_lines(_text_of(codes).encode()).rename(self._texts.name)
        text = _text_of(codes)
        column = pl.Series(self._texts.name, [text]).str.split(SEPARATOR).explode()
        if len(column) == len(self._texts) + 1:
            return column[:-1]
        starts = [0, *(self.ends + 1).tolist()]
        rows = [text[start : end - 1] for start, end in pairwise(starts)]
        return pl.Series(self._texts.name, rows, dtype=pl.String)


def lookup(table: npt.NDArray[Number], codes: Codes) -> npt.NDArray[Number]:
    """Return the entry of each code point in a lookup table over all code points."""
    found = np.empty(len(codes), table.dtype)
    for begin in range(0, len(codes), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        np.take(table, codes[block], out=found[block], mode="clip")
    return found
