"""report.json: what was read, with which settings, what became of it, and with which versions of what."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
from msgspec import UNSET
from msgspec.structs import asdict, replace

from chat_corpus import versions
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.files.atomic import write_atomic
from chat_corpus.outputs import layout
from chat_corpus.outputs import report as report_schema
from chat_corpus.outputs.report import (
    FailedSource,
    FinishedSource,
    LastFailure,
    ReadFile,
    RunFacts,
    SourceEntry,
    SourceFacts,
    StoreFacts,
    reported_sources,
)
from chat_corpus.pipeline import script
from chat_corpus.pipeline.counts import Counts, FileCounts
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.runs import completeness, previous
from chat_corpus.runs.cutting import FileSummary
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source


@dataclass(kw_only=True, slots=True)
class SourceReport:
    """How a run went for one source; `error` says why it was not finished."""

    found: DiscoveredSource
    counts: Counts = field(default_factory=Counts.zero)
    files: tuple[FileSummary, ...] = ()
    samples: list[Path] = field(default_factory=list)
    conversions: list[pl.DataFrame] = field(default_factory=list)
    store: StoreFacts | None = None
    seconds: float = 0.0
    error: str = ""
    exit_code: int = 0
    #: What an earlier run reported, where nothing has changed since and nothing was done.
    unchanged: FinishedSource | None = None

    @property
    def megabytes(self) -> float:
        """Raw megabytes read."""
        return sum(fact.bytes for fact in self.files) / 1e6

    def read_samples(self) -> None:
        """Take up the samples of conversions that the parts hold, before the parts are cleaned away."""
        self.conversions = [dedup.read(path) for path in self.samples if path.exists()]


def write(
    out: Path, settings: Settings, done: Mapping[str, SourceReport], run: RunFacts, *, last: bool
) -> report_schema.Report:
    """Write the report of a run; sources that it did not touch keep what is said of them.

    Only the `last` one is waited for until the disk has it: the others hold for the time that the run goes on.
    """
    before = {
        name: source
        for name, source in reported_sources(out).items()
        if source.state is not State.SAMPLE or (out / f"{name}.tsv").exists()  # else it was withdrawn
    }
    told = {name: _entry(out, one, settings, before.get(name)) for name, one in done.items()}
    report = report_schema.Report(
        chat_corpus=versions.installed("chat-corpus"),
        python=platform.python_version(),
        packages={name: versions.installed(name) for name in ("polars", "msgspec", "pyyaml", "chardet")},
        script_conversion=script.load(settings.script).provenance,
        run=run,
        settings=msgspec.to_builtins(settings),
        sources=dict(sorted({**before, **told}.items())),
    )
    text = report_schema.encode(report)
    write_atomic(out / layout.REPORT, lambda path: path.write_bytes(text), sync=last)
    return report


def _entry(out: Path, told: SourceReport, settings: Settings, before: SourceEntry | None) -> SourceEntry:
    if told.error:
        return _failed(told, settings, before)
    if told.unchanged is not None:
        return told.unchanged
    return FinishedSource(
        **asdict(_facts(told, settings)),
        fingerprint=previous.fingerprint(told.found, settings),
        **asdict(replace(told.counts, records_by_file=_by_file(told))),
        outputs=layout.outputs(out, told.found.source.name),
        dialogues=UNSET if told.store is None else told.store,
    )


def _by_file(told: SourceReport) -> dict[str, FileCounts]:
    """The records of each file, in the order of the files, whichever shard was done first."""
    counts = told.counts.records_by_file
    return {fact.file.name: counts[fact.file.name] for fact in told.files if fact.file.name in counts}


def _failed(told: SourceReport, settings: Settings, before: SourceEntry | None) -> SourceEntry:
    """What is told of a source that failed: where an earlier output lies there, all that was told of that stays."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    facts, records = _facts(told, settings), _by_file(told)
    if not isinstance(before, FinishedSource):
        failed = asdict(replace(facts, state=State.FAILED))
        return FailedSource(**failed, records_by_file=records, error=told.error, at=at)
    last = LastFailure(
        error=told.error,
        at=at,
        raw=facts.raw,
        settings=facts.settings,
        files=facts.files,
        records_by_file=records,
    )
    return replace(before, state=State.FAILED, error=told.error, last_failure=last)


def _facts(told: SourceReport, settings: Settings) -> SourceFacts:
    """What was read of a source, and how."""
    source: Source = told.found.source
    limit = settings.of(source.name).read.limit or sys.maxsize
    shares = completeness.shares(told.found.names, told.counts.records_by_file)
    files = (
        ReadFile(
            file=fact.file.name,
            bytes=fact.bytes if fact.digest and fact.records <= limit else None,
            sha256=fact.digest or None,
            encoding=fact.file.encoding,
            encoding_evidence=fact.evidence,
            records=min(fact.records, limit),
            unreadable_share=round(shares.get(fact.file.name, 1.0), 4),
            segmentation=str(fact.segmentation),
        )
        for fact in told.files
    )
    return SourceFacts(
        title=source.title,
        licence=source.licence,
        url=source.url,
        state=told.found.state,
        raw=told.found.root or settings.raw,
        plugins=settings.plugins,
        settings=msgspec.to_builtins(settings.of(source.name)),
        files=tuple(files),
        definition=dict(settings.added).get(source.name, UNSET),
        missing=tuple(told.found.missing),
        remarks=tuple(map(str, told.found.remarks)),
        seconds=round(told.seconds, 3),
        megabytes_per_second=round(told.megabytes / told.seconds, 2) if told.seconds else None,
    )
