"""Causes of differences between two runs over the same raw data, their codes in JSON, and the settings behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from chat_corpus.messages import Message, joined, message
from chat_corpus.pipeline.filters.options import KINDS


class CauseKind(StrEnum):
    """Kind of a cause.

    If the shards were processed again, it is the stage that made the difference; a text step and a filter also have a
    name. Otherwise, it is one of `REPORT_CAUSES`: the only thing that differs between the two reports.
    """

    READING = "reading"
    LIMIT = "limit"
    STEP = "step"
    CONVERSION = "conversion"
    MASKING = "masking"
    FILTER = "filter"
    PAIRING = "pairing"
    REPEAT = "repeat"
    SETTINGS = "settings"
    CODE = "code"
    INPUT = "input"
    PLUGINS = "plugins"


#: Kinds of causes that come from the reports of the two runs.
REPORT_CAUSES = frozenset({CauseKind.SETTINGS, CauseKind.CODE, CauseKind.INPUT, CauseKind.PLUGINS})
#: Settings that affect a step, besides the one with its name.
_MORE_STEP_SETTINGS = {"segmentation": ("read.segmentation",)}
#: Settings that affect a filter, besides the one with its name.
_MORE_FILTER_SETTINGS = {"deny": ("filters.allow",)}
#: Settings that affect the other stages. A key that ends with a dot, such as `script.`, is a whole section; an empty
#: key is all settings.
_STAGE_SETTINGS: dict[CauseKind, tuple[str, ...]] = {
    CauseKind.READING: ("read.reposts", "read.encoding"),
    CauseKind.LIMIT: ("read.limit",),
    CauseKind.CONVERSION: ("script.",),
    CauseKind.MASKING: tuple(f"filters.{kind}" for kind in KINDS),
    CauseKind.PAIRING: ("pairs.mode",),
    CauseKind.REPEAT: ("dedup.", "relatedness."),
    CauseKind.SETTINGS: ("",),
}


#: Words for the kinds without a name; in English, the code itself.
_WORDS = {
    CauseKind.READING: message("reading", "cause"),
    CauseKind.LIMIT: message("limit", "cause"),
    CauseKind.CONVERSION: message("conversion", "cause"),
    CauseKind.MASKING: message("masking", "cause"),
    CauseKind.PAIRING: message("pairing", "cause"),
    CauseKind.REPEAT: message("repeat", "cause"),
    CauseKind.SETTINGS: message("settings", "cause"),
    CauseKind.CODE: message("code", "cause"),
    CauseKind.INPUT: message("input", "cause"),
    CauseKind.PLUGINS: message("plugins", "cause"),
}


@dataclass(frozen=True, slots=True)
class Factor:
    """One cause of a difference between two rows; `name` is the name of the step or filter, empty for other kinds."""

    kind: CauseKind
    name: str = ""

    @property
    def code(self) -> str:
        """The code of the factor, used in columns of frames and in JSON.

        >>> Factor(CauseKind.STEP, "links").code, Factor(CauseKind.LIMIT).code
        ('step links', 'limit')
        """
        return f"{self.kind} {self.name}" if self.name else str(self.kind)

    @property
    def words(self) -> Message:
        """The code as a message, so that it can be translated."""
        if self.kind is CauseKind.STEP:
            return message("step {name}", name=self.name)
        if self.kind is CauseKind.FILTER:
            return message("filter {name}", name=self.name)
        return _WORDS[self.kind]

    @classmethod
    def of(cls, code: str) -> Factor:
        """Return the factor for a code. Raises ValueError if the code is unknown, or lacks or must not have a name."""
        word, _, name = code.partition(" ")
        kind = CauseKind(word)
        if bool(name) != (kind in (CauseKind.STEP, CauseKind.FILTER)):
            raise ValueError(f"{code!r} is not a valid CauseKind, or lacks a name")
        return cls(kind, name)

    def depends_on(self, key: str) -> bool:
        """Whether the factor depends on the setting with this key, such as `text.links`."""
        if self.kind is CauseKind.STEP:
            sections: tuple[str, ...] = (f"text.{self.name}", *_MORE_STEP_SETTINGS.get(self.name, ()))
        elif self.kind is CauseKind.FILTER:
            more = _MORE_FILTER_SETTINGS.get(self.name, ())
            sections = (f"filters.{self.name}", f"filters.custom.{self.name}", *more)
        else:
            sections = _STAGE_SETTINGS.get(self.kind, ())
        return any(_is_in(key, section) for section in sections)


def _is_in(key: str, section: str) -> bool:
    """Whether a setting is `section` itself or in that section. All settings are in the empty section."""
    return key == section or key.startswith(section if section.endswith(".") or not section else f"{section}.")


#: Factors that act together and cannot be separated; None if no cause was found.
Factors = tuple[Factor, ...] | None


def describe(factors: Factors) -> Message | None:
    """Return factors as text for people and for JSON; None if there are no factors.

    >>> describe((Factor(CauseKind.REPEAT), Factor(CauseKind.STEP, "links"))), describe((Factor(CauseKind.CODE),))
    ('repeat + step links', 'code (the only difference)')
    """
    if factors is None:
        return None
    codes = joined(" + ", (factor.words for factor in factors))
    if {factor.kind for factor in factors} <= REPORT_CAUSES:
        return message("{cause} (the only difference)", cause=codes)
    return codes


def constant(kind: CauseKind) -> pl.Expr:
    """Return an expression for a list with the code of one factor that has no name."""
    return pl.lit([Factor(kind).code], dtype=pl.List(pl.String))


def with_name(kind: CauseKind, name: pl.Expr) -> pl.Expr:
    """Return an expression for lists with one factor code, with its name from a column; null where that is null."""
    return pl.when(name.is_not_null()).then(pl.concat_list(pl.format(f"{kind} {{}}", name)))


def union(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """Return an expression for the distinct codes in two list columns; null where both lists are empty or null."""
    none = pl.lit([], dtype=pl.List(pl.String))
    both = pl.concat_list(pl.coalesce(first, none), pl.coalesce(second, none)).list.unique(maintain_order=True)
    return pl.when(both.list.len() > 0).then(both)


def parse(codes: list[str] | None) -> Factors:
    """Return the factors for the codes in a row of a list column; None for null."""
    return None if codes is None else tuple(map(Factor.of, codes))
