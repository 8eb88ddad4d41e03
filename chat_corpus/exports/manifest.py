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
#: The page that shows the manifest. It is in no list of files, since it is made from the list, and no loader reads it.
PAGE = "report.html"
#: Format of the index of a source, which leads from each record to its dialogue, and from each duplicate to its record.
INDEX = "index"
#: Format of the records of train that are held because they resemble an evaluation pair.
HELD = "held"
#: Name and format of the statistics.
STATISTICS_FILE, STATISTICS = "statistics.json", "statistics"
#: Folder of the records of all sources together, below data/ and the folders of the formats.
MIXED = "mixed"
#: Name of the config of all records. ms-swift loads no other by itself.
DEFAULT = "default"
#: Names that a source of an export cannot have.
RESERVED = (DEFAULT, MIXED)
Count = Annotated[int, msgspec.Meta(ge=0)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]
#: The name of a folder, without the folders that it is in.
FolderName = Annotated[str, msgspec.Meta(pattern=r"^[^/\\]+$")]
#: A path below the folder of the export, with / between its parts, of which none begins with a dot.
FilePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the manifest, which has its keys and no others."""


class ExportFile(_Part, frozen=True, kw_only=True):
    """A file of an export.

    `format` is hf, the name of a `records.FORMATS`, ids, index, held, statistics, or document. `source` is `mixed` for
    records of all sources together. Index and held records have no split; statistics and documents have neither source,
    split nor rows.
    """

    path: FilePath
    format: str
    bytes: Count
    sha256: Sha256
    source: str | None = None
    split: str | None = None
    rows: Count | None = None


class RawFile(_Part, frozen=True, kw_only=True):
    """A raw file that the export was made from, or was compared with.

    `bytes` and `sha256` are null where it was not read to its end. `records` is null for files that are no corpora.
    """

    file: Text
    bytes: Count | None
    sha256: Sha256 | None
    records: Count | None = None


class SourceLedger(_Part, frozen=True, kw_only=True):
    """Where the turns and records of a source went; names are sorted.

    turns.read = turns.exported + sum of turns_dropped; records = sum of written + sum of records_dropped, where
    `written` has the records of each split, and `records_dropped` those that are in no split, by reason: `duplicate`;
    `held_cap`, above the cap of its split; `held_twin`, resembles an evaluation pair; `held_mix`, does not fit the mix.
    `masked` counts personal data by kind, `special_tokens` turns that hold one.
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
        """Each sum that does not balance, as a message."""
        turns = self.turns_exported + sum(self.turns_dropped.values())
        records = sum(self.written.values()) + sum(self.records_dropped.values())
        faults = []
        if self.turns != turns:
            faults.append(message("{total:,} turns read, {found:,} exported or dropped", total=self.turns, found=turns))
        if self.records != records:
            faults.append(
                message("{total:,} records made, {found:,} written or dropped", total=self.records, found=records)
            )
        return faults


class ExportFingerprint(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that the turns of a source depend on besides the raw files: `trace` makes them with it again.

    The first five are those of report.json. `definition` is that of a corpus that the user added.
    """

    code: Text
    source: str
    settings: Text
    unequal_lengths: str
    plugins: tuple[str, ...]
    settings_of_source: Annotated[dict[str, Any], msgspec.Meta(min_length=1)]
    plugin_files: tuple[str, ...]
    definition: dict[str, Any] | None = None


class ExportSource(_Part, frozen=True, kw_only=True):
    """A source of an export: what it is, where it came from, and where its turns went.

    `url` is empty for an added corpus without one.
    `raw_folder` is the name of the folder of raw corpora, never its path: a manifest is the same on every machine.
    """

    name: Text
    title: Text
    licence: Text
    url: str
    ledger: SourceLedger
    raw: Annotated[tuple[RawFile, ...], msgspec.Meta(min_length=1)]
    raw_folder: FolderName
    fingerprint: ExportFingerprint


class MixSubset(_Part, frozen=True, kw_only=True):
    """A subset of train: the first `rows` records, which are those of `files`; `sources` has those of each source."""

    name: str
    rows: Count
    files: tuple[FilePath, ...]
    sources: dict[str, Count]


class ExportMix(_Part, frozen=True, kw_only=True):
    """How the sources are mixed in train.

    shares, max_share  as in the settings
    available          records of each source that the largest share allows
    weights            of each source, in the order of Sainte-Laguë (`mixing`)
    sources            records of each source in train
    exact_rows         up to this row, each prefix of train has the shares of the weights
    ends_first         the source that has no more records there, or null if none ends before the others
    """

    shares: str
    max_share: float
    available: dict[str, Count]
    weights: dict[str, float]
    sources: dict[str, Count]
    exact_rows: Count
    ends_first: str | None
    subsets: tuple[MixSubset, ...]


class ConfigSplit(_Part, frozen=True, kw_only=True):
    """A split of a config of the card: its rows, the bytes of its files, and paths of files, or patterns."""

    rows: Count
    bytes: Count
    paths: tuple[str, ...]


class ExportSummary(_Part, frozen=True, kw_only=True):
    """All of manifest.json.

    settings      of the export and of the run, by section and key
    group_of      what a content group is made of: `record` if each record alone gives it, `dialogue` if records are
                  pairs or windows, which have the group of their dialogue
    order         order of the rows in a file: `shuffled` (by `splitting.order_keys`) or `source`
    has_system    whether each record begins with a system message
    made_from     `store` or `raw`
    mix           how sources are mixed, or null where each has its own files
    evaluation    files, besides validation and test, that train must not resemble
    date          from SOURCE_DATE_EPOCH, as YYYY-MM-DD, or null
    sha256        of this file as it is with an empty `sha256`, so that every edit of it is found
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
    mix: ExportMix | None = None
    evaluation: tuple[RawFile, ...] = ()
    date: str | None = None
    split_version: int = VERSION
    version: int = MANIFEST_VERSION
    sha256: str = ""

    def splits(self, source: str | None = None) -> dict[str, int]:
        """Rows of the splits of a source, or of all; without the splits that have none."""
        rows = dict.fromkeys(SPLITS, 0)
        if self.mix is not None and source not in (None, MIXED):
            (ledger,) = (one.ledger for one in self.sources if one.name == source)
            rows |= ledger.written
        else:
            for one in self.data_files(source):
                rows[str(one.split)] += one.rows or 0
        return {name: number for name, number in rows.items() if number}

    def data_files(self, source: str | None = None) -> list[ExportFile]:
        """The Parquet files of a source, or of all."""
        return [one for one in self.files if one.format == "hf" and source in (None, one.source)]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders below data/: `mixed`, or the names of the sources."""
        return (MIXED,) if self.mix is not None else tuple(one.name for one in self.written_sources)

    @property
    def configs(self) -> dict[str, dict[str, ConfigSplit]]:
        """The splits of each config of the card: `default`, and each source or each subset of the mix."""
        folder = "*" if self.mix is None else MIXED
        configs = {DEFAULT: self._config(self.data_files(), folder)}
        if self.mix is None:
            return configs | {
                one.name: self._config(self.data_files(one.name), one.name) for one in self.written_sources
            }
        sizes = {one.path: one.bytes for one in self.data_files()}
        for one in self.mix.subsets:
            size = sum(sizes.get(path, 0) for path in one.files)
            configs[one.name] = {**configs[DEFAULT], "train": ConfigSplit(rows=one.rows, bytes=size, paths=one.files)}
        return configs

    def _config(self, files: list[ExportFile], folder: str) -> dict[str, ConfigSplit]:
        splits = {}
        for split in SPLITS:
            own = [one for one in files if one.split == split]
            rows, size = (sum(getattr(one, name) or 0 for one in own) for name in ("rows", "bytes"))
            if rows:
                splits[split] = ConfigSplit(rows=rows, bytes=size, paths=(f"data/{folder}/{split}-*.parquet",))
        return splits

    @property
    def rows(self) -> int:
        """Rows of all splits of all sources."""
        return sum(self.splits().values())

    @property
    def written_sources(self) -> tuple[ExportSource, ...]:
        """The sources that have at least one row."""
        return tuple(one for one in self.sources if self.splits(one.name))
