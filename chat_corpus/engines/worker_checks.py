"""Checks of the workers of a cluster: their versions, folders, files and sources must match the main process.

Importing this module does not import Polars, since the first import of Polars in a worker fixes its number of threads.
"""

from __future__ import annotations

import os
import pickle
import platform
import socket
import sys
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat_corpus import versions
from chat_corpus.errors import EngineError
from chat_corpus.messages import Message, joined, message
from chat_corpus.system_texts import system_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirements:
    """What a worker must share with the main process: `versions` by name, and the folder that contains `token`."""

    versions: tuple[tuple[str, str], ...]
    token: Path

    def differences(self) -> list[Message]:
        """Return a message for each requirement that this process does not meet."""
        installed = dict(process_versions())
        faults = [
            message(
                "found {name} {version}, expected {expected}", name=name, version=installed[name], expected=expected
            )
            for name, expected in self.versions
            if installed[name] != expected
        ]
        if not self.token.exists():
            faults.append(message("the folder {folder} is missing, or a different one", folder=str(self.token.parent)))
        return faults


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerFacts:
    """A worker: its host name, the faults that make it unusable, and its number of Polars threads."""

    host: str
    faults: list[Message]
    threads: int


def process_versions() -> tuple[tuple[str, str], ...]:
    """Return the versions, by name, that affect the bytes of results or the communication with Dask.

    Only the major and minor version of Python count: they determine the Unicode tables.
    """
    packages = (*versions.PACKAGES, "distributed")
    return (
        ("python", ".".join(platform.python_version_tuple()[:2])),
        *((name, versions.installed(name)) for name in packages),
        ("code of chat-corpus", versions.code_digest()),
    )


def file_facts(files: Iterable[Path]) -> dict[Path, tuple[int, int] | None]:
    """Return size in bytes and time of modification of files as this process sees them; None if a file is unreadable.

    Times are in whole seconds, since file systems differ in the fractions.
    """
    return {path: _facts(path) for path in files}


def _facts(path: Path) -> tuple[int, int] | None:
    try:
        with path.open("rb"):
            facts = path.stat()
    except OSError:
        return None
    return facts.st_size, int(facts.st_mtime)


def inspect_worker(
    requirements: Requirements, files: Mapping[Path, object], sources: tuple[str, ...], plugins: tuple[str, ...]
) -> WorkerFacts:
    """Check this process, which is a worker, and return its facts with the faults that were found.

    It must meet `requirements`, see `files` with the same facts (as in `file_facts`), be able to write to the folder of
    the token, and have the `sources`; `plugins` define some of them. No checks follow one that finds faults.
    """
    faults = (
        requirements.differences()
        or _different_files(files)
        or _unwritable(requirements.token)
        or _missing_sources(sources, plugins)
    )
    return WorkerFacts(host=socket.gethostname(), faults=faults, threads=_threads())


def _different_files(files: Mapping[Path, object]) -> list[Message]:
    here = file_facts(files)
    return [
        message("{file}: cannot be read", file=str(path))
        if here[path] is None
        else message("{file}: not the file that the main process reads", file=str(path))
        for path, expected in files.items()
        if here[path] != expected
    ]


def _unwritable(token: Path) -> list[Message]:
    probe = token.with_name(f".probe.{uuid.uuid4().hex}.writing")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [message("{file}: cannot be written: {error}", file=str(token.parent), error=system_text(error))]
    return []


def _missing_sources(sources: tuple[str, ...], plugins: tuple[str, ...]) -> list[Message]:
    _threads()
    from chat_corpus.sources import load

    return [
        message("no source is named {name}; install its package on the worker", name=name)
        for name in sources
        if name not in load(plugins)
    ]


def _threads() -> int:
    """Return the number of Polars threads: one, unless Polars was imported before or the environment sets a number."""
    if "polars" not in sys.modules:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars as pl

    return pl.thread_pool_size()


#: Requirements that this process has been found to meet.
_met: set[Requirements] = set()
_lock = threading.Lock()


def call(requirements: Requirements, payload: bytes) -> bytes:
    """Run a pickled call `(function, args, kwargs)`, one at a time in this process, and return its pickled outcome.

    `outcome` reads it: a value, an exception of the call, or an EngineError if this process does not meet the
    `requirements`, since workers may join after the first checks. Exceptions are returned rather than raised, because
    Dask would pickle them with their causes and frames. These may not be picklable, and the exception would be lost.
    """
    with _lock:
        try:
            value, error = _run(requirements, payload), None
        except BaseException as raised:  # noqa: BLE001 the caller gets every exception, and the worker continues
            value, error = None, _bare(raised)
    return pickle.dumps((value, error))


def outcome(payload: bytes) -> Any:
    """Return the value that `call` pickled. Raises the exception of the call if it failed."""
    value, error = pickle.loads(payload)  # noqa: S301 from a worker of this run
    if error is not None:
        raise error
    return value


def _bare(error: BaseException) -> BaseException:
    """Return an exception without its causes and traceback, which Dask makes `pickle` include."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _run(requirements: Requirements, payload: bytes) -> Any:
    if requirements not in _met:
        if faults := requirements.differences():
            host, reasons = socket.gethostname(), joined("; ", faults)
            raise EngineError(message("a worker on {host} cannot be used: {faults}", host=host, faults=reasons))
        _threads()
        _met.add(requirements)
    function, args, kwargs = pickle.loads(payload)  # noqa: S301 from the main process
    return function(*args, **kwargs)
