"""An export from dialogue stores: chunks to records, duplicates, splits, files, documents, and the sums that balance.

Every step is a pure function of the stores and the options, and tasks are cut by the content of the stores, so that the
bytes do not depend on workers, engine or interruption. Memory is bounded by the size of chunks and files.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from chat_corpus import versions
from chat_corpus.errors import DEFECT, IncompleteError, LedgerError, UsageError
from chat_corpus.exports import documents, manifest, splitting
from chat_corpus.exports.dialogues import TurnBalance
from chat_corpus.exports.manifest import ExportFile, ExportSource, ExportSummary, RawFile, SourceLedger
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.splitting import SPLITS, SplitLimits
from chat_corpus.files.atomic import BLOCK, write_blocks
from chat_corpus.messages import joined, message
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export import repeats
from chat_corpus.runs.export.assembling import Assembled, AssembleTask, RecordsPart, assemble_chunk
from chat_corpus.runs.export.chunks import chunks
from chat_corpus.runs.export.stores import Store
from chat_corpus.runs.export.workers import Workers
from chat_corpus.runs.export.writing import (
    DUPLICATE,
    IDS,
    INDEX,
    IndexTask,
    WriteTask,
    Written,
    write_index,
    write_records,
)
from chat_corpus.settings.model import Settings

_log = logging.getLogger(__name__)

#: Bytes of text of a file of a split, on average; files are cut by the order of records.
_FILE = 24_000_000
#: Settings that do not change what an export holds.
_INDIFFERENT = ("raw", "out", "workers", "engine", "scheduler", "shard_bytes", "store_dialogues", "plugins", "export")


@dataclass(kw_only=True, slots=True)
class _SourceExport:
    """A source on its way: its parts, what became of its turns and records, and its files."""

    store: Store
    parts: list[RecordsPart]
    assembled: list[Assembled]
    limits: SplitLimits
    index: Counter[str] = field(default_factory=Counter)
    files: list[ExportFile] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return self.store.name


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """What to export: dialogue stores, with these options, made from a `store` or directly from `raw` corpora.

    Files are made below `work`, which holds nothing of an earlier export.
    """

    stores: Sequence[Store]
    settings: Settings
    work: Path
    made_from: Literal["store", "raw"]

    @property
    def options(self) -> ExportOptions:
        """The options of the export."""
        return self.settings.export

    @property
    def files(self) -> Path:
        """Where the files are made, at the paths that they have in the export."""
        return self.work / "files"

    @property
    def parts(self) -> Path:
        """Where the work between the steps is."""
        return self.work / "parts"


def export(job: ExportJob, workers: Workers) -> ExportSummary:
    """Make the files of an export, and return their summary; `job.files` then holds all of them.

    Raises LedgerError where a sum does not balance, IncompleteError where there is no record, ChatCorpusError
    for whatever else goes wrong.
    """
    for folder in (job.files, job.parts):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    found = _assembled(job, workers)
    if job.options.duplicates == "drop":
        repeats.mark_duplicates([part for one in found for part in one.parts])
    for one in found:
        repeats.mark_occurrences(one.parts)
    _write(job, workers, found)
    summary = _summary(job, found)
    if not summary.rows:
        names = ", ".join(store.name for store in job.stores)
        raise IncompleteError(message("nothing to export: no turn of {names} has an answer", names=names))
    for source in summary.sources:
        if not source.ledger.records:
            text = message("{source}: no records, since no turn has an answer", source=source.name)
            _log.warning("%s", text, extra={"event": "export.empty", "source": source.name})
    made = documents.documents(summary)
    for name, data in made.items():
        write_blocks(job.files / name, data)
    return manifest.decode(made[manifest.MANIFEST])


def planned_chunks(store: Store) -> int:
    """How many chunks a store has: so much there is to share among workers."""
    return sum(1 for _ in chunks(store.path, store.facts.rows))


def _assembled(job: ExportJob, workers: Workers) -> list[_SourceExport]:
    """The records of all sources, with the limits of their splits."""
    tasks = [task for store in job.stores for task in _assemble_tasks(job, store)]
    results = dict(zip((task.part for task in tasks), workers.map(assemble_chunk, tasks), strict=True))
    found = []
    for store in job.stores:
        parts = [task.part for task in tasks if task.part.source == store.name]
        limits = splitting.split_limits(job.options.split, _group_hashes(parts, job.options))
        made = [results[part] for part in parts]
        found.append(_SourceExport(store=store, parts=parts, assembled=made, limits=limits))
    return found


def _assemble_tasks(job: ExportJob, store: Store) -> Iterator[AssembleTask]:
    for number, chunk in enumerate(chunks(store.path, store.facts.rows)):
        part = RecordsPart(folder=job.parts, source=store.name, number=number)
        yield AssembleTask(store=store.path, chunk=chunk, part=part, pairing=store.pairing, options=job.options)


def _group_hashes(parts: Sequence[RecordsPart], options: ExportOptions) -> pl.Series:
    """The group hashes of a source that are in test or validation before any cap: the others do not decide it."""
    limits = splitting.split_limits(options.split)
    hashes = [pl.Series("group", dtype=pl.UInt64)]
    for part in parts:
        own = exact.read(part.records, "group")["group"]
        hashes.append(own.filter(splitting.assign_split(own, limits) != "train").unique())
    return pl.concat(hashes)


def _write(job: ExportJob, workers: Workers, found: Sequence[_SourceExport]) -> None:
    """The files of all splits, and the indices."""
    for name in ("pieces", "index"):
        (job.parts / name).mkdir()
    tasks = [task for one in found for task in _write_tasks(job, one)]
    for task in tasks:
        (job.files / task.parquet).parent.mkdir(parents=True, exist_ok=True)
    results = workers.map(write_records, tasks)
    indices = [IndexTask(part=part, limits=one.limits) for one in found for part in one.parts]
    counts = workers.map(write_index, indices)
    for one in found:
        own = [(task, made) for task, made in zip(tasks, results, strict=True) if task.source == one.name]
        for told, counted in zip(indices, counts, strict=True):
            if told.part.source == one.name:
                one.index.update(counted)
        _collect(job, one, own)
        one.files.append(_index_file(job, one))


def _write_tasks(job: ExportJob, one: _SourceExport) -> Iterator[WriteTask]:
    options, total = job.options, sum(made.bytes for made in one.assembled)
    shares = {"test": options.split.test, "validation": options.split.validation}
    shares["train"] = 1 - sum(shares.values())
    for split in SPLITS:
        files = max(1, -int(-total * shares[split] // _FILE)) if shares[split] else 0
        for number in range(files):
            yield WriteTask(
                source=one.name,
                split=split,
                number=number,
                files=files,
                parts=tuple(one.parts),
                limits=one.limits,
                formats=options.formats,
                folder=job.files,
                pieces=job.parts / "pieces",
            )


def _collect(job: ExportJob, one: _SourceExport, written: Sequence[tuple[WriteTask, Written]]) -> None:
    """Take up the Parquet files of a source, and join the pieces of its other formats."""
    for split in SPLITS:
        own = [(task, made) for task, made in written if task.split == split and made.rows]
        one.written[split] = sum(made.rows for _, made in own)
        for number, (task, made) in enumerate(own):  # a range that no record fell in has no file
            path = f"data/{one.name}/{split}-{number:05d}.parquet"
            (job.files / task.parquet).replace(job.files / path)
            one.files.append(
                ExportFile(
                    path=path,
                    format="hf",
                    bytes=made.bytes,
                    sha256=made.sha256,
                    source=one.name,
                    split=split,
                    rows=made.rows,
                )
            )
        if not own:
            continue
        for name in job.options.formats:
            format_ = FORMATS[name]
            rows = sum(made.pieces[name] for _, made in own)
            path = f"{name}/{one.name}/{split}.{format_.suffix}"
            pieces = [task.piece(name) for task, _ in own]
            one.files.append(_joined(job, path, pieces, format_.header, (name, one.name, split, rows)))
            if not format_.carries_id:
                pieces = [task.piece(name + IDS) for task, _ in own]
                one.files.append(_joined(job, f"{path}.ids.jsonl", pieces, b"", ("ids", one.name, split, rows)))


def _joined(
    job: ExportJob, path: str, pieces: Sequence[Path], header: bytes, about: tuple[str, str, str, int]
) -> ExportFile:
    """Join pieces into a file, and delete them."""
    place, digest, size = job.files / path, hashlib.sha256(header), len(header)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as target:
        target.write(header)
        for piece in pieces:
            with piece.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    size += target.write(block)
            piece.unlink()
    format_, source, split, rows = about
    return ExportFile(
        path=path, format=format_, bytes=size, sha256=digest.hexdigest(), source=source, split=split, rows=rows
    )


def _index_file(job: ExportJob, one: _SourceExport) -> ExportFile:
    """Join the index of a source."""
    path = job.files / "index" / f"{one.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    frames = [INDEX.to_frame().lazy(), *(pl.scan_ipc(part.index, glob=False) for part in one.parts)]
    pl.concat(frames).sink_parquet(
        path, compression="zstd", compression_level=3, row_group_size=65_536, maintain_order=True
    )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return ExportFile(
        path=f"index/{one.name}.parquet", format=manifest.INDEX, bytes=path.stat().st_size, sha256=digest,
        source=one.name, rows=rows,
    )  # fmt: skip


def _summary(job: ExportJob, found: Sequence[_SourceExport]) -> ExportSummary:
    """The summary of an export. Raises LedgerError where a sum does not balance."""
    options = job.options
    settings = {name: value for name, value in msgspec.to_builtins(job.settings).items() if name not in _INDIFFERENT}
    return ExportSummary(
        sources=tuple(_source(one) for one in found),
        files=tuple(file for one in found for file in one.files),
        formats=options.formats,
        turns=options.turns,
        group_of="record"
        if options.turns == "dialogue" and not (options.max_turns or options.max_chars)
        else "dialogue",
        order="shuffled",
        has_system=bool(options.system),
        made_from=job.made_from,
        settings={"export": msgspec.to_builtins(options), **settings},
        chat_corpus=versions.installed("chat-corpus"),
        packages={name: versions.installed(name) for name in versions.PACKAGES},
        date=_date(),
    )


def _source(one: _SourceExport) -> ExportSource:
    entry, source = one.store.entry, one.store.source
    fingerprint = msgspec.to_builtins(entry.fingerprint)
    del fingerprint["input"]  # whose times are those of this machine; `raw` has the digests
    return ExportSource(
        name=one.name,
        title=source.title,
        licence=source.licence,
        url=source.url,
        ledger=_ledger(one),
        raw=tuple(RawFile(file=file.file, bytes=file.bytes, sha256=file.sha256) for file in entry.files),
        raw_folder=entry.raw,
        fingerprint={**fingerprint, "settings_of_source": entry.settings, "plugin_files": entry.plugins},
    )


def _ledger(one: _SourceExport) -> SourceLedger:
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
        records_dropped={name: one.index[name] for name in (DUPLICATE, splitting.HELD) if one.index[name]},
        written=written,
        masked=dict(sorted(masked.items())),
        special_tokens=balance.special_tokens,
    )
    faults = ledger.imbalances()
    if balance.read != one.store.facts.rows:
        faults.append(
            message("turns in the store: {stored:,}, read: {read:,}", stored=one.store.facts.rows, read=balance.read)
        )
    if written != indexed:
        faults.append(message("records written: {written}; in the index: {indexed}", written=written, indexed=indexed))
    if faults:
        raise LedgerError(
            message("{source}: {faults}; {defect}", source=one.name, faults=joined("; ", faults), defect=DEFECT)
        )
    return ledger


def _date() -> str | None:
    """The date of SOURCE_DATE_EPOCH. Raises UsageError where it is no number of seconds."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        fault = message(
            "SOURCE_DATE_EPOCH={value}: not a number of seconds since 1970; set one, or unset it", value=seconds
        )
        raise UsageError(fault) from error
