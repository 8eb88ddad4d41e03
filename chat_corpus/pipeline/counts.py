"""Counts of records, turns and pairs, in the same form in report.json, in the index and in the work folder.

records read  = non_turns + used + rejected       (rejected: all turns of the record are rejected)
turns         = kept + rejected                    (by reason)
pairs possible = written + rejected + duplicates   (by reason)
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, TypeVar

import msgspec
from msgspec.structs import replace

from chat_corpus.errors import DEFECT, LedgerError

#: A number of things. Decoding fails if it is below 0.
Count = Annotated[int, msgspec.Meta(ge=0)]

_T = TypeVar("_T")
#: Types of values that hold no others.
_PLAIN = frozenset((bool, float, int, str, type(None)))


def _tally() -> Counter[str]:
    return Counter()


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """The first unreadable record of a file: its number, the reason, and the message.

    It does not include the content, because the rejects have the whole record.
    """

    record: Count
    reason: str
    message: str


class FileCounts(msgspec.Struct, kw_only=True):
    """Records of one raw file: used, rejected, and those of the rejected that were unreadable, by reason.

    `unread_fields` counts the records that have text in a field that is not read, by field.
    """

    used: Count
    rejected: Count
    unreadable: Counter[str]
    example: Example | None
    unread_fields: Counter[str]

    @classmethod
    def zero(cls) -> FileCounts:
        """No records yet."""
        return cls(used=0, rejected=0, unreadable=Counter(), example=None, unread_fields=Counter())

    @property
    def records(self) -> int:
        """Number of records that have turns, or should have them."""
        return self.used + self.rejected

    @property
    def share(self) -> float:
        """The share of `records` that are unreadable; 1 if there are no records."""
        return self.unreadable.total() / self.records if self.records else 1.0

    def add(self, other: FileCounts) -> None:
        """Add the figures of another shard of the file; the earlier of two examples stays."""
        examples = [one for one in (self.example, other.example) if one is not None]
        example = min(examples, key=lambda one: one.record, default=None)
        _add(self, other, "used", "rejected", "unreadable", "unread_fields")
        self.example = example


class RecordCounts(msgspec.Struct, kw_only=True):
    """Records that were read: those that are not turns, such as headers, and those used and rejected."""

    read: Count
    non_turns: Count
    used: Count
    rejected: Count

    @classmethod
    def zero(cls) -> RecordCounts:
        """No records yet."""
        return cls(read=0, non_turns=0, used=0, rejected=0)


class TurnCounts(msgspec.Struct, kw_only=True):
    """Turns that were read, kept, and rejected by reason; and how many were changed.

    `changed_by_normalization` counts the turns that text steps changed, `changed_by_step` those that each step changed,
    even if a later step undid the change. `scripts` counts the turns by their script before conversion.
    """

    read: Count
    kept: Count
    rejected: Counter[str]
    changed_by_normalization: Count
    changed_by_step: Counter[str] = msgspec.field(default_factory=_tally)  # not in the reports of earlier versions
    changed_by_conversion: Count
    scripts: Counter[str]

    @classmethod
    def zero(cls) -> TurnCounts:
        """No turns yet."""
        return cls(
            read=0,
            kept=0,
            rejected=Counter(),
            changed_by_normalization=0,
            changed_by_conversion=0,
            scripts=Counter(),
        )


class PairCounts(msgspec.Struct, kw_only=True):
    """Pairs that were possible, written, rejected by reason, and left out as repeats."""

    possible: Count
    written: Count
    rejected: Counter[str]
    duplicates: Count

    @classmethod
    def zero(cls) -> PairCounts:
        """No pairs yet."""
        return cls(possible=0, written=0, rejected=Counter(), duplicates=0)


class Counts(msgspec.Struct, kw_only=True):
    """What happened to the records, turns and pairs of a shard or a source; each figure is counted independently.

    `records_by_file` has the records of each raw file by its name.
    """

    records: RecordCounts
    records_by_file: dict[str, FileCounts]
    turns: TurnCounts
    pairs: PairCounts

    @classmethod
    def zero(cls) -> Counts:
        """Nothing yet."""
        return cls(records=RecordCounts.zero(), records_by_file={}, turns=TurnCounts.zero(), pairs=PairCounts.zero())

    def add(self, other: Counts) -> None:
        """Add the figures of another shard."""
        for counts, added in ((self.records, other.records), (self.turns, other.turns), (self.pairs, other.pairs)):
            _add(counts, added, *added.__struct_fields__)
        for name, file in other.records_by_file.items():
            self.records_by_file.setdefault(name, FileCounts.zero()).add(file)

    def check(self, where: str) -> None:
        """Raise LedgerError if a sum does not balance."""
        records, turns, pairs = self.records, self.turns, self.pairs
        sums = [
            ("records", records.read, records.non_turns + records.used + records.rejected),
            ("turns", turns.read, turns.kept + turns.rejected.total()),
            ("pairs", pairs.possible, pairs.written + pairs.duplicates + pairs.rejected.total()),
        ]
        if self.records_by_file:
            files = self.records_by_file.values()
            sums += [
                ("used records of the files", records.used, sum(file.used for file in files)),
                ("rejected records of the files", records.rejected, sum(file.rejected for file in files)),
            ]
        for name, total, parts in sums:
            if total != parts:
                raise LedgerError(f"{where}: {name} do not balance: {total} met, {parts} accounted for; {DEFECT}")


def _add(one: msgspec.Struct, other: msgspec.Struct, *names: str) -> None:
    for name in names:
        setattr(one, name, getattr(one, name) + getattr(other, name))


def encode(struct: msgspec.Struct) -> bytes:
    """Return counts as JSON, with the names of each Counter in alphabetical order.

    >>> encode(PairCounts(possible=2, written=0, rejected=Counter(length=1, empty=1), duplicates=0))
    b'{"possible":2,"written":0,"rejected":{"empty":1,"length":1},"duplicates":0}'
    """
    return msgspec.json.encode(_in_order(struct))


def builtins(struct: msgspec.Struct) -> object:
    """Return counts as dicts, lists, strings and numbers, in the order of `encode`."""
    return msgspec.to_builtins(_in_order(struct))


def _in_order(value: object) -> object:
    if isinstance(value, Counter):
        return Counter(dict(sorted(value.items())))
    if isinstance(value, dict):
        return {name: inner if type(inner) in _PLAIN else _in_order(inner) for name, inner in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        nested = {name: _in_order(inner) for name, inner in fields if type(inner) not in _PLAIN}
        return replace(value, **nested) if nested else value
    return value


def decode(data: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    """Return the counts that `encode` wrote. Raises ValueError, which names the key, for anything else."""
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=_counter)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _counter(_kind: type, value: object) -> Counter[str]:
    """Decode a Counter, the only type here that msgspec cannot decode itself."""
    if not isinstance(value, dict):
        raise TypeError(f"Expected `object`, got `{type(value).__name__}`")
    if not all(type(number) is int and number >= 0 for number in value.values()):
        raise ValueError("Expected `int` >= 0 for each name")
    return Counter(value)
