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

Codes = npt.NDArray[np.uint32]
Bits = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)

# A noncharacter, which Unicode reserves for such internal use; rare text holds it all the same.
SEPARATOR = "\ufdd0"
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
        """A column of texts of the same lengths that have other code points."""
        text = str(codes.view(f"U{len(codes)}")[0]) if len(codes) else ""
        column = pl.Series(self._texts.name, [text]).str.split(SEPARATOR).explode()
        if len(column) == len(self._texts) + 1:
            return column[:-1]
        starts = [0, *(self.ends + 1).tolist()]
        rows = [text[start : end - 1] for start, end in pairwise(starts)]
        return pl.Series(self._texts.name, rows, dtype=pl.String)


class CharacterCounter:
    """Counts the characters of texts.

    counts  how often each character of the counted texts occurs, by its code point: i64
    """

    def __init__(self) -> None:
        self.counts = np.zeros(0x10000, np.int64)
        self._lengths: list[Positions] = [np.zeros(0, np.int64)]
        self._counted: list[npt.NDArray[np.bool_]] = [np.zeros(0, np.bool_)]

    @property
    def lengths(self) -> Positions:
        """How many characters each text has."""
        return np.concatenate(self._lengths)

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """A mask of the texts that were counted."""
        return np.concatenate(self._counted)

    def add(self, codes: Codes, ends: Positions, left_out: npt.NDArray[np.bool_] | None = None) -> None:
        """Count texts by their code points, with a separator at each of `ends`, without those of a mask."""
        sizes = np.diff(ends, prepend=-1)
        self.add_counts(np.bincount(codes))
        self.counts[ord(SEPARATOR)] -= len(ends)
        self._lengths.append(sizes - 1)
        self._counted.append(np.ones(len(ends), np.bool_) if left_out is None else ~left_out)
        if left_out is not None and left_out.any():
            self.add_counts(np.bincount(codes[_inside(ends[left_out], sizes[left_out])]), -1)
            self.counts[ord(SEPARATOR)] += np.count_nonzero(left_out)

    def add_texts(self, texts: pl.Series) -> None:
        """Decode texts without null, and count them."""
        for some in pieces(texts) if len(texts) else ():
            points = CodePoints(some)
            self.add(points.codes, points.ends)

    def add_counts(self, counts: npt.NDArray[np.int64], factor: int = 1) -> None:
        """Add counts by code point, or subtract them with a factor of -1."""
        missing = len(counts) - len(self.counts)
        if missing > 0:
            self.counts = np.pad(self.counts, (0, missing))
        self.counts[: len(counts)] += counts if factor == 1 else factor * counts


def _inside(ends: Positions, sizes: Positions) -> Positions:
    """The places of all characters of texts with their separators, by where these are and the sizes of both."""
    before = np.cumsum(sizes) - sizes
    places: Positions = np.repeat(ends + 1 - sizes - before, sizes) + np.arange(sizes.sum())
    return places


def lookup(table: npt.NDArray[Number], codes: Codes) -> npt.NDArray[Number]:
    """The entry of each code point in a table of all code points."""
    found = np.empty(len(codes), table.dtype)
    for begin in range(0, len(codes), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        np.take(table, codes[block], out=found[block], mode="clip")
    return found
