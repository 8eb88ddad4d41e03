"""Finds the few texts that may hold a mark, with NumPy: personal data, a web address, a special token, a line break.

Marks begin with, or are made of, few characters. These are found in all texts, and what is around each of them says
whether a mark may be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from chat_corpus.pipeline.code_points import Codes, Positions

_Mask = npt.NDArray[np.bool_]

# The characters that are found: of the visible ones of ASCII, by their number from the first, and others.
_FIRST, _COUNT = np.uint32(ord("!")), ord("~") + 1 - ord("!")
_FOUND = np.array([*(chr(code + ord("!")) in "0123456789@vVwW:<[\\" for code in range(_COUNT)), True])
_RETURN, _AT, _WORD = ord("\r"), ord("＠"), ord("信")
# The places around each that are looked at; beyond the texts there is what is at their ends.
_AROUND = np.array([-2, -1, 0, 1, 4])
_ZERO, _TEN = np.uint32(ord("0")), np.uint32(10)
_WECHAT = "微薇威维vV"
_NONE = np.zeros(0, np.int64)


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


class MarkPlaces:
    """The places of such characters in texts that are added a piece at a time."""

    def __init__(self) -> None:
        self._places, self._ends, self._rows = [_NONE], [_NONE], [_NONE]
        self._around = [np.zeros((0, len(_AROUND)), np.uint32)]
        self._size = 0

    def add(self, rows: Positions, codes: Codes, ends: Positions) -> None:
        """Look at texts by their code points: `rows` are their numbers, -1 where one does not count."""
        numbers = codes - _FIRST  # which is large for what comes before
        places = np.flatnonzero((numbers < _COUNT) | (codes == _RETURN) | (codes == _AT) | (codes == _WORD))
        places = places[_FOUND.take(numbers[places], mode="clip")]
        self._places.append(places + self._size)
        self._around.append(codes.take(places[:, None] + _AROUND, mode="clip"))
        self._ends.append(ends + self._size)
        self._rows.append(rows)
        self._size += len(codes)

    def found(self) -> PossibleMarks:
        """Return the rows of the texts so far."""
        places, ends, rows = (np.concatenate(some) for some in (self._places, self._ends, self._rows))
        before_last, before, code, after, fourth = np.ascontiguousarray(np.concatenate(self._around).T)

        def texts(found: Positions | _Mask) -> Positions:
            numbers: Positions = rows[np.searchsorted(ends, places[found])]
            return numbers[numbers >= 0]

        digits = np.flatnonzero(code - _ZERO < _TEN)
        fours = digits[:-3][places[digits[3:]] - places[digits[:-3]] == 3] if len(digits) > 3 else digits[:0]
        # Five digits in a row, or four behind a blank or a hyphen.
        numbers = fours[(fourth[fours] - _ZERO < _TEN) | _any(before[fours], " -")]
        wechat = (code == _WORD) & (_any(before, _WECHAT) | (_any(before, " .-") & _any(before_last, _WECHAT)))
        personal = wechat | _any(code, "@＠") | (_any(code, "vVwW") & _any(after, "xXeE"))
        urls = ((code == ord(":")) & (after == ord("/"))) | (_any(code, "wW") & _any(after, "wW"))
        tokens = (code == ord("<")) | ((code == ord("[")) & _any(after, "CSMPUIg/"))
        return PossibleMarks(
            line_breaks=texts((code == ord("\\")) & (after == ord("n"))),
            returns=texts((code == ord("\r")) & (after == ord("\n"))),
            others=np.unique(np.concatenate([texts(numbers), texts(personal | urls | tokens)])),
        )


def _any(codes: Codes, characters: str) -> _Mask:
    """Which codes are those of one of some characters."""
    found: _Mask = reduce(np.logical_or, (codes == ord(character) for character in characters))
    return found
