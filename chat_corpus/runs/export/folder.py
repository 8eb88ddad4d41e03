"""The folder of an export: what may be in it before, and how its files appear, all of them or none.

Everything is made in a hidden folder inside it. A list of the files is left there before the first one is moved, so
that an export that was killed is known as that, and the next one begins anew.
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
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.lock import lock_output

#: In the hidden folder: the files that are about to be moved to their places.
_PUBLISHING = "publishing.json"
#: In the hidden folder: says that an export made it.
_MARK = "export"


def check_folder(folder: Path, raw: Sequence[Path], out: Path, *, force: bool) -> None:
    """Raise UsageError where an export must not be written to a folder.

    `raw` are folders of raw corpora, `out` is that of outputs. With `force`, files that are there may be replaced.
    """
    place = folder.resolve()
    others = [("outputs", out.resolve()), *(("raw corpora", one.resolve()) for one in raw)]
    for what, other in others:
        if other.is_relative_to(place):
            raise UsageError(f"{folder}: holds the folder of {what}, {other}; use another folder for the export")
        if place.is_relative_to(other) and not force:
            raise UsageError(f"{folder}: inside the folder of {what}; use another folder, or --force")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; an export needs a folder")
    if folder.is_dir() and not force and (met := _strangers(folder)):
        named = ", ".join(met[:3]) + (f" and {len(met) - 3} more" if len(met) > 3 else "")
        raise UsageError(f"{folder}: not empty ({named}); use another folder, or --force to replace the export in it")


def _strangers(folder: Path) -> list[str]:
    """The files in a folder that no unfinished export has left."""
    own = set(_unfinished(folder))
    work = folder / WORK
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if (not path.is_dir() or path.is_symlink())
        and not (path.is_relative_to(work) and (work / _MARK).is_file())
        and path.relative_to(folder).as_posix() not in own
    ]


def _unfinished(folder: Path) -> list[str]:
    """The files that a killed export may have moved to their places."""
    return _listed(folder / WORK / _PUBLISHING)


def _listed(path: Path) -> list[str]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [one for one in told if isinstance(one, str) and _is_below(one)] if isinstance(told, list) else []


def _is_below(path: str) -> bool:
    """Whether a path from a file leads to a place below the folder that it is joined to."""
    return bool(path) and not Path(path).is_absolute() and ".." not in Path(path).parts


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """The hidden folder for the work of an export, which other processes cannot use meanwhile.

    It stays after a failure, so that the same command need not read raw corpora again, and goes with success.
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

    Those of an earlier export, as its manifest lists them, are deleted before. Raises OSError.
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
    """The files of the export that is in a folder, whole or cut off."""
    try:
        summary = manifest.decode((folder / manifest.MANIFEST).read_bytes())
    except (OSError, ValueError):
        return _unfinished(folder)
    return [*(one.path for one in summary.files if _is_below(one.path)), *_unfinished(folder)]


def _remove_empty(path: Path, folder: Path) -> None:
    while path != folder and path.is_dir() and not any(path.iterdir()):
        path.rmdir()
        path = path.parent
