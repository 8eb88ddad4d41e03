"""The steps of an export: records, duplicates, scores, splits, near twins, files, statistics and documents.

Every step is a pure function of the input and the options, and tasks depend only on the content of the input, so that
the bytes do not depend on workers, engine or interruption. Memory is bounded by the size of chunks and files.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
from msgspec import structs

from chat_corpus.errors import IncompleteError
from chat_corpus.exports import documents, manifest, manifest_file, splits
from chat_corpus.exports.dialogues import DropReason
from chat_corpus.exports.manifest import MIXED, ExportSummary, SourceLedger
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.ordering import KEYS
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.files.atomic import write_blocks
from chat_corpus.messages import Message, message
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export import repeats, scoring
from chat_corpus.runs.export.assembling import AssembleTask, RecordsPart, assemble_chunk
from chat_corpus.runs.export.chunks import chunks
from chat_corpus.runs.export.collecting import collect, held_file, index_file
from chat_corpus.runs.export.empty_splits import warn_of_empty_splits
from chat_corpus.runs.export.job import ExportJob, SourceExport
from chat_corpus.runs.export.mixed import TrainMix, described, plan_train, ranges_of_cuts
from chat_corpus.runs.export.selection import PartRows, rows_between
from chat_corpus.runs.export.statistics import add_statistics
from chat_corpus.runs.export.stores import Store
from chat_corpus.runs.export.summary import summarize
from chat_corpus.runs.export.twins import TrainRecords, hold_twins
from chat_corpus.runs.export.workers import Workers
from chat_corpus.runs.export.writing import IndexTask, WriteTask, write_index, write_records
from chat_corpus.statistics.conversions import ConversionTally

_log = logging.getLogger(__name__)

#: Average bytes of the records in a file of a split (`SourceExport.bytes`). Files are cut by the order of records.
FILE_BYTES = 24_000_000


def _why_empty(ledgers: Sequence[SourceLedger], options: ExportOptions) -> Message:
    """Return why sources have no record in any split."""
    left_out = sum((Counter(ledger.records_dropped) for ledger in ledgers), Counter[str]())
    if left_out:
        reasons = ", ".join(f"{name} {number:,}" for name, number in sorted(left_out.items()))
        return message("all of them are left out ({reasons})", reasons=reasons)
    if any(ledger.turns_dropped.get(str(DropReason.TOO_LONG)) for ledger in ledgers):
        most = options.max_chars
        return message("every query with its answer has more than {most:,} characters (max_chars)", most=most)
    return message("no turn is answered")


def export(job: ExportJob, workers: Workers) -> ExportSummary:
    """Make the files of an export in `job.files`, and return their summary.

    Raises LedgerError if a sum does not balance, IncompleteError if there is no record, and ChatCorpusError for any
    other failure.
    """
    for folder in (job.files, job.parts):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    found = _assembled(job, workers)
    if job.options.duplicates == "drop":
        repeats.mark_duplicates([part for one in found for part in one.parts])
    for one in found:
        repeats.mark_occurrences(one.parts)
        if job.options.relatedness:
            scoring.score_source(one.parts, job.parts, workers)
    left = _without_twins(job, workers, found)
    mix = plan_train(job.options.mix, left) if job.options.mix.is_mixed else None
    summary = _written(job, workers, found, left, mix)
    if not summary.rows:
        names = ", ".join(origin.name for origin in job.origins)
        reason = _why_empty([source.ledger for source in summary.sources], job.options)
        raise IncompleteError(message("nothing to export: {names}: no records: {reason}", names=names, reason=reason))
    summary = structs.replace(
        summary, files=(*summary.files, add_statistics(job, workers, summary, _conversions(found)))
    )
    for source in summary.sources:
        if not source.ledger.records:
            reason = _why_empty([source.ledger], job.options)
            text = message("{source}: no records: {reason}", source=source.name, reason=reason)
            _log.warning("%s", text, extra={"event": "export.empty", "source": source.name})
    warn_of_empty_splits(summary, job.options.split, lambda: _number_of_groups(found))
    made = documents.documents(summary)
    for name, data in made.items():
        write_blocks(job.files / name, data)
    return manifest_file.decode(made[manifest.MANIFEST])


def _conversions(found: Sequence[SourceExport]) -> ConversionTally:
    tally = ConversionTally()
    for made in (made for one in found for made in one.assembled):
        tally.merge(made.conversions)
    return tally


def _assembled(job: ExportJob, workers: Workers) -> list[SourceExport]:
    """Return all sources with their records and the limits of their splits. Makes the records of dialogue stores."""
    tasks = [task for store in job.origins if isinstance(store, Store) for task in _assemble_tasks(job, store)]
    results = list(zip((task.part for task in tasks), workers.map(assemble_chunk, tasks), strict=True))
    found = []
    for origin in job.origins:
        records = results if isinstance(origin, Store) else origin.records(job.parts)
        own = [(part, made) for part, made in records if part.source == origin.name]
        parts = [part for part, _ in own]
        limits = splits.split_limits(job.options.split, _group_hashes(parts, job.options))
        assembled = [made for _, made in own]
        found.append(SourceExport(origin=origin, parts=parts, assembled=assembled, limits=limits))
    return found


def _assemble_tasks(job: ExportJob, store: Store) -> Iterator[AssembleTask]:
    for number, chunk in enumerate(chunks(store.path, store.facts.rows)):
        base = job.parts / f"{store.name}-{number:06d}"
        part = RecordsPart(folder=job.parts, source=store.name, number=number, base=base)
        yield AssembleTask(store=store.path, chunk=chunk, part=part, pairing=store.pairing, options=job.options)


def _number_of_groups(found: Sequence[SourceExport]) -> int:
    groups = [exact.read(part.records, "group")["group"].unique() for one in found for part in one.parts]
    return pl.concat(groups).n_unique() if groups else 0


def _group_hashes(parts: Sequence[RecordsPart], options: ExportOptions) -> pl.Series:
    """Return the group hashes of a source that are in test or validation without a cap; a cap depends only on these."""
    limits = splits.split_limits(options.split)
    hashes = [pl.Series("group", dtype=pl.UInt64)]
    for part in parts:
        own = exact.read(part.records, "group")["group"]
        hashes.append(own.filter(splits.assign_split(own, limits) != "train").unique())
    return pl.concat(hashes)


def _without_twins(
    job: ExportJob, workers: Workers, found: Sequence[SourceExport]
) -> dict[str, Sequence[TrainRecords]]:
    """Hold near twins of evaluation pairs. Return what is left for train of each part, by source.

    Does nothing and returns no sources if there are no evaluation pairs, and no mix that needs the counts.
    """
    options = job.options
    parts = [(part, one.limits) for one in found for part in one.parts]
    has_evaluation = options.split.test or options.split.validation or options.decontaminate
    if not has_evaluation and not options.mix.is_mixed:
        return {}
    results = iter(hold_twins(workers, parts, [Path(path) for path in options.decontaminate], job.parts))
    return {one.name: [next(results) for _ in one.parts] for one in found}


def _written(
    job: ExportJob,
    workers: Workers,
    found: Sequence[SourceExport],
    left: Mapping[str, Sequence[TrainRecords]],
    mix: TrainMix | None,
) -> ExportSummary:
    """Write the files of all splits, the indices and the held records, and return the summary."""
    for folder in (job.pieces, job.parts / "index"):
        folder.mkdir()
    tasks = list(_source_tasks(job, found) if mix is None else _mixed_tasks(job, found, left, mix))
    for task in tasks:
        (job.files / task.parquet).parent.mkdir(parents=True, exist_ok=True)
    indices = [IndexTask(part=part, limits=one.limits, train_end=one.train_end) for one in found for part in one.parts]
    counts = iter(workers.map(write_index, indices))
    written = list(zip(tasks, workers.map(write_records, tasks), strict=True))
    for one in found:
        for _ in one.parts:
            one.index.update(next(counts))
        for task, made in written:
            one.written[task.split] += made.sources.get(one.name, 0)
        own = [(task, made) for task, made in written if task.name == one.name]
        one.files += [*collect(job, one.name, own), index_file(job, one)]
        if held := held_file(job, one):
            one.files.append(held)
    files = collect(job, MIXED, written) if mix is not None else []
    return summarize(job, found, files, described(mix, files) if mix is not None else None)


def _source_tasks(job: ExportJob, found: Sequence[SourceExport]) -> Iterator[WriteTask]:
    """Yield the tasks of an export with one folder per source."""
    for one in found:
        for split in SPLITS:
            ranges = rows_between(one.parts, _even_cuts(job.options, split, one.bytes))
            for number, rows in enumerate(ranges):
                yield _task(job, one.name, split, number, rows)


def _mixed_tasks(
    job: ExportJob, found: Sequence[SourceExport], left: Mapping[str, Sequence[TrainRecords]], mix: TrainMix
) -> Iterator[WriteTask]:
    """Yield the tasks of an export with one folder for all sources.

    Train is in the order of the mix; the other splits are sorted by the keys of records.
    """
    total = sum(one.bytes for one in found)
    cuts = mix.cuts({one.name: one.bytes / max(one.records, 1) for one in found}, FILE_BYTES)
    ranges = ranges_of_cuts(mix, cuts, found, left)
    for number, (own, (first, last)) in enumerate(zip(ranges, pairwise(cuts), strict=True)):
        task = _task(job, MIXED, "train", number, own)
        yield replace(task, plan=mix.plan, first=first, last=last)
    for split in SPLITS:
        if split != "train":
            parts = [part for one in found for part in one.parts]
            for number, rows in enumerate(rows_between(parts, _even_cuts(job.options, split, total))):
                yield _task(job, MIXED, split, number, rows)


def _even_cuts(options: ExportOptions, split: str, size: int) -> list[int]:
    """Return the limits of equal ranges of order keys, one range per file of a split; empty if the split has no share.

    `size` is the bytes of the records of all splits.
    """
    shares = {"test": options.split.test, "validation": options.split.validation}
    share = shares.get(split, 1 - sum(shares.values()))
    files = max(1, -int(-size * share // FILE_BYTES)) if share else 0
    return [number * KEYS // files for number in range(files + 1)] if files else []


def _task(job: ExportJob, name: str, split: str, number: int, rows: tuple[PartRows, ...]) -> WriteTask:
    return WriteTask(
        name=name,
        split=split,
        number=number,
        rows=rows,
        formats=job.options.formats,
        relatedness=job.options.relatedness,
        folder=job.files,
        pieces=job.pieces,
    )
