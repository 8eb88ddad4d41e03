"""Files that appear whole under their name, or not at all."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

#: Bytes to write at once: for megabytes at once, Linux needs eight times as long.
BLOCK = 1 << 20
#: Names under which files are written before they have their own.
_STAGED = re.compile(r"\..*\.[0-9a-f]{32}\.writing")


def blocks(data: bytes) -> Iterator[bytes]:
    """Bytes in blocks to write them in."""
    return (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))


def write_blocks(path: Path, data: bytes) -> None:
    """Write bytes under a path, a block at a time."""
    with path.open("wb") as stream:
        stream.writelines(blocks(data))


@contextmanager
def atomic_path(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """A name beside `path` to write a file under, which then appears as `path` whole, or not at all after a failure.

    With `sync` a power cut cannot leave it empty either. No other process, here or on another machine, has that name.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.writing")
    try:
        yield beside
        if sync:
            with beside.open("rb+") as stream:
                os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_atomic(path: Path, write: Callable[[Path], object], *, sync: bool = True) -> None:
    """Let `write` write a file, staged."""
    with atomic_path(path, sync=sync) as beside:
        write(beside)


def remove_temporary(*folders: Path) -> None:
    """Delete what processes that were killed have left half written in `folders`, where nobody may be writing now."""
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            if _STAGED.fullmatch(path.name):
                path.unlink(missing_ok=True)
