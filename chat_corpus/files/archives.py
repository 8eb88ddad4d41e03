"""List the members of archives without unpacking them, and without trusting their headers.

A zip archive has a directory; a tar archive is a sequence of members. Memory is bounded for any sizes that an archive
claims to have.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO

from chat_corpus.files import compression
from chat_corpus.files.compression import LimitError, compression_of, is_archive, is_zip, open_stream, skip
from chat_corpus.messages import error_text, message

#: Limits that no corpus exceeds: the number of members, and the size of the directory of a zip archive in bytes.
MAX_MEMBERS = 10_000
_DIRECTORY = 4 << 20
#: Maximum length of a header of a tar archive in bytes; real ones are shorter.
_HEADER = 1 << 20
#: Zeros pad the end of a tar archive, and a second archive may follow them. Maximum number of zeros in bytes.
_PADDING = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file in an archive: its `size` in bytes, and in a tar archive its `offset`.

    `trouble` is the reason why it cannot be read, or empty. A `link` holds no data.
    """

    name: str
    size: int
    offset: int | None = None
    trouble: str = ""
    link: bool = False


class _Tape:
    """A stream for tarfile that seeks forward, and back only within the last bytes that it has read.

    Raises ReadError for a header that is longer than in any real archive.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._last, self._back = stream, b"", 0

    def tell(self) -> int:
        return self._stream.tell() - self._back

    def seek(self, position: int) -> None:
        back = self._stream.tell() - position
        if back > len(self._last):
            raise tarfile.ReadError(message("members overlap"))
        self._back = max(0, back)
        if back < 0:
            self._last = b""
            skip(self._stream, position)

    def read(self, size: int) -> bytes:
        if size > _HEADER:
            raise tarfile.ReadError(message("a header of {size:,} bytes", size=size))
        again = self._last[len(self._last) - self._back :][:size] if self._back else b""
        self._back -= len(again)
        new = self._stream.read(size - len(again))
        if new:
            self._last = (self._last + new)[-2 * tarfile.BLOCKSIZE :]
        return again + new


def members(path: str, head: int) -> Iterator[tuple[Member, bytes | None]]:
    """Yield the files in an archive; for a compressed tar archive, also the first `head` bytes of each.

    A compressed tar archive is read only once. If the archive is damaged, yields the members before the damage, and
    then raises one of `compression.DAMAGE`.
    """
    yield from _in_zip(path) if is_zip(path) else _in_tar(path, head)


def _in_zip(path: str) -> Iterator[tuple[Member, None]]:
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        infos = {info.filename: info for info in archive.infolist()}  # the last of a name, as in unpacking
    if len(infos) > MAX_MEMBERS:
        raise LimitError(message("{count:,} members, more than {most:,}", count=len(infos), most=MAX_MEMBERS))
    for name, info in infos.items():
        if not info.is_dir():
            yield Member(name=name, size=info.file_size, trouble=_zip_trouble(info)), None


def _zip_trouble(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return message("encrypted with a password")
    if info.file_size > max(compression.HARMLESS, compression.INFLATION * info.compress_size):
        return compression.inflates_too_much()
    return nested(info.filename)


def nested(name: str) -> str:
    """Return a message for an archive or compressed file inside an archive; empty for other files."""
    return message("an archive inside an archive, which is not supported") if is_archive(name) else ""


def _check_directory(path: str) -> None:
    """Raise LimitError for a directory that would fill the memory. Layout: APPNOTE.TXT 4.3.14 to 4.3.16."""
    with open(path, "rb") as file:  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        length = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
        if at >= 20 and tail.startswith(b"PK\6\7", at - 20):
            file.seek(min(size, int.from_bytes(tail[at - 12 : at - 4], "little")))
            length = int.from_bytes(file.read(48)[40:], "little")
    if min(length, size) > _DIRECTORY:
        megabytes = min(length, size) >> 20
        raise LimitError(message("a directory of {size:,} MB, more than any corpus has", size=megabytes))


def _in_tar(path: str, head: int) -> Iterator[tuple[Member, bytes | None]]:
    streamed = bool(compression_of(path))
    with open_stream(path) as stream:
        last: tuple[Member, bytes | None] | None = None
        tape = _Tape(stream)
        try:
            for member in _tar_infos(tape):
                if last:
                    yield last
                # Yielded when the next member is found, which shows that this one is complete.
                last = member, _first(tape, member, head) if streamed and not member.trouble else None
        except compression.DAMAGE as error:
            if last:
                is_complete = _reached(path, tape) >= (last[0].offset or 0) + last[0].size
                truncated = "" if is_complete else message("truncated: {error}", error=error_text(error))
                yield replace(last[0], trouble=last[0].trouble or truncated), last[1]
            raise
        if last:
            yield last


def _reached(path: str, tape: _Tape) -> int:
    return tape.tell() if compression_of(path) else os.stat(path).st_size  # noqa: PTH116


def _first(tape: _Tape, member: Member, size: int) -> bytes:
    tape.seek(member.offset or 0)
    return tape.read(min(size, member.size))


def _tar_infos(tape: _Tape) -> Iterator[Member]:
    count, follows = 0, True
    while follows:
        with tarfile.open(fileobj=tape, mode="r:") as archive:  # type: ignore[call-overload]
            for info in archive:
                count += 1
                if count > MAX_MEMBERS:
                    raise LimitError(message("more than {most:,} members", most=MAX_MEMBERS))
                if not info.isdir():
                    yield Member(
                        name=info.name,
                        size=info.size,
                        offset=info.offset_data,
                        trouble=_tar_trouble(info),
                        link=info.issym() or info.islnk(),
                    )
            tape.seek(archive.offset)
        follows = _seek_next_archive(tape)


def _seek_next_archive(tape: _Tape) -> bool:
    """Seek to the beginning of the next archive in the file, as after `cat a.tar b.tar`; return whether there is one.

    Raises ReadError for a damaged header, and LimitError for too many zeros.
    """
    end = tape.tell()
    if tape.read(tarfile.BLOCKSIZE).strip(b"\0"):  # tarfile stops at a damaged header as at the end
        raise tarfile.ReadError(message("no header of a member at byte {position:,}", position=end))
    while block := tape.read(tarfile.BLOCKSIZE):
        if block.strip(b"\0"):
            tape.seek(tape.tell() - len(block))
            return True
        if tape.tell() - end > _PADDING:
            raise LimitError(
                message(
                    "more than {size:,} MB of zeros at its end, byte {position:,}", size=_PADDING >> 20, position=end
                )
            )
    return False


def _tar_trouble(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return message("a link, which is not followed inside an archive")
    if info.issparse() or not info.isreg():
        return message("not a regular file")
    return nested(info.name)


def safe_name(name: str) -> str:
    r"""Return the name of a member as a relative path that cannot leave the archive.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\tieba\\tieba.dialogues")
    ('etc/passwd', 'C:/tieba/tieba.dialogues')
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("/", "//", "..")) or "unnamed"
