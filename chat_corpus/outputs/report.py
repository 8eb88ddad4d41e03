"""The shape of report.json, for writing it and for reading it: what was read, how, what became of it, made with what.

docs/outputs.md documents the keys; they stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from chat_corpus.errors import UsageError
from chat_corpus.outputs.layout import REPORT, Outputs
from chat_corpus.pipeline import counts
from chat_corpus.pipeline.counts import Count, FileCounts, PairCounts, RecordCounts, TurnCounts
from chat_corpus.schema import State, is_source_name
from chat_corpus.sources.definitions import Definition

_T = TypeVar("_T")

#: Settings as a run was told them, by section and key. They may be those of another version, so that no more is known.
SettingsTold = dict[str, Any]


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what the output of a source is.

    `code` is a digest of this program, `source` of a third party's source; `settings` of all but `unequal_lengths`;
    `plugins` have the SHA-256 of each plugin, `input` name, size and time of modification of each raw file.
    """

    code: str
    source: str
    settings: str
    unequal_lengths: str
    plugins: tuple[str, ...]
    input: tuple[tuple[str, int, int], ...]


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A raw file that was read: its own size and SHA-256, null where it was not read to its end."""

    file: str
    bytes: Count | None
    sha256: str | None
    encoding: str
    encoding_evidence: str
    records: Count
    unreadable_share: float
    segmentation: str


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is, what was read of it, and how.

    `definition` is that of a corpus that the user has added, and `raw` then the folder that its files are named from.
    """

    title: str
    licence: str
    url: str
    state: State
    raw: str
    plugins: tuple[str, ...]
    settings: SettingsTold
    files: tuple[ReadFile, ...]
    definition: Definition | UnsetType = UNSET
    missing: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds: float
    megabytes_per_second: float | None


class LastFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The run that failed beside an earlier output, which stays: why, when, and what it read."""

    error: str
    at: str
    raw: str
    settings: SettingsTold
    files: tuple[ReadFile, ...]
    records_by_file: dict[str, FileCounts]


class StoreFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The dialogue store of a source: version of its schema, rows, and SHA-256."""

    schema: Count
    rows: Count
    sha256: str


class FinishedSource(SourceFacts, frozen=True, kw_only=True):
    """A source that has outputs: how they were made, and all accounts.

    `dialogues` describes the dialogue store, where the run wrote one. Where a later run failed,
    `state` is failed, and `error` and `last_failure` tell of that run.
    """

    fingerprint: Fingerprint
    records: RecordCounts
    records_by_file: dict[str, FileCounts]
    turns: TurnCounts
    pairs: PairCounts
    outputs: Outputs
    dialogues: StoreFacts | UnsetType = UNSET
    error: str | UnsetType = UNSET
    last_failure: LastFailure | UnsetType = UNSET

    @property
    def counts(self) -> counts.Counts:
        """Its accounts together."""
        return counts.Counts(
            records=self.records, records_by_file=self.records_by_file, turns=self.turns, pairs=self.pairs
        )


class FailedSource(SourceFacts, frozen=True, kw_only=True):
    """A source that failed, and has no output of an earlier run."""

    records_by_file: dict[str, FileCounts]
    error: str
    at: str


SourceEntry = FinishedSource | FailedSource


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """When a run began, whether it read the bundled samples, and how long it took."""

    started: str
    samples: bool
    seconds: float


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    chat_corpus: str
    python: str
    packages: dict[str, str]
    script_conversion: dict[str, str]
    run: RunFacts
    settings: SettingsTold


class Report(_Head, frozen=True, kw_only=True):
    """All of report.json; `sources` tells of those of earlier runs too."""

    sources: dict[str, SourceEntry]


class _Told(_Head, frozen=True, kw_only=True):
    """A report, of which each source is looked at on its own: a message can then name it."""

    sources: dict[str, msgspec.Raw]


class _Kind(msgspec.Struct):
    outputs: msgspec.Raw | UnsetType = UNSET


def encode(report: Report) -> bytes:
    """A report as the bytes of its file: JSON that a person can read."""
    return msgspec.json.format(counts.encode(report), indent=1) + b"\n"


def decode(data: bytes) -> Report:
    """What `encode` wrote. Raises ValueError, which names the place, for anything that does not have its shape.

    Names of sources and outputs, which become paths, are those that a run gives, and no others.
    """
    told = _decoded(data, _Told, "")
    sources = {name: _source(name, source) for name, source in told.sources.items()}
    return Report(**{**asdict(told), "sources": sources})


def _source(name: str, data: msgspec.Raw) -> SourceEntry:
    place = f"sources.{name}"
    if not is_source_name(name):
        raise ValueError(f"sources: {name[:60]!r} cannot be the name of a source")
    if _decoded(data, _Kind, place).outputs is UNSET:
        return _decoded(data, FailedSource, place)
    source = _decoded(data, FinishedSource, place)
    known = {f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl", f"dialogues/{name}.parquet"}
    if f"{name}.tsv" not in source.outputs:
        raise ValueError(f"{place}.outputs: no {name}.tsv")
    if not known.issuperset(source.outputs):
        raise ValueError(f"{place}.outputs: others than {', '.join(sorted(known))}")
    if len(source.plugins) != len(source.fingerprint.plugins):
        raise ValueError(f"{place}.plugins: not as many as in fingerprint")
    return source


def _decoded(data: bytes | msgspec.Raw, kind: type[_T], place: str) -> _T:
    try:
        return counts.decode(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}{': ' if place else ''}{error}") from error


def read_report(out: Path) -> Report | None:
    """The report of the last run into `out`; None where there is none. Raises UsageError where it cannot be read."""
    path = out / REPORT
    if not path.exists():
        return None
    try:
        if path.is_fifo():  # which would be waited for
            raise OSError("a FIFO")
        return decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: not a report of this version of chat-corpus: {error}; run again with --force, which replaces "
            "it, or use another --out"
        ) from error


def report_entry(out: Path) -> dict[str, SourceEntry]:
    """What the report says of each source. Raises as `read_report`."""
    report = read_report(out)
    return {} if report is None else report.sources


def reported_sources(out: Path) -> dict[str, SourceEntry]:
    """What the last run reported of each source; nothing where the user chose to replace a report that is not ours."""
    try:
        return report_entry(out)
    except UsageError:
        return {}
