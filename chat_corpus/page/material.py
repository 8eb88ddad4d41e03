"""What a page is made from: a report, samples, and, if there are any, full statistics and an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET

from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.outputs.report import FailedSource, FinishedSource, Report, SourceEntry
from chat_corpus.statistics.schema import FullStatistics, Statistics


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledPair:
    """A pair of an output, cut to a maximum length, with the address that `trace` takes."""

    address: str
    query: str
    answer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledReject:
    """A reject, cut to a maximum length, with the address of its raw record."""

    address: str
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSamples:
    """Random pairs and rejects of a source, in the order of its files."""

    pairs: tuple[SampledPair, ...] = ()
    rejects: tuple[SampledReject, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """All that a page shows."""

    report: Report
    samples: Mapping[str, SourceSamples] = field(default_factory=dict)
    full: FullStatistics | None = None
    export: ExportSummary | None = None

    @property
    def finished(self) -> dict[str, FinishedSource]:
        """The sources with output, by name."""
        return {name: entry for name, entry in self.report.sources.items() if isinstance(entry, FinishedSource)}

    @property
    def statistics(self) -> dict[str, Statistics]:
        """The statistics of the sources that have any."""
        found = {name: statistics_of(entry) for name, entry in self.finished.items()}
        return {name: statistics for name, statistics in found.items() if statistics is not None}

    @property
    def without_statistics(self) -> list[str]:
        """The sources whose output was written before there were statistics."""
        return [name for name in self.finished if name not in self.statistics]


def statistics_of(entry: SourceEntry) -> Statistics | None:
    """Return the statistics of a source; None if it failed, or if an earlier version wrote its report."""
    return None if isinstance(entry, FailedSource) or entry.statistics is UNSET else entry.statistics
