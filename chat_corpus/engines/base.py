"""What a run asks of an engine."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Engine(Protocol):
    """What the driver asks of an engine: the submit of `concurrent.futures.Executor`, and to be stopped or replaced."""

    @property
    def prefetch(self) -> int:
        """How many tasks to hand out before waiting for one."""

    @property
    def maybe_started(self) -> int:
        """How many of the tasks handed out may have been begun: the first ones."""

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call. Raises BrokenExecutor where a worker died."""

    def check(self) -> None:
        """Raise EngineError where nobody is left who could do the work."""

    def restart(self, workers: int | None = None) -> Engine:
        """A new engine of this kind, of so many workers or as many as this one."""

    def close(self) -> None:
        """Let the workers end when they are done."""

    def stop(self) -> None:
        """Drop what has not begun, and end the workers at once."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
