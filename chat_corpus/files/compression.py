"""Compressed files, read as streams without unpacking, and without trusting their headers.

A member of a tar archive is a byte range of the archive, after decompression if the archive is compressed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import IO, Any

from chat_corpus.files.stream_cache import StreamCache, read_on
from chat_corpus.messages import Message, message

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Exceptions of reading a damaged file or archive.
DAMAGE = (
    OSError, EOFError, KeyError, ValueError, RuntimeError, OverflowError, NotImplementedError,
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error,
    zstd.ZstdError,
)  # fmt: skip

_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": zstd.ZstdFile,
}
_TARS = {".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}

#: Maximum ratio of the size of content to the size of its file: chat text compresses to a fifth at best. Content up to
#: `HARMLESS` bytes is always read.
INFLATION = 250
HARMLESS = 64 << 20
#: Maximum size in bytes of a member of a compressed archive that is cached, since it is read several times.
_SMALL = 1 << 20
#: The ratio of content to compressed size is measured on this many bytes of content, or on up to this many such steps.
_STEP, _MOST_STEPS = 1 << 20, 4
#: Bytes per read: Python 3.12 and later read 128 kB of a gzip file at once, which may be all of it.
_SIP = 1 << 13

#: Open streams that wait for the next range to be read; more than files that are read together.
waiting = StreamCache(most=4)


class LimitError(ValueError):
    """An archive exceeds a limit that no corpus needs to exceed."""


def compression_of(path: str) -> str:
    """Return the ending of a compression, `.gz` for `.tgz` too; empty for a file that is not compressed.

    >>> compression_of("a.tar.GZ"), compression_of("a.tgz"), compression_of("a.zip")
    ('.gz', '.gz', '')
    """
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122 a name of bytes is no Path
    return _TARS.get(ending, ending if ending in _OPENERS else "")


def content_name(path: str) -> str:
    """Return the name of the content of a compressed file.

    >>> content_name("tieba.dialogues.gz"), content_name("all.tgz")
    ('tieba.dialogues', 'all.tar')
    """
    stem, ending = os.path.splitext(path)  # noqa: PTH122
    return f"{stem}.tar" if ending.lower() in _TARS else stem if compression_of(path) else path


def is_zip(path: str) -> bool:
    """Return whether a name is the name of a zip archive."""
    return path.lower().endswith(".zip")


def is_tar(path: str) -> bool:
    """Return whether a name is the name of a tar archive, compressed or not."""
    return content_name(path).lower().endswith(".tar")


def is_archive(path: str) -> bool:
    """Return whether a name is the name of an archive or of a compressed file."""
    return is_zip(path) or is_tar(path) or bool(compression_of(path))


def inflates_too_much() -> Message:
    """Return the message about content that is too large for its compressed size."""
    return message("the content is more than {factor} times as large as the file, which is not text", factor=INFLATION)


class _Inflating(io.RawIOBase):
    """The content of a compressed file. Reading raises LimitError if it is too large for the compressed size."""

    def __init__(self, file: IO[bytes], stream: Any) -> None:
        self._file, self._stream, self._at = file, stream, 0
        self._most = max(HARMLESS, INFLATION * os.fstat(file.fileno()).st_size)

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._at += len(data)
        if self._at > self._most:
            raise LimitError(inflates_too_much())
        buffer[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        return self._file.fileno()

    @property
    def packed(self) -> int:
        """Number of compressed bytes read so far."""
        return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()


class _Window(io.RawIOBase):
    """The byte range `start:start + size` of a stream. Reading raises EOFError if the stream ends earlier."""

    def __init__(self, stream: IO[bytes], start: int, size: int) -> None:
        self._stream, self._start, self._size, self._at = stream, start, size, 0
        skip(stream, start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        self._stream.seek(self._start + self._at)
        return self._at

    def readinto(self, buffer: Any) -> int:
        size = max(0, min(len(buffer), self._size - self._at))
        data = self._stream.read(size)
        if size and not data:
            raise EOFError(_truncated(self._size, self._at))
        self._at += len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def _truncated(expected: int, found: int) -> Message:
    return message(
        "the archive is truncated: expected {expected:,} bytes, found {found:,}", expected=expected, found=found
    )


def skip(stream: IO[bytes], position: int) -> None:
    """Seek to a position if the stream is seekable, otherwise read up to it."""
    if stream.seekable():
        stream.seek(position)
        return
    read_on(stream, position)


def open_stream(path: str) -> IO[bytes]:
    """Open a file, with decompression if its name has the ending of a compression."""
    file = open(path, "rb")  # noqa: PTH123, SIM115 the stream closes it
    return io.BufferedReader(_inflating(file, path), 1 << 16) if compression_of(path) else file


def _inflating(file: IO[bytes], path: str) -> _Inflating:
    try:
        return _Inflating(file, _OPENERS[compression_of(path)](file))
    except BaseException:
        file.close()
        raise


def open_content(path: str, member: str | None, offset: int | None, size: int) -> IO[bytes]:
    """Open the content of a file, or of a member of an archive: by name, or in a tar archive by byte range."""
    if member is None:
        return open_stream(path)
    if offset is None:
        return zipfile.ZipFile(path).open(member)
    if not compression_of(path):
        return io.BufferedReader(_Window(open_stream(path), offset, size), 1 << 16)
    if size > _SMALL:
        return io.BufferedReader(_Window(_stream_before(path, offset), offset, size), 1 << 16)
    facts = os.stat(path)  # noqa: PTH116
    return io.BytesIO(_small_member(path, offset, size, (facts.st_size, facts.st_mtime_ns)))


@lru_cache(maxsize=8)
def _small_member(path: str, offset: int, size: int, facts: tuple[int, int]) -> bytes:
    """Return a small member of a compressed tar archive; the open stream waits at its end for the next member."""
    with waiting.use((path, *facts), offset, lambda: open_stream(path)) as stream:
        data = stream.read(size)
        if len(data) < size:
            raise EOFError(_truncated(size, len(data)))
    return data


def _stream_before(path: str, offset: int) -> IO[bytes]:
    """Return a stream of a compressed archive at a position up to `offset`."""
    facts = os.stat(path)  # noqa: PTH116
    return waiting.take((path, facts.st_size, facts.st_mtime_ns), offset) or open_stream(path)


class _Sips(io.FileIO):
    """A file that is read in small steps, so that its position shows how many bytes were needed."""

    def read(self, size: int | None = -1, /) -> Any:
        return super().read(_SIP if size is None or size < 0 else min(size, _SIP))


def inflation(path: str) -> float:
    """Return the ratio of content to compressed size, measured on the first megabyte of content.

    bzip2 decompresses a block at once, so content that needs no further compressed bytes is counted too.
    """
    with _inflating(_Sips(path), path) as stream, io.BufferedReader(stream, 1 << 16) as content:
        size, packed = len(content.read(_STEP)), stream.packed
        while size < _MOST_STEPS * _STEP and (data := content.read(1 << 16)) and stream.packed == packed:
            size += len(data)
        return size / max(1, packed)
