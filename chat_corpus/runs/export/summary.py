"""The summary of an export, with sums that balance."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from chat_corpus import versions
from chat_corpus.errors import DEFECT, LedgerError, UsageError
from chat_corpus.exports.dialogues import TurnBalance
from chat_corpus.exports.manifest import ExportFile, ExportMix, ExportSource, ExportSummary, RawFile, SourceLedger
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.runs.export.job import ExportJob, SourceExport
from chat_corpus.runs.export.writing import DROPPED

#: Settings that do not change what an export holds.
_INDIFFERENT = ("raw", "out", "workers", "engine", "scheduler", "shard_bytes", "store_dialogues", "plugins", "export")


def summarize(
    job: ExportJob, found: Sequence[SourceExport], files: Sequence[ExportFile], mix: ExportMix | None
) -> ExportSummary:
    """The summary of an export; `files` are those of all sources together. Raises LedgerError unless sums balance."""
    options = job.options
    settings = {name: value for name, value in msgspec.to_builtins(job.settings).items() if name not in _INDIFFERENT}
    return ExportSummary(
        sources=tuple(_source(one) for one in found),
        files=(*files, *(file for one in found for file in one.files)),
        formats=options.formats,
        turns=options.turns,
        group_of="record"
        if options.turns == "dialogue" and not (options.max_turns or options.max_chars)
        else "dialogue",
        order="shuffled",
        has_system=bool(options.system),
        made_from=job.made_from,
        settings={"export": _settings(options), **settings},
        chat_corpus=versions.installed("chat-corpus"),
        packages={name: versions.installed(name) for name in versions.PACKAGES},
        mix=mix,
        evaluation=tuple(_evaluation_file(Path(path)) for path in options.decontaminate),
        date=_date(),
    )


def _settings(options: ExportOptions) -> dict[str, Any]:
    """The options without paths of this machine."""
    settings: dict[str, Any] = msgspec.to_builtins(options)
    settings["decontaminate"] = [Path(path).name for path in options.decontaminate]
    return settings


def _evaluation_file(path: Path) -> RawFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return RawFile(file=path.name, bytes=path.stat().st_size, sha256=digest)


def _source(one: SourceExport) -> ExportSource:
    entry, source = one.origin.entry, one.origin.source
    fingerprint = msgspec.to_builtins(entry.fingerprint)
    del fingerprint["input"]  # whose times are those of this machine; `raw` has the digests
    return ExportSource(
        name=one.name,
        title=source.title,
        licence=source.licence,
        url=source.url,
        ledger=_ledger(one),
        raw=tuple(RawFile(file=file.file, bytes=file.bytes, sha256=file.sha256) for file in entry.files),
        raw_folder=_raw_folder(entry.raw),
        fingerprint={
            **fingerprint,
            "settings_of_source": entry.settings,
            "plugin_files": entry.plugins,
            **_definition(entry),
        },
    )


def _raw_folder(raw: str) -> str:
    """The folder of raw corpora, relative if it is below the working directory: exports are published."""
    path, here = Path(raw), Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else raw


def _ledger(one: SourceExport) -> SourceLedger:
    """The ledger of a source, counted by those who read, indexed and wrote. Raises LedgerError unless they agree."""
    balance = sum((made.balance for made in one.assembled), TurnBalance.zero())
    masked = sum((made.masked for made in one.assembled), Counter[str]())
    written = {split: number for split, number in one.written.items() if number}
    indexed = {split: one.index[split] for split in SPLITS if one.index[split]}
    ledger = SourceLedger(
        turns=balance.read,
        turns_exported=balance.exported,
        turns_dropped=dict(sorted(balance.dropped.items())),
        dialogues=sum(made.dialogues for made in one.assembled),
        records=balance.records,
        records_dropped={name: one.index[name] for name in DROPPED if one.index[name]},
        written=written,
        masked=dict(sorted(masked.items())),
        special_tokens=balance.special_tokens,
    )
    faults = ledger.imbalances()
    if balance.read != one.origin.rows:
        faults.append(f"{one.origin.rows} turns in the store, {balance.read} read")
    if written != indexed:
        faults.append(f"{written} records written, {indexed} in the index")
    if faults:
        raise LedgerError(f"{one.name}: {'; '.join(faults)}; {DEFECT}")
    return ledger


def _date() -> str | None:
    """The date of SOURCE_DATE_EPOCH. Raises UsageError where it is no number of seconds."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH={seconds}: a number of seconds since 1970 expected") from error


def _definition(entry: FinishedSource) -> dict[str, Any]:
    """The definition of a corpus that the user has added, for the manifest."""
    if isinstance(entry.definition, msgspec.UnsetType):
        return {}
    return {"definition": msgspec.to_builtins(entry.definition)}
