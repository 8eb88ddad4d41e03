"""The shape of manifest.json: what an export holds, made from what, with what; and the sums that must balance.

Every other document of an export (`card`, `dataset_info`, `croissant`) is a pure function of the same `ExportSummary`.
It holds no timings, and a date only if SOURCE_DATE_EPOCH gives one: the same export has the same bytes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from chat_corpus.exports.splitting import SPLITS, VERSION
from chat_corpus.messages import Message, message

#: Number of this shape.
MANIFEST_VERSION = 1
MANIFEST = "manifest.json"
#: Format of the index of a source, which leads from each record to its dialogue, and from each duplicate to its record.
INDEX = "index"
Count = Annotated[int, msgspec.Meta(ge=0)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
#: A path below the folder of the export, with / between its parts, of which none begins with a dot.
FilePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")]


class ExportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an export.

    `format` is hf, the name of a `records.FORMATS`, ids, index, or document. An index has no split, and a document
    neither source, split nor rows.
    """

    path: FilePath
    format: str
    bytes: Count
    sha256: Sha256
    source: str | None = None
    split: str | None = None
    rows: Count | None = None


class RawFile(msgspec.Struct, frozen=True, kw_only=True):
    """A raw file that the export was made from; `bytes` and `sha256` are null where it was not read to its end."""

    file: str
    bytes: Count | None
    sha256: str | None


class SourceLedger(msgspec.Struct, frozen=True, kw_only=True):
    """Where the turns and records of a source went; names are sorted.

    turns.read = turns.exported + sum of turns_dropped; records = sum of written + sum of records_dropped, where
    `written` has the records of each split, and `records_dropped` those that are in no split, by reason (`duplicate`,
    `held`). `masked` counts personal data by kind, `special_tokens` turns that hold one.
    """

    turns: Count
    turns_exported: Count
    turns_dropped: dict[str, Count]
    dialogues: Count
    records: Count
    records_dropped: dict[str, Count]
    written: dict[str, Count]
    masked: dict[str, Count]
    special_tokens: Count

    def imbalances(self) -> list[Message]:
        """Return a message for each sum that does not balance."""
        sums = (
            (message("turns"), self.turns, self.turns_exported + sum(self.turns_dropped.values())),
            (message("records"), self.records, sum(self.written.values()) + sum(self.records_dropped.values())),
        )
        return [
            message("{kind} do not balance: {total:,} in, {sum:,} written or dropped", kind=kind, total=total, sum=out)
            for kind, total, out in sums
            if total != out
        ]


class ExportSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source of an export: what it is, where it came from, and where its turns went."""

    name: str
    title: str
    licence: str
    url: str
    ledger: SourceLedger
    raw: tuple[RawFile, ...] = ()
    raw_folder: str | None = None
    fingerprint: dict[str, Any] = {}


class ExportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All of manifest.json.

    settings      of the export and of the run, by section and key
    group_of      what a content group is made of: `record` if each record alone gives it, `dialogue` if records are
                  pairs or windows, whose group is that of their dialogue
    order         order of the rows in a file: `shuffled` (by `splitting.order_keys`) or `source`
    has_system    whether each record begins with a system message
    made_from     `store` or `raw`
    date          from SOURCE_DATE_EPOCH, as YYYY-MM-DD, or null
    """

    sources: tuple[ExportSource, ...]
    files: tuple[ExportFile, ...]
    formats: tuple[str, ...]
    turns: Literal["dialogue", "pairs"]
    group_of: Literal["record", "dialogue"]
    order: Literal["shuffled", "source"]
    has_system: bool
    made_from: Literal["store", "raw"]
    settings: dict[str, Any]
    chat_corpus: str
    packages: dict[str, str]
    date: str | None = None
    split_version: int = VERSION
    version: int = MANIFEST_VERSION

    def splits(self, source: str | None = None) -> dict[str, int]:
        """Rows of the splits of a source, or of all; without the splits that have none."""
        rows = dict.fromkeys(SPLITS, 0)
        for file in self.data_files(source):
            rows[str(file.split)] += file.rows or 0
        return {name: number for name, number in rows.items() if number}

    def data_files(self, source: str | None = None) -> list[ExportFile]:
        """The Parquet files of a source, or of all."""
        return [file for file in self.files if file.format == "hf" and source in (None, file.source)]

    @property
    def rows(self) -> int:
        """Rows of all splits of all sources."""
        return sum(self.splits().values())

    @property
    def written_sources(self) -> tuple[ExportSource, ...]:
        """The sources that have at least one row."""
        return tuple(source for source in self.sources if self.splits(source.name))


def encode(summary: ExportSummary) -> bytes:
    """The bytes of manifest.json: JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(summary, order="deterministic"), indent=1) + b"\n"


def decode(data: bytes) -> ExportSummary:
    """Return what `encode` wrote. Raises ValueError, which names the key, for anything else."""
    try:
        summary = msgspec.json.decode(data, type=ExportSummary)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(message("not the manifest of an export: {error}", error=str(error))) from error
    if summary.version != MANIFEST_VERSION:
        fault = message(
            "the version of the manifest is {version}, expected {expected}; use the chat-corpus that wrote it",
            version=summary.version,
            expected=MANIFEST_VERSION,
        )
        raise ValueError(fault)
    return summary
