"""What is told of two files of pairs that were held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chat_corpus.lineage.run_differences import RunDifferences


class Change(StrEnum):
    """What a row of one output has become in the other."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class Matched(StrEnum):
    """How rows of two outputs were matched: by the addresses of their turns, or as text."""

    ADDRESS = "address"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row that is not the same: its number and line on each side that has it.

    Where it was traced, `query` and `answer` are the addresses of its turns, and `reason` says why the other side
    rejected the pair, if it did.
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
    """So many `rows` of one kind have this cause, null for not determined; `settings` are those it hangs on.

    A cause is told as `causes.words` has it.
    """

    cause: str | None
    kind: Change
    rows: int
    settings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """Two files of pairs of one source; rows are null where a side has no such file.

    `aligned` says how rows were matched: by address, or as text. `shards` are those whose rows are not the same, and
    `traced` how many of them were done again: the causes are counted over these, or over all rows where `by_report`.
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
