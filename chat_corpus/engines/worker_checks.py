"""What a worker of a cluster must have in common with the process that hands out the work, looked at on the worker.

Importing this module imports no Polars: whoever does that first in a worker decides on the number of its threads.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What results depend on: the versions of all that makes them, and the folder that they go to, told by a token."""

    versions: tuple[tuple[str, str], ...]
    token: Path

    def broken(self) -> list[str]:
        """What differs in this process, each with what was met and expected."""
        mine = dict(own_versions())
        found = [f"{name} {mine[name]}, {wanted} expected" for name, wanted in self.versions if mine[name] != wanted]
        return found if self.token.exists() else [*found, f"no folder {self.token.parent}, or not the same one"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """What a worker told of itself: its host, what speaks against it, and how many threads Polars has there."""

    host: str
    faults: list[str]
    threads: int


def own_versions() -> tuple[tuple[str, str], ...]:
    """The versions, in this process, that decide over the bytes of a result or whether processes understand each other.

    Unicode's tables come with Python, in its minor version.
    """
    packages = (*versions.PACKAGES, "distributed")
    told = [(name, versions.installed(name)) for name in packages]
    return (
        ("python", ".".join(platform.python_version_tuple()[:2])),
        *told,
        ("code of chat-corpus", versions.code_digest()),
    )


def seen(files: Iterable[Path]) -> dict[Path, tuple[int, int] | None]:
    """Size and time (in whole seconds: file systems differ in the rest) of files as this process sees them."""
    return {path: _facts(path) for path in files}


def _facts(path: Path) -> tuple[int, int] | None:
    try:
        with path.open("rb"):
            told = path.stat()
    except OSError:
        return None
    return told.st_size, int(told.st_mtime)


def look(terms: Terms, files: Mapping[Path, object], sources: tuple[str, ...], plugins: tuple[str, ...]) -> Worker:
    """What this process is like: whether it keeps to the `terms`, sees the `files` so, and knows the `sources`."""
    faults = terms.broken() or _unseen(files) or _unwritable(terms.token) or _unknown(sources, plugins)
    return Worker(host=socket.gethostname(), faults=faults, threads=_threads())


def _unseen(files: Mapping[Path, object]) -> list[str]:
    here = seen(files)
    return [
        f"{path}: {'cannot be read' if here[path] is None else 'another file than here'}"
        for path, wanted in files.items()
        if here[path] != wanted
    ]


def _unwritable(token: Path) -> list[str]:
    probe = token.with_name(f".probe.{uuid.uuid4().hex}.writing")
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [f"{token.parent}: cannot be written: {error.strerror}"]
    return []


def _unknown(sources: tuple[str, ...], plugins: tuple[str, ...]) -> list[str]:
    _threads()
    from chat_corpus.sources import load

    return [f"no source named {name}: install its package there" for name in sources if name not in load(plugins)]


def _threads() -> int:
    """Polars' threads in this process: one, if it is imported here and the environment does not say otherwise."""
    if "polars" not in sys.modules:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars as pl

    return pl.thread_pool_size()


_kept: set[Terms] = set()
_alone = threading.Lock()


def call(terms: Terms, payload: bytes) -> bytes:
    """Do a pickled call `(function, args, kwargs)`, one at a time in this process, which may be one that came later.

    Returns the pickled `outcome` of it. What the call raises is one too, and so is EngineError where the process does
    not keep to the `terms`: an exception that Dask is left to carry brings its causes and its frames, which may be of
    any kind, and one that it cannot send is never heard of.
    """
    with _alone:
        try:
            value, error = _done(terms, payload), None
        except BaseException as raised:  # noqa: BLE001 whatever it is belongs to the caller, and ends no worker
            value, error = None, _bare(raised)
    return pickle.dumps((value, error))


def outcome(told: bytes) -> Any:
    """What a call of a worker gave, as `call` told it. Raises what the call raised."""
    value, error = pickle.loads(told)  # noqa: S301 from a worker of ours
    if error is not None:
        raise error
    return value


def _bare(error: BaseException) -> BaseException:
    """An exception without what led to it, which Dask has taught `pickle` to take along."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _done(terms: Terms, payload: bytes) -> Any:
    if terms not in _kept:
        if faults := terms.broken():
            raise EngineError(f"a worker on {socket.gethostname()} cannot take part: {'; '.join(faults)}")
        _threads()
        _kept.add(terms)
    function, args, kwargs = pickle.loads(payload)  # noqa: S301 from the process that hands out the work
    return function(*args, **kwargs)
