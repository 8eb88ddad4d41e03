"""Builds report.json: what was read, with which settings and versions, and the counts."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

from chat_corpus import versions
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.files.atomic import write_atomic
from chat_corpus.outputs import layout
from chat_corpus.outputs.parts import Part
from chat_corpus.outputs.report import (
    FailedSource,
    FinishedSource,
    LastFailure,
    ReadFile,
    Report,
    RunFacts,
    SourceEntry,
    SourceFacts,
    StoreFacts,
    encode,
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
from chat_corpus.statistics.schema import Statistics


@dataclass(kw_only=True, slots=True)
class SourceReport:
    """The outcome of a run for one source; `error` is the reason if it failed, else empty.

    `parts` are the parts in order if the run does not join them, as in an export from raw corpora.
    """

    found: DiscoveredSource
    counts: Counts = field(default_factory=Counts.zero)
    files: tuple[FileSummary, ...] = ()
    samples: list[Path] = field(default_factory=list)
    conversions: list[pl.DataFrame] = field(default_factory=list)
    statistics: Statistics | UnsetType = UNSET
    store: StoreFacts | None = None
    parts: tuple[Part, ...] = ()
    seconds: float = 0.0
    error: str = ""
    exit_code: int = 0
    #: The entry of an earlier run, if nothing has changed since and the source was skipped.
    unchanged: FinishedSource | None = None

    @property
    def megabytes(self) -> float:
        """Megabytes of decompressed raw files that were read."""
        return sum(fact.bytes for fact in self.files) / 1e6

    def read_samples(self) -> None:
        """Read the samples of conversions in the parts, before the parts are deleted."""
        self.conversions = [dedup.read(path) for path in self.samples if path.exists()]


class RunReport:
    """The report of a run, to which sources are added as they finish; all others keep their entries of earlier runs.

    The run has locked the output folder, so it is enough to read the earlier entries once.
    """

    def __init__(self, out: Path, settings: Settings, *, samples: bool) -> None:
        self._out, self._settings, self._samples = out, settings, samples
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._entries: dict[str, SourceEntry] = {}

    @cached_property
    def _before(self) -> dict[str, SourceEntry]:
        """The entries of earlier runs, without those of samples that were deleted before the first source was read."""
        return {
            name: source
            for name, source in reported_sources(self._out).items()
            if source.state is not State.SAMPLE or (self._out / f"{name}.tsv").exists()
        }

    def add(self, report: SourceReport) -> None:
        """Add a source: its outputs are in place, or it failed, or it was skipped."""
        name = report.found.source.name
        self._entries[name] = report.unchanged or self._entry(report, self._before.get(name))

    def _entry(self, report: SourceReport, before: SourceEntry | None) -> SourceEntry:
        if report.error:
            return _failed(report, self._settings, before)
        return FinishedSource(
            **asdict(_facts(report, self._settings)),
            fingerprint=previous.fingerprint(report.found, self._settings),
            **asdict(replace(report.counts, records_by_file=_by_file(report))),
            statistics=report.statistics,
            outputs=layout.outputs(self._out, report.found.source.name),
            dialogues=UNSET if report.store is None else report.store,
        )

    def write(self, seconds: float, *, last: bool) -> Report:
        """Write the report of a run that has taken `seconds`, and return it.

        Only the `last` report is synced to disk: the others are replaced while the run continues.
        """
        settings = self._settings
        report = Report(
            chat_corpus=versions.installed("chat-corpus"),
            python=platform.python_version(),
            packages={name: versions.installed(name) for name in ("polars", "msgspec", "pyyaml", "chardet")},
            script_conversion=script.load(settings.script).provenance,
            run=RunFacts(started=self._started, samples=self._samples, seconds=round(seconds, 3)),
            settings=msgspec.to_builtins(settings),
            sources=dict(sorted({**self._before, **self._entries}.items())),
        )
        text = encode(report)
        write_atomic(self._out / layout.REPORT, lambda path: path.write_bytes(text), sync=last)
        return report


def _by_file(report: SourceReport) -> dict[str, FileCounts]:
    """Return the counts of records by file, in the order of the files, not of the shards that finished."""
    counts = report.counts.records_by_file
    return {fact.file.name: counts[fact.file.name] for fact in report.files if fact.file.name in counts}


def _failed(report: SourceReport, settings: Settings, before: SourceEntry | None) -> SourceEntry:
    """Return the entry of a failed source: if it has output of an earlier run, that run's entry with the failure."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    facts, records = _facts(report, settings), _by_file(report)
    if not isinstance(before, FinishedSource):
        failed = asdict(replace(facts, state=State.FAILED))
        return FailedSource(**failed, records_by_file=records, error=report.error, at=at)
    last = LastFailure(
        error=report.error,
        at=at,
        raw=facts.raw,
        settings=facts.settings,
        files=facts.files,
        records_by_file=records,
    )
    return replace(before, state=State.FAILED, error=report.error, last_failure=last)


def _facts(report: SourceReport, settings: Settings) -> SourceFacts:
    """Return the facts about a source: its files, settings and speed."""
    source: Source = report.found.source
    limit = settings.of(source.name).read.limit or sys.maxsize
    shares = completeness.shares(report.found.names, report.counts.records_by_file)
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
        for fact in report.files
    )
    return SourceFacts(
        title=source.title,
        licence=source.licence,
        url=source.url,
        state=report.found.state,
        raw=str(Path(report.found.root or settings.raw).absolute()),  # valid in any working directory
        plugins=settings.plugins,
        settings=msgspec.to_builtins(settings.of(source.name)),
        files=tuple(files),
        definition=dict(settings.added).get(source.name, UNSET),
        missing=tuple(report.found.missing),
        remarks=tuple(map(str, report.found.remarks)),
        seconds=round(report.seconds, 3),
        megabytes_per_second=round(report.megabytes / report.seconds, 2) if report.seconds else None,
    )
