"""What discovery finds: files that are a source's, files that are nobody's, and what is read together."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from chat_corpus.files.raw_file import RawFile
from chat_corpus.schema import State
from chat_corpus.sources.base import Source

#: Where a file belongs: a source, one of its inputs, a part of that.
Place = tuple[str, int, int]


class How(Enum):
    """By what a file is known: its name, its name once repaired, its content, or the files beside it."""

    NAME = "its name"
    GARBLED = "its garbled name"
    CONTENT = "its content"
    SIBLINGS = "the files beside it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """How many records the first `bytes` of a content hold; `whole`: there are no others."""

    records: int
    bytes: int
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FileMatch:
    """A file and the place that it fills."""

    place: Place
    file: RawFile
    how: How
    sampled: Sampled


@dataclass(frozen=True, kw_only=True, slots=True)
class UnrecognisedFile:
    """A file that is nobody's, and why.

    `damaged` names the source whose file it is by its name, `meant` the one that it would be of if it could be read;
    `possible_matches` are the claims that it has if there are other files of theirs beside it.
    """

    file: RawFile
    reason: str
    damaged: str | None = None
    meant: str | None = None
    warn: bool = False
    possible_matches: tuple[FileMatch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FileGroup:
    """Files read together: one, or one for each part of the format."""

    input: int
    files: tuple[RawFile, ...]


@dataclass(kw_only=True, slots=True)
class DiscoveredSource:
    """What was found for one source: groups to read in order, patterns without a file, and remarks for the user.

    `damaged` says of each file that is this source's by its name why it is not read. `sampled` tells of each file that
    is read how many records its beginning holds.
    """

    source: Source
    groups: list[FileGroup] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    #: Of files in a form that is not read: what they are, and what to do. Empty if another form is there.
    unusable: list[str] = field(default_factory=list)
    renamed: list[RawFile] = field(default_factory=list)
    sampled: dict[RawFile, Sampled] = field(default_factory=dict)
    sample: bool = False
    #: The folder that the names of the files are below, if it is not the raw folder.
    root: str = ""
    #: Bundled samples that were left alone, since there is a real corpus.
    samples_left: int = 0

    @property
    def state(self) -> State:
        """What was found of it; never failed."""
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
        """The names of the files of each group."""
        return [[file.name for file in group.files] for group in self.groups]

    @property
    def files(self) -> list[RawFile]:
        """All files of all groups."""
        return [file for group in self.groups for file in group.files]


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """What was found for each source, and the files that are no source's."""

    found: dict[str, DiscoveredSource]
    unrecognised: list[UnrecognisedFile]
