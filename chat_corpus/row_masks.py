"""Work on some rows of a column: which ones match, and a change that no other row is given to."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def matches(texts: pl.Series, pattern: str, where: pl.Series | None = None) -> pl.Series:
    """Tell for each row whether it matches a regular expression; null does not, nor does a row outside the mask.

    Polars keeps the last 32 expressions of a thread; what is none is spared the place.
    """
    some = texts if where is None or where.all() else texts.filter(where)
    matches = some.str.contains(pattern, literal=_SPECIAL.isdisjoint(pattern))
    matches = matches.fill_null(value=False) if matches.null_count() else matches
    return matches if where is None or some is texts else row_mask(len(texts), where.arg_true().filter(matches))


def holds_any(texts: pl.Series, marks: str) -> bool:
    r"""Whether any text of a column holds any of these characters: one look at all texts joined.

    >>> holds_any(pl.Series(["a", None, "b\u2028"]), "\r\u2028")
    True
    """
    joined = texts.str.join("")
    ascii_marks = [mark for mark in marks if mark.isascii()]
    others = "".join(re.escape(mark) for mark in marks if not mark.isascii())
    # A single byte is found by memchr, and a class of longer ones by the byte that they begin with.
    data = joined.cast(pl.Binary)
    if any(data.bin.contains(mark.encode()).item() for mark in ascii_marks):
        return True
    return bool(others) and bool(joined.str.contains(f"[{others}]").item())


def row_mask(size: int, rows: pl.Series) -> pl.Series:
    """A mask of so many rows, true for those of these numbers."""
    return pl.repeat(value=False, n=size, eager=True).scatter(rows, True)


def apply_where(texts: pl.Series, where: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Do `work` on the rows of a mask, and on no others: what few rows need costs the others nothing."""
    count = where.sum()
    if count == 0:
        return texts
    if count == len(texts):
        return work(texts)
    # `scatter` changes the series that it is called on.
    whole: pl.Series = texts.clone().scatter(where.arg_true(), work(texts.filter(where)))
    return whole
