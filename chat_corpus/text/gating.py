"""Gates: which rows a change is given to.

Polars computes both sides of `when/then` for every row, so that a change is kept from the rows that do not need it by
filtering them out and putting the results back. A gate is a pattern that every text matches which the change would
change; it may match others too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Union

import polars as pl

from chat_corpus.rows import found, on

#: A gate, and behind it a change or more parts in order.
Part = tuple[str, Union[Callable[[pl.Expr], pl.Expr], "tuple[Part, ...]"]]

#: Characters (the inside of a class) of texts that most steps never change: Han, kana, bopomofo, Chinese punctuation
#: but for ．, which may be a decimal point.
PLAIN_CJK = (
    r"“”‘’…—\x{3001}-\x{3020}\x{3041}-\x{3096}\x{309B}-\x{30FE}\x{3105}-\x{312F}\x{4E00}-\x{9FFF}！-－／：-＠［-｀｛-･"
)
#: The same and blank, ASCII but for & < > { } @ \ and ` (which begin markup or escapes), Greek without accents, and the
#: symbols and pictures that kaomoji and emoji are made of, without what modifies them.
PLAIN = PLAIN_CJK + (
    r" !\x22#$%'()*+,./0-9:;=?A-Z\[\]^_a-z|~\-·\x{391}-\x{3A9}\x{3B1}-\x{3C9}\x{2010}-\x{2027}\x{2030}-\x{205E}"
    r"\x{2190}-\x{2328}\x{2460}-\x{27BF}\x{1F300}-\x{1F3FA}\x{1F400}-\x{1FAFF}"
)


def either(patterns: Iterable[str]) -> str:
    """Return one pattern for texts that match any of `patterns`: one search of it costs little more than of one."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def gated(texts: pl.Series, parts: tuple[Part, ...]) -> pl.Series:
    """Run parts in order, each on the rows that match its gate."""
    for gate, change in parts:
        texts = on(texts, found(texts, gate), partial(_run, change=change))
    return texts


def _run(rows: pl.Series, change: Callable[[pl.Expr], pl.Expr] | tuple[Part, ...]) -> pl.Series:
    if not callable(change):
        return gated(rows, change)
    column = rows.name
    return rows.to_frame().select(change(pl.col(column)).alias(column)).to_series()
