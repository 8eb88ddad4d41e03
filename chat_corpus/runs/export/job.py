"""What to export, and a source on its way through the steps."""

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

#: What records of a source are made of.
Origin = Store | RawSource
#: Bytes of a record besides its text, so that files of short records take no more memory than others.
_RECORD = 100


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """What to export, with these options, made from a `store` or directly from `raw` corpora.

    Files are made below `work`, which holds nothing of an earlier export.
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
        """Where the files are made, at the paths that they have in the export."""
        return self.work / "files"

    @property
    def parts(self) -> Path:
        """Where the work between the steps is."""
        return self.work / "parts"

    @property
    def pieces(self) -> Path:
        """Where pieces of files of other formats than Parquet are."""
        return self.parts / "pieces"


@dataclass(kw_only=True, slots=True)
class SourceExport:
    """A source on its way: its parts, what became of its turns and records, and its files.

    Records of train with an order key from `train_end` on do not fit the mix.
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
        """All records, before any is left out."""
        return sum(made.balance.records for made in self.assembled)

    @property
    def bytes(self) -> int:
        """Bytes of all records: their text, and what a record takes in memory besides."""
        return sum(made.bytes for made in self.assembled) + _RECORD * self.records
