"""Make the summary of an export, and check that its sums balance."""

from __future__ import annotations

import glob
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
from chat_corpus.exports.manifest import (
    ExportFile,
    ExportFingerprint,
    ExportMix,
    ExportSource,
    ExportSummary,
    RawFile,
    SourceLedger,
)
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import message
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.runs.export.job import ExportJob, SourceExport
from chat_corpus.runs.export.writing import DROPPED

#: Settings that do not change what an export holds.
_INDIFFERENT = (
    *("raw", "out", "workers", "engine", "scheduler", "shard_bytes", "store_dialogues", "plugins", "export"),
    "corpora",  # their definitions are in the fingerprints
)


def summarize(
    job: ExportJob, found: Sequence[SourceExport], files: Sequence[ExportFile], mix: ExportMix | None
) -> ExportSummary:
    """Return the summary of an export; `files` are those of all sources together.

    Raises LedgerError if a sum does not balance.
    """
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
    """Return the options with names of evaluation files instead of paths of this machine."""
    settings: dict[str, Any] = msgspec.to_builtins(options)
    settings["decontaminate"] = [Path(path).name for path in options.decontaminate]
    return settings


def _evaluation_file(path: Path) -> RawFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return RawFile(file=path.name, bytes=path.stat().st_size, sha256=digest)


def _source(one: SourceExport) -> ExportSource:
    entry, source = one.origin.entry, one.origin.source
    before = entry.fingerprint  # without `input`: its times are those of this machine, and `raw` has the digests
    return ExportSource(
        name=one.name,
        title=source.title,
        licence=source.licence,
        url=source.url,
        ledger=_ledger(one),
        raw=tuple(
            RawFile(file=file.file, bytes=file.bytes, sha256=file.sha256, records=file.records) for file in entry.files
        ),
        raw_folder=Path(entry.raw).absolute().name or "raw_chat_corpus",
        fingerprint=ExportFingerprint(
            code=before.code,
            source=before.source,
            settings=before.settings,
            unequal_lengths=before.unequal_lengths,
            plugins=before.plugins,
            settings_of_source=entry.settings,
            plugin_files=tuple(Path(file).name for file in entry.plugins),
            definition=_definition(entry),
        ),
    )


def _ledger(one: SourceExport) -> SourceLedger:
    """Return the ledger of a source. Raises LedgerError if the counts of reading, indexing and writing differ."""
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
    faults: list[str] = [*ledger.imbalances()]
    if balance.read != one.origin.rows:
        faults.append(f"{one.origin.rows} turns in the store, {balance.read} read")
    if written != indexed:
        faults.append(f"{written} records written, {indexed} in the index")
    if faults:
        raise LedgerError(f"{one.name}: {'; '.join(faults)}; {DEFECT}")
    return ledger


def _date() -> str | None:
    """Return the date of SOURCE_DATE_EPOCH, None if it is not set. Raises UsageError if it is no number of seconds."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            message("SOURCE_DATE_EPOCH={value}: a number of seconds since 1970 expected", value=seconds)
        ) from error


def _definition(entry: FinishedSource) -> dict[str, Any] | None:
    """Return the definition of a corpus that the user added, for the manifest, else None.

    Paths are relative to the raw folder; only the name is left of a path outside it.
    """
    if isinstance(entry.definition, msgspec.UnsetType):
        return None
    folder = glob.escape(str(Path(entry.raw).absolute()))
    paths = (os.path.relpath(Path(path).absolute(), folder) for path in entry.definition.paths)
    names = tuple(Path(path).name if path.startswith("..") else Path(path).as_posix() for path in paths)
    definition: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(entry.definition, path=names))
    return definition
