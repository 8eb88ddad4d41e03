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
    """What all workers need: `files` to read, a `folder` to write to, and `sources`, some from `plugins`."""

    files: tuple[Path, ...]
    folder: Path
    sources: tuple[str, ...]
    plugins: tuple[str, ...]


class Engine(Protocol):
    """Something that runs calls, like `concurrent.futures.Executor`, and that can be stopped and replaced."""

    @property
    def prefetch(self) -> int:
        """How many tasks to submit before waiting for a result."""

    @property
    def maybe_started(self) -> int:
        """How many of the submitted tasks, in their order, may have started."""

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call. Raises BrokenExecutor if a worker died."""

    def check(self) -> None:
        """Raise EngineError if no workers are left."""

    def restart(self, workers: int | None = None) -> Engine:
        """Return a new engine of this kind; `workers` is by default the number of this one."""

    def close(self) -> None:
        """Let the workers end after their tasks."""

    def stop(self) -> None:
        """Cancel tasks that have not started, and end the workers at once."""


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
