"""The schema of report.json: what was read and how, the counts, and the versions of packages.

docs/outputs.md documents the keys, which do not change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from chat_corpus.errors import UsageError
from chat_corpus.messages import displayed, error_text, message
from chat_corpus.outputs.layout import REPORT, Outputs
from chat_corpus.pipeline import counts
from chat_corpus.pipeline.counts import Count, FileCounts, PairCounts, RecordCounts, TurnCounts
from chat_corpus.schema import State, is_source_name
from chat_corpus.sources.definitions import Definition
from chat_corpus.statistics.schema import Statistics

_T = TypeVar("_T")

#: Settings of a run, by section and key. A different version may have written them, so their types are not fixed.
SettingsDict = dict[str, Any]


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the output of a source depends on.

    `code` is a digest of this program and the versions of its packages, `source` of the code of a third-party source,
    `settings` of all settings except `unequal_lengths`. `plugins` has the SHA-256 of each plugin. `input` has the name,
    the size in bytes and the time of modification in nanoseconds of each raw file.
    """

    code: str
    source: str
    settings: str
    unequal_lengths: str
    plugins: tuple[str, ...]
    input: tuple[tuple[str, int, int], ...]


class ReadFile(msgspec.Struct, frozen=True, kw_only=True):
    """A raw file that was read.

    `sha256` is null if the file was not read to its end. `bytes` is null then, and if `--limit` cut the file short.
    """

    file: str
    bytes: Count | None
    sha256: str | None
    encoding: str
    encoding_evidence: str
    records: Count
    unreadable_share: float
    segmentation: str


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a source: what it is, which files were read, and with which settings.

    `raw` is the folder that the names of files are relative to. `definition` is set for a corpus that the user added.
    """

    title: str
    licence: str
    url: str
    state: State
    raw: str
    plugins: tuple[str, ...]
    settings: SettingsDict
    files: tuple[ReadFile, ...]
    definition: Definition | UnsetType = UNSET
    missing: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds: float
    megabytes_per_second: float | None


class LastFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A run that failed after an earlier run had written output, which stays: error, time, and what was read."""

    error: str
    at: str
    raw: str
    settings: SettingsDict
    files: tuple[ReadFile, ...]
    records_by_file: dict[str, FileCounts]


class StoreFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The dialogue store of a source: version of its schema, rows, and SHA-256."""

    schema: Count
    rows: Count
    sha256: str


class FinishedSource(SourceFacts, frozen=True, kw_only=True):
    """A source with outputs: how they were made, and all counts.

    `dialogues` describes the dialogue store, if the run wrote one. If a later run failed, `state` is failed, and
    `error` and `last_failure` describe that run.
    """

    fingerprint: Fingerprint
    records: RecordCounts
    records_by_file: dict[str, FileCounts]
    turns: TurnCounts
    pairs: PairCounts
    statistics: Statistics | UnsetType = UNSET  # not in the reports of earlier versions
    outputs: Outputs
    dialogues: StoreFacts | UnsetType = UNSET
    error: str | UnsetType = UNSET
    last_failure: LastFailure | UnsetType = UNSET

    @property
    def counts(self) -> counts.Counts:
        """All counts of the source."""
        return counts.Counts(
            records=self.records, records_by_file=self.records_by_file, turns=self.turns, pairs=self.pairs
        )


class FailedSource(SourceFacts, frozen=True, kw_only=True):
    """A source that failed, without output of an earlier run."""

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
    settings: SettingsDict


class Report(_Head, frozen=True, kw_only=True):
    """The whole of report.json; `sources` includes those of earlier runs."""

    sources: dict[str, SourceEntry]


class _RawReport(_Head, frozen=True, kw_only=True):
    """A report. Its sources are decoded one by one, so that a message can name the source."""

    sources: dict[str, msgspec.Raw]


class _Kind(msgspec.Struct):
    outputs: msgspec.Raw | UnsetType = UNSET


def encode(report: Report) -> bytes:
    """Return a report as the bytes of its file: indented JSON."""
    return msgspec.json.format(counts.encode(report), indent=1) + b"\n"


def decode(data: bytes) -> Report:
    """Return the report that `encode` wrote. Raises ValueError, which names the key, for any other data.

    Names of sources and outputs become paths, so only names that a run writes are valid.
    """
    report = _decoded(data, _RawReport, "")
    sources = {name: _source(name, source) for name, source in report.sources.items()}
    return Report(**{**asdict(report), "sources": sources})


def _source(name: str, data: msgspec.Raw) -> SourceEntry:
    key = f"sources.{name}"
    if not is_source_name(name):
        raise ValueError(message("sources: '{name}' cannot be the name of a source", name=displayed(name[:60])))
    if _decoded(data, _Kind, key).outputs is UNSET:
        return _decoded(data, FailedSource, key)
    source = _decoded(data, FinishedSource, key)
    outputs = {f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl", f"dialogues/{name}.parquet"}
    if f"{name}.tsv" not in source.outputs:
        raise ValueError(message("{key}.outputs: {file} is missing", key=key, file=f"{name}.tsv"))
    if not outputs.issuperset(source.outputs):
        expected = ", ".join(sorted(outputs))
        raise ValueError(message("{key}.outputs: has files other than {expected}", key=key, expected=expected))
    if len(source.plugins) != len(source.fingerprint.plugins):
        raise ValueError(message("{key}.plugins: their number differs from the one in fingerprint", key=key))
    return source


def _decoded(data: bytes | msgspec.Raw, kind: type[_T], key: str) -> _T:
    try:
        return counts.decode(data, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{key}{': ' if key else ''}{error}") from error


def read_report(out: Path) -> Report | None:
    """Return the report of the last run into `out`; None if there is none. Raises UsageError if it cannot be read."""
    path = out / REPORT
    if not path.exists():
        return None
    try:
        if path.is_fifo():  # reading would block
            raise OSError(message("a FIFO"))
        return decode(path.read_bytes())
    except (OSError, ValueError) as error:
        fault = message(
            "{file}: not a report of this version of chat-corpus: {error}; run again with --force to replace it, or "
            "use a different --out",
            file=path,
            error=error_text(error),
        )
        raise UsageError(fault) from error


def report_entry(out: Path) -> dict[str, SourceEntry]:
    """Return the entries of the report by source; none if there is no report. Raises the errors of `read_report`."""
    report = read_report(out)
    return {} if report is None else report.sources


def reported_sources(out: Path) -> dict[str, SourceEntry]:
    """Return the entries of the last report by source; none if there is no report, or if it cannot be read."""
    try:
        return report_entry(out)
    except UsageError:
        return {}
