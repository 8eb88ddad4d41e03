"""From files to shards: byte ranges cut at record boundaries, each with the number of its first record.

Cuts depend on the content and the shard size alone, so that the same input is always the same shards. One pass reads
each file, and counts and hashes it on the way.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, cast

from chat_corpus.errors import ChatCorpusError, FileError, IncompleteError, place_of
from chat_corpus.files import encodings, transcoding
from chat_corpus.files.encoding_detection import choose_encoding
from chat_corpus.files.lines import count_lines, lines_end
from chat_corpus.files.parquet_lines import PARQUET
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile, check_unchanged, read_range
from chat_corpus.files.raw_file import read_some as _read
from chat_corpus.formats.base import Format
from chat_corpus.messages import count_noun
from chat_corpus.pipeline.settings import ReadOptions
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.pipeline.text.segmentation import observed
from chat_corpus.schema import Segmentation
from chat_corpus.settings.model import Settings

if TYPE_CHECKING:  # a worker, which is sent shards, need not know how files are found
    from chat_corpus.discovery.model import DiscoveredSource, FileGroup

#: Bytes that nothing read together may exceed, or eight shards: no record of any corpus is as long, nor is a file of a
#: layout that is read whole; reading on would only fill the memory.
_LONGEST_RECORD = 1 << 26
#: Records that a file which is read whole may hold.
_MOST_RECORDS = 1 << 20
#: Enough text to see whether its words are segmented.
_SAMPLE_BYTES = 1 << 18
_SAMPLES = 8
#: So many bytes at the end of a file tell whether it was cut short.
_TAIL = 1 << 12
_NOT_IT = "this is not the file it should be: get it again, or move it away"

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class FileSummary:
    """What the pass over one file found: for the report, and for later runs to know it by.

    `bytes` and `digest`, a SHA-256, are those of the file's own content, whatever its encoding; `evidence` is how that
    is known.
    `stored` is how many bytes of the file on disk, compressed or not, have been read for them.
    """

    file: RawFile
    evidence: str
    segmentation: Segmentation
    bytes: int = 0
    stored: int = 0
    records: int = 0
    digest: str = ""


@dataclass(kw_only=True, slots=True)
class ShardPlanner:
    """The shards of one source, made as they are asked for; `facts` is complete when all have been."""

    found: DiscoveredSource
    settings: Settings
    facts: list[FileSummary] = field(default_factory=list)

    @property
    def _options(self) -> ReadOptions:
        return self.settings.of(self.found.source.name).read

    def _segmentation(self, file: RawFile) -> Segmentation:
        """What the user says, or else what the source declares and the text bears out."""
        chosen = self._options.segmentation
        if chosen != "auto":
            return Segmentation(chosen)
        return observed(_sample(file), self.found.source.traits.segmentation)

    def _decided(self, file: RawFile) -> tuple[RawFile, str]:
        """A file with its encoding, and how that is known; the user is told of any but UTF-8, and of any doubt."""
        name = self.found.source.name
        decision = choose_encoding(file, self.found.source.traits.script, self._options.encoding)
        if decision.doubt:
            _log.warning("%s: %s: %s; it is read as %s, and records that do not decode are rejected; "
                "if that is wrong, name its encoding with --encoding %s=NAME, or convert it to UTF-8",
                name, file.name, decision.doubt, decision.encoding, name,
                extra={"event": "encoding.doubtful", "source": name})  # fmt: skip
        elif decision.encoding != encodings.UTF8:
            about = {"event": "encoding.detected", "source": name}
            _log.info("%s: %s is read as %s: %s", name, file.name, decision.encoding, decision.evidence, extra=about)
        return replace(file, encoding=decision.encoding), str(decision.evidence)

    def shards(self) -> Iterator[Shard]:
        """All shards in order. Raises IncompleteError where parallel files are of unequal length."""
        number, limit = 0, self._options.limit
        for group in self.found.groups:
            facts = self._facts(group)
            self.facts.extend(facts)
            format_ = self.found.source.inputs[group.input].format
            dialect = format_.dialect_of(_head(facts[0].file)) if format_.in_dialect else ""
            format_ = format_.of(dialect)
            for pieces in self._pieces(format_, facts):
                if limit and all(piece.first > limit for piece in pieces):
                    break
                yield Shard(
                    source=self.found.source.name,
                    input=group.input,
                    number=number,
                    pieces=pieces,
                    segmentation=facts[0].segmentation,
                    dialect=dialect,
                )
                number += 1

    def _facts(self, group: FileGroup) -> list[FileSummary]:
        files = [self._decided(file) for file in group.files]
        segmentation = self._segmentation(files[0][0])
        return [FileSummary(file=file, evidence=evidence, segmentation=segmentation) for file, evidence in files]

    def _pieces(self, format_: Format, facts: list[FileSummary]) -> Iterator[tuple[ByteRange, ...]]:
        if format_.cut is None:
            yield tuple(_whole(fact, format_.count) for fact in facts)
        elif format_.parts == 1:
            for piece in _cut(facts[0], format_.cut, format_.count, self.settings.shard_bytes, format_.fault_at_end):
                yield (piece,)
        else:
            yield from self._parallel(format_, facts)

    def _parallel(self, format_: Format, facts: list[FileSummary]) -> Iterator[tuple[ByteRange, ...]]:
        """Pieces of parallel files with as many records each; then the rest of a longer file by itself."""
        leading, following = facts
        assert format_.cut is not None  # noqa: S101 _pieces asked
        size, limit = self.settings.shard_bytes, self._options.limit or sys.maxsize
        with following.file.content() as content:
            follower = _ParallelReader(content, following, size)
            end, first = 0, 1
            for piece in _cut(leading, format_.cut, format_.count, size):
                yield piece, follower.take(piece.records)
                end, first = piece.stop, piece.first + piece.records
                if first > limit:
                    break
            while first <= limit and (rest := follower.take(max(1, size >> 7))).records:
                yield ByteRange(file=leading.file, start=end, stop=end, first=first, records=0), rest
                first += rest.records
        check_unchanged(following.file)
        read = {fact.file.name: min(fact.records, limit) for fact in facts}
        if len(set(read.values())) > 1 and self._options.unequal_lengths == "error":
            told = ", ".join(f"{name} {count_noun(records, 'line')}" for name, records in read.items())
            raise IncompleteError(
                f"{self.found.source.name}: parallel files of unequal length: {told}; get the complete files, "
                "or keep the common part with --unequal-lengths common"
            )


class _ParallelReader:
    """The second of two parallel files, taken by numbers of lines."""

    def __init__(self, content: IO[bytes], facts: FileSummary, size: int) -> None:
        self._stream, self._facts, self._size = _watched(content, facts), facts, size
        self._start, self._data = 0, b""

    def take(self, records: int) -> ByteRange:
        """The piece of the next `records` lines, fewer at the end of the file."""
        chunks, held, lines = [self._data], len(self._data), self._data.count(b"\n")
        while lines < records and (chunk := _read(self._stream, 1 << 20, self._facts.file)):
            chunks.append(chunk)
            held, lines = held + len(chunk), lines + chunk.count(b"\n")
            _check_length(self._facts, held, self._start, self._size)
        self._data = b"".join(chunks)
        length = lines_end(self._data, records)
        facts, taken = self._facts, count_lines(self._data[:length])
        piece = ByteRange(
            file=facts.file,
            start=self._start,
            stop=self._start + length,
            first=facts.records + 1,
            records=taken,
            crc=zlib.crc32(memoryview(self._data)[:length]),
        )
        self._start, facts.records, self._data = piece.stop, facts.records + taken, self._data[length:]
        return piece


class _HashingStream:
    """A file's own content on its way to whoever reads it; counted, and hashed once it has been read to its end."""

    def __init__(self, content: IO[bytes], facts: FileSummary) -> None:
        self._content, self._facts = content, facts
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        block = self._content.read(size)
        self._digest.update(block)
        self._facts.bytes += len(block)
        self._facts.stored = self._facts.file.stored(self._content, self._facts.bytes)
        if not block:
            self._facts.digest = self._digest.hexdigest()
        return block

    def close(self) -> None:
        self._content.close()


def _watched(content: IO[bytes], facts: FileSummary) -> IO[bytes]:
    """The content as UTF-8."""
    if facts.file.encoding == PARQUET:  # which is read by its own index, so that it is counted and hashed before
        watched = _HashingStream(content, facts)
        while watched.read(1 << 20):
            pass
        return facts.file.open()
    return transcoding.utf8(cast("IO[bytes]", _HashingStream(content, facts)), facts.file.encoding)


def _head(file: RawFile) -> bytes:
    """The first bytes of a file, as UTF-8, in which a format finds the dialect."""
    with file.open() as stream:
        return _read(stream, HEAD_BYTES, file)


def _sample(file: RawFile) -> bytes:
    """Text from several places of a file, or from the beginning of a compressed one."""
    if file.streamed:
        with file.open() as stream:
            return _read(stream, _SAMPLE_BYTES, file)
    size = min(_SAMPLE_BYTES // _SAMPLES, file.size)
    starts = (place * (file.size - size) // (_SAMPLES - 1) for place in range(_SAMPLES))
    return b"\n".join(read_range(file, start, start + size) for start in starts)


def _whole(facts: FileSummary, count: Callable[[bytes], int]) -> ByteRange:
    """A file of a layout that cannot be cut."""
    (piece,) = _cut(facts, lambda data: 0, count, 1 << 20)  # noqa: ARG005 the name says what it is given
    if piece.records > _MOST_RECORDS:
        raise ChatCorpusError(
            f"{facts.file.name}: {piece.records:,} lines in a layout that is read as a whole, {_MOST_RECORDS:,} at "
            f"most expected; {_NOT_IT}"
        )
    return piece


def _check_length(facts: FileSummary, length: int, start: int, size: int) -> None:
    """Raise ChatCorpusError where what must be read together is longer than anything in a corpus."""
    longest = _longest(size)
    if length > longest:
        raise ChatCorpusError(
            f"{facts.file.name}: no end of a record within {longest:,} bytes from byte {start:,} on; {_NOT_IT}"
        )


def _given(
    facts: FileSummary, function: Callable[[bytes], int], name: str, data: bytes, most: int = sys.maxsize
) -> int:
    """What a format's function, which may be a plugin's, says of bytes.

    Raises ChatCorpusError where that is no number from 0 to `most`.
    """
    number: object = function(data)
    if type(number) is int and 0 <= number <= most:
        return number
    wanted = f"a number of bytes from 0 to {most:,}" if name == "cut" else "a number of records"
    raise ChatCorpusError(
        f"{facts.file.name}: {number!r:.80} given by {name} ({place_of(function)}), {wanted} expected of the function"
    )


def _longest(size: int) -> int:
    return max(_LONGEST_RECORD, 8 * size)


def _cut(
    facts: FileSummary,
    cut: Callable[[bytes], int],
    count: Callable[[bytes], int],
    size: int,
    fault_at_end: Callable[[bytes], str] | None = None,
) -> Iterator[ByteRange]:
    """Consecutive pieces of about `size` bytes that cover a file.

    Raises FileError where its end is at fault: of a compressed file nobody has seen that before.
    """
    start, first, data = 0, 1, b""
    with facts.file.content() as content:
        stream = _watched(content, facts)
        while chunk := _read(stream, min(max(size - len(data), len(data)), 1 + _longest(size) - len(data)), facts.file):
            data += chunk
            length = _given(facts, cut, "cut", data, len(data)) if len(data) >= size else 0
            if length:
                records = _given(facts, count, "count", data[:length])
                facts.records = first + records - 1
                crc = zlib.crc32(memoryview(data)[:length])
                yield ByteRange(
                    file=facts.file, start=start, stop=start + length, first=first, records=records, crc=crc
                )
                start, first, data = start + length, facts.records + 1, data[length:]
            else:
                _check_length(facts, len(data), start, size)
    check_unchanged(facts.file)
    if fault_at_end is not None and facts.file.streamed and data and (fault := fault_at_end(data[-_TAIL:])):
        raise FileError(facts.file.name, fault)
    records = _given(facts, count, "count", data)
    facts.records = first + records - 1
    if data or start == 0:
        crc = zlib.crc32(data)
        yield ByteRange(file=facts.file, start=start, stop=start + len(data), first=first, records=records, crc=crc)
