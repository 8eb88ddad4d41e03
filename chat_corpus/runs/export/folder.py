"""The folder of an export: what it may contain before, and how its files appear, all of them or none.

All files are made in a hidden folder inside it. A list of them is written there before the first one is moved, so that
the next export recognizes the files of one that was killed, and replaces them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.exports import manifest
from chat_corpus.files.atomic import write_atomic
from chat_corpus.messages import Message, message
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.lock import lock_output

#: In the hidden folder: the files that are about to be moved to their places.
_PUBLISHING = "publishing.json"
#: In the hidden folder: marks it as made by an export.
_MARK = "export"


def check_folder(folder: Path, raw: Sequence[Path], out: Path, *, force: bool) -> None:
    """Raise UsageError if an export must not be written to a folder.

    `raw` are folders of raw corpora, `out` is the output folder of runs. With `force`, existing files may be replaced.
    """
    path = folder.resolve()
    _check_apart(folder, path, message("the output folder"), out.resolve(), force=force)
    for other in raw:
        _check_apart(folder, path, message("the folder of raw corpora"), other.resolve(), force=force)
    if folder.exists() and not folder.is_dir():
        raise UsageError(message("{folder}: is a file; name a folder for the export", folder=folder))
    if folder.is_dir() and not force and (files := _foreign_files(folder)):
        names = ", ".join(files[:3])
        if len(files) > 3:
            names = message("{names} and {count:,} more", names=names, count=len(files) - 3)
        fault = message(
            "{folder}: not empty ({names}); use a different folder, or --force to replace the export in it",
            folder=folder,
            names=names,
        )
        raise UsageError(fault)


def _check_apart(folder: Path, path: Path, kind: Message, other: Path, *, force: bool) -> None:
    """Raise UsageError if the folder of an export, with this resolved path, contains or is in a different folder."""
    if other.is_relative_to(path):
        fault = message(
            "{folder}: contains {kind}, {other}; use a different folder for the export",
            folder=folder,
            kind=kind,
            other=other,
        )
        raise UsageError(fault)
    if path.is_relative_to(other) and not force:
        fault = message("{folder}: is inside {kind}; use a different folder, or --force", folder=folder, kind=kind)
        raise UsageError(fault)


def _foreign_files(folder: Path) -> list[str]:
    """The files in a folder that are not left over from an unfinished export."""
    leftovers = set(_unfinished(folder))
    work = folder / WORK
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if (not path.is_dir() or path.is_symlink())
        and not (path.is_relative_to(work) and (work / _MARK).is_file())
        and path.relative_to(folder).as_posix() not in leftovers
    ]


def _unfinished(folder: Path) -> list[str]:
    """The files that a killed export may have moved to their places."""
    return _listed(folder / WORK / _PUBLISHING)


def _listed(file: Path) -> list[str]:
    try:
        paths = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return []
    return [path for path in paths if isinstance(path, str) and _is_below(path)] if isinstance(paths, list) else []


def _is_below(path: str) -> bool:
    """Whether a path that was read from a file leads to a file below the folder that it is joined to."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Lock and yield the hidden folder for the work of an export.

    It is deleted after success. It stays after a failure, so that the same command need not read raw corpora again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / WORK
    with lock_output(folder):
        (work / _MARK).touch()
        yield work
        for path in work.iterdir():
            if path.name not in (".lock", ".holder"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(work, ignore_errors=True)


def publish(folder: Path, made: Path, files: Sequence[str]) -> None:
    """Move files from below `made` to the same paths below a folder, the manifest last.

    The files that the manifest of an earlier export lists are deleted before. Raises OSError.
    """
    for path in files:
        with (made / path).open("rb+") as stream:
            os.fsync(stream.fileno())
    earlier = _earlier(folder)
    text = json.dumps(sorted({*files, *earlier, manifest.MANIFEST})).encode()
    write_atomic(folder / WORK / _PUBLISHING, lambda path: path.write_bytes(text))
    for path in (manifest.MANIFEST, *earlier):
        (folder / path).unlink(missing_ok=True)
    for path in sorted(files, key=manifest.MANIFEST.__eq__):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).replace(folder / path)
    for parent in {(folder / path).parent for path in earlier}:
        _remove_empty(parent, folder)


def _earlier(folder: Path) -> list[str]:
    """The files of the earlier export in a folder, whether it was finished or killed."""
    try:
        summary = manifest.decode((folder / manifest.MANIFEST).read_bytes())
    except (OSError, ValueError):
        return _unfinished(folder)
    return [*(file.path for file in summary.files if _is_below(file.path)), *_unfinished(folder)]


def _remove_empty(path: Path, folder: Path) -> None:
    while path != folder and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
        path = path.parent
