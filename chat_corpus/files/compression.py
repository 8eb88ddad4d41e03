"""Compressed files: read as streams, never unpacked, and trusted in nothing.

A member of a tar archive is a byte range of the archive, of the decompressed one if it is compressed.
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

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: What reading a damaged file or archive raises.
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

#: Chat text shrinks to a fifth at best, and what is small does no harm however far it inflates.
INFLATION = 250
HARMLESS = 64 << 20
#: A member of a compressed archive that is kept, since it is read several times.
_SMALL = 1 << 20
_STEP = 1 << 20
#: Python 3.12 and later take in 128 kB of a gzip file at once, in which there may be all of it.
_SIP = 1 << 13

#: All streams that wait for whoever reads on: more than the files that are read together.
waiting = StreamCache(most=4)


class LimitError(ValueError):
    """An archive goes beyond what any corpus needs."""


def compression_of(path: str) -> str:
    """The ending that tells how a file is compressed, `.gz` for `.tgz` too; empty where it is not.

    >>> compression_of("a.tar.GZ"), compression_of("a.tgz"), compression_of("a.zip")
    ('.gz', '.gz', '')
    """
    ending = os.path.splitext(path)[1].lower()  # noqa: PTH122 a name of bytes is no Path
    return _TARS.get(ending, ending if ending in _OPENERS else "")


def content_name(path: str) -> str:
    """The name of a compressed file's content.

    >>> content_name("tieba.dialogues.gz"), content_name("all.tgz")
    ('tieba.dialogues', 'all.tar')
    """
    stem, ending = os.path.splitext(path)  # noqa: PTH122
    return f"{stem}.tar" if ending.lower() in _TARS else stem if compression_of(path) else path


def is_zip(path: str) -> bool:
    """Whether a name is that of a zip archive."""
    return path.lower().endswith(".zip")


def is_tar(path: str) -> bool:
    """Whether a name is that of a tar archive, compressed or not."""
    return content_name(path).lower().endswith(".tar")


def is_archive(path: str) -> bool:
    """Whether a name is that of an archive or a compressed file."""
    return is_zip(path) or is_tar(path) or bool(compression_of(path))


class _Inflating(io.RawIOBase):
    """The content of a compressed file, as long as it inflates no more than text does."""

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
            raise LimitError(f"inflates more than {INFLATION}-fold, as no text does")
        buffer[: len(data)] = data
        return len(data)

    def fileno(self) -> int:
        return self._file.fileno()

    @property
    def packed(self) -> int:
        """How many compressed bytes have been read."""
        return self._file.tell()

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()


class _Window(io.RawIOBase):
    """The byte range `start:start + size` of a stream. Raises EOFError where the stream ends before."""

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
        wanted = max(0, min(len(buffer), self._size - self._at))
        data = self._stream.read(wanted)
        if wanted and not data:
            raise EOFError(f"{self._size:,} bytes expected, {self._at:,} met: the archive is cut short")
        self._at += len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def skip(stream: IO[bytes], position: int) -> None:
    """Read on to a position, or go there where that is possible."""
    if stream.seekable():
        stream.seek(position)
        return
    read_on(stream, position)


def open_stream(path: str) -> IO[bytes]:
    """A file's bytes, decompressed where its name says that it is compressed."""
    file = open(path, "rb")  # noqa: PTH123, SIM115 the stream closes it
    return io.BufferedReader(_inflating(file, path), 1 << 16) if compression_of(path) else file


def _inflating(file: IO[bytes], path: str) -> _Inflating:
    try:
        return _Inflating(file, _OPENERS[compression_of(path)](file))
    except BaseException:
        file.close()
        raise


def open_content(path: str, member: str | None, offset: int | None, size: int) -> IO[bytes]:
    """A file's content, or that of one member of an archive: by its name, or in a tar archive by its byte range."""
    if member is None:
        return open_stream(path)
    if offset is None:
        return zipfile.ZipFile(path).open(member)
    if not compression_of(path):
        return io.BufferedReader(_Window(open_stream(path), offset, size), 1 << 16)
    if size > _SMALL:
        return io.BufferedReader(_Window(_passing(path, offset), offset, size), 1 << 16)
    facts = os.stat(path)  # noqa: PTH116
    return io.BytesIO(_small(path, offset, size, (facts.st_size, facts.st_mtime_ns)))


@lru_cache(maxsize=8)
def _small(path: str, offset: int, size: int, facts: tuple[int, int]) -> bytes:
    """A small member of a compressed tar archive; the stream that found it waits there for the next one."""
    with waiting.use((path, *facts), offset, lambda: open_stream(path)) as stream:
        data = stream.read(size)
        if len(data) < size:
            raise EOFError(f"{size:,} bytes expected, {len(data):,} met: the archive is cut short")
    return data


def _passing(path: str, offset: int) -> IO[bytes]:
    """A stream of a compressed archive that has `offset` before it."""
    facts = os.stat(path)  # noqa: PTH116
    return waiting.take((path, facts.st_size, facts.st_mtime_ns), offset) or open_stream(path)


class _Sips(io.FileIO):
    """A file that is read in small steps, so that its position tells what was needed, whatever was asked for."""

    def read(self, size: int | None = -1, /) -> Any:
        return super().read(_SIP if size is None or size < 0 else min(size, _SIP))


def inflation(path: str) -> float:
    """How many bytes of content a byte of a compressed file holds, by its first megabyte."""
    with _inflating(_Sips(path), path) as stream, io.BufferedReader(stream, 1 << 16) as content:
        held = len(content.read(_STEP))
        return held / max(1, stream.packed)
