"""The folder of an export: check what it contains, and move the finished files into it.

All files are made in a hidden folder inside it. Before the first one is moved, a list of them with their digests is
written to the hidden folder. If an export is killed, the next one recognizes its files by this list, and replaces only
these.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.exports import manifest, manifest_file
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.files.atomic import write_atomic
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.export.raw_paths import RawPaths
from chat_corpus.runs.lock import lock_output
from chat_corpus.system_texts import system_text

#: In the hidden folder: the files that are about to be moved to their places.
_PUBLISHING = "publishing.json"
#: In the hidden folder: marks it as made by an export.
_MARK = "export"


def check_folder(folder: Path, raw: RawPaths, out: Path, *, force: bool) -> None:
    """Raise UsageError if an export must not be written to a folder.

    `out` is the output folder of runs. With `force`, existing files may be replaced, but never raw files.
    """
    path = _resolved(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(message("{folder}: is a file; name a folder for the export", folder=folder))
    _check_apart(folder, path, message("the output folder"), out.resolve(), force=force)
    for file in sorted(raw.files):  # a link and the file that it leads to
        for other in (file.parent.resolve() / file.name, file.resolve()):
            _check_outside(folder, path, message("the added file"), other)
    for other in sorted(raw.folders):
        _check_apart(folder, path, message("the folder of raw corpora"), other.resolve(), force=force)
    if folder.is_dir() and not force and (files := _foreign_files(folder)):
        names = joined(", ", files[:3])
        if len(files) > 3:
            names = message("{count:,} files, such as {names}", names=names, count=len(files))
        fault = message(
            "{folder}: not empty ({names}); use a different folder, or --force to replace the export in it",
            folder=folder,
            names=names,
        )
        raise UsageError(fault)


def _resolved(folder: Path) -> Path:
    """Return the path of a folder without links. Raises UsageError for a dead link, or if the path cannot be used."""
    manifest_file.check_name(folder)
    try:
        path = folder.resolve()
        is_dead = folder.is_symlink() and not folder.exists()
    except (OSError, RuntimeError) as error:  # a loop of links, or a name that is too long
        raise _unusable(folder, error) from error
    if is_dead:
        raise UsageError(message("{folder}: a link to nothing; remove it, or use a different folder", folder=folder))
    return path


def _unusable(folder: Path, error: Exception) -> UsageError:
    fault = system_text(error) if isinstance(error, OSError) else str(error)
    return UsageError(message("{folder}: cannot be used: {fault}; use a different folder", folder=folder, fault=fault))


def _check_apart(folder: Path, path: Path, kind: Message, other: Path, *, force: bool) -> None:
    """Raise UsageError if the folder of an export contains the folder `other`, or is in it, unless `force` allows that.

    `path` is the resolved path of the folder; `force` only allows that it is in `other`.
    """
    _check_outside(folder, path, kind, other)
    if path.is_relative_to(other) and not force:
        fault = message("{folder}: is inside {kind}; use a different folder, or --force", folder=folder, kind=kind)
        raise UsageError(fault)


def _check_outside(folder: Path, path: Path, kind: Message, other: Path) -> None:
    """Raise UsageError if `path`, the resolved path of the folder of an export, is or contains `other`."""
    if other.is_relative_to(path):
        fault = message(
            "{folder}: contains {kind}, {other}; use a different folder for the export",
            folder=folder,
            kind=kind,
            other=other,
        )
        raise UsageError(fault)


def _foreign_files(folder: Path) -> list[str]:
    """Return the files in a folder that are neither in its hidden folder nor left over from an unfinished export."""
    unfinished = _unfinished(folder)
    work = folder / WORK
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if (not path.is_dir() or path.is_symlink())
        and not (path.is_relative_to(work) and (work / _MARK).is_file())
        and not _is_left_over(folder, path.relative_to(folder).as_posix(), unfinished)
    ]


def _unfinished(folder: Path) -> dict[str, list[str]]:
    """Return the files, with their digests, that a killed export may have moved into place or not yet deleted."""
    try:
        listed = json.loads((folder / WORK / _PUBLISHING).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(listed, dict):
        return {}
    return {path: digests for path, digests in listed.items() if _is_below(path) and isinstance(digests, list)}


def _is_left_over(folder: Path, path: str, unfinished: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a killed export left a file: it is listed in `unfinished`, and has the same content."""
    file = folder / path
    return path in unfinished and file.is_file() and not file.is_symlink() and _sha256(file) in unfinished[path]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_below(path: str) -> bool:
    """Return whether a path that was read from a file stays below the folder that it is joined to."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Lock and yield the hidden folder for the work of an export.

    It is deleted after success. It stays after a failure, so that the same command need not read raw corpora again.
    """
    work = folder / WORK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not work.is_symlink():  # `lock_output` refuses a link
            work.mkdir(exist_ok=True)
            (work / _MARK).touch()
    except OSError as error:
        raise _unusable(folder, error) from error
    with lock_output(folder):
        yield work
        for path in work.iterdir():
            if path.name not in (".lock", ".holder"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(work, ignore_errors=True)


def publish(folder: Path, made: Path, summary: ExportSummary, *, force: bool) -> None:
    """Move the files of an export from below `made` to the same paths below a folder, the manifest last.

    The files of an earlier export, finished or killed, are deleted first. Raises OSError. Raises UsageError if other
    files were written into the folder in the meantime, unless `force` allows them to be replaced.
    """
    files = {file.path: file.sha256 for file in summary.files}
    files[manifest.MANIFEST] = _sha256(made / manifest.MANIFEST)
    for path in files:
        with (made / path).open("rb+") as stream:
            os.fsync(stream.fileno())
    if not force and (others := _foreign_files(folder)):
        raise UsageError(
            message(
                "{folder}: files were written there during the export ({names}); move them, and export again",
                folder=folder, names=joined(", ", others[:3]),
            )
        )  # fmt: skip
    earlier = _earlier(folder)
    listed = {path: [known[path] for known in (files, earlier) if path in known] for path in {*files, *earlier}}
    text = json.dumps(listed, sort_keys=True).encode()
    write_atomic(folder / WORK / _PUBLISHING, lambda path: path.write_bytes(text))
    for path in (manifest.MANIFEST, *earlier):
        (folder / path).unlink(missing_ok=True)
    for path in sorted(files, key=manifest.MANIFEST.__eq__):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).replace(folder / path)
    for parent in {(folder / path).parent for path in earlier}:
        _remove_empty(parent, folder)


def _earlier(folder: Path) -> dict[str, str]:
    """Return the files of an earlier export in a folder, finished or killed, with their digests."""
    unfinished = _unfinished(folder)
    left = [path for path in unfinished if _is_left_over(folder, path, unfinished)]
    files = {path: _sha256(folder / path) for path in left}
    try:
        data = (folder / manifest.MANIFEST).read_bytes()
        summary = manifest_file.decode(data)
    except (OSError, ValueError):
        return files
    files |= {file.path: file.sha256 for file in summary.files if _is_below(file.path)}
    return files | {manifest.MANIFEST: hashlib.sha256(data).hexdigest()}


def _remove_empty(path: Path, folder: Path) -> None:
    while path != folder and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
        path = path.parent
