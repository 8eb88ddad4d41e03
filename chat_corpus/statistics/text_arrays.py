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
from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import CHARACTERS, TextCounts, tally_of_names

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]

#: Bytes of lines that are worked on at once: their arrays stay in the processor's cache.
_PIECE = 1 << 20
#: Above the code points of all but the rarest characters.
_COMMON = 0x20000
_CODES = 0x110000
_TAB, _LINE_END, _BACKSLASH = 0x09, 0x0A, 0x5C


def count_many(lines: bytes) -> TextCounts:
    """Count the texts of whole lines, as `texts.count_texts` does."""
    characters = CharacterCounter()
    lengths: list[Places] = [np.zeros(0, np.int64)]
    marks: Counter[str] = Counter()
    for text in _pieces(lines):
        piece = Piece.of_lines(text)
        counts = characters.add(piece.codes)
        marks.update(count_marks(*(piece.texts(rows) for rows in piece.rows_with_marks(counts))))
        breaks = piece.line_breaks()
        own = piece.lengths()
        np.subtract.at(own, piece.rows(breaks), 1)
        lengths.append(own)
        characters.counts[_LINE_END] -= len(piece.ends) - np.count_nonzero(piece.codes[piece.ends] == _TAB)
        characters.counts[_LINE_END] += len(breaks)
        characters.counts[[_BACKSLASH, ord("n")]] -= len(breaks)
    characters.counts[_TAB] = 0
    return TextCounts(
        lengths=pl.Series(np.concatenate(lengths).astype(np.uint32)),
        tally=pl.concat([characters.tally(), tally_of_names(marks)]),
    )


class CharacterCounter:
    """How often each code point occurs: `counts`, by code point."""

    def __init__(self) -> None:
        self.counts = np.zeros(_COMMON, np.int64)

    def add(self, codes: Codes, times: int = 1) -> Counts:
        """Count code points so many times; return how often each occurs in `codes`."""
        counts = np.bincount(codes)
        self.add_counts(counts, times)
        return counts

    def add_counts(self, counts: Counts, times: int = 1) -> None:
        """Add counts by code point so many times."""
        if len(counts) > len(self.counts):
            self.counts = np.concatenate([self.counts, np.zeros(_CODES - len(self.counts), np.int64)])
        self.counts[: len(counts)] += counts * times if times != 1 else counts

    def add_groups(self, texts: pl.Series, groups: Sequence[tuple[int, Places]]) -> None:
        """Count the characters of texts, group by group: how many times, and the lengths of its texts."""
        codes, begin = CodePoints(texts).codes, 0
        for times, lengths in groups:
            size = int(lengths.sum()) + len(lengths)
            for start in range(begin, begin + size, _PIECE):
                self.add(codes[start : min(start + _PIECE, begin + size)], times)
            begin += size
            self.counts[ord(SEPARATOR)] -= times * len(lengths)

    def tally(self) -> pl.DataFrame:
        """The counts as a tally."""
        values = np.flatnonzero(self.counts).astype(np.uint32)
        counts = pl.DataFrame({"value": values, "count": self.counts[values]})
        return counts.select(pl.lit(CHARACTERS).alias("name"), pl.all())


def _pieces(lines: bytes) -> Iterator[str]:
    """The lines in pieces of about a megabyte; a longer line is a piece."""
    begin = 0
    while begin < len(lines):
        end = lines.rfind(b"\n", begin, begin + _PIECE) + 1 or lines.index(b"\n", begin) + 1
        yield lines[begin:end].decode()
        begin = end


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some texts, each with a separator behind it.

    text, codes   all of it, and the code points
    ascii, plain  where there is an ASCII character, and which
    ends          where the separator after each text is
    """

    text: str
    codes: Codes
    ascii: Places
    plain: Codes
    ends: Places

    @classmethod
    def of_lines(cls, text: str) -> Piece:
        """Return the arrays of whole lines, whose separators are tabs and line breaks."""
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        ascii_ = np.flatnonzero(codes < 0x80)
        plain = codes[ascii_]
        return cls(
            text=text, codes=codes, ascii=ascii_, plain=plain, ends=ascii_[(plain == _LINE_END) | (plain == _TAB)]
        )

    @classmethod
    def of_points(cls, points: CodePoints) -> Piece:
        """Return the arrays of texts whose code points are known."""
        ascii_ = np.flatnonzero(points.codes < 0x80)
        return cls(text=points.text, codes=points.codes, ascii=ascii_, plain=points.codes[ascii_], ends=points.ends)

    def lengths(self) -> Places:
        """The length of each text."""
        return np.diff(self.ends, prepend=-1) - 1

    def rows(self, places: Places) -> Places:
        """The number of the text that each place is in."""
        return np.searchsorted(self.ends, places)

    def line_breaks(self) -> Places:
        r"""Where the two characters `\n` stand for a line break."""
        at = np.flatnonzero(self.plain == _BACKSLASH)
        places: Places = self.ascii[at]
        breaks: Places = places[self.codes[places + 1] == ord("n")]
        return breaks

    def rewritten(self, counts: Counts) -> Places:
        """The rows of the texts that a TSV file may not have as they are; `counts` has the number of each character."""
        places = [self.ascii[_REWRITTEN[self.plain]]]
        places += [np.flatnonzero(self.codes == code) for code in _BREAKS if len(counts) > code and counts[code]]
        return self.rows(np.concatenate(places))

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
        tokens = [pairs("[", "CSMPUIg/"), places[(codes == ord("<")) & (after > _LINE_END)]]
        found = (np.unique(self.rows(np.concatenate(some))) for some in (numbers, urls, tokens))
        return next(found), next(found), next(found)

    def texts(self, rows: Places) -> list[str]:
        r"""Some of the texts, each `\n` as the line break that it stands for."""
        ends = self.ends[rows].tolist()
        begins = np.where(rows > 0, self.ends[rows - 1] + 1, 0).tolist()
        return [self.text[begin:end].replace(LINE_BREAK, "\n") for begin, end in zip(begins, ends, strict=True)]

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


#: ASCII characters of texts that TSV files have in other words, or that a line break is written with; and the others.
_REWRITTEN = _table("\\\t\r\v\f\x1c\x1d\x1e")
_BREAKS = (0x85, 0x2028, 0x2029)
_INTERESTING = _table("0123456789@vVwW:<[")
_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_WECHAT = "微薇威维vV"
