"""What can part two runs over the same raw data: kinds of causes, as JSON has them, and the settings behind each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class CauseKind(StrEnum):
    """What made two outputs differ: a stage, where the shards were done again, or else what alone is not the same.

    Of a step and a filter the name is told too.
    """

    READING = "reading"
    LIMIT = "limit"
    STEP = "step"
    CONVERSION = "conversion"
    FILTER = "filter"
    PAIRING = "pairing"
    REPEAT = "repeat"
    SETTINGS = "settings"
    CODE = "code"
    INPUT = "input"
    PLUGINS = "plugins"


#: Known by the reports of the two runs.
BY_REPORT = frozenset({CauseKind.SETTINGS, CauseKind.CODE, CauseKind.INPUT, CauseKind.PLUGINS})
#: Settings that a step hangs on besides its own.
_MORE = {"segmentation": ("read.segmentation",)}
#: Settings that the other stages hang on, whole sections as `script.`.
_STEERS: dict[CauseKind, tuple[str, ...]] = {
    CauseKind.READING: ("read.reposts", "read.encoding"),
    CauseKind.LIMIT: ("read.limit",),
    CauseKind.CONVERSION: ("script.",),
    CauseKind.PAIRING: ("pairs.mode",),
    CauseKind.REPEAT: ("dedup.exact",),
    CauseKind.SETTINGS: ("",),
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that parts two rows; a step or a filter has its `name`."""

    kind: CauseKind
    name: str = ""

    @property
    def code(self) -> str:
        """The factor in a column of a frame, and in JSON.

        >>> Factor(CauseKind.STEP, "links").code, Factor(CauseKind.LIMIT).code
        ('step links', 'limit')
        """
        return f"{self.kind} {self.name}" if self.name else str(self.kind)

    @classmethod
    def of(cls, code: str) -> Factor:
        """The factor that has a code. Raises ValueError where none has it."""
        word, _, name = code.partition(" ")
        kind = CauseKind(word)
        if bool(name) != (kind in (CauseKind.STEP, CauseKind.FILTER)):
            raise ValueError(f"{code!r} is not a valid CauseKind, or lacks a name")
        return cls(kind, name)

    def steered_by(self, key: str) -> bool:
        """Whether the factor hangs on a setting, by its key, as `text.links`."""
        if self.kind is CauseKind.STEP:
            sections: tuple[str, ...] = (f"text.{self.name}", *_MORE.get(self.name, ()))
        else:
            sections = (f"filters.{self.name}",) if self.kind is CauseKind.FILTER else _STEERS.get(self.kind, ())
        return any(key == one or key.startswith(one if one.endswith(".") or not one else f"{one}.") for one in sections)


#: Factors that are not told apart; null where none was found.
Factors = tuple[Factor, ...] | None


def words(factors: Factors) -> str | None:
    """Factors as they are told.

    >>> words((Factor(CauseKind.REPEAT), Factor(CauseKind.STEP, "links"))), words((Factor(CauseKind.CODE),))
    ('repeat + step links', 'code, since nothing else is unlike')
    """
    if factors is None:
        return None
    told = " + ".join(one.code for one in factors)
    return f"{told}, since nothing else is unlike" if {one.kind for one in factors} <= BY_REPORT else told


def literal(kind: CauseKind) -> pl.Expr:
    """A list of one factor that has no name, as a value of a column."""
    return pl.lit([Factor(kind).code], dtype=pl.List(pl.String))


def named(kind: CauseKind, name: pl.Expr) -> pl.Expr:
    """Lists of one factor, each with a name of a column; null where there is none."""
    return pl.when(name.is_not_null()).then(pl.concat_list(pl.format(f"{kind} {{}}", name)))


def either(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """The factors of two columns of lists, each once; null where neither has any."""
    none = pl.lit([], dtype=pl.List(pl.String))
    both = pl.concat_list(pl.coalesce(one, none), pl.coalesce(other, none)).list.unique(maintain_order=True)
    return pl.when(both.list.len() > 0).then(both)


def read(codes: list[str] | None) -> Factors:
    """The factors in a row of such a column."""
    return None if codes is None else tuple(map(Factor.of, codes))
