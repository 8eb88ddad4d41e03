"""Find the files of corpora that the user adds by settings; `inventory` finds those in the raw folder."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, replace
from pathlib import Path

from chat_corpus.discovery import unusable_files
from chat_corpus.discovery.layout_detection import sides
from chat_corpus.discovery.model import DiscoveredSource, FileGroup, HeadSample
from chat_corpus.discovery.sniff import head_of, text_of
from chat_corpus.discovery.walk import Entry, entries_at
from chat_corpus.errors import FileError, UsageError
from chat_corpus.files.compression import content_name
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.encodings import UTF8_SHARE, utf8_share
from chat_corpus.files.lines import cut_at_line
from chat_corpus.files.parquet_lines import MARK, PARQUET
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile
from chat_corpus.formats.layouts import PARALLEL_FILES
from chat_corpus.messages import Message, message
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import Definition

#: Number of files that are read together in the layout of parallel files.
PAIR = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedFile:
    """A file and its first bytes as UTF-8; `fault` is the reason why it cannot be read, or empty."""

    file: RawFile
    head: bytes
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Match:
    """A file that an input of the source reads."""

    input: int
    opened: OpenedFile


def discover_added(name: str, definition: Definition, source: Source) -> DiscoveredSource:
    """Return the files of an added corpus with a settled definition.

    Raises UsageError if a path does not exist, or if the layout is parallel files and they are not exactly two.
    """
    root, entries = entries_of(name, definition)
    found = DiscoveredSource(source=source, root=str(root))
    matches: list[_Match] = []
    for opened in map(open_file, entries):
        accepting = (number for number, item in enumerate(source.inputs) if item.format.accepts(opened.head))
        number = None if opened.fault else next(accepting, None)
        if number is not None:
            matches.append(_Match(input=number, opened=opened))
        elif opened.fault and len(entries) > 1 and _is_document(opened.file):
            found.remarks.append(message("skipped {file}: {reason}", file=opened.file.name, reason=opened.fault))
        else:
            fault = opened.fault or message("not of the layout {layout}", layout=definition.layout)
            (found.damaged if opened.fault else found.unusable).append(
                message("{file}: {reason}", file=opened.file.name, reason=fault)
            )
    if definition.layout == PARALLEL_FILES.name:
        matches = _paired(name, definition, matches)
        found.groups.append(FileGroup(input=0, files=tuple(match.opened.file for match in matches)))
    else:
        found.groups.extend(FileGroup(input=match.input, files=(match.opened.file,)) for match in matches)
    found.head_samples = {match.opened.file: _head_sample(source, match) for match in matches}
    return found


def real_paths(found: DiscoveredSource) -> set[str]:
    """Return the real paths of the files of a source."""
    return {os.path.realpath(file.path) for file in found.files}


def entries_of(name: str, definition: Definition) -> tuple[Path, list[Entry]]:
    """Return the folder that file names are relative to, and the files at the paths of a definition, each once.

    Raises UsageError if a path does not exist.
    """
    paths = list(dict.fromkeys(path for given in definition.paths for path in _matching(name, given)))
    folders = [path if path.is_dir() else path.parent for path in paths]
    root = folders[0]
    if len(paths) > 1:
        root = Path(os.path.commonpath([folder.absolute() for folder in folders]))
        root = root if any(path.is_absolute() for path in paths) else Path(os.path.relpath(root))
        paths = [path.absolute() if root.is_absolute() else Path(os.path.relpath(path)) for path in paths]
    entries = (entry for path in paths for entry in entries_at(path, root))
    return root, list({entry.file.name: entry for entry in entries}.values())


def matching_paths(given: str) -> list[Path]:
    """Return the path itself if it exists, otherwise the paths that it matches as a pattern."""
    if Path(given).exists():
        return [Path(given)]
    return list(map(Path, sorted(glob.glob(given, recursive=True))))  # noqa: PTH207 a pattern may be absolute


def _matching(name: str, given: str) -> list[Path]:
    """Return the paths that a path of a definition matches. Raises UsageError if it matches none."""
    found = matching_paths(given)
    if not found:
        raise UsageError(_missing(name, given))
    return found


def _missing(name: str, given: str) -> Message:
    plain = given.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")
    if glob.escape(plain) == given != plain:
        return message(
            "{name}: {path}: no such file or folder; --add does not expand patterns: set them as path in a file of "
            "settings (--config)",
            name=name,
            path=plain,
        )
    return message("{name}: {path}: no such file or folder; check the path", name=name, path=plain)


def open_file(entry: Entry) -> OpenedFile:
    """Return a file with its first bytes as UTF-8, or with the reason why it cannot be read."""
    file = entry.file
    if entry.problem or not file.size:
        return OpenedFile(file=file, head=b"", fault=entry.problem or message("empty file"))
    try:
        head = head_of(file) if entry.head is None else entry.head
        if head.startswith(MARK) and not file.compressed and file.member is None:
            file = replace(file, encoding=PARQUET)
            return OpenedFile(file=file, head=head_of(file))
    except FileError as error:
        return OpenedFile(file=file, head=b"", fault=error.fault)
    kind = unusable_files.by_content(head, content_name(file.name))
    if kind is not None:
        return OpenedFile(file=file, head=b"", fault=kind.message)
    if _is_document(file):
        return OpenedFile(file=file, head=b"", fault=message("a document or a program, by its name"))
    text = text_of(head)
    if text is None:
        return OpenedFile(file=file, head=b"", fault=message("not a text file, judging by its first bytes"))
    data = text_head(head)
    return OpenedFile(file=file, head=data if utf8_share(data) >= UTF8_SHARE else text.encode("utf-8", "surrogatepass"))


def _is_document(file: RawFile) -> bool:
    return unusable_files.is_document_or_code(content_name(file.name))


def _paired(name: str, definition: Definition, matches: list[_Match]) -> list[_Match]:
    """Return two matches, the queries first. Raises UsageError unless there are two and their order is known."""
    order = (0, 1) if len(definition.paths) == PAIR else sides([match.opened.file.name for match in matches])
    if len(matches) != PAIR or order is None:
        raise UsageError(
            message(
                "{name}: parallel files are two, {count} found, and their names say which has the queries, as in "
                "train.query and train.answer; or give both in this order: --add {name}=QUERIES --add {name}=ANSWERS",
                name=name,
                count=len(matches),
            )
        )
    return [matches[number] for number in order]


def _head_sample(source: Source, match: _Match) -> HeadSample:
    head = match.opened.head
    whole = len(head) < HEAD_BYTES
    data = head if whole else head[: cut_at_line(head) or len(head)]
    format_ = source.inputs[match.input].format.fitted(head)
    return HeadSample(records=format_.count(data), bytes=len(data), whole=whole)
