"""Remarks on files of a source that are skipped, missing or renamed, for the log, `check` and report.json."""

from __future__ import annotations

from collections.abc import Sequence

from chat_corpus.discovery.model import MatchedBy
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import Message, joined, message

#: Number of files that a remark names.
_NAMED = 3


def another_version(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a file of a source with alternative inputs."""
    return message("skipped {file}: another version of {other}, which is read", file=file.name, other=other.name)


def converted_copy(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a file that somebody else made from the corpus."""
    return message(
        "skipped {file}: converted from this corpus by somebody else; {other} is read instead",
        file=file.name,
        other=other.name,
    )


def another_edition(file: str, other: str) -> Message:
    """Return a remark on a file with the name of a different file and a suffix, or of an older edition."""
    return message("skipped {file}: another form, edition or part of {other}, which is read", file=file, other=other)


def another_format(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a file with a name that differs from a different file only in the ending."""
    return message("skipped {file}: another format of {other}, which is read", file=file.name, other=other.name)


def same_content(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a file that has the same content as a different one."""
    return message("skipped {file}: same content as {other}", file=file.name, other=other.name)


def same_folder(folder: str, other: str) -> Message:
    """Return a remark on a folder with files of the same content as those of a different one."""
    return message("skipped {file}: same content as {other}", file=_folder(folder), other=_folder(other))


def without_name(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a file that was recognised only by content, if a different one has the name of the corpus."""
    return message(
        "skipped {file}: recognised by content only; {other} has the name of the corpus and is read",
        file=file.name,
        other=other.name,
    )


def unpacked(file: RawFile) -> Message:
    """Return a remark on a packed file that is also present unpacked."""
    return message("skipped {file}: an unpacked copy is beside it", file=file.name)


def replaced(file: RawFile, other: RawFile) -> Message:
    """Return a remark on a second file for the same slot in a folder."""
    return message("skipped {file}: {other} is read instead", file=file.name, other=other.name)


def part_missing(folder: str, patterns: Sequence[str]) -> Message:
    """Return a remark on a folder that lacks one of the files that are read together."""
    return message(
        "{folder}: {files} not found; the files of this source can only be read together",
        folder=_folder(folder),
        files=joined(", ", patterns),
    )


def some_missing(patterns: Sequence[str], *, renamed: int) -> Message:
    """Return a remark on missing files if some files were renamed, which may be any of them."""
    return message(
        "{count} of these {total} files not found: {patterns} (the renamed files are the others)",
        count=len(patterns) - renamed,
        total=len(patterns),
        patterns=joined(", ", patterns),
    )


def different_files(names: Sequence[str]) -> Message:
    """Return a remark on several files of a corpus that has a single file."""
    return message("{count} different files of this corpus are all read: {files}", count=len(names), files=some(names))


def same_names(names: Sequence[str]) -> Message:
    """Return a remark on several files with the same name."""
    return message(
        "{count} different files of the same name are all read: {files}", count=len(names), files=some(names)
    )


def different_copies(folders: Sequence[str]) -> Message:
    """Return a remark on several folders with files that are read together."""
    shown = joined(", ", map(_folder, folders))
    return message("{count} different copies of this corpus are all read: {folders}", count=len(folders), folders=shown)


def recognised(names: Sequence[str], matched_by: MatchedBy) -> Message:
    """Return a remark on files that do not have a name of the corpus."""
    files = some(names)
    if matched_by is MatchedBy.GARBLED_NAME:
        return message("{files}: recognised by a garbled name", files=files)
    if matched_by is MatchedBy.CONTENT:
        return message("{files}: recognised by content", files=files)
    return message("{files}: recognised by the other files in the folder", files=files)


def some(names: Sequence[str]) -> Message:
    """Return the first few names, and the number of the others.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = joined(", ", names[:_NAMED])
    if len(names) <= _NAMED:
        return shown
    return message("{names} and {count:,} more", names=shown, count=len(names) - _NAMED)


def _folder(path: str) -> str:
    return message("the raw folder") if path == "." else path
