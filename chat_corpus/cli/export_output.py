"""The output of `export`: the plan of a dry run, the table of sources, and what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chat_corpus.cli import run_output, words
from chat_corpus.cli.terminal import format_table
from chat_corpus.exports import documents, manifest
from chat_corpus.exports.manifest import ExportMix, ExportSource, ExportSummary
from chat_corpus.exports.records import FORMATS
from chat_corpus.messages import Message, amount, count_noun, joined, message
from chat_corpus.settings.model import Settings

_TITLES = {
    "source": message("source"),
    "dialogues": message("dialogues"),
    "records": message("records", "export"),
    "train": "train",
    "validation": "validation",
    "test": "test",
    "left_out": message("left out"),
}


def table(summary: ExportSummary) -> str:
    """Return a table with a row per source: dialogues, records, records per split, and what was left out and why."""
    return format_table([_row(source) for source in summary.sources], _TITLES)


def _row(source: ExportSource) -> dict[str, str]:
    ledger = source.ledger
    turns = [words.left_out_turns(name, number) for name, number in ledger.turns_dropped.items()]
    records = [words.left_out_records(name, number) for name, number in ledger.records_dropped.items()]
    splits = {name: f"{ledger.written.get(name, 0):,}" for name in ("train", "validation", "test")}
    return {
        "source": source.name,
        "dialogues": f"{ledger.dialogues:,}",
        "records": f"{ledger.records:,}",
        **splits,
        "left_out": joined(", ", [*turns, *records]) if turns or records else "-",
    }


def notes(summary: ExportSummary) -> Iterator[tuple[str, str]]:
    """Yield (text, event) of each note below the table: lacking splits, records that were held, shares of a mix."""
    yield from _lacking_splits(summary)
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
                count=count_noun(twins, "record", "export"),
            ),
            "export.twins",
        )  # fmt: skip
    if summary.mix is not None:
        titles = {
            "train": "train",
            "records": message("records", "export"),
            **{name: name for name in summary.mix.sources},
        }
        yield format_table(_share_rows(summary.mix), titles), "export.mix"
        if summary.mix.ends_first:
            yield (
                message(
                    "the first {rows:,} records of train have the shares of the mix; then {name} has no more records",
                    rows=summary.mix.exact_rows, name=summary.mix.ends_first,
                ),
                "export.shares",
            )  # fmt: skip


def _lacking_splits(summary: ExportSummary) -> Iterator[tuple[str, str]]:
    """Yield a note for each split that some sources have and others lack, unless all are written as a mix."""
    for split in summary.splits() if summary.mix is None else ():
        names = [one.name for one in summary.written_sources if not one.ledger.written.get(split)]
        if names:
            yield message("no records in {split}: {names}", split=split, names=joined(", ", names)), "export.split"


def _share_rows(mix: ExportMix) -> list[dict[str, str]]:
    """Return a row for each subset of train, and for all of train, with the share of each source."""
    subsets = [(one.name, one.rows, one.sources) for one in mix.subsets]
    subsets.append((manifest.DEFAULT, sum(mix.sources.values()), mix.sources))
    return [
        {
            "train": name,
            "records": f"{rows:,}",
            **{
                source: message("{share:.1f} %", share=100 * number / max(rows, 1))
                for source, number in sources.items()
            },
        }
        for name, rows, sources in subsets
    ]


def written_message(summary: ExportSummary, folder: Path) -> Message:
    """Return the message with the folder and the size of an export.

    The size includes the two files that the manifest does not list.
    """
    unlisted = (folder / name for name in (manifest.MANIFEST, manifest.PAGE))
    sizes = [file.bytes for file in summary.files] + [path.stat().st_size for path in unlisted if path.is_file()]
    return message(
        "wrote {records} in {files} ({size}) to {folder}/; its README.md says how to load them",
        records=count_noun(summary.rows, "record", "export"),
        files=count_noun(len(sizes), "file"),
        size=amount(sum(sizes)),
        folder=folder,
    )


def plan_table(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """Return the rows of `plan` and the titles of the columns, as a table for people."""
    return run_output.plan(rows)


def plan(
    reads: Iterable[tuple[str, int]], folder: Path, names: Sequence[str], settings: Settings
) -> list[dict[str, Any]]:
    """Return what an export would read and write, as rows with the keys `does, file, bytes`.

    `does` is read or write; `bytes` is None for files to write.
    """
    options = settings.export
    splits = [name for name in ("train", "validation", "test") if name == "train" or getattr(options.split, name)]
    folders = [manifest.MIXED] if options.mix.is_mixed else names
    written = [f"data/{name}/{split}-*.parquet" for name in folders for split in splits]
    written += [
        f"{format_}/{name}/{split}.{FORMATS[format_].suffix}{ending}"
        for format_ in options.formats
        for name in folders
        for split in splits
        for ending in (("",) if FORMATS[format_].carries_id else ("", ".ids.jsonl"))
    ]
    written += [f"index/{name}.parquet" for name in names]
    written += [*documents.NAMES, manifest.STATISTICS_FILE, manifest.MANIFEST]
    written += [manifest.PAGE] if settings.page else []
    return [
        *({"does": "read", "file": file, "bytes": size} for file, size in reads),
        *({"does": "write", "file": f"{folder}/{file}", "bytes": None} for file in written),
    ]


def as_builtins(summary: ExportSummary) -> Any:
    """Return the manifest as dicts, lists, strings and numbers."""
    return msgspec.to_builtins(summary)
