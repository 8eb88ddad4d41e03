"""From files to shards: byte ranges cut at record boundaries, each with the number of its first record.

Cuts depend on the content and the shard size alone, so that the same input is always the same shards. One pass reads
each file, and counts and hashes it on the way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.formats.base import Format
from chat_corpus.raw import RawFile, count_lines, lines_end, read_range
from chat_corpus.raw import read_some as _read
from chat_corpus.schema import Segmentation
from chat_corpus.settings import ReadOptions, Settings
from chat_corpus.survey import Found, Group
from chat_corpus.text.segmentation import observed

#: A record longer than this is no record of any corpus; reading on would only fill the memory.
_LONGEST_RECORD = 1 << 28
#: Enough text to see whether its words are segmented.
_SAMPLE_BYTES = 1 << 18
_SAMPLES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """The byte range `start:stop` of one file: `records` records, numbered from `first`."""

    file: RawFile
    start: int
    stop: int
    first: int
    records: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """The unit of work: a range of each file that is read together, and what was found out about the whole files."""

    source: str
    input: int
    number: int
    pieces: tuple[Piece, ...]
    segmentation: Segmentation

    @property
    def bytes(self) -> int:
        """Bytes of raw content."""
        return sum(piece.stop - piece.start for piece in self.pieces)


@dataclass(kw_only=True, slots=True)
class FileFacts:
    """What the pass over one file found: for the report, and for later runs to know it by."""

    file: RawFile
    bytes: int = 0
    records: int = 0
    digest: str = ""
    segmentation: Segmentation = Segmentation.NONE


@dataclass(kw_only=True, slots=True)
class Plan:
    """The shards of one source, made as they are asked for; `facts` is complete when all have been."""

    found: Found
    settings: Settings
    facts: list[FileFacts] = field(default_factory=list)

    @property
    def _options(self) -> ReadOptions:
        return self.settings.of(self.found.source.name).read

    def _segmentation(self, group: Group) -> Segmentation:
        """What the user says, or else what the source declares and the text bears out."""
        chosen = self._options.segmentation
        if chosen != "auto":
            return Segmentation(chosen)
        return observed(_sample(group.files[0]), self.found.source.traits.segmentation)

    def shards(self) -> Iterator[Shard]:
        """All shards in order. Raises IncompleteError where parallel files are of unequal length."""
        number, limit = 0, self._options.limit
        for group in self.found.groups:
            format_ = self.found.source.inputs[group.input].format
            segmentation = self._segmentation(group)
            facts = [FileFacts(file=file, segmentation=segmentation) for file in group.files]
            self.facts.extend(facts)
            for pieces in self._pieces(format_, facts):
                if limit and all(piece.first > limit for piece in pieces):
                    break
                yield Shard(
                    source=self.found.source.name,
                    input=group.input,
                    number=number,
                    pieces=pieces,
                    segmentation=segmentation,
                )
                number += 1

    def _pieces(self, format_: Format, facts: list[FileFacts]) -> Iterator[tuple[Piece, ...]]:
        if format_.cut is None:
            yield tuple(piece for fact in facts for piece in _cut(fact, _never, format_.count, 1 << 20))
        elif format_.parts == 1:
            for piece in _cut(facts[0], format_.cut, format_.count, self.settings.shard_bytes):
                yield (piece,)
        else:
            yield from self._parallel(format_, facts)

    def _parallel(self, format_: Format, facts: list[FileFacts]) -> Iterator[tuple[Piece, ...]]:
        """Pieces of parallel files with as many records each; then the rest of a longer file by itself."""
        leading, following = facts
        assert format_.cut is not None  # noqa: S101 _pieces asked
        with following.file.open() as stream:
            follower = _Follower(stream, following)
            end, first = 0, 1
            for piece in _cut(leading, format_.cut, format_.count, self.settings.shard_bytes):
                yield piece, follower.take(piece.records)
                end, first = piece.stop, piece.first + piece.records
            while (rest := follower.take(max(1, self.settings.shard_bytes >> 7))).records:
                yield Piece(file=leading.file, start=end, stop=end, first=first, records=0), rest
                first += rest.records
        if leading.records != following.records and self._options.unequal == "error":
            told = ", ".join(f"{fact.file.name} {fact.records:,} lines" for fact in facts)
            raise IncompleteError(
                f"{self.found.source.name}: parallel files of unequal length: {told}; get the complete files, "
                "or keep the common part with --unequal common"
            )


class _Follower:
    """The second of two parallel files, taken by numbers of lines."""

    def __init__(self, stream: IO[bytes], facts: FileFacts) -> None:
        self._stream, self._facts = stream, facts
        self._digest = hashlib.sha256()
        self._data = b""

    def take(self, records: int) -> Piece:
        """The piece of the next `records` lines, fewer at the end of the file."""
        while self._data.count(b"\n") < records and (chunk := _read(self._stream, 1 << 20, self._facts.file)):
            self._digest.update(chunk)
            self._data += chunk
        length = lines_end(self._data, records)
        facts, taken = self._facts, count_lines(self._data[:length])
        piece = Piece(
            file=facts.file, start=facts.bytes, stop=facts.bytes + length, first=facts.records + 1, records=taken
        )
        facts.bytes, facts.records, self._data = piece.stop, facts.records + taken, self._data[length:]
        facts.digest = self._digest.hexdigest()
        return piece


def _sample(file: RawFile) -> bytes:
    """Text from several places of a file, or from the beginning of a compressed one."""
    if file.compressed:
        with file.open() as stream:
            return _read(stream, _SAMPLE_BYTES, file)
    size = min(_SAMPLE_BYTES // _SAMPLES, file.size)
    starts = (place * (file.size - size) // (_SAMPLES - 1) for place in range(_SAMPLES))
    return b"\n".join(read_range(file, start, start + size) for start in starts)


def _never(data: bytes) -> int:  # noqa: ARG001 a file read as a whole, whatever it holds
    return 0


def _cut(facts: FileFacts, cut: Callable[[bytes], int], count: Callable[[bytes], int], size: int) -> Iterator[Piece]:
    """Consecutive pieces of about `size` bytes that cover a file."""
    digest = hashlib.sha256()
    start, first, data = 0, 1, b""
    with facts.file.open() as stream:
        while chunk := _read(stream, max(size - len(data), len(data)), facts.file):
            digest.update(chunk)
            data += chunk
            length = cut(data) if len(data) >= size else 0
            if length:
                records = count(data[:length])
                facts.bytes, facts.records = start + length, first + records - 1
                yield Piece(file=facts.file, start=start, stop=start + length, first=first, records=records)
                start, first, data = facts.bytes, facts.records + 1, data[length:]
            elif len(data) > _LONGEST_RECORD:
                raise ChatCorpusError(
                    f"{facts.file.name}: no end of a record within {_LONGEST_RECORD:,} bytes from byte {start:,} on; "
                    "this is not the file it should be: get it again, or move it away"
                )
    records = count(data)
    facts.bytes, facts.records, facts.digest = start + len(data), first + records - 1, digest.hexdigest()
    if data or start == 0:
        yield Piece(file=facts.file, start=start, stop=facts.bytes, first=first, records=records)
