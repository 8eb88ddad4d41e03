"""Results of a comparison of two outputs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chat_corpus.lineage.run_differences import RunDifferences


class Change(StrEnum):
    """Change of a row from the old output to the new one."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class Matched(StrEnum):
    """How rows of two outputs were matched: by the addresses of their turns, or as text."""

    ADDRESS = "address"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row that differs: its number, from 1, and its text on each side that has it.

    If the row was traced, `query` and `answer` are the addresses of its turns, and `reason` is the reason why the other
    side rejected the pair, if it did.
    """

    kind: Change
    old_row: int | None
    old: str | None
    new_row: int | None
    new: str | None
    query: str | None = None
    answer: str | None = None
    reason: str | None = None
    cause: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """A cause, as `cause_kinds.describe` gives it, and its number of `rows` of one kind.

    `cause` is null if it is not determined. `settings` are the changed settings that the cause depends on.
    """

    cause: str | None
    kind: Change
    rows: int
    settings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The comparison of two files of pairs of one source.

    old_rows, new_rows  number of rows; null if a side has no such file
    aligned             how rows were matched: by address, or as text
    unlike              differences of the two runs, by their reports
    shards              number of shards with rows that differ
    traced              number of these shards that were processed again; the causes are counted over them
    by_report           whether the cause comes from the reports, and is counted over all rows
    """

    source: str
    old_rows: int | None
    new_rows: int | None
    appeared: int = 0
    vanished: int = 0
    changed: int = 0
    aligned: Matched = Matched.TEXT
    unlike: RunDifferences | None = None
    shards: int | None = None
    traced: int = 0
    by_report: bool = False
    causes: tuple[Cause, ...] = ()
    examples: tuple[Row, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both sides have the same rows in the same order."""
        both = self.old_rows is not None and self.new_rows is not None
        return both and not (self.appeared or self.vanished or self.changed)
