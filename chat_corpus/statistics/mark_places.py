"""Finds the few texts that may hold a mark, with NumPy: personal data, a web address, a special token, a line break."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.code_points import CodePoints, Codes, Positions, pieces

_Mask = npt.NDArray[np.bool_]

_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_ASCII = np.uint32(0x80)
_WECHAT = "微薇威维vV"


@dataclass(frozen=True, kw_only=True, slots=True)
class PossibleMarks:
    r"""Row numbers of texts.

    line_breaks  a row for each `\n`, two characters
    returns      a row for each carriage return with a line feed behind it
    others       each row once that may hold personal data, a web address or a special token
    """

    line_breaks: Positions
    returns: Positions
    others: Positions


def find_marks(texts: pl.Series, rows: pl.Series) -> PossibleMarks:
    """Return where texts without null may hold marks; `rows` are their numbers."""
    left = rows.to_numpy().astype(np.int64)
    found: list[tuple[Positions, ...]] = [(left[:0],) * 3]
    for some in pieces(texts) if len(texts) else ():
        points = CodePoints(some)
        own, left = left[: len(some)], left[len(some) :]
        found.append(tuple(own[points.rows(places)] for places in _places(points.codes)))
    line_breaks, returns, others = map(np.concatenate, zip(*found, strict=True))
    return PossibleMarks(line_breaks=line_breaks, returns=returns, others=np.unique(others))


def _places(codes: Codes) -> tuple[Positions, Positions, Positions]:
    """Where line breaks, returns and other marks begin, or may begin; a separator is behind the last text."""
    digits = codes - _ZERO < _TEN
    second, third, fourth, fifth = (np.roll(digits, -places) for places in range(1, 5))
    fours = np.flatnonzero(digits & second & third & fourth)
    # Five digits in a row, or four behind a blank or a hyphen.
    numbers = fours[fifth[fours] | _any(codes[fours - 1], " -")]
    places = np.flatnonzero((codes < _ASCII) | (codes == ord("＠")) | (codes == ord("信")))
    before_last, before, here, after = (codes.take(places + step, mode="wrap") for step in (-2, -1, 0, 1))
    wechat = (here == ord("信")) & (_any(before, _WECHAT) | (_any(before, " .-") & _any(before_last, _WECHAT)))
    personal = wechat | _any(here, "@＠") | (_any(here, "vVwW") & _any(after, "xXeE"))
    urls = ((here == ord(":")) & (after == ord("/"))) | (_any(here, "wW") & _any(after, "wW"))
    tokens = (here == ord("<")) | ((here == ord("[")) & _any(after, "CSMPUIg/"))
    line_breaks = places[(here == ord("\\")) & (after == ord("n"))]
    returns = places[(here == ord("\r")) & (after == ord("\n"))]
    return line_breaks, returns, np.concatenate([numbers, places[personal | urls | tokens]])


def _any(codes: Codes, characters: str) -> _Mask:
    """Which codes are those of one of some characters."""
    found: _Mask = reduce(np.logical_or, (codes == ord(character) for character in characters))
    return found
