"""Apply a change only to the rows that match its gate.

Polars computes both branches of `when/then` for every row. To skip rows, this module filters the rows that a change
needs, and writes the results back. A gate is a regex that matches every text that the change would modify; false
positives are allowed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Union

import polars as pl

from chat_corpus.pipeline.decoded import Decoded, Keep
from chat_corpus.row_masks import apply_where, matches

Change = Callable[[pl.Expr], pl.Expr]
#: A gate, and the change or the parts that run, in order, on the texts that match it.
Part = tuple[str, Union[Change, "tuple[Part, ...]"]]
#: A part, or the parts of a named step. The parts behind a gate may be named too.
Piece = Union["Named", tuple[str, Union[Change, "tuple[Piece, ...]"]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The parts of a named step."""

    step: str
    parts: tuple[Part, ...]


@dataclass(kw_only=True)
class Rows:
    """Rows of a column: their numbers, which of them each named step changed, and their character counts.

    The numbers are `given`, or those of the rows of `parent` that the mask `where` selects. The latter are computed
    only when they are needed.
    """

    changed: defaultdict[str, list[pl.Series]] = field(default_factory=lambda: defaultdict(list))
    decoded: Decoded | None = None
    given: pl.Series | None = None
    parent: Rows | None = None
    where: pl.Series | None = None

    @cached_property
    def numbers(self) -> pl.Series:
        """The number of each row."""
        if self.parent is None or self.where is None:
            assert self.given is not None  # noqa: S101 rows are given, or some of others
            return self.given
        return self.parent.numbers.filter(self.where)

    def some(self, where: pl.Series) -> Rows:
        """Return the rows of a mask."""
        return Rows(changed=self.changed, decoded=self.decoded, parent=self, where=where)

    def at(self, numbers: pl.Series) -> Rows:
        """Return the rows at these positions."""
        return Rows(changed=self.changed, decoded=self.decoded, given=self.numbers[numbers])

    @property
    def keep(self) -> Keep | None:
        """The function that adds character counts of these rows to `decoded`; None without `decoded`."""
        return None if self.decoded is None else self.decoded.keep(self.numbers)

    def note(self, step: str, where: pl.Series) -> None:
        """Record that a step changed the rows of a mask; null counts as not changed."""
        if where.any():
            self.changed[step].append(self.numbers.filter(where))


#: Characters that most steps never change, as the inside of a character class: Han, kana, bopomofo, and Chinese
#: punctuation except ．, which may be a decimal point.
PLAIN_CJK = (
    r"“”‘’…—\x{3001}-\x{3020}\x{3041}-\x{3096}\x{309B}-\x{30FE}\x{3105}-\x{312F}\x{4E00}-\x{9FFF}！-－／：-＠［-｀｛-･"
)
#: All plain characters: those above, space, ASCII except & < > { } @ \ and ` (which begin markup or escapes), Greek
#: without accents, and the symbols and pictographs of kaomoji and emoji, without modifiers.
PLAIN = PLAIN_CJK + (
    r" !\x22#$%'()*+,./0-9:;=?A-Z\[\]^_a-z|~\-·\x{391}-\x{3A9}\x{3B1}-\x{3C9}\x{2010}-\x{2027}\x{2030}-\x{205E}"
    r"\x{2190}-\x{2328}\x{2460}-\x{27BF}\x{1F300}-\x{1F3FA}\x{1F400}-\x{1FAFF}"
)


def either(patterns: Iterable[str]) -> str:
    """Return one regex that matches if any of `patterns` does; a search costs little more than for one of them."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def gates(parts: Iterable[Piece]) -> Iterator[str]:
    """Yield the gates of parts, but not those of parts behind a gate."""
    for part in parts:
        if isinstance(part, Named):
            yield from gates(part.parts)
        else:
            yield part[0]


def apply_gated(texts: pl.Series, parts: tuple[Piece, ...], rows: Rows | None = None) -> pl.Series:
    """Run parts in order, each on the texts that match its gate; `rows` records those that a named step changes."""
    for part in parts:
        if isinstance(part, Named):
            texts = _noted(texts, part, rows) if rows is not None else apply_gated(texts, part.parts)
        else:
            gate, change = part
            where = matches(texts, gate)
            texts = apply_where(texts, where, partial(_run, change=change, rows=rows and rows.some(where)))
    return texts


def _run(texts: pl.Series, change: Change | tuple[Piece, ...], rows: Rows | None = None) -> pl.Series:
    if not callable(change):
        return apply_gated(texts, change, rows)
    column = texts.name
    return texts.to_frame().select(change(pl.col(column)).alias(column)).to_series()


def _noted(texts: pl.Series, named: Named, rows: Rows) -> pl.Series:
    """Run a named step and record the rows that it changes; if it has one part, compare only rows behind its gate."""
    if len(named.parts) > 1:
        done = apply_gated(texts, named.parts)
        if done is not texts:
            rows.note(named.step, texts != done)
        return done
    ((gate, change),) = named.parts
    where = matches(texts, gate)

    def work(some: pl.Series) -> pl.Series:
        done = _run(some, change)
        rows.some(where).note(named.step, some != done)
        return done

    return apply_where(texts, where, work)
