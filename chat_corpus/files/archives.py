"""Archives: what they hold, told without unpacking them, and without trust in what they say of themselves.

A zip archive has a directory. A tar archive has none: its members lie one after the other. What is held in memory is
bounded, whatever an archive claims to hold.
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

#: An archive with more members is no corpus; the directory of a zip archive is not even read beyond so many bytes.
_MEMBERS = 10_000
_DIRECTORY = 4 << 20
#: Longer than any header of a tar archive.
_HEADER = 1 << 20
#: Behind the end of a tar archive, zeros fill up a block of the tape; looked for is what is put behind more of them.
_PADDING = 16 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file in an archive: `size` bytes, in a tar archive from `offset` on.

    `trouble` says why it is not read; a `link` is of no use, and no loss.
    """

    name: str
    size: int
    offset: int | None = None
    trouble: str = ""
    link: bool = False


class _Tape:
    """A stream as tarfile wants it, which seeks forward, and back by no more than what it has just read.

    Refuses headers of a length that only an attacker would write.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._last, self._back = stream, b"", 0

    def tell(self) -> int:
        return self._stream.tell() - self._back

    def seek(self, position: int) -> None:
        back = self._stream.tell() - position
        if back > len(self._last):
            raise tarfile.ReadError("members that lie over each other")
        self._back = max(0, back)
        if back < 0:
            self._last = b""
            skip(self._stream, position)

    def read(self, size: int) -> bytes:
        if size > _HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        held = self._last[len(self._last) - self._back :][:size] if self._back else b""
        self._back -= len(held)
        fresh = self._stream.read(size - len(held))
        if fresh:
            self._last = (self._last + fresh)[-2 * tarfile.BLOCKSIZE :]
        return held + fresh


def members(path: str, head: int) -> Iterator[tuple[Member, bytes | None]]:
    """The files in an archive; with those of a compressed tar, which is passed only once, their first `head` bytes.

    Raises one of `DAMAGE` where the archive cannot be read; the members before the damage have been told by then.
    """
    yield from _in_zip(path) if is_zip(path) else _in_tar(path, head)


def _in_zip(path: str) -> Iterator[tuple[Member, None]]:
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        held = {info.filename: info for info in archive.infolist()}  # of one name the last, as it is when unpacked
    if len(held) > _MEMBERS:
        raise LimitError(f"holds {len(held):,} members, more than {_MEMBERS:,}")
    for name, info in held.items():
        if not info.is_dir():
            yield Member(name=name, size=info.file_size, trouble=_zip_trouble(info)), None


def _zip_trouble(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 1:
        return "encrypted, and needs its password"
    if info.file_size > max(compression.HARMLESS, compression.INFLATION * info.compress_size):
        return f"inflates more than {compression.INFLATION}-fold, as no text does"
    return nested(info.filename)


def nested(name: str) -> str:
    """What is said of an archive or a compressed file inside an archive; nothing of any other."""
    return "packed twice, which is not read" if is_archive(name) else ""


def _check_directory(path: str) -> None:
    """Refuse a directory that would fill the memory. Layout: APPNOTE.TXT 4.3.14 to 4.3.16."""
    with open(path, "rb") as file:  # noqa: PTH123
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
        at = tail.rfind(b"PK\5\6")
        told = [int.from_bytes(tail[at + 12 : at + 16], "little")] if at >= 0 else []
        if at >= 20 and tail.startswith(b"PK\6\7", at - 20):
            file.seek(min(size, int.from_bytes(tail[at - 12 : at - 4], "little")))
            told = [int.from_bytes(file.read(48)[40:], "little")]
    if any(min(length, size) > _DIRECTORY for length in told):
        raise LimitError(f"has a directory of {min(told[0], size) >> 20:,} MB, for more members than any corpus has")


def _in_tar(path: str, head: int) -> Iterator[tuple[Member, bytes | None]]:
    streamed = bool(compression_of(path))
    with open_stream(path) as stream:
        held: tuple[Member, bytes | None] | None = None
        tape = _Tape(stream)
        try:
            for member in _tar_infos(tape):
                if held:
                    yield held
                # Told when the next one has been met: then it is whole.
                held = member, _first(tape, member, head) if streamed and not member.trouble else None
        except compression.DAMAGE as error:
            if held:
                whole = _reached(path, tape) >= (held[0].offset or 0) + held[0].size
                trouble = held[0].trouble or ("" if whole else f"cut short: {error}")
                yield replace(held[0], trouble=trouble), held[1]
            raise
        if held:
            yield held


def _reached(path: str, tape: _Tape) -> int:
    return tape.tell() if compression_of(path) else os.stat(path).st_size  # noqa: PTH116


def _first(tape: _Tape, member: Member, size: int) -> bytes:
    tape.seek(member.offset or 0)
    return tape.read(min(size, member.size))


def _tar_infos(tape: _Tape) -> Iterator[Member]:
    count, more = 0, True
    while more:
        with tarfile.open(fileobj=tape, mode="r:") as archive:  # type: ignore[call-overload]
            for info in archive:
                count += 1
                if count > _MEMBERS:
                    raise LimitError(f"holds more than {_MEMBERS:,} members")
                if not info.isdir():
                    yield Member(
                        name=info.name,
                        size=info.size,
                        offset=info.offset_data,
                        trouble=_tar_trouble(info),
                        link=info.issym() or info.islnk(),
                    )
            tape.seek(archive.offset)
        more = _another(tape)


def _another(tape: _Tape) -> bool:
    """Whether another archive follows the end of one, as `cat` puts them together; goes to where it begins."""
    end = tape.tell()
    if tape.read(tarfile.BLOCKSIZE).strip(b"\0"):  # tarfile takes a damaged header for the end
        raise tarfile.ReadError(f"no header of a member at byte {end:,}")
    while block := tape.read(tarfile.BLOCKSIZE):
        if block.strip(b"\0"):
            tape.seek(tape.tell() - len(block))
            return True
        if tape.tell() - end > _PADDING:
            raise LimitError(f"has more than {_PADDING >> 20:,} MB of zeros at byte {end:,}, where it ends")
    return False


def _tar_trouble(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "a link, which is not followed inside an archive"
    if info.issparse() or not info.isreg():
        return "no regular file"
    return nested(info.name)


def safe_name(name: str) -> str:
    r"""A member's name as a path below its archive, whatever it climbs to.

    >>> safe_name("../../etc/passwd"), safe_name("C:\\tieba\\tieba.dialogues")
    ('etc/passwd', 'C:/tieba/tieba.dialogues')
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return "/".join(part for part in parts if part not in ("/", "//", "..")) or "unnamed"
