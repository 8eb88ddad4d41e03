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

from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints, lookup, pieces
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import CHARACTERS, tally_of_names

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

_LINE_END, _RETURN, _BACKSLASH, _N = 0x0A, 0x0D, 0x5C, 0x6E
#: Characters that a TSV file has as a blank.
_BLANKS = [0x09, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029]
_SIZE = 0x110000
_NONE = np.zeros(0, np.int64)


class CharacterCounter:
    """How often each code point occurs: `counts`, by code point."""

    def __init__(self) -> None:
        self.counts = np.zeros(0, np.int64)

    def add(self, codes: Codes) -> None:
        """Count code points."""
        self.add_counts(np.bincount(codes))

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


def as_written(counts: Counts, line_breaks: int, returns: int) -> CharacterCounter:
    r"""The characters of texts as a TSV file has them, by the counts of those that the texts have.

    The two characters `\n`, of which there are `line_breaks`, count as one line break, and so do the `returns` which
    are followed by a line feed; other line breaks and tabs are blanks.
    """
    written = CharacterCounter()
    written.counts = np.zeros(max(len(counts), 0x2030), np.int64)
    written.add_counts(counts)
    table = written.counts
    table[_LINE_END] += table[_RETURN] - returns + line_breaks
    table[_RETURN] = 0
    table[[_BACKSLASH, _N]] -= line_breaks
    table[0x20] += table[_BLANKS].sum()
    table[_BLANKS] = 0
    return written


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some texts, each with a separator behind it.

    codes   the code points of all of it
    ends    where the separator after each text is
    places  where there is a character that a mark may begin with, or is made of
    """

    codes: Codes
    ends: Places
    places: Places

    @classmethod
    def of_codes(cls, codes: Codes, ends: Places) -> Piece:
        """Return the arrays of texts whose code points and ends are known."""
        return cls(codes=codes, ends=ends, places=np.flatnonzero(lookup(_WATCHED, codes)))

    def rows(self, places: Places) -> Places:
        """The number of the text that each place is in."""
        return np.searchsorted(self.ends, places)

    def pairs(self, first: str, then: str) -> Places:
        """Where one of some characters is followed by one of others."""
        places = self.places[_any(self.codes[self.places], first)]
        begins: Places = places[_any(self.codes[np.minimum(places + 1, len(self.codes) - 1)], then)]
        return begins

    def rows_with_marks(self) -> tuple[Places, Places, Places]:
        """The rows of the texts that may hold personal data, a web address, and a special token: each once."""
        found = self.codes[self.places]
        digits = self.places[found - _ZERO < _TEN]
        numbers = [self.places[_any(found, "@＠")], self.pairs("vVwW", "xXeE"), *self._numbers(digits), *self._wechat()]
        urls = [self.pairs(":", "/"), self.pairs("wW", "wW")]
        tokens = [self.pairs("[", "CSMPUIg/"), self.places[found == ord("<")]]
        rows = (np.unique(self.rows(np.concatenate(some))) for some in (numbers, urls, tokens))
        return next(rows), next(rows), next(rows)

    def _numbers(self, digits: Places) -> Iterator[Places]:
        """Where five digits in a row are, or four behind a blank or a hyphen."""
        if len(digits) > 3:
            four = digits[:-3][digits[3:] - digits[:-3] == 3]
            yield four[(self.codes[four + 4] - _ZERO < _TEN) | _any(self.codes[four - 1], " -")]

    def _wechat(self) -> Iterator[Places]:
        """Where a Chinese word for WeChat begins."""
        yield self.pairs(_WECHAT, "信")
        places = self.pairs(_WECHAT, " .-")
        yield places[self.codes[np.minimum(places + 2, len(self.codes) - 1)] == ord("信")]


def count_many(texts: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """Return what `texts.count_texts` does; `texts` are without null."""
    characters, line_breaks, returns, begin = CharacterCounter(), 0, 0, 0
    marked: tuple[list[Places], ...] = ([], [], [])
    lengths = [_NONE]
    for some in pieces(texts) if len(texts) else ():
        points = CodePoints(some)
        piece = Piece.of_codes(points.codes, points.ends)
        characters.add(points.codes)
        characters.counts[ord(SEPARATOR)] -= len(some)
        breaks, returned = piece.pairs("\\", "n"), piece.pairs("\r", "\n")
        line_breaks, returns = line_breaks + len(breaks), returns + len(returned)
        own = np.diff(points.ends, prepend=-1) - 1
        np.subtract.at(own, piece.rows(np.concatenate([breaks, returned])), 1)
        lengths.append(own)
        for rows, found in zip(marked, piece.rows_with_marks(), strict=True):
            rows.append(found + begin)
        begin += len(some)
    with_marks = [texts.gather(np.concatenate([_NONE, *rows])) for rows in marked]
    # Few of the texts that may hold personal data do, and one cheap look at all of them finds these.
    with_marks[0] = with_marks[0].filter(personal.candidates(with_marks[0]))
    marks = count_marks(*(some.to_list() for some in with_marks))
    tally = pl.concat([as_written(characters.counts, line_breaks, returns).tally(), tally_of_names(marks)])
    return tally, pl.Series(np.concatenate(lengths).astype(np.uint32))


def _any(codes: Codes, characters: str) -> _Mask:
    """Which codes are those of one of some characters."""
    found: _Mask = reduce(np.logical_or, (codes == ord(character) for character in characters))
    return found


def _table(characters: str) -> _Mask:
    """A table of all code points that is true for some characters."""
    table = np.zeros(_SIZE, np.bool_)
    table[list(map(ord, characters))] = True
    return table


_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_WECHAT = "微薇威维vV"
_WATCHED = _table("0123456789@＠vVwW:<[\\\r微薇威维")
