"""Raw files as bytes: where they lie (plain, compressed, in an archive), and how they are read."""

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
from chat_corpus.messages import displayed

#: So much of a file is looked at.
HEAD_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class RawFile:
    """One raw file: a file on disk, or a member of an archive.

    `name` is what reports and rejects call it: its path below the raw folder, an archive counting as a folder, without
    characters that could steer a terminal; `holder`, what they call the archive of a member. `size` is in bytes: of the
    content, or of the file where the content is a compressed stream. `offset` is where a member of a tar archive begins
    in the decompressed archive.
    `modified` is the file's time of modification in nanoseconds, by which a later run knows it again. Whatever the
    `encoding` of the content, a name of `encodings` or PARQUET, it is read as UTF-8, and positions in it are positions
    in that.
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
        """Whether the content lies there as a compressed stream, and can only be read from its beginning on."""
        return (self.member is not None and self.offset is None) or bool(compression.compression_of(self.path))

    @property
    def streamed(self) -> bool:
        """Whether the content can only be read from its beginning on."""
        return self.compressed or self.encoding != encodings.UTF8

    def stored(self, stream: IO[bytes], read: int) -> int:
        """Of the `size` bytes, those behind the first `read` bytes of content that an open stream has given so far."""
        if self.member is None and self.compressed:
            return os.lseek(stream.fileno(), 0, os.SEEK_CUR)
        return read

    def open(self) -> IO[bytes]:
        """Open the content for reading as UTF-8. Raises FileError where the file cannot be read."""
        if self.encoding == PARQUET:
            return self._opened(lambda: cast("IO[bytes]", ParquetLines(self.path)))
        return transcoding.utf8(self.content(), self.encoding)

    def content(self) -> IO[bytes]:
        """Open the content's own bytes for reading. Raises FileError where the file cannot be read."""
        return self._opened(lambda: compression.open_content(self.path, self.member, self.offset, self.size))

    def archive(self) -> IO[bytes]:
        """Open the archive, decompressed, of which a member is a byte range. Raises FileError as `content`."""
        return self._opened(lambda: compression.open_stream(self.path))

    @property
    def ranged(self) -> bool:
        """Whether positions in the content are positions in a tar archive, but for `offset`."""
        return self.offset is not None and self.encoding == encodings.UTF8

    def _opened(self, opening: Callable[[], IO[bytes]]) -> IO[bytes]:
        try:
            if not stat.S_ISREG(os.stat(self.path).st_mode):  # noqa: PTH116 a FIFO in its place would be waited for
                raise OSError("no regular file any more")
            return opening()
        except compression.DAMAGE as error:
            fault = f"cannot be read: {displayed(str(error))}; check the file, or move it away"
            raise FileError(_place(self), fault) from error


def _place(file: RawFile) -> str:
    return displayed(file.path) + (f" ({displayed(file.member)})" if file.member else "")


def read_some(stream: IO[bytes], size: int, file: RawFile) -> bytes:
    """Up to `size` further bytes of a file's open stream. Raises FileError where the stream is damaged."""
    try:
        return stream.read(size)
    except compression.DAMAGE as error:
        raise FileError(_place(file), f"damaged: {displayed(str(error))}; get the file again") from error


def read_range(file: RawFile, start: int, stop: int) -> bytes:
    """The bytes from `start` up to `stop` of a file's content.

    Raises FileError where the file is no longer what it was, or its compressed stream is damaged.
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
        fault = f"damaged near byte {start}: {displayed(str(error))}; get it again"
        raise FileError(_place(file), fault) from error
    check_unchanged(file)
    if len(data) != stop - start:
        met = f"{stop} bytes expected, {start + len(data)} met"
        raise FileError(displayed(file.path), f"{met}: it changed while it was read; run again")
    return data


def _at(file: RawFile, start: int) -> AbstractContextManager[IO[bytes]]:
    """A stream that has `start` of a file's content before it, so that reading ranges in order costs one pass.

    Two files that are read by turns have a stream each, be they members of one archive.
    """
    content = None if file.ranged else (file.size, file.member)
    key = file.path, file.modified, file.encoding, content
    start += (file.offset or 0) if file.ranged else 0
    if not start:
        compression.waiting.drop(key)  # whoever begins anew may have another file of the same name
    return compression.waiting.use(key, start, lambda: _started(file))


def _started(file: RawFile) -> IO[bytes]:
    return file.archive() if file.ranged else file.open()


def check_unchanged(file: RawFile) -> None:
    """Raise ChatCorpusError where a file is not the one that was found: gone, or of another size or time.

    To be asked after reading, so that what was read is known to be of one version. A time of 0 is not known.
    """
    try:
        now = Path(file.path).stat()
    except OSError as error:
        raise FileError(displayed(file.path), f"gone while it was read: {error.strerror}; run again") from error
    size = now.st_size if file.member is None else file.size
    if file.modified and (size, now.st_mtime_ns) != (file.size, file.modified):
        sizes = f"{file.size:,} bytes when it was found, now {now.st_size:,}"
        raise FileError(
            displayed(file.path), f"it changed while it was read: {sizes}; wait until it is whole, and run again"
        )
