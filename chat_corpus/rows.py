"""Work on some rows of a column: which ones match, and a change that no other row is given to."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def found(texts: pl.Series, pattern: str) -> pl.Series:
    """Tell for each row whether it matches a regular expression; null does not.

    Polars keeps the last 32 expressions of a thread; what is none is spared the place.
    """
    matches = texts.str.contains(pattern, literal=_SPECIAL.isdisjoint(pattern))
    return matches.fill_null(value=False) if matches.null_count() else matches


def on(texts: pl.Series, where: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Do `work` on the rows of a mask, and on no others: what few rows need costs the others nothing."""
    count = where.sum()
    if count == 0:
        return texts
    if count == len(texts):
        return work(texts)
    # `scatter` changes the series that it is called on.
    whole: pl.Series = texts.clone().scatter(where.arg_true(), work(texts.filter(where)))
    return whole
