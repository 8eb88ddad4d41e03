"""Download files into the raw folder. One process at a time may do so, and a file gets its name after its check."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from chat_corpus.discovery import unusable_files
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.fetching.digests import digests_of, fault_of
from chat_corpus.fetching.plan import Action, Item
from chat_corpus.fetching.transfer import INCOMPLETE, Progress, UnreachableError, transfer
from chat_corpus.messages import Message, amount, displayed, message
from chat_corpus.sources.origins import RemoteFile
from chat_corpus.system_texts import system_text

#: The folder in the raw folder for files during the download. Discovery skips it, because its name begins with a dot.
STAGING = ".chat-corpus-fetch"
_LOCK = ".lock"
#: Suffix of a downloaded file that differs from the one at its origin.
BAD = ".bad"
_HEAD = 1 << 16
_ZIP = b"PK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The outcome of a download: SHA-256 of the file, whether a known digest confirms it, and the fault, if any.

    `is_unreachable` means that the server could not be reached, `is_tried` is false for files left out because of that.
    """

    item: Item
    sha256: str = ""
    verified: bool = False
    fault: Message | str = ""
    is_unreachable: bool = False
    is_tried: bool = True


def download(items: Sequence[Item], raw: Path, progress: Progress) -> Iterator[Outcome]:
    """Download the planned files one after the other, and yield the outcome of each.

    If a file cannot be downloaded, the others are downloaded nevertheless, except those of a server that cannot be
    reached. Raises ChatCorpusError if the disk has too little space or cannot be written. Raises UsageError if a
    different process downloads into this folder, if the folder for downloads is a link, or if a package is not
    installed.
    """
    chosen = [item for item in items if item.action is Action.DOWNLOAD]
    try:
        with _staging(raw) as staging:
            _check_space(chosen, staging)
            unreachable: set[str] = set()
            for item in chosen:
                if item.host in unreachable:
                    fault = message(
                        "{url}: not tried, since {host} cannot be reached", url=displayed(item.url), host=item.host
                    )
                    yield Outcome(item=item, fault=fault, is_tried=False)
                    continue
                outcome = _downloaded(item, staging, progress)
                if outcome.is_unreachable:
                    unreachable.add(item.host)
                yield outcome
    except OSError as error:
        file, reason = error.filename or raw, system_text(error)
        raise ChatCorpusError(message("{file}: cannot be written: {error}", file=file, error=reason)) from error


@contextmanager
def _staging(raw: Path) -> Iterator[Path]:
    """Yield the folder for downloads, locked. Before and after, delete all files except those that can be resumed."""
    folder = raw / STAGING
    if folder.is_symlink():
        raise UsageError(
            message("{path}: a link; files would be written outside {out}. Remove the link", path=folder, out=raw)
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UsageError(message("{raw}: another fetch is writing to this folder; wait for it", raw=raw)) from error
    try:
        _tidy(folder)
        yield folder
    finally:
        _tidy(folder)
        if not any(path.name != _LOCK for path in folder.iterdir()):
            shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _tidy(folder: Path) -> None:
    """Delete files that killed processes left, except for downloads that can be resumed."""
    for path in folder.iterdir():
        is_file = path.is_file() and not path.is_symlink()
        if path.name == _LOCK or (is_file and path.suffix == INCOMPLETE and path.stat().st_size):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _check_space(items: Sequence[Item], folder: Path) -> None:
    """Raise ChatCorpusError if the known sizes of the files exceed the free space."""
    needed = sum(item.file.bytes or 0 for item in items)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise ChatCorpusError(
            message(
                "{folder}: {needed} needed, {free} free; free some space, or name another folder with --raw",
                folder=folder.parent,
                needed=amount(needed),
                free=amount(free),
            )
        )


def _downloaded(item: Item, staging: Path, progress: Progress) -> Outcome:
    """Download a file, check it, and move it to its place in the raw folder."""
    try:
        path, remote = transfer(item, staging, progress)
    except UsageError:
        raise
    except ChatCorpusError as error:
        return Outcome(item=item, fault=error.message, is_unreachable=isinstance(error, UnreachableError))
    fault = _fault(path, remote)
    target = item.target
    target.parent.mkdir(parents=True, exist_ok=True)
    if fault is not None:
        bad = target.with_name(target.name + BAD)
        path.replace(bad)
        text = message("{fault}; the file is set aside as {file}", fault=fault, file=bad)
        return Outcome(item=item, fault=message("{file}: {fault}", file=item.name, fault=text))
    if target.exists():
        text = message("appeared during the download and is not replaced")
        return Outcome(item=item, fault=message("{file}: {fault}", file=item.name, fault=text))
    sha256 = digests_of(path).sha256
    path.replace(target)
    return Outcome(item=item, sha256=sha256, verified=remote.has_digest)


def _fault(path: Path, remote: RemoteFile) -> Message | None:
    """Return the fault of a downloaded file, or None.

    A fault is a wrong size or digest. If no digest is known, an empty file and a file that cannot be a corpus, such as
    a web page, are faults too.
    """
    fault = fault_of(path, remote)
    if fault is not None or remote.has_digest:
        return fault
    if not path.stat().st_size:
        return message("empty file")
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    kind = None if head.startswith(_ZIP) else unusable_files.by_content(head, remote.name)
    return None if kind is None else kind.message
