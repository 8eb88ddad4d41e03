"""The data of a page: a report and samples, and optionally full statistics and details of cleaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET

from chat_corpus.messages import Message
from chat_corpus.outputs.report import FailedSource, FinishedSource, Report, SourceEntry
from chat_corpus.statistics.schema import Conversions, ExportStatistics, FullStatistics, Statistics


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
    """Random pairs and rejects of a source, in the order of its files; `fault` is the reason if there are none."""

    pairs: tuple[SampledPair, ...] = ()
    rejects: tuple[SampledReject, ...] = ()
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepExample:
    """A turn that a step changed, before and after that step, with the address of its raw record."""

    source: str
    address: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterExample:
    """A turn that a filter rejected, with its text as read, the address of its raw record and the message."""

    source: str
    address: str
    text: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CleaningDetails:
    """Details that are computed from the texts before cleaning.

    sampled         whether conversions were counted in a sample of the turns
    steps, filters  an example of each step and each filter, by name
    faults          reasons why sources are missing
    """

    conversions: Conversions
    sampled: bool
    steps: Mapping[str, StepExample]
    filters: Mapping[str, FilterExample]
    faults: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Statistics of sources, or of the splits of an export, by their names in tables.

    keys     the key of each in report.json, or in statistics.json of an export
    drawn    the names that figures show; tables show all
    repeats  number of pairs that were left out as repeats; None for an export
    without  sources that have no statistics
    fault    the reason why full statistics could not be made
    """

    statistics: Mapping[str, Statistics]
    keys: Mapping[str, str]
    drawn: tuple[str, ...]
    full: FullStatistics | None
    repeats: int | None = None
    without: tuple[str, ...] = ()
    fault: Message | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """The data of the page of a run; `fault` is the reason why full statistics could not be made."""

    report: Report
    samples: Mapping[str, SourceSamples] = field(default_factory=dict)
    full: FullStatistics | None = None
    fault: Message | None = None
    cleaning: CleaningDetails | None = None

    @property
    def finished(self) -> dict[str, FinishedSource]:
        """The sources with output, by name."""
        return {name: entry for name, entry in self.report.sources.items() if isinstance(entry, FinishedSource)}

    @property
    def statistics(self) -> dict[str, Statistics]:
        """The statistics of the sources that have statistics, by name."""
        found = {name: statistics_of(entry) for name, entry in self.finished.items()}
        return {name: statistics for name, statistics in found.items() if statistics is not None}

    @property
    def counted(self) -> Counted:
        """The statistics of the sources, with full statistics if there are any."""
        statistics = self.statistics
        return Counted(
            statistics=statistics,
            keys={name: f"sources.{name}.statistics" for name in statistics},
            drawn=tuple(statistics),
            full=self.full,
            repeats=sum(entry.pairs.duplicates for entry in self.finished.values()),
            without=tuple(name for name in self.finished if name not in statistics),
            fault=self.fault,
        )


def counted_export(statistics: ExportStatistics) -> Counted:
    """Return the statistics of the splits of an export; figures show train, or all splits if there is no train."""
    splits = {
        f"{source} {split}": (one, f"sources.{source}.{split}")
        for source, splits in statistics.sources.items()
        for split, one in splits.items()
    }
    train = tuple(name for name in splits if name.endswith(" train"))
    return Counted(
        statistics={name: one for name, (one, _) in splits.items()},
        keys={name: key for name, (_, key) in splits.items()},
        drawn=train or tuple(splits),
        full=statistics.full,
    )


def statistics_of(entry: SourceEntry) -> Statistics | None:
    """Return the statistics of a source; None if it failed, or if an earlier version wrote its report."""
    return None if isinstance(entry, FailedSource) or entry.statistics is UNSET else entry.statistics
