"""Workers that die: their work is done again once, and results come in order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.engines.base import Engine
from chat_corpus.engines.inline import Inline
from chat_corpus.errors import ChatCorpusError, UnexpectedError
from chat_corpus.runs.export.workers import Workers


class Mortal(Inline):
    """An engine with a worker that dies of some tasks so many times; `maybe_started` tasks are under way at once."""

    prefetch = maybe_started = 3

    def __init__(self, deaths: dict[int, int]) -> None:
        self._deaths = deaths
        self.stopped = 0

    def submit(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        if self._deaths.get(args[0], 0) > 0:
            self._deaths[args[0]] -= 1
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("it died"))
            return future
        return super().submit(function, *args, **kwargs)

    def restart(self, workers: int | None = None) -> Engine:  # noqa: ARG002 it has no workers
        return self

    def stop(self) -> None:
        self.stopped += 1


def _double(number: int) -> int:
    if number == 99:
        raise ValueError("odd")
    return 2 * number


def test_what_a_dead_worker_had_is_done_again_and_results_come_in_order() -> None:
    engine = Mortal({3: 1, 4: 1})
    with Workers(engine, Path()) as workers:
        assert workers.map(_double, range(10)) == [2 * number for number in range(10)]
    assert engine.stopped


def test_a_task_that_no_worker_outlives_fails_by_name() -> None:
    with (
        pytest.raises(ChatCorpusError, match=r"^4: its worker process died each time"),
        Workers(Mortal({4: 2}), Path()) as workers,
    ):
        workers.map(_double, range(10))


def test_an_unforeseen_failure_of_a_task_is_one_message() -> None:
    with pytest.raises(UnexpectedError, match="ValueError: odd"), Workers(Inline(), Path()) as workers:
        workers.map(_double, [1, 99])


def test_nothing_to_do_is_done() -> None:
    with Workers(Inline(), Path()) as workers:
        assert workers.map(_double, []) == []
