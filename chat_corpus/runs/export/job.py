"""The job of an export, and the state of a source between the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chat_corpus.exports.manifest import ExportFile
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.ordering import KEYS
from chat_corpus.exports.splits import SplitLimits
from chat_corpus.runs.export.assembling import Assembled, RecordsPart
from chat_corpus.runs.export.raw import RawSource
from chat_corpus.runs.export.stores import Store
from chat_corpus.settings.model import Settings

#: What the records of a source are made from.
Origin = Store | RawSource
#: Bytes to add for each record to its text, so that files with short records do not need more memory than others.
_RECORD = 100


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """What to export, and with which settings; `made_from` is dialogue stores (`store`) or raw corpora (`raw`).

    Files are made below the folder `work`.
    """

    origins: Sequence[Origin]
    settings: Settings
    work: Path
    made_from: Literal["store", "raw"]

    @property
    def options(self) -> ExportOptions:
        """The options of the export."""
        return self.settings.export

    @property
    def files(self) -> Path:
        """The folder in which files are made, at the same paths as in the export."""
        return self.work / "files"

    @property
    def parts(self) -> Path:
        """The folder for files that steps leave for later steps."""
        return self.work / "parts"

    @property
    def pieces(self) -> Path:
        """The folder for pieces of files in formats other than Parquet."""
        return self.parts / "pieces"


@dataclass(kw_only=True, slots=True)
class SourceExport:
    """A source between the steps of an export.

    parts      its records, in order
    assembled  counts of the turns of each part
    limits     limits of its splits
    train_end  records of train with this order key or a higher one do not fit the mix
    index      number of records by split, or by the reason for which they are in none
    files      its files in the export
    written    number of records written, by split
    """

    origin: Origin
    parts: list[RecordsPart]
    assembled: list[Assembled]
    limits: SplitLimits
    train_end: int = KEYS
    index: Counter[str] = field(default_factory=Counter)
    files: list[ExportFile] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.origin.name

    @property
    def records(self) -> int:
        """Number of all records, before any is left out."""
        return sum(made.balance.records for made in self.assembled)

    @property
    def bytes(self) -> int:
        """Bytes of all records: their texts, and `_RECORD` for each."""
        return sum(made.bytes for made in self.assembled) + _RECORD * self.records
