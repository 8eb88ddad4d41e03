"""Results of discovery: files matched to sources, files that match none, and groups of files that are read together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from chat_corpus.files.raw_file import RawFile
from chat_corpus.schema import State
from chat_corpus.sources.base import Source


class Slot(NamedTuple):
    """The role of a file: its source, the number of the input, and the index among files that are read together."""

    source: str
    input: int
    file_index: int


class MatchedBy(Enum):
    """The evidence that matched a file to a source."""

    NAME = auto()
    GARBLED_NAME = auto()
    CONTENT = auto()
    SIBLINGS = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadSample:
    """Number of records in the first `bytes` bytes of a file's content; `whole` means that this is all of it."""

    records: int
    bytes: int
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FileMatch:
    """A file and the slot that it fills."""

    slot: Slot
    file: RawFile
    matched_by: MatchedBy
    sample: HeadSample


@dataclass(frozen=True, kw_only=True, slots=True)
class UnrecognisedFile:
    """A file that is not read, and the reason.

    damaged_source    the source that the file belongs to by its name, if it is damaged
    unusable_source   the source that the file would belong to if it could be read
    warn              whether the user must know, since a corpus may be lost
    possible_matches  slots that the file may fill if other files in its folder belong to the same source
    """

    file: RawFile
    reason: str
    damaged_source: str | None = None
    unusable_source: str | None = None
    warn: bool = False
    possible_matches: tuple[FileMatch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FileGroup:
    """Files that are read together: a single file, or one for each part of the format."""

    input: int
    files: tuple[RawFile, ...]


@dataclass(kw_only=True, slots=True)
class DiscoveredSource:
    """The files of one source.

    groups        groups of files, in the order of reading
    missing       name patterns without a file
    remarks       messages for the user
    damaged       messages about files that have a name of this source and are damaged
    head_samples  for each file that is read, the number of records in its first bytes
    """

    source: Source
    groups: list[FileGroup] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    #: Messages about files in a form that is not read. Empty if there are files in a form that is read.
    unusable: list[str] = field(default_factory=list)
    renamed: list[RawFile] = field(default_factory=list)
    head_samples: dict[RawFile, HeadSample] = field(default_factory=dict)
    sample: bool = False
    #: Folder that the names of the files are relative to, if it is not the raw folder.
    root: str = ""
    #: Number of bundled samples that are skipped because there is a real corpus.
    samples_left: int = 0

    @property
    def state(self) -> State:
        """State of the source; never `failed`."""
        if self.damaged:
            return State.DAMAGED
        if self.unusable and not self.groups:
            return State.UNUSABLE
        if not self.groups:
            return State.PARTIAL if self.missing else State.ABSENT
        if self.sample:
            return State.SAMPLE
        return State.PARTIAL if self.missing else State.RENAMED if self.renamed else State.FOUND

    @property
    def names(self) -> list[list[str]]:
        """Names of the files of each group."""
        return [[file.name for file in group.files] for group in self.groups]

    @property
    def files(self) -> list[RawFile]:
        """All files of all groups."""
        return [file for group in self.groups for file in group.files]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """All sources by name, and the files that belong to none."""

    found: dict[str, DiscoveredSource]
    unrecognised: list[UnrecognisedFile]
