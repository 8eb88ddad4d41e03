"""What `export` prints: the plan of a dry run, the table of sources, what was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chat_corpus.cli.terminal import format_table
from chat_corpus.exports import documents, manifest
from chat_corpus.exports.manifest import ExportSource, ExportSummary
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.records import FORMATS
from chat_corpus.messages import amount, count_noun

_COLUMNS = ("source", "dialogues", "records", "train", "validation", "test", "not exported")
PLAN_COLUMNS = ("does", "file", "bytes")


def table(summary: ExportSummary) -> str:
    """A row for each source: dialogues in the store, records made, those of each split, and why others are in none."""
    return format_table([_row(source) for source in summary.sources], _COLUMNS)


def _row(source: ExportSource) -> dict[str, str]:
    ledger = source.ledger
    left_out = {**{f"turns {name}": number for name, number in ledger.turns_dropped.items()}, **ledger.records_dropped}
    splits = {name: f"{ledger.written.get(name, 0):,}" for name in ("train", "validation", "test")}
    return {
        "source": source.name,
        "dialogues": f"{ledger.dialogues:,}",
        "records": f"{ledger.records:,}",
        **splits,
        "not exported": ", ".join(f"{name} {number:,}" for name, number in left_out.items()) or "-",
    }


def written_message(summary: ExportSummary, folder: Path) -> str:
    """Where an export was written, and how much it is."""
    rows, size = count_noun(summary.rows, "record"), amount(sum(file.bytes for file in summary.files))
    return f"wrote {rows} in {count_noun(len(summary.files), 'file')} ({size}) to {folder}/; README.md describes them"


def plan(
    reads: Iterable[tuple[str, int]], folder: Path, names: Sequence[str], options: ExportOptions
) -> list[dict[str, Any]]:
    """What an export would read and write: rows with the keys of `PLAN_COLUMNS`."""
    splits = [name for name in ("train", "validation", "test") if name == "train" or getattr(options.split, name)]
    written = [f"data/{name}/{split}-*.parquet" for name in names for split in splits]
    written += [
        f"{format_}/{name}/{split}.{FORMATS[format_].suffix}"
        for format_ in options.formats
        for name in names
        for split in splits
    ]
    written += [f"index/{name}.parquet" for name in names]
    written += [*documents.NAMES, manifest.MANIFEST]
    return [
        *({"does": "read", "file": file, "bytes": size} for file, size in reads),
        *({"does": "write", "file": f"{folder}/{file}", "bytes": None} for file in written),
    ]


def as_builtins(summary: ExportSummary) -> Any:
    """The manifest as dicts, lists, texts and numbers."""
    return msgspec.to_builtins(summary)
