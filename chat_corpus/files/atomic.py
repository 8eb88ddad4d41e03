"""Atomic writing: a file appears complete under its name, or not at all."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

#: Bytes per write: Linux takes eight times as long for several megabytes in one write.
BLOCK = 1 << 20
#: Temporary names of files while they are written.
_STAGED = re.compile(r"\..*\.[0-9a-f]{32}\.writing")


def blocks(data: bytes) -> Iterator[bytes]:
    """Yield bytes in blocks of `BLOCK` bytes."""
    return (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))


def write_blocks(path: Path, data: bytes) -> None:
    """Write bytes to a path, block by block."""
    view = memoryview(data)
    with path.open("wb") as stream:
        stream.writelines(view[start : start + BLOCK] for start in range(0, len(data), BLOCK))


@contextmanager
def atomic_path(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; after the block the file is renamed to `path`, after a failure deleted.

    With `sync`, a power cut cannot leave an empty file. The name is unique among processes and machines.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.writing")
    try:
        yield temporary
        if sync:
            _sync(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sync_files(paths: Collection[Path]) -> None:
    """Sync one or more files to disk, all at the same time, which takes little longer than one file. Raises OSError."""
    with ThreadPoolExecutor(len(paths)) as threads:
        list(threads.map(_sync, paths))


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def write_atomic(path: Path, write: Callable[[Path], object], *, sync: bool = True) -> None:
    """Call `write` with a temporary path, which then becomes `path`; see `atomic_path`."""
    with atomic_path(path, sync=sync) as temporary:
        write(temporary)


def remove_temporary(*folders: Path) -> None:
    """Delete the temporary files of killed processes in `folders`; no other process may be writing there."""
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            if _STAGED.fullmatch(path.name):
                path.unlink(missing_ok=True)
