"""The schema of manifest.json: content and origin of an export, its settings, and the sums that must balance.

Every other document of an export (`card`, `dataset_info`, `croissant`) is a pure function of the same `ExportSummary`.
The manifest has no timings, and has a date only if SOURCE_DATE_EPOCH is set, so equal exports have equal bytes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from chat_corpus.exports.splitting import SPLITS, VERSION
from chat_corpus.messages import Message, message

#: Version of this schema.
MANIFEST_VERSION = 1
MANIFEST = "manifest.json"
#: The page that shows the manifest. The manifest does not list it: the page is made from that list, and no loader
#: reads it.
PAGE = "report.html"
#: Format of the index of a source, which has the dialogue of each record, and the record that each duplicate equals.
INDEX = "index"
#: Format of the records that are held back from train because they resemble an evaluation pair.
HELD = "held"
#: Name and format of the statistics.
STATISTICS_FILE, STATISTICS = "statistics.json", "statistics"
#: Folder of a mix of all sources, in data/ and in the folders of the formats.
MIXED = "mixed"
#: Name of the config of all records, the only one that ms-swift loads unless the user names one.
DEFAULT = "default"
#: Names that no source of an export may have.
RESERVED = (DEFAULT, MIXED)
Count = Annotated[int, msgspec.Meta(ge=0)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Text = Annotated[str, msgspec.Meta(min_length=1)]
#: The name of a folder, without its parent folders.
FolderName = Annotated[str, msgspec.Meta(pattern=r"^[^/\\]+$")]
#: A path relative to the folder of the export, with / between its parts; no part begins with a dot.
FilePath = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the manifest. Unknown keys are errors."""


class ExportFile(_Part, frozen=True, kw_only=True):
    """A file of an export.

    `format` is hf, a key of `records.FORMATS`, ids, index, held, statistics, or document. `source` is `mixed` for the
    records of a mix. Index and held records have no split; statistics and documents have no source, split or rows.
    """

    path: FilePath
    format: str
    bytes: Count
    sha256: Sha256
    source: str | None = None
    split: str | None = None
    rows: Count | None = None


class RawFile(_Part, frozen=True, kw_only=True):
    """A raw file that the export was made from, or a file that train must not resemble.

    `bytes` and `sha256` are null if the file was not read to its end. `records` is null for the latter kind of file.
    """

    file: Text
    bytes: Count | None
    sha256: Sha256 | None
    records: Count | None = None


class SourceLedger(_Part, frozen=True, kw_only=True):
    """Counts of the turns and records of a source; the keys of each count are sorted.

    `turns` = `turns_exported` + sum of `turns_dropped` (by reason), and `records` = sum of `written` (by split) + sum
    of `records_dropped` (by reason). The reasons of dropped records are `duplicate`; `held_cap`, above the cap of its
    split; `held_twin`, resembles an evaluation pair; and `held_mix`, does not fit the mix. `masked` counts personal
    data by kind, `special_tokens` the turns that hold a special token.
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
    """Everything that the turns of a source depend on besides the raw files. `trace` uses it to make them again.

    The first five fields are as in report.json. `definition` is the definition of a corpus that the user added.
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
    """A source of an export: its description, its origin, and its counts.

    `url` is empty for an added corpus without a URL. `raw_folder` is the name of the folder of raw corpora, not its
    path, so that a manifest is the same on every machine.
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
    """A subset of train: its first `rows` records, which are those of `files`; `sources` has their number by source."""

    name: str
    rows: Count
    files: tuple[FilePath, ...]
    sources: dict[str, Count]


class ExportMix(_Part, frozen=True, kw_only=True):
    """How the sources are mixed in train.

    shares, max_share  as in the settings
    available          number of records of each source that the largest share allows
    weights            weight of each source in the method of Sainte-Laguë (`mixing`)
    sources            number of records of each source in train
    exact_rows         each prefix of train up to this number of rows has the shares that the weights give
    ends_first         the source that has no more records after `exact_rows`, or null if all sources last to the end
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
    """A split of a config of the card: number of rows, bytes of its files, and paths or glob patterns of the files."""

    rows: Count
    bytes: Count
    paths: tuple[str, ...]


class ExportSummary(_Part, frozen=True, kw_only=True):
    """The whole of manifest.json.

    settings      settings of the export and of the run, by section and key
    group_of      what decides the content group of a record: `record`, its messages; or `dialogue`, the dialogue that
                  it was cut from, if records are pairs or windows
    order         order of the rows in a file: `shuffled` (by `splitting.order_keys`) or `source`
    has_system    whether each record begins with a system message
    made_from     `store` (dialogue stores of an output folder) or `raw` (raw corpora)
    mix           how sources are mixed, or null if each source has separate files
    evaluation    files, besides validation and test, that train must not resemble
    date          date of SOURCE_DATE_EPOCH, as YYYY-MM-DD, or null
    sha256        digest of this file with an empty `sha256`, which reveals every edit
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
        """Return the number of rows of each split that has any, of one source or of all."""
        rows = dict.fromkeys(SPLITS, 0)
        if self.mix is not None and source not in (None, MIXED):
            (ledger,) = (one.ledger for one in self.sources if one.name == source)
            rows |= ledger.written
        else:
            for one in self.data_files(source):
                rows[str(one.split)] += one.rows or 0
        return {name: number for name, number in rows.items() if number}

    def data_files(self, source: str | None = None) -> list[ExportFile]:
        """Return the Parquet files of a source (`mixed` for a mix), or all."""
        return [one for one in self.files if one.format == "hf" and source in (None, one.source)]

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders below data/: `mixed`, or the names of the sources."""
        return (MIXED,) if self.mix is not None else tuple(one.name for one in self.written_sources)

    @property
    def configs(self) -> dict[str, dict[str, ConfigSplit]]:
        """The splits of each config of the card. Configs are `default` and each source, or each subset of a mix."""
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
        """Number of rows of all splits of all sources."""
        return sum(self.splits().values())

    @property
    def written_sources(self) -> tuple[ExportSource, ...]:
        """The sources that have at least one row."""
        return tuple(one for one in self.sources if self.splits(one.name))
