"""The interface of engines."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What all workers need: the `files` to read, the `folder` to write to, and the `sources` by name.

    `plugins` are the paths of plugin files, which may define some of the sources.
    """

    files: tuple[Path, ...]
    folder: Path
    sources: tuple[str, ...]
    plugins: tuple[str, ...]


class Engine(Protocol):
    """Something that runs calls, like `concurrent.futures.Executor`, and that can be stopped and replaced."""

    @property
    def prefetch(self) -> int:
        """The number of tasks to submit before waiting for a result."""

    @property
    def maybe_started(self) -> int:
        """The number of submitted tasks, in the order of submission, that may have started."""

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call and return its future. Raises BrokenExecutor if a worker died."""

    def check(self) -> None:
        """Raise EngineError if no workers are left."""

    def restart(self, workers: int | None = None) -> Engine:
        """Return an engine that replaces this one, with the same number of workers if `workers` is None."""

    def close(self) -> None:
        """Release the workers after the last task has finished."""

    def stop(self) -> None:
        """Cancel tasks that have not started, and end at once all workers that this process started."""


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
