"""Walk the raw folder: find every file in it and in its archives, with its likely names. Only archives are opened.

The walk follows links, but enters no folder twice. An entry that is not a file, cannot be read or exceeds a limit has a
message in `problem`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from chat_corpus.discovery import unusable_files
from chat_corpus.files import archives, compression
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile
from chat_corpus.messages import Message, displayed, message
from chat_corpus.system_texts import system_text

#: Folders that archivers leave behind, without a corpus in them.
_CLUTTER = frozenset({"__MACOSX"})
#: Folders of the system with entries that look like files.
SYSTEM_FOLDERS = ("/dev", "/proc", "/sys")
#: Maximum number of files in a raw folder.
MAX_FILES = 100_000
#: Messages about kinds of files that are never opened.
_KINDS = {
    stat.S_IFIFO: message("a FIFO, which is never opened"),
    stat.S_IFSOCK: message("a socket, which is never opened"),
    stat.S_IFCHR: message("a device, which is never opened"),
    stat.S_IFBLK: message("a device, which is never opened"),
}
#: Pairs of encodings of garbled names: the wrong one in which they were read, or None for bytes that were not decoded,
#: and the one in which they were written.
_GARBLED = (
    (None, "utf-8"),
    (None, "gb18030"),
    ("gb18030", "utf-8"),
    ("cp437", "gb18030"),
    ("cp437", "utf-8"),
    ("cp950", "utf-8"),
    ("latin-1", "gb18030"),
    ("latin-1", "utf-8"),
)
#: Messages about archives that their users see as a single file, by the name of the first member.
_OFFICE = {
    "[Content_Types].xml": message(
        "an Office file, not an archive: save a spreadsheet as CSV (UTF-8), a document as text"
    ),
    "mimetype": message("an OpenDocument file, not an archive: save a spreadsheet as CSV (UTF-8), a document as text"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file, its likely names, and its first bytes if they have been read.

    `problem` is the reason why the file is not opened, or empty. `warn` means that the user must know it, since a
    corpus may be lost.
    """

    file: RawFile
    names: tuple[str, ...]
    head: bytes | None = None
    problem: str = ""
    warn: bool = False


def walk(raw: Path) -> Iterator[Entry]:
    """Yield all files below `raw` and the members of its archives, sorted by name.

    If the names of different files look the same when displayed, the later ones have a `problem`. Members of the same
    archive may have the same name; then the last one is used.
    """
    paths: dict[str, str] = {}
    for entry in _entries(raw):
        if paths.setdefault(entry.file.name, entry.file.path) == entry.file.path:
            yield entry
        else:
            problem = message("its name is displayed like that of another file: rename it")
            yield replace(entry, problem=problem, warn=True)


def _entries(raw: Path) -> Iterator[Entry]:
    errors: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    remaining = MAX_FILES
    for folder, folders, names in os.walk(raw, followlinks=True, onerror=errors.append):
        yield from _unreadable(errors, raw)
        if _is_system(folder, raw):
            yield _problem(folder, raw, message("a system folder, which is not entered"))
        if _is_system(folder, raw) or not _enter(folder, seen):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not _is_clutter(name))
        for name in sorted(name for name in names if not _is_clutter(name)):
            remaining -= 1
            if remaining < 0:
                yield _problem(folder, raw, _too_many(), warn=True)
                return
            yield from _at(os.path.join(folder, name), raw)  # noqa: PTH118 a Path for each of many files
    yield from _unreadable(errors, raw)


def _too_many() -> Message:
    return message("more than {count:,} files: the rest is ignored; use a raw folder with fewer files", count=MAX_FILES)


def find(raw: Path, name: str) -> RawFile | None:
    """Return the last file without a problem that `walk` yields under a name; None if there is none.

    If the name leads to the file, no other file or archive is opened. A name with a backslash may have an escape in
    place of a different character, so it is searched with a walk.
    """
    paths = (raw / part for part in (PurePosixPath(name), *PurePosixPath(name).parents))
    path = next((path for path in paths if path.is_file()), None) if "\\" not in name else None
    for entries in (_at(str(path), raw) if path else (), walk(raw)):
        matching = [entry.file for entry in entries if entry.file.name == name and not entry.problem]
        if matching:
            return matching[-1]
    return None


def _enter(folder: str, seen: set[tuple[int, int]]) -> bool:
    """Return whether a folder has not been entered before, and add it to the entered folders in `seen`."""
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError:  # it was removed during the walk
        return False
    key = status.st_dev, status.st_ino
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_system(folder: str, raw: Path) -> bool:
    """Return whether a link leads out of the raw folder into a system folder."""
    real = Path(os.path.realpath(folder))
    return any(real.is_relative_to(system) for system in SYSTEM_FOLDERS) and not real.is_relative_to(raw.resolve())


def _unreadable(errors: list[OSError], raw: Path) -> Iterator[Entry]:
    while errors:
        error = errors.pop()
        problem = message("cannot be read: {error}; check its permissions", error=system_text(error))
        yield _problem(str(error.filename), raw, problem, warn=True)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name in _CLUTTER


def _below(path: str, raw: Path) -> str:
    return PurePosixPath(Path(path).relative_to(raw)).as_posix()


def _problem(path: str, raw: Path, problem: Message, *, warn: bool = False) -> Entry:
    name = _below(path, raw)
    file = RawFile(path=path, name=displayed(name), size=0)
    return Entry(file=file, names=likely_names(name), problem=problem, warn=warn)


def _at(path: str, raw: Path) -> Iterator[Entry]:
    """Yield the file at a path, or the members of the archive there."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as error:
        yield _inaccessible(path, raw, error)
        return
    if not stat.S_ISREG(status.st_mode):
        irregular = message("not a regular file, so it is never opened")
        yield _problem(path, raw, _KINDS.get(stat.S_IFMT(status.st_mode), irregular))
        return
    name = _below(path, raw)
    file = RawFile(path=path, name=displayed(name), size=status.st_size, modified=status.st_mtime_ns)
    if unusable_files.leftover(name):
        yield Entry(file=file, names=(name,))
    elif compression.is_zip(path) or compression.is_tar(path):
        yield from list_members(file, name)
    else:
        yield Entry(file=file, names=likely_names(compression.content_name(name)))


def _inaccessible(path: str, raw: Path, error: OSError) -> Entry:
    if not os.path.islink(path):  # noqa: PTH114
        return _problem(path, raw, message("cannot be accessed: {error}", error=system_text(error)))
    if "/.git/annex/" in f"/{os.readlink(path)}":  # noqa: PTH115
        problem = message("a git-annex link to a file that was not fetched: fetch it with 'git annex get'")
        return _problem(path, raw, problem, warn=True)
    return _problem(path, raw, message("a broken link: {error}", error=system_text(error)))


def list_members(archive: RawFile, name: str) -> Iterator[Entry]:
    """Yield the members of an archive. If it is damaged or exceeds a limit, then yield the archive with the problem."""
    problem: Message
    try:
        for number, (member, head) in enumerate(archives.members(archive.path, HEAD_BYTES)):
            inside = archives.safe_name(member.name)
            if not number and inside in _OFFICE:
                yield Entry(file=archive, names=likely_names(name), problem=_OFFICE[inside], warn=True)
                return
            if not any(map(_is_clutter, PurePosixPath(inside).parts)):
                yield _member(archive, f"{name}/{inside}", member, head)
        return
    except compression.LimitError as error:
        problem = message("{fault}: if it holds a corpus, unpack that", fault=_fault(error))
    except compression.DAMAGE as error:
        problem = message(
            "not a readable {kind} archive: {fault}; download it again, or move it away",
            kind="zip" if compression.is_zip(archive.path) else "tar",
            fault=_fault(error),
        )
    yield Entry(file=archive, names=likely_names(name), problem=problem, warn=True)


def _member(archive: RawFile, name: str, member: archives.Member, head: bytes | None) -> Entry:
    file = RawFile(
        path=archive.path,
        name=displayed(name),
        size=member.size,
        member=member.name,
        holder=archive.name,
        offset=member.offset,
        modified=archive.modified,
    )
    warn = bool(member.trouble) and not member.link
    return Entry(file=file, names=likely_names(name), head=head, problem=member.trouble, warn=warn)


def _fault(error: Exception) -> str:
    """Return the text of an error; if it is a `Message`, it stays translatable."""
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Message) else displayed(str(error)) or type(error).__name__


def likely_names(name: str) -> tuple[str, ...]:
    r"""Return a name, and the names that it may have been before it was decoded in a wrong encoding.

    Bytes that were lost are left out: the results are compared with patterns and never shown.

    >>> likely_names("12涓囧硅瘽璇鏂欓潚浜戝簱.csv")[1]
    '12万话料青云库.csv'
    """
    if name.isascii():
        return (name,)
    names = [name]
    for wrong, right in _GARBLED:
        data = os.fsencode(name) if wrong is None else name.encode(wrong, "ignore")
        if wrong is not None or not _is_text(name):
            names.append(data.decode(right, "ignore"))
    return tuple(dict.fromkeys(names))


def _is_text(name: str) -> bool:
    """Return whether all bytes of a name were decoded in the encoding of the file system."""
    return not any("\udc80" <= character <= "\udcff" for character in name)


def entries_at(path: Path, root: Path) -> Iterator[Entry]:
    """Yield the file at a path, the members of the archive there, or all files of the folder there.

    The path is below `root`, and names are relative to `root`.
    """
    if not path.is_dir():
        yield from _at(str(path), root)
        return
    below = PurePosixPath(path.relative_to(root)).as_posix()
    for entry in walk(path):
        name = entry.file.name if below == "." else f"{displayed(below)}/{entry.file.name}"
        yield replace(entry, file=replace(entry.file, name=name))
