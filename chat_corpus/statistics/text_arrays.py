"""Counts what many texts hold, with NumPy: a megabyte of lines at a time as one array of code points.

All characters are counted at once. Of marks, cheap looks at some characters find the few texts that may hold one, and
only these are searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.exports.tsv import LINE_BREAK
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import CHARACTERS, TextCounts, tally_of_names

_Codes = npt.NDArray[np.uint32]
_Places = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

#: Bytes of lines that are worked on at once: their arrays stay in the processor's cache.
_PIECE = 1 << 20
#: Above the code points of all but the rarest characters.
_COMMON = 0x20000
_CODES = 0x110000
_TAB, _LINE_END, _BACKSLASH = 0x09, 0x0A, 0x5C


def count_many(lines: bytes) -> TextCounts:
    """Count the texts of whole lines, as `texts.count_texts` does."""
    characters = np.zeros(_COMMON, np.int64)
    lengths: list[_Places] = [np.zeros(0, np.int64)]
    marks: Counter[str] = Counter()
    for piece in _pieces(lines):
        found = _Piece.of(piece)
        counts = np.bincount(found.codes)
        if len(counts) > len(characters):
            characters = np.concatenate([characters, np.zeros(_CODES - len(characters), np.int64)])
        characters[: len(counts)] += counts
        marks.update(found.count_marks(counts))
        breaks = found.line_breaks()
        own = np.diff(found.ends, prepend=-1) - 1
        np.subtract.at(own, found.rows(breaks), 1)
        lengths.append(own)
        characters[_LINE_END] -= len(found.ends) - np.count_nonzero(found.codes[found.ends] == _TAB) - len(breaks)
        characters[[_BACKSLASH, ord("n")]] -= len(breaks)
    characters[_TAB] = 0
    values = np.flatnonzero(characters).astype(np.uint32)
    tally = pl.DataFrame({"value": values, "count": characters[values]}).select(
        pl.lit(CHARACTERS).alias("name"), pl.all()
    )
    return TextCounts(
        lengths=pl.Series(np.concatenate(lengths).astype(np.uint32)), tally=pl.concat([tally, tally_of_names(marks)])
    )


def _pieces(lines: bytes) -> Iterator[str]:
    """The lines in pieces of about a megabyte; a longer line is a piece."""
    begin = 0
    while begin < len(lines):
        end = lines.rfind(b"\n", begin, begin + _PIECE) + 1 or lines.index(b"\n", begin) + 1
        yield lines[begin:end].decode()
        begin = end


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """Some lines.

    codes         their code points
    ascii, plain  where there is an ASCII character, and which
    ends          where the separator after each text is
    """

    text: str
    codes: _Codes
    ascii: _Places
    plain: _Codes
    ends: _Places

    @classmethod
    def of(cls, text: str) -> _Piece:
        """The arrays of whole lines."""
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        ascii_ = np.flatnonzero(codes < 0x80)
        plain = codes[ascii_]
        ends = ascii_[(plain == _LINE_END) | (plain == _TAB)]
        return cls(text=text, codes=codes, ascii=ascii_, plain=plain, ends=ends)

    def rows(self, places: _Places) -> _Places:
        """The number of the text that each place is in."""
        return np.searchsorted(self.ends, places)

    def line_breaks(self) -> _Places:
        r"""Where the two characters `\n` stand for a line break."""
        at = np.flatnonzero(self.plain == _BACKSLASH)
        places: _Places = self.ascii[at]
        breaks: _Places = places[self.codes[places + 1] == ord("n")]
        return breaks

    def count_marks(self, counts: npt.NDArray[np.int64]) -> Counter[str]:
        """Count the marks in the texts that may hold some; `counts` has the number of each character."""
        # Only places of these characters are looked at: they are few, and the looks are many.
        chosen = np.flatnonzero(_INTERESTING[self.plain])
        places, codes = self.ascii[chosen], self.plain[chosen]
        after = self.codes[places + 1]

        def pairs(first: str, then: str) -> _Places:
            begins: _Places = places[_any(codes, first) & _any(after, then)]
            return begins

        numbers = [places[codes == ord("@")], pairs("vVwW", "xXeE"), *self._numbers(places[codes - _ZERO < _TEN])]
        numbers += self._uncommon(counts)
        urls = [pairs(":", "/"), pairs("wW", "wW")]
        tokens = [pairs("[", "CSMPUIg/"), places[(codes == ord("<")) & (after > _LINE_END)]]
        return count_marks(self._texts(numbers), self._texts(urls), self._texts(tokens))

    def _texts(self, places: Sequence[_Places]) -> list[str]:
        """The texts that the places are in, each once."""
        rows = np.unique(self.rows(np.concatenate(places)))
        ends = self.ends[rows].tolist()
        begins = np.where(rows > 0, self.ends[rows - 1] + 1, 0).tolist()
        return [self.text[begin:end].replace(LINE_BREAK, "\n") for begin, end in zip(begins, ends, strict=True)]

    def _numbers(self, digits: _Places) -> Iterator[_Places]:
        """Where five digits in a row are, or four behind a blank or a hyphen."""
        if len(digits) > 3:
            four = digits[:-3][digits[3:] - digits[:-3] == 3]
            yield four[(self.codes[four + 4] - _ZERO < _TEN) | _any(self.codes[four - 1], " -")]

    def _uncommon(self, counts: npt.NDArray[np.int64]) -> Iterator[_Places]:
        """Where a full-width at sign is, or a Chinese word for WeChat."""
        if len(counts) > ord("＠") and counts[ord("＠")]:
            yield np.flatnonzero(self.codes == ord("＠"))
        if len(counts) > ord("信") and counts[ord("信")]:
            places = np.flatnonzero(self.codes == ord("信"))
            yield places[_any(self.codes[places - 1], _WECHAT) | _any(self.codes[places - 2], _WECHAT)]


def _any(codes: _Codes, characters: str) -> _Mask:
    """Which codes are those of one of some characters."""
    found: _Mask = reduce(np.logical_or, (codes == ord(character) for character in characters))
    return found


def _table(characters: str) -> _Mask:
    """A table of ASCII that is true for some characters."""
    table = np.zeros(0x80, np.bool_)
    table[list(map(ord, characters))] = True
    return table


_INTERESTING = _table("0123456789@vVwW:<[")
_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_WECHAT = "微薇威维vV"
