"""Results of a comparison of two outputs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chat_corpus.lineage.run_differences import RunDifferences


class Change(StrEnum):
    """Kind of change of a row between the old and the new output."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class Matched(StrEnum):
    """How rows of two outputs were matched: by the addresses of their turns, or as text."""

    ADDRESS = "address"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row that differs between the two outputs.

    `old_row` and `new_row` are its row numbers, from 1; `old` and `new` are its lines. They are null on a side that
    does not have the row. If the row was traced, `query` and `answer` are the addresses of its turns. `reason` is the
    reason for which the side without the row rejected the pair, if it did. `cause` is as in `Cause`.
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
    """A cause, and the number of `rows` of one kind of change that have it.

    `cause` is text such as `step links`; causes that cannot be separated are joined by `+`. It is null if the cause is
    not determined. `settings` are the keys of the changed settings that the cause depends on.
    """

    cause: str | None
    kind: Change
    rows: int
    settings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The result of comparing the files of pairs of one source.

    `old_rows` and `new_rows` are the numbers of rows, null if a side has no file of pairs. `appeared`, `vanished` and
    `changed` are numbers of rows by kind of change. `aligned` is how rows were matched: by address, or as text.

    `unlike` are the differences between the two runs, according to their reports. `shards` is the number of shards with
    rows that differ, null if the runs cannot be compared shard by shard. `traced` of them were processed again.

    `causes` begin with the most frequent. They are counted in the traced shards. If no shard was traced, all rows have
    the same cause: the one that the reports show if `by_report` is true, otherwise null. `examples` are some rows for
    each kind of change and cause. `remarks` explain why rows were not traced.
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
