"""The engine for small inputs, which runs tasks in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

from chat_corpus.engines.base import Engine

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Inline:
    """Runs each task in this process when it is submitted."""

    prefetch = maybe_started = 1

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call the function at once, and return a future with its result or exception."""
        future: Future[_T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 the future holds any exception, as with every executor
            future.set_exception(error)
        return future

    def check(self) -> None:
        """Do nothing: there are no workers."""

    def restart(self, workers: int | None = None) -> Engine:  # noqa: ARG002 it has no workers
        """Return this engine: it has no workers that could die."""
        return self

    def close(self) -> None:
        """Do nothing: there are no workers."""

    def stop(self) -> None:
        """Do nothing: there are no workers."""
