"""Lock the output folder against other runs, and delete links and special files from its work folder."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from chat_corpus.errors import UsageError
from chat_corpus.messages import message
from chat_corpus.outputs.layout import WORK


@contextmanager
def lock_output(out: Path) -> Iterator[None]:
    """Lock the output folder.

    Raises UsageError if a different process has locked it, or if its work folder, `rejects` or `index` is a link.
    """
    folder = out / WORK
    if folder.is_symlink():
        raise UsageError(
            message("{path}: a link; a run would delete the files that it points to. Remove the link", path=folder)
        )
    folder.mkdir(exist_ok=True)
    for path in (out / "rejects", out / "index"):
        if path.is_symlink():
            raise UsageError(
                message("{path}: a link; files would be written outside {out}. Remove the link", path=path, out=out)
            )
    lock, holder = filelock.FileLock(folder / ".lock"), folder / ".holder"  # a source cannot have these names
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        owner = _read(holder) or message("another process")
        raise UsageError(
            message("{out}: {owner} is writing to this folder; wait for it, or use another --out", out=out, owner=owner)
        ) from error
    try:
        tidy(folder)
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _read(holder: Path) -> str:
    try:
        return holder.read_text("utf-8")
    except OSError:  # the other run has just ended or just begun
        return ""


def tidy(folder: Path) -> None:
    """Delete links and special files from the work folder and from the folders directly in it: no run makes them.

    To follow a link would write or delete files elsewhere, and to read a FIFO would wait forever.
    """
    for path in folder.iterdir():
        if not _is_own(path):
            path.unlink()
        elif path.is_dir():
            for inner in path.iterdir():
                if not _is_own(inner):
                    inner.unlink()


def _is_own(path: Path) -> bool:
    """Return whether a path is a folder, or a regular file without further hard links."""
    facts = path.lstat()
    return stat.S_ISDIR(facts.st_mode) or (stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1)
