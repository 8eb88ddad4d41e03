"""The output folder held against other runs, and rid of what no run has made."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from chat_corpus.errors import UsageError
from chat_corpus.outputs.layout import WORK


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the output folder against other runs."""
    folder = out / WORK
    if folder.is_symlink():
        raise UsageError(
            f"{folder}: a link; what is in it would be deleted when it is no longer needed: remove the link"
        )
    folder.mkdir(exist_ok=True)
    for one in (out / "rejects", out / "index"):
        if one.is_symlink():
            raise UsageError(f"{one}: a link; files would be written elsewhere than under {out}: remove the link")
    lock, holder = filelock.FileLock(folder / ".lock"), folder / ".holder"  # no source has such a name
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        told = _told(holder) or "another process"
        raise UsageError(f"{out}: {told} is writing here; wait for it, or use another --out") from error
    try:
        tidy(folder)
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _told(holder: Path) -> str:
    try:
        return holder.read_text("utf-8")
    except OSError:  # it has just ended, or just begun
        return ""


def tidy(folder: Path) -> None:
    """Delete what is a link, or no file, in the work folder and the folders in it: no run made it.

    Else what is written, or swept, there would be so elsewhere, and a FIFO would be waited for.
    """
    for path in folder.iterdir():
        if not _is_own(path):
            path.unlink()
        elif path.is_dir():
            for inner in path.iterdir():
                if not _is_own(inner):
                    inner.unlink()


def _is_own(path: Path) -> bool:
    """Whether a path is a folder, or a regular file that has no other name."""
    facts = path.lstat()
    return stat.S_ISDIR(facts.st_mode) or (stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1)
