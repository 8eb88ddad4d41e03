"""Counts what many texts hold, with NumPy: half a megabyte of texts at a time as one array of code points.

All characters are counted at once. Of marks, cheap looks at some characters find the few texts that may hold one, and
only these are searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.code_points import CodePoints
from chat_corpus.statistics.tally import CHARACTERS

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


class CharacterCounter:
    """How often each code point occurs: `counts`, by code point."""

    def __init__(self) -> None:
        self.counts = np.zeros(0, np.int64)

    def add(self, codes: Codes) -> Counts:
        """Count code points; return how often each occurs in `codes`."""
        counts = np.bincount(codes)
        self.add_counts(counts)
        return counts

    def add_counts(self, counts: Counts) -> None:
        """Add counts by code point."""
        if len(counts) > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(len(counts) - len(self.counts), np.int64)])
        self.counts[: len(counts)] += counts

    def tally(self) -> pl.DataFrame:
        """The counts as a tally."""
        values = np.flatnonzero(self.counts).astype(np.uint32)
        counts = pl.DataFrame({"value": values, "count": self.counts[values]})
        return counts.select(pl.lit(CHARACTERS).alias("name"), pl.all())


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some texts, each with a separator behind it.

    codes         the code points of all of it
    ascii, plain  where there is an ASCII character, and which
    ends          where the separator after each text is
    """

    codes: Codes
    ascii: Places
    plain: Codes
    ends: Places

    @classmethod
    def of_points(cls, points: CodePoints) -> Piece:
        """Return the arrays of texts whose code points are known."""
        ascii_ = np.flatnonzero(points.codes < 0x80)
        return cls(codes=points.codes, ascii=ascii_, plain=points.codes[ascii_], ends=points.ends)

    def rows(self, places: Places) -> Places:
        """The number of the text that each place is in."""
        return np.searchsorted(self.ends, places)

    def rows_with_marks(self, counts: Counts) -> tuple[Places, Places, Places]:
        """The rows of the texts that may hold personal data, a web address, and a special token: each once.

        `counts` has the number of each character.
        """
        # Only places of these characters are looked at: they are few, and the looks are many.
        chosen = np.flatnonzero(_INTERESTING[self.plain])
        places, codes = self.ascii[chosen], self.plain[chosen]
        after = self.codes[places + 1]

        def pairs(first: str, then: str) -> Places:
            begins: Places = places[_any(codes, first) & _any(after, then)]
            return begins

        numbers = [places[codes == ord("@")], pairs("vVwW", "xXeE"), *self._numbers(places[codes - _ZERO < _TEN])]
        numbers += self._uncommon(counts)
        urls = [pairs(":", "/"), pairs("wW", "wW")]
        tokens = [pairs("[", "CSMPUIg/"), places[codes == ord("<")]]
        found = (np.unique(self.rows(np.concatenate(some))) for some in (numbers, urls, tokens))
        return next(found), next(found), next(found)

    def _numbers(self, digits: Places) -> Iterator[Places]:
        """Where five digits in a row are, or four behind a blank or a hyphen."""
        if len(digits) > 3:
            four = digits[:-3][digits[3:] - digits[:-3] == 3]
            yield four[(self.codes[four + 4] - _ZERO < _TEN) | _any(self.codes[four - 1], " -")]

    def _uncommon(self, counts: Counts) -> Iterator[Places]:
        """Where a full-width at sign is, or a Chinese word for WeChat."""
        if len(counts) > ord("＠") and counts[ord("＠")]:
            yield np.flatnonzero(self.codes == ord("＠"))
        if len(counts) > ord("信") and counts[ord("信")]:
            places = np.flatnonzero(self.codes == ord("信"))
            yield places[_any(self.codes[places - 1], _WECHAT) | _any(self.codes[places - 2], _WECHAT)]


def _any(codes: Codes, characters: str) -> _Mask:
    """Which codes are those of one of some characters."""
    found: _Mask = reduce(np.logical_or, (codes == ord(character) for character in characters))
    return found


def _table(characters: str) -> _Mask:
    """A table of ASCII that is true for some characters."""
    table = np.zeros(0x80, np.bool_)
    table[list(map(ord, characters))] = True
    return table


#: ASCII characters that marks begin with, or are made of.
_INTERESTING = _table("0123456789@vVwW:<[")
_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_WECHAT = "微薇威维vV"
