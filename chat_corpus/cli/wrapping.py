"""Break text into lines of a width in columns: English between words, Chinese between characters."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

#: What no line begins with, and what no line ends with (a part of JIS X 4051 and of W3C clreq).
_NOT_FIRST = "，。、；：？！）》」』”’…"
_NOT_LAST = "（《「『“‘"
#: A piece that is not broken: blanks, a Chinese character with its punctuation, or a word.
_PIECE = rf"\s+|[{_NOT_LAST}]*(?:[⺀-鿿豈-﫿]|[^\s⺀-鿿豈-﫿{_NOT_LAST}]+)[{_NOT_FIRST}]*|."


def columns(text: str) -> int:
    """Columns that printable text takes; as `terminal.width`, but quick to import.

    >>> columns("a中，")
    5
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, unless a single word is longer.

    >>> wrap("写入文件，共 12 条。", 9)
    ['写入文', '件，共 12', '条。']
    """
    lines, line = [], ""
    for piece in re.findall(_PIECE, " ".join(text.split())):
        if line and columns(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines
