"""Cut one file into byte ranges at record boundaries, and count, hash and check it in the same pass."""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from chat_corpus.errors import ChatCorpusError, FileError, place_of
from chat_corpus.files import transcoding
from chat_corpus.files.lines import count_lines, lines_end
from chat_corpus.files.parquet_lines import PARQUET
from chat_corpus.files.raw_file import RawFile, check_unchanged, read_some
from chat_corpus.formats.base import Format
from chat_corpus.messages import message
from chat_corpus.pipeline.shard import ByteRange
from chat_corpus.schema import Segmentation

#: A record, or a file of a layout that is read whole, may have this many bytes, or eight shards if that is more. No
#: corpus has longer ones; to read further would only fill the memory.
MAX_RECORD_BYTES = 1 << 26
#: A file that is read whole may hold this many records.
MAX_WHOLE_RECORDS = 1 << 20
#: This many bytes at the end of a file show whether it was cut short.
_TAIL_BYTES = 1 << 12
_BLOCK = 1 << 20


@dataclass(kw_only=True, slots=True)
class FileSummary:
    """The facts about a file that one pass over it found, for the report.

    file          the file, with its encoding
    evidence      how the encoding was determined
    segmentation  what separates the words of the text
    bytes         bytes of the decompressed content that were read, before it is converted to UTF-8
    stored        bytes of the file on disk that were read
    records       number of records
    digest        SHA-256 of the decompressed content; empty until the file was read to its end
    """

    file: RawFile
    evidence: str
    segmentation: Segmentation
    bytes: int = 0
    stored: int = 0
    records: int = 0
    digest: str = ""


def cut_file(summary: FileSummary, format_: Format, size: int) -> Iterator[ByteRange]:
    """Yield consecutive ranges of about `size` bytes that cover a file, and complete its summary.

    Raises FileError if the end of a compressed or transcoded file is damaged. Raises ChatCorpusError if a record is too
    long, if the file changes, or if a function of the format does not return a number of bytes or records.
    """
    cut = format_.cut
    assert cut is not None  # noqa: S101 the caller reads other layouts with `whole_file`
    start, data = 0, b""
    with summary.file.content() as content:
        stream = _as_utf8(content, summary)
        while chunk := read_some(stream, _next_read(len(data), size), summary.file):
            data += chunk
            length = _number_from(summary, cut, "cut", data, len(data)) if len(data) >= size else 0
            if length:
                yield _range(summary, format_.count, start, data[:length])
                start, data = start + length, data[length:]
            else:
                _check_length(summary, len(data), start, size)
    check_unchanged(summary.file)
    damage = format_.fault_at_end
    if damage is not None and summary.file.streamed and data and (fault := damage(data[-_TAIL_BYTES:])):
        raise FileError(summary.file.name, fault)
    if data or start == 0:
        yield _range(summary, format_.count, start, data)


def whole_file(summary: FileSummary, format_: Format) -> ByteRange:
    """Return one range for a file of a layout that cannot be cut, and complete its summary.

    Raises ChatCorpusError if the file is too long, has too many records or changes, or if the format's function `count`
    does not return a number of records.
    """
    data = b""
    with summary.file.content() as content:
        stream = _as_utf8(content, summary)
        while chunk := read_some(stream, _next_read(len(data), _BLOCK), summary.file):
            data += chunk
            _check_length(summary, len(data), 0, _BLOCK)
    check_unchanged(summary.file)
    whole = _range(summary, format_.count, 0, data)
    if whole.records > MAX_WHOLE_RECORDS:
        raise ChatCorpusError(
            message(
                "{file}: {records:,} lines in a layout that is read whole; at most {most:,} are expected. This is not "
                "the file that its name says: get it again, or move it away",
                file=summary.file.name,
                records=whole.records,
                most=MAX_WHOLE_RECORDS,
            )
        )
    return whole


class ParallelReader:
    """Reads the second of two parallel files by numbers of lines."""

    def __init__(self, content: IO[bytes], summary: FileSummary, size: int) -> None:
        self._stream, self._summary, self._size = _as_utf8(content, summary), summary, size
        self._start, self._data = 0, b""

    def take(self, records: int) -> ByteRange:
        """Return the range of the next `records` lines, fewer at the end of the file. Raises ChatCorpusError."""
        chunks, length, lines = [self._data], len(self._data), self._data.count(b"\n")
        while lines < records and (chunk := read_some(self._stream, _BLOCK, self._summary.file)):
            chunks.append(chunk)
            length, lines = length + len(chunk), lines + chunk.count(b"\n")
            _check_length(self._summary, length, self._start, self._size)
        self._data = b"".join(chunks)
        end = lines_end(self._data, records)
        taken = _range(self._summary, count_lines, self._start, self._data[:end])
        self._start, self._data = taken.stop, self._data[end:]
        return taken


class _HashingStream:
    """The content of a file. Counts the bytes that are read in the summary, and sets its digest at the end."""

    def __init__(self, content: IO[bytes], summary: FileSummary) -> None:
        self._content, self._summary = content, summary
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        block = self._content.read(size)
        self._digest.update(block)
        self._summary.bytes += len(block)
        self._summary.stored = self._summary.file.stored(self._content, self._summary.bytes)
        if not block:
            self._summary.digest = self._digest.hexdigest()
        return block

    def close(self) -> None:
        self._content.close()


def _as_utf8(content: IO[bytes], summary: FileSummary) -> IO[bytes]:
    """Return the content as UTF-8; it is counted and hashed before it is converted to UTF-8."""
    stream = _HashingStream(content, summary)
    if summary.file.encoding == PARQUET:  # Parquet is read through its index, so it is hashed before
        while stream.read(_BLOCK):
            pass
        return summary.file.open()
    return transcoding.utf8(cast("IO[bytes]", stream), summary.file.encoding)


def _range(summary: FileSummary, count: Callable[[bytes], int], start: int, data: bytes) -> ByteRange:
    """Return the next range of a file, and add its records to the summary."""
    records = _number_from(summary, count, "count", data)
    first, summary.records = summary.records + 1, summary.records + records
    stop, crc = start + len(data), zlib.crc32(data)
    return ByteRange(file=summary.file, start=start, stop=stop, first=first, records=records, crc=crc)


def _next_read(length: int, size: int) -> int:
    """Return how many bytes to read after `length` bytes without a boundary.

    The total grows to `size` bytes, then doubles, and ends one byte above the limit, so that the excess is noticed.
    """
    return min(max(size - length, length), 1 + _max_bytes(size) - length)


def _check_length(summary: FileSummary, length: int, start: int, size: int) -> None:
    """Raise ChatCorpusError if a record, or a file that must be read whole, is longer than any corpus has."""
    if length > (most := _max_bytes(size)):
        raise ChatCorpusError(
            message(
                "{file}: no record ends within {most:,} bytes after byte {start:,}. This is not the file that its name "
                "says: get it again, or move it away",
                file=summary.file.name,
                most=most,
                start=start,
            )
        )


def _max_bytes(size: int) -> int:
    return max(MAX_RECORD_BYTES, 8 * size)


def _number_from(
    summary: FileSummary, function: Callable[[bytes], int], name: str, data: bytes, most: int = sys.maxsize
) -> int:
    """Return the number that a function of a format, possibly a plugin's, returns for `data`.

    Raises ChatCorpusError if it is not a number from 0 to `most`.
    """
    number: object = function(data)
    if type(number) is int and 0 <= number <= most:
        return number
    given, where = f"{number!r:.80}", place_of(function)
    if name == "cut":
        raise ChatCorpusError(
            message(
                "{file}: cut ({where}) returned {given}; expected a number of bytes from 0 to {most:,}",
                file=summary.file.name,
                where=where,
                given=given,
                most=most,
            )
        )
    raise ChatCorpusError(
        message(
            "{file}: count ({where}) returned {given}; expected a number of records",
            file=summary.file.name,
            where=where,
            given=given,
        )
    )
