"""Run one function on many tasks in worker processes, and return the results in the order of the tasks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from pathlib import Path
from typing import TypeVar

from chat_corpus.engines.base import Engine
from chat_corpus.errors import ChatCorpusError, EngineError, unexpected
from chat_corpus.messages import message

_T = TypeVar("_T")
_R = TypeVar("_R")
_PATIENCE = 1.0

_log = logging.getLogger(__name__)


class Workers:
    """The workers of an export or a preview. Use it as a context manager: the workers are released with the block."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            self._engine.close()
        else:
            self._engine.stop()

    def map(self, function: Callable[[_T], _R], tasks: Iterable[_T]) -> list[_R]:
        """Return the results of all tasks, in order.

        A task is tried once more if its worker died. Raises ChatCorpusError if a task fails, EngineError if the engine
        is lost.
        """
        waiting = enumerate(tasks)
        results: dict[int, _R] = {}
        running: dict[Future[_R], tuple[int, _T]] = {}
        while True:
            running |= {self._submit(function, task): (number, task) for number, task in self._next(waiting, running)}
            if not running:
                return [results[number] for number in range(len(results))]
            lost = []
            for future in self._finished(running):
                number, task = running.pop(future)
                if isinstance(future.exception(), BrokenExecutor):
                    lost.append((number, task))
                else:
                    results[number] = _result(future)
            if lost:
                lost += self._rest(running, results)
                results |= self._again(function, sorted(lost, key=lambda item: item[0]))

    def _next(
        self, waiting: Iterator[tuple[int, _T]], running: dict[Future[_R], tuple[int, _T]]
    ) -> list[tuple[int, _T]]:
        free = self._engine.prefetch - len(running)
        return [item for _, item in zip(range(free), waiting, strict=False)]

    def _submit(self, function: Callable[[_T], _R], task: _T) -> Future[_R]:
        try:
            return self._engine.submit(function, task)
        except BrokenExecutor as error:
            future: Future[_R] = Future()
            future.set_exception(error)
            return future

    def _finished(self, running: Iterable[Future[_R]]) -> set[Future[_R]]:
        while True:
            self._engine.check()
            if finished := wait(running, timeout=_PATIENCE, return_when=FIRST_COMPLETED).done:
                return finished

    def _rest(self, running: dict[Future[_R], tuple[int, _T]], results: dict[int, _R]) -> list[tuple[int, _T]]:
        """Wait for the running tasks after a worker died. Add their results, and return the tasks that are lost."""
        lost = []
        while running:
            for future in self._finished(running):
                number, task = running.pop(future)
                if isinstance(future.exception(), BrokenExecutor):
                    lost.append((number, task))
                else:
                    results[number] = _result(future)
        return lost

    def _again(self, function: Callable[[_T], _R], lost: Sequence[tuple[int, _T]]) -> dict[int, _R]:
        """Run lost tasks again, one at a time, and return their results by number.

        Raises ChatCorpusError if the worker of a task dies again.
        """
        text = message("a worker process died (killed, or out of memory); trying again")
        _log.warning("%s", text, extra={"event": "worker.died"})
        self._engine.stop()
        results = {}
        for number, task in lost:
            single = self._engine.restart(1)
            try:
                future = single.submit(function, task)
                wait([future])
            finally:
                single.stop()
            if isinstance(future.exception(), BrokenExecutor):
                fault = message(
                    "{task}: its worker process died each time, killed or out of memory; use fewer --workers",
                    task=str(task),
                )
                raise ChatCorpusError(fault)
            results[number] = _result(future)
        self._engine = self._engine.restart()
        return results


def _result(future: Future[_R]) -> _R:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, (ChatCorpusError, EngineError, KeyboardInterrupt)):
        raise error
    raise unexpected("export", error) from error
