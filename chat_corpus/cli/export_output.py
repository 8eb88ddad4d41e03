"""What `export` prints: the plan of a dry run, the table of sources, what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chat_corpus.cli.terminal import format_table
from chat_corpus.exports import documents, manifest
from chat_corpus.exports.manifest import ExportMix, ExportSource, ExportSummary
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.records import FORMATS
from chat_corpus.messages import amount, count_noun, message

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


def notes(summary: ExportSummary) -> Iterator[tuple[str, str]]:
    """What is held and why, and the shares of a mix, each with the name of its event."""
    capped = {one.name: one.ledger.records_dropped.get("held_cap", 0) for one in summary.sources}
    if any(capped.values()):
        names = ", ".join(f"{name} {number:,}" for name, number in capped.items() if number)
        yield (
            message(
                "a source has at most {most:,} groups in test, and in validation: {names} records more are held; "
                "--max-groups 0 switches the cap off",
                most=summary.settings["export"]["split"]["max_groups"], names=names,
            ),
            "export.cap",
        )  # fmt: skip
    twins = sum(one.ledger.records_dropped.get("held_twin", 0) for one in summary.sources)
    if twins:
        yield (
            message(
                "{count} of train resemble an evaluation pair and are held: held/<source>.jsonl",
                count=count_noun(twins, "record"),
            ),
            "export.twins",
        )  # fmt: skip
    if summary.mix is not None:
        yield format_table(_share_rows(summary.mix), ("train", "records", *summary.mix.sources)), "export.mix"
        if summary.mix.ends_first:
            yield (
                message(
                    "the first {rows:,} records of train have the shares of the mix; then {name} has no more records",
                    rows=summary.mix.exact_rows, name=summary.mix.ends_first,
                ),
                "export.shares",
            )  # fmt: skip


def _share_rows(mix: ExportMix) -> list[dict[str, str]]:
    """The share of each source in the subsets of train, and in all of it."""
    subsets = [(one.name, one.rows, one.sources) for one in mix.subsets]
    subsets.append((manifest.DEFAULT, sum(mix.sources.values()), mix.sources))
    return [
        {
            "train": name,
            "records": f"{rows:,}",
            **{source: f"{100 * number / max(rows, 1):.1f} %" for source, number in sources.items()},
        }
        for name, rows, sources in subsets
    ]


def written_message(summary: ExportSummary, folder: Path) -> str:
    """Where an export was written, and how much it is."""
    rows, size = count_noun(summary.rows, "record"), amount(sum(file.bytes for file in summary.files))
    return f"wrote {rows} in {count_noun(len(summary.files), 'file')} ({size}) to {folder}/; README.md describes them"


def plan(
    reads: Iterable[tuple[str, int]], folder: Path, names: Sequence[str], options: ExportOptions
) -> list[dict[str, Any]]:
    """What an export would read and write: rows with the keys of `PLAN_COLUMNS`."""
    splits = [name for name in ("train", "validation", "test") if name == "train" or getattr(options.split, name)]
    folders = [manifest.MIXED] if options.mix.is_mixed else names
    written = [f"data/{name}/{split}-*.parquet" for name in folders for split in splits]
    written += [
        f"{format_}/{name}/{split}.{FORMATS[format_].suffix}"
        for format_ in options.formats
        for name in folders
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
