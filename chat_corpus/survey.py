"""What lies in the raw folder: which files are whose, which inputs are incomplete, and which are the bundled samples.

A file belongs to the first source with an input whose pattern matches the file's path and whose format accepts its
first bytes. An archive counts as a folder. Bundled samples are known by their content, so that a real corpus unpacked
over them replaces them one by one; as soon as one real file is there, no sample is read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from chat_corpus.detection import text_head
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.raw import COMPRESSED, RawFile, printable, read_some
from chat_corpus.source import Input, Source

_log = logging.getLogger(__name__)

_HEAD_BYTES = 4096
#: Folders that unpacking leaves behind and no corpus lives in.
_CLUTTER = frozenset({"__MACOSX"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Files read together: one, or one for each part of the format."""

    input: int
    files: tuple[RawFile, ...]


@dataclass(kw_only=True, slots=True)
class Found:
    """What was found for one source: groups to read in order, patterns without a file, and remarks for the user."""

    source: Source
    groups: list[Group] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    sample: bool = False
    #: Bundled samples that were left alone, since there is a real corpus.
    samples_left: int = 0

    @property
    def state(self) -> str:
        """One of found, partial, sample, absent."""
        if not self.groups:
            return "partial" if self.missing else "absent"
        return "sample" if self.sample else "partial" if self.missing else "found"

    @property
    def files(self) -> list[RawFile]:
        """All files of all groups."""
        return [file for group in self.groups for file in group.files]


def survey(raw: Path, sources: Mapping[str, Source]) -> dict[str, Found]:
    """What was found under `raw` for each source. Raises UsageError where `raw` is no folder."""
    if not raw.is_dir():
        raise UsageError(f"{raw}: no such folder; make it and unpack corpora into it, or name another with --raw")
    owned = _owned(list(walk(raw)), sources)
    samples = {file for claims in owned.values() for _, _, file in claims if is_sample(file)}
    real = any(file not in samples for claims in owned.values() for _, _, file in claims)
    found = {}
    for name, source in sources.items():
        claims = [claim for claim in owned[name] if not real or claim[2] not in samples]
        found[name] = _grouped(source, claims)
        found[name].sample = bool(found[name].groups) and not real
        found[name].samples_left = len(owned[name]) - len(claims)
    return found


_Claim = tuple[int, int, RawFile]  # input, part, file


def _owned(raw_files: Iterable[RawFile], sources: Mapping[str, Source]) -> dict[str, list[_Claim]]:
    owned: dict[str, list[_Claim]] = {name: [] for name in sources}
    for file in raw_files:
        try:
            claim = next(_claims(file, sources), None)
        except ChatCorpusError as error:
            _log.warning("warning: left alone: %s", error)
            continue
        if claim is not None:
            owned[claim[0]].append((claim[1], claim[2], file))
    return owned


def _claims(file: RawFile, sources: Mapping[str, Source]) -> Iterator[tuple[str, int, int]]:
    name = _content_name(file)
    for source in sources.values():
        for number, wanted in enumerate(source.inputs):
            part = wanted.part_of(name)
            if part is not None and wanted.format.accepts(text_head(_head(file))):
                yield source.name, number, part


def _content_name(file: RawFile) -> str:
    """The name of a file once it is decompressed."""
    return file.name[: -len(Path(file.path).suffix)] if Path(file.path).suffix in COMPRESSED else file.name


@cache
def _head(file: RawFile) -> bytes:
    """The first bytes of a file's content. Raises ChatCorpusError where it cannot be read."""
    with file.open() as stream:
        return read_some(stream, _HEAD_BYTES, file)


def _grouped(source: Source, claims: list[_Claim]) -> Found:
    found = Found(source=source)
    names = {file.name for _, _, file in claims}
    for number, wanted in enumerate(source.inputs):
        mine = sorted((part, file.name, file) for input_, part, file in claims if input_ == number)
        mine = [claim for claim in mine if not _unpacked_too(claim[2], names, found)]
        if found.groups and source.alternatives and mine:
            found.remarks.extend(f"{name} left alone: a version of what was read already" for _, name, _ in mine)
        elif wanted.format.parts == 1:
            for _, _, file in mine:
                if not _again(file, found):
                    found.groups.append(Group(input=number, files=(file,)))
        else:
            _group_parts(found, number, wanted, [(part, file) for part, _, file in mine])
    if found.groups:
        held = [PurePosixPath(_content_name(file)) for file in found.files]
        found.missing.extend(p for p in source.complete if not any(path.match(p) for path in held))
    return found


def _unpacked_too(file: RawFile, names: set[str], found: Found) -> bool:
    """Whether a compressed file, or a member of an archive, lies there unpacked as well."""
    if file.member is None:
        beside = {_content_name(file)} - {file.name}
    else:
        # As `unzip` unpacks it, as a file manager does, into a folder of the archive's name, or without its folders.
        archive = PurePosixPath(file.name.removesuffix(f"/{file.member}"))
        inside = PurePosixPath(file.member)
        places = (archive.parent / inside, archive.with_suffix("") / inside, archive.parent / inside.name)
        beside = set(map(str, places))
    if not beside & names:
        return False
    found.remarks.append(f"{file.name} left alone: unpacked beside it")
    return True


def _group_parts(found: Found, number: int, wanted: Input, claims: list[tuple[int, RawFile]]) -> None:
    folders: dict[str, dict[int, RawFile]] = {}
    for part, file in claims:
        parts = folders.setdefault(str(PurePosixPath(file.name).parent), {})
        if part in parts:
            found.remarks.append(f"{file.name} left alone: {parts[part].name} is read in its place")
        parts.setdefault(part, file)
    for folder, parts in folders.items():
        lacking = [pattern for part, pattern in enumerate(wanted.files) if part not in parts]
        if lacking:
            found.missing.extend(lacking)
            found.remarks.append(f"{folder}: {', '.join(lacking)} missing, so the other file cannot be read")
        else:
            found.groups.append(Group(input=number, files=tuple(parts[part] for part in sorted(parts))))


def walk(raw: Path) -> Iterator[RawFile]:
    """All regular files below `raw`, links followed but no folder entered twice, members of zip archives included."""
    seen: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(raw, followlinks=True, onerror=_unreadable):
        facts = Path(folder).stat()
        if (facts.st_dev, facts.st_ino) in seen:
            folders.clear()
            continue
        seen.add((facts.st_dev, facts.st_ino))
        folders[:] = sorted(name for name in folders if not _is_clutter(name))
        for name in sorted(name for name in names if not _is_clutter(name)):
            yield from _files_at(Path(folder, name), raw)


def _is_clutter(name: str) -> bool:
    return name.startswith(".") or name in _CLUTTER


def _unreadable(error: OSError) -> None:
    raise ChatCorpusError(f"{error.filename}: cannot be read: {error.strerror}; check the folder's permissions")


def _files_at(path: Path, raw: Path) -> Iterator[RawFile]:
    try:
        facts = path.stat()
    except OSError:  # a dangling link is not a corpus; a readable one is met under its own name
        return
    if not stat.S_ISREG(facts.st_mode):
        return
    # A name may be bytes of another encoding: an archive made on Windows, unpacked here.
    name = printable(os.fsencode(path.relative_to(raw).as_posix()))
    if path.suffix.lower() != ".zip":
        yield RawFile(path=str(path), name=name, size=facts.st_size, modified=facts.st_mtime_ns)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and not any(map(_is_clutter, PurePosixPath(member.filename).parts)):
                    inside = f"{name}/{member.filename}"
                    yield RawFile(
                        path=str(path),
                        name=inside,
                        size=member.file_size,
                        member=member.filename,
                        modified=facts.st_mtime_ns,
                    )
    except (OSError, zipfile.BadZipFile) as error:
        _log.warning(
            "warning: %s left alone: not a readable zip archive: %s; get it again, or move it away", path, error
        )


@cache
def _samples() -> Mapping[str, int]:
    """SHA-256 and size of each bundled sample."""
    known: dict[str, int] = json.loads(files("chat_corpus").joinpath("samples.json").read_text("utf-8"))
    return known


def is_sample(file: RawFile) -> bool:
    """Whether a file is one of the bundled samples, by its content."""
    return file.size in _samples().values() and digest(file) in _samples()


@cache
def digest(file: RawFile) -> str:
    """The SHA-256 of a file's content; of a damaged one, which is like no other, its name."""
    hashed = hashlib.sha256()
    try:
        with file.open() as stream:
            while block := read_some(stream, 1 << 20, file):
                hashed.update(block)
    except ChatCorpusError:  # whoever reads it to work on it will say so
        return file.name
    return hashed.hexdigest()


def _again(file: RawFile, found: Found) -> bool:
    """Whether a file of the same name and content, in another folder or archive, is among those found already."""
    name = PurePosixPath(_content_name(file)).name
    alike = (one for one in found.files if one.size == file.size and PurePosixPath(_content_name(one)).name == name)
    same = next((one for one in alike if digest(one) == digest(file)), None)
    if same is not None:
        found.remarks.append(f"{file.name} left alone: the same content as {same.name}")
    return same is not None
