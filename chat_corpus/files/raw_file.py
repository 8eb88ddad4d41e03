"""Raw files as bytes: their location (plain, compressed, in an archive), and how to read them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from chat_corpus.errors import FileError
from chat_corpus.files import compression, encodings, transcoding
from chat_corpus.files.parquet_lines import PARQUET, ParquetLines
from chat_corpus.messages import displayed, error_text, message
from chat_corpus.system_texts import system_text

#: Number of first bytes by which a file is recognised.
HEAD_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFile:
    """One raw file: a file on disk, or a member of an archive.

    `name` is the name in reports and rejects: the path below the raw folder, where an archive counts as a folder,
    without control characters; `holder` is the name of a member's archive. `size` is in bytes: of the content, or of
    the file if the content is a compressed stream. `offset` is the beginning of a member of a tar archive in the
    decompressed archive. `modified` is the time of modification in nanoseconds, by which a later run recognises the
    file. `encoding` is a name of `encodings` or PARQUET. All content is read as UTF-8, and positions are positions in
    the UTF-8 text.
    """

    path: str
    name: str
    size: int
    member: str | None = None
    holder: str = ""
    offset: int | None = None
    modified: int = 0
    encoding: str = encodings.UTF8

    @property
    def compressed(self) -> bool:
        """Whether the content is a compressed stream, which can only be read from its beginning."""
        return (self.member is not None and self.offset is None) or bool(compression.compression_of(self.path))

    @property
    def streamed(self) -> bool:
        """Whether the content can only be read from its beginning."""
        return self.compressed or self.encoding != encodings.UTF8

    def stored(self, stream: IO[bytes], read: int) -> int:
        """Return how many of the `size` bytes are consumed after reading `read` bytes of content from a stream."""
        if self.member is None and self.compressed:
            return os.lseek(stream.fileno(), 0, os.SEEK_CUR)
        return read

    def open(self) -> IO[bytes]:
        """Open the content for reading as UTF-8. Raises FileError if the file cannot be read."""
        if self.encoding == PARQUET:
            return self._opened(lambda: cast("IO[bytes]", ParquetLines(self.path)))
        return transcoding.utf8(self.content(), self.encoding)

    def content(self) -> IO[bytes]:
        """Open the content for reading in its encoding. Raises FileError if the file cannot be read."""
        return self._opened(lambda: compression.open_content(self.path, self.member, self.offset, self.size))

    def archive(self) -> IO[bytes]:
        """Open the decompressed archive that contains this member. Raises FileError if the file cannot be read."""
        return self._opened(lambda: compression.open_stream(self.path))

    @property
    def ranged(self) -> bool:
        """Whether a position in the content plus `offset` is a position in a tar archive."""
        return self.offset is not None and self.encoding == encodings.UTF8

    def _opened(self, opening: Callable[[], IO[bytes]]) -> IO[bytes]:
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):  # noqa: PTH116 opening a FIFO would wait
                raise OSError(message("no longer a regular file"))
            return opening()
        except compression.DAMAGE as error:
            fault = message("cannot be read: {error}; check the file, or move it away", error=error_text(error))
            raise FileError(_shown(self), fault) from error


def _shown(file: RawFile) -> str:
    return displayed(file.path) + (f" ({displayed(file.member)})" if file.member else "")


def read_some(stream: IO[bytes], size: int, file: RawFile) -> bytes:
    """Return up to `size` more bytes of an open stream of a file. Raises FileError if the stream is damaged."""
    try:
        return stream.read(size)
    except compression.DAMAGE as error:
        fault = message("damaged: {error}; download the file again", error=error_text(error))
        raise FileError(_shown(file), fault) from error


def read_range(file: RawFile, start: int, stop: int) -> bytes:
    """Return the bytes from `start` up to `stop` of the content of a file.

    Raises FileError if the file has changed since its discovery, or if its compressed stream is damaged.
    """
    try:
        if file.streamed:
            end = min(stop, file.size) if file.ranged else stop
            with _at(file, start) as stream:
                data = stream.read(max(0, end - start))
        else:
            with file.open() as stream:
                stream.seek(start)
                data = stream.read(stop - start)
    except compression.DAMAGE as error:
        fault = message(
            "damaged near byte {position:,}: {error}; download the file again", position=start, error=error_text(error)
        )
        raise FileError(_shown(file), fault) from error
    check_unchanged(file)
    if len(data) != stop - start:
        fault = message(
            "the file changed while it was read: expected {expected:,} bytes, found {found:,}; run again",
            expected=stop,
            found=start + len(data),
        )
        raise FileError(displayed(file.path), fault)
    return data


def _at(file: RawFile, start: int) -> AbstractContextManager[IO[bytes]]:
    """Return a context manager for a stream at `start`, so that reading ranges in order takes a single pass.

    Two files that are read alternately have separate streams, even if they are members of the same archive.
    """
    content = None if file.ranged else (file.size, file.member)
    key = file.path, file.modified, file.encoding, content
    start += (file.offset or 0) if file.ranged else 0
    if not start:
        compression.waiting.drop(key)  # a new pass may read a different file with the same name
    return compression.waiting.use(key, start, lambda: start_stream(file))


def start_stream(file: RawFile) -> IO[bytes]:
    """Open a file at its beginning, or at the beginning of its archive if it is a byte range of the archive."""
    return file.archive() if file.ranged else file.open()


def check_unchanged(file: RawFile) -> None:
    """Raise FileError if a file is missing, or differs in size or time from the discovered one.

    Call it after reading, to make sure that all bytes are of one version. A `modified` of 0 means an unknown time.
    """
    try:
        now = Path(file.path).stat()
    except OSError as error:
        fault = message("the file was removed while it was read: {error}; run again", error=system_text(error))
        raise FileError(displayed(file.path), fault) from error
    size = now.st_size if file.member is None else file.size
    if file.modified and (size, now.st_mtime_ns) != (file.size, file.modified):
        fault = message(
            "the file changed while it was read: it had {old:,} bytes, now it has {new:,}; wait until it is complete, "
            "and run again",
            old=file.size,
            new=now.st_size,
        )
        raise FileError(displayed(file.path), fault)
