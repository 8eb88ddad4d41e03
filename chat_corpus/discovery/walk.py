"""Every file below the raw folder and in its archives, with what may be its name; opened is nothing but archives.

Links are followed, but no folder is entered twice. What is no file, cannot be read, or lies beyond a limit is told with
the trouble it makes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from chat_corpus.files import archives, compression
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile
from chat_corpus.messages import displayed

#: Folders that unpacking leaves behind and no corpus lives in.
_CLUTTER = frozenset({"__MACOSX"})
#: Where a system keeps what looks like files and is none.
_SYSTEM = ("/dev", "/proc", "/sys")
#: A folder of more files is no folder of corpora.
_MOST = 100_000
_ANNEXED = "a link of git-annex to a file that was not fetched: fetch it with 'git annex get'"
_KINDS = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
#: What names become that are written in the second encoding and read in the first; None: bytes that nobody decoded.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file, its name and what else it may have been called, and its first bytes where they have been read already.

    `trouble` says why it is not opened; `grave`, that the user must know, since a corpus may be lost by it.
    """

    file: RawFile
    names: tuple[str, ...]
    head: bytes | None = None
    trouble: str = ""
    grave: bool = False


#: The first member of a zip archive that is one file to whoever made it, and was given another ending.
_OFFICE = {
    "[Content_Types].xml": "an Office file, not an archive: save a spreadsheet as CSV (UTF-8), a document as text",
    "mimetype": "an OpenDocument file, not an archive: save a spreadsheet as CSV (UTF-8), a document as text",
}


def walk(raw: Path) -> Iterator[Entry]:
    """All files below `raw` in the order of their names, members of archives among them.

    No two that lie in different places have one name: as it is displayed, a name may be that of another file. But an
    archive may hold a name more than once, and of these the last one counts.
    """
    paths: dict[str, str] = {}
    for entry in _entries(raw):
        if paths.setdefault(entry.file.name, entry.file.path) == entry.file.path:
            yield entry
        else:
            yield replace(entry, trouble="shown under the name of another file: rename it", grave=True)


def _entries(raw: Path) -> Iterator[Entry]:
    refused: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    left = _MOST
    for folder, folders, names in os.walk(raw, followlinks=True, onerror=refused.append):
        yield from _refused(refused, raw)
        if _is_system(folder, raw):
            yield _troubled(folder, raw, "a folder of the system's own, which is not entered")
        if _is_system(folder, raw) or not _enter(folder, seen):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not _is_clutter(name))
        for name in sorted(name for name in names if not _is_clutter(name)):
            left -= 1
            if left < 0:
                told = f"more than {_MOST:,} files: what follows is not looked at; name a folder with less in it"
                yield _troubled(folder, raw, told, grave=True)
                return
            yield from _at(os.path.join(folder, name), raw)  # noqa: PTH118 a Path for each of many files
    yield from _refused(refused, raw)


def find(raw: Path, name: str) -> RawFile | None:
    """The file that counts of those that `walk` gives under a name.

    Where the name leads to it, no other file or archive is looked into. One with a backslash may stand for something
    that does not print, or for itself.
    """
    places = (raw / part for part in (PurePosixPath(name), *PurePosixPath(name).parents))
    held = next((path for path in places if path.is_file()), None) if "\\" not in name else None
    for entries in (_at(str(held), raw) if held else (), walk(raw)):
        fit = [entry.file for entry in entries if entry.file.name == name and not entry.trouble]
        if fit:
            return fit[-1]
    return None


def _enter(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        facts = os.stat(folder)  # noqa: PTH116
    except OSError:  # it was there a moment ago
        return False
    key = facts.st_dev, facts.st_ino
    if key in seen:
        return False
    seen.add(key)
    return True


def _is_system(folder: str, raw: Path) -> bool:
    """Whether a link has led out of the raw folder to where devices are."""
    real = Path(os.path.realpath(folder))
    return any(real.is_relative_to(system) for system in _SYSTEM) and not real.is_relative_to(raw.resolve())


def _refused(errors: list[OSError], raw: Path) -> Iterator[Entry]:
    while errors:
        error = errors.pop()
        told = f"cannot be read: {error.strerror or error}; check its permissions"
        yield _troubled(str(error.filename), raw, told, grave=True)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name in _CLUTTER


def _below(path: str, raw: Path) -> str:
    return PurePosixPath(Path(path).relative_to(raw)).as_posix()


def _troubled(path: str, raw: Path, trouble: str, *, grave: bool = False) -> Entry:
    name = _below(path, raw)
    file = RawFile(path=path, name=displayed(name), size=0)
    return Entry(file=file, names=likely_names(name), trouble=trouble, grave=grave)


def _at(path: str, raw: Path) -> Iterator[Entry]:
    try:
        facts = os.stat(path)  # noqa: PTH116
    except OSError as error:
        annexed = "/.git/annex/" in f"/{os.readlink(path)}" if os.path.islink(path) else False  # noqa: PTH114, PTH115
        told = _ANNEXED if annexed else f"leads nowhere: {error.strerror}"
        yield _troubled(path, raw, told, grave=annexed)
        return
    if not stat.S_ISREG(facts.st_mode):
        yield _troubled(path, raw, f"{_KINDS.get(stat.S_IFMT(facts.st_mode), 'not a file')}, which is never opened")
        return
    name = _below(path, raw)
    file = RawFile(path=path, name=displayed(name), size=facts.st_size, modified=facts.st_mtime_ns)
    if compression.is_zip(path) or compression.is_tar(path):
        yield from _members(file, name)
    else:
        yield Entry(file=file, names=likely_names(compression.content_name(name)))


def _members(archive: RawFile, name: str) -> Iterator[Entry]:
    try:
        for number, (member, head) in enumerate(archives.members(archive.path, HEAD_BYTES)):
            inside = archives.safe_name(member.name)
            if not number and inside in _OFFICE:
                yield Entry(file=archive, names=likely_names(name), trouble=_OFFICE[inside], grave=True)
                return
            if not any(map(_is_clutter, PurePosixPath(inside).parts)):
                file = RawFile(
                    path=archive.path,
                    name=displayed(f"{name}/{inside}"),
                    size=member.size,
                    member=member.name,
                    holder=archive.name,
                    offset=member.offset,
                    modified=archive.modified,
                )
                yield Entry(
                    file=file,
                    names=likely_names(f"{name}/{inside}"),
                    head=head,
                    trouble=member.trouble,
                    grave=bool(member.trouble) and not member.link,
                )
    except compression.LimitError as error:
        told = f"{displayed(str(error))}: if there is a corpus in it, unpack that"
        yield Entry(file=archive, names=likely_names(name), trouble=told, grave=True)
    except compression.DAMAGE as error:
        kind = "zip" if compression.is_zip(archive.path) else "tar"
        why = displayed(str(error)) or type(error).__name__
        told = f"not a readable {kind} archive: {why}; get it again, or move it away"
        yield Entry(file=archive, names=likely_names(name), trouble=told, grave=True)


def likely_names(name: str) -> tuple[str, ...]:
    r"""A name, and what it was before somebody read it in the wrong encoding.

    Bytes that did not survive are passed over: this is no text, but a name to compare with patterns.

    >>> likely_names("12涓囧硅瘽璇鏂欓潚浜戝簱.csv")[1]
    '12万话料青云库.csv'
    """
    if name.isascii():
        return (name,)
    told = [name]
    for wrong, right in _GARBLED:
        data = os.fsencode(name) if wrong is None else name.encode(wrong, "ignore")
        if wrong is not None or not _is_text(name):
            told.append(data.decode(right, "ignore"))
    return tuple(dict.fromkeys(told))


def _is_text(name: str) -> bool:
    """Whether a name holds no byte that the file system's encoding could not decode."""
    return not any("\udc80" <= character <= "\udcff" for character in name)


def entries_at(path: Path, root: Path) -> Iterator[Entry]:
    """Yield the file at a path below `root`, or the members of the archive there, or all files of the folder there.

    Names are those of paths below `root`.
    """
    if not path.is_dir():
        yield from _at(str(path), root)
        return
    below = PurePosixPath(path.relative_to(root)).as_posix()
    for entry in walk(path):
        name = entry.file.name if below == "." else f"{displayed(below)}/{entry.file.name}"
        yield replace(entry, file=replace(entry.file, name=name))
