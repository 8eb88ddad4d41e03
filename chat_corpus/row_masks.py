"""Boolean masks of rows: find the rows of a column that match a pattern, and change only these rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

#: The first character after the last blank of Unicode.
AFTER_BLANKS = "\u3001"
_SPECIAL = frozenset("\\.+*?()|[]{}^$")
_FALSE = pl.Series([False])
#: Numbers of groups per row above which a mask of all numbers would take too much memory.
_SPARSE = 8


def matches(texts: pl.Series, pattern: str, where: pl.Series | None = None) -> pl.Series:
    """Return whether each row matches a regular expression; null rows and rows outside of `where` do not.

    A pattern without special characters is searched for literally, since Polars caches only the last 32 compiled
    expressions of a thread. The empty pattern matches every text.
    """
    if where is not None and where.sum() < len(texts):
        rows = row_numbers(where)
        return row_mask(len(texts), rows.filter(matches(texts.filter(where), pattern)) if len(rows) else rows)
    if not pattern:
        return texts.is_not_null()
    found = texts.str.contains(pattern, literal=_SPECIAL.isdisjoint(pattern))
    return found.fill_null(value=False) if found.null_count() else found


def holds_any(texts: pl.Series, marks: str) -> bool:
    r"""Return whether any text of a column contains any character of `marks`. Searches all texts as one joined text.

    >>> holds_any(pl.Series(["a", None, "b\u2028"]), "\r\u2028")
    True
    """
    joined = texts.str.join("")
    ascii_marks = [mark for mark in marks if mark.isascii()]
    others = "".join(re.escape(mark) for mark in marks if not mark.isascii())
    # ASCII: one search for a single byte (memchr). Others: a regular expression, which searches for their first byte.
    data: bytes = joined.cast(pl.Binary).item()
    if any(mark.encode() in data for mark in ascii_marks):
        return True
    return bool(others) and bool(joined.str.contains(f"[{others}]").item())


def may_begin_with_blank(texts: pl.Series) -> pl.Series:
    """Return a mask of the texts that may begin with a blank: all that do, empty texts, and few others.

    >>> may_begin_with_blank(pl.Series(["", "\N{IDEOGRAPHIC SPACE}好", "好", "A"])).to_list()
    [True, True, False, False]
    """
    # Unicode has blanks in these two ranges only.
    return (texts < "!") | ((texts >= "\x7f") & (texts < AFTER_BLANKS))


def filtered(rows: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """Return the rows that a mask selects. For few rows, `DataFrame.filter` takes three times as long."""
    return pl.DataFrame([column.filter(mask) for column in rows.get_columns()])


def below(column: pl.Series, follows: pl.Series) -> pl.Series:
    """Return the rows of a column that the mask `follows` selects. The mask begins with the second row.

    >>> below(pl.Series([1, 2, 3]), pl.Series([True, False])).to_list()
    [2]
    """
    return column.slice(1).filter(follows)


def above(column: pl.Series, follows: pl.Series) -> pl.Series:
    """Return the row before each row that the mask `follows` selects. The mask begins with the second row.

    >>> above(pl.Series([1, 2, 3]), pl.Series([True, False])).to_list()
    [1]
    """
    return column.head(-1).filter(follows)


def row_numbers(where: pl.Series) -> pl.Series:
    """Return the numbers (u32, from 0) of the rows that a mask selects. `Series.arg_true` takes longer for few rows."""
    return pl.int_range(len(where), dtype=pl.UInt32, eager=True).filter(where)


def row_mask(size: int, rows: pl.Series) -> pl.Series:
    """Return a mask of `size` rows that is true at the row numbers `rows`."""
    return _FALSE.new_from_index(0, size).scatter(rows, True)


def same_group(groups: pl.Series, rows: pl.Series) -> pl.Series:
    """Return a mask of the rows whose group has a row in the mask `rows`; a null is in no group.

    Groups are numbers from 0, usually not many more than rows: then `Series.is_in` would take five times as long.

    >>> groups = pl.Series([0, 0, 2, None, 4_294_967_295], dtype=pl.UInt32)
    >>> same_group(groups, pl.Series([True, False, False, True, False])).to_list()
    [True, True, False, False, False]
    >>> same_group(groups.head(4), pl.Series([False, False, True, True])).to_list()
    [False, False, True, False]
    """
    highest: int = groups.max() or 0  # type: ignore[assignment]  # of a column of integers
    chosen = groups.filter(rows).drop_nulls()
    if highest > _SPARSE * len(groups):
        found = groups.is_in(chosen.unique().implode())
    else:
        found = row_mask(highest + 1, chosen).gather(groups)
    return found.fill_null(value=False) if found.null_count() else found


def apply_where(texts: pl.Series, where: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return `texts` with `work` applied only to the rows that a mask selects, so that other rows cost nothing."""
    count = where.sum()
    if count == 0:
        return texts
    if count == len(texts):
        return work(texts)
    # `scatter` changes the series that it is called on.
    changed: pl.Series = texts.clone().scatter(row_numbers(where), work(texts.filter(where)))
    return changed
