"""Accounts that must balance: nothing a reader met may vanish between two stages, or appear from nowhere.

records read  = structural + used + rejected       (rejected: a record none of whose turns is one)
turns         = kept + rejected                    (by reason)
pairs possible = written + rejected + duplicates   (by reason)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import polars as pl

from chat_corpus.errors import LedgerError
from chat_corpus.formats.base import Reading


@dataclass(kw_only=True, slots=True)
class Counts:
    """What happened to the records, turns and pairs of a shard or a source; every figure counted on its own."""

    records: int = 0
    structural: int = 0
    used: int = 0
    records_rejected: int = 0
    turns: int = 0
    kept: int = 0
    turns_rejected: Counter[str] = field(default_factory=Counter)
    normalized: int = 0
    converted: int = 0
    scripts: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    written: int = 0
    duplicates: int = 0
    pairs_rejected: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Counts:
        """Counts from what `report` made of them. Raises ValueError for anything else."""
        try:
            records, turns, pairs = told["records"], told["turns"], told["pairs"]
            return cls(
                records=records["read"],
                structural=records["structural"],
                used=records["used"],
                records_rejected=records["rejected"],
                turns=turns["read"],
                kept=turns["kept"],
                turns_rejected=Counter(turns["rejected"]),
                normalized=turns["changed_by_normalization"],
                converted=turns["changed_by_conversion"],
                scripts=Counter(turns["scripts"]),
                pairs=pairs["possible"],
                written=pairs["written"],
                duplicates=pairs["duplicates"],
                pairs_rejected=Counter(pairs["rejected"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no accounts of this version: {error}") from error

    def add(self, other: Counts) -> None:
        """Add the figures of another shard."""
        for figure in fields(self):
            setattr(self, figure.name, getattr(self, figure.name) + getattr(other, figure.name))

    def report(self) -> dict[str, Any]:
        """The accounts as they stand in report.json."""
        return {
            "records": {
                "read": self.records,
                "structural": self.structural,
                "used": self.used,
                "rejected": self.records_rejected,
            },
            "turns": {
                "read": self.turns,
                "kept": self.kept,
                "rejected": dict(sorted(self.turns_rejected.items())),
                "changed_by_normalization": self.normalized,
                "changed_by_conversion": self.converted,
                "scripts": dict(sorted(self.scripts.items())),
            },
            "pairs": {
                "possible": self.pairs,
                "written": self.written,
                "rejected": dict(sorted(self.pairs_rejected.items())),
                "duplicates": self.duplicates,
            },
        }

    def check(self, where: str) -> None:
        """Raise LedgerError where a sum does not balance."""
        sums = (
            ("records", self.records, self.structural + self.used + self.records_rejected),
            ("turns", self.turns, self.kept + self.turns_rejected.total()),
            ("pairs", self.pairs, self.written + self.duplicates + self.pairs_rejected.total()),
        )
        for name, total, parts in sums:
            if total != parts:
                raise LedgerError(f"{where}: {name} do not balance: {total} met, {parts} accounted for; {_BUG}")


_BUG = "this is a defect of chat-corpus: nothing was written; please report it with this message"


def check_reading(reading: Reading, part: int, first: int, records: int, where: str) -> tuple[int, int]:
    """Check that each record is a row's address or structural, and return how many are used and how many rejected.

    `records` were counted on the raw bytes, from number `first` on. Raises LedgerError.
    """
    rows = reading.rows.filter(pl.col("part") == part).select("line", used=pl.col("reason").is_null()).sort("line")
    repeats = (rows["line"] == rows["line"].shift(1)).any()
    by_line = rows.group_by("line").agg(pl.col("used").any()) if repeats else rows
    addresses = pl.concat([by_line["line"], reading.structural[part]]).sort()
    if not addresses.equals(pl.int_range(first, first + records, dtype=pl.UInt32, eager=True)):
        raise LedgerError(
            f"{where}: {records} records were read, from {first} on; the reader accounts for "
            f"{addresses.n_unique()} of them in {len(addresses)} places; {_BUG}"
        )
    used = int(by_line["used"].sum())
    return used, len(by_line) - used


def check_rows(before: pl.DataFrame, after: pl.DataFrame, stage: str, where: str) -> None:
    """Check that a stage kept every row at its address. Raises LedgerError."""
    same = len(before) == len(after) and all(before[name].equals(after[name]) for name in ("part", "line", "turn"))
    if not same:
        raise LedgerError(
            f"{where}: stage '{stage}' lost, added or moved turns: {len(before)} in, {len(after)} out; {_BUG}"
        )
