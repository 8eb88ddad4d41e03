"""Keep an engine busy with tasks, which may finish in any order, and continue after a worker dies.

When a worker dies, killed or out of memory, every task that may have started is tried again alone, which shows the task
that kills its worker. The source of this task fails; all other sources continue.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from itertools import chain

from chat_corpus.engines.base import Engine
from chat_corpus.errors import ChatCorpusError, EngineError, unwritten
from chat_corpus.messages import joined, message
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.task import ShardTask

#: Seconds between checks of the engine while no task finishes.
_CHECK_SECONDS = 1.0

_log = logging.getLogger(__name__)


#: A task; its counts, or the error if it failed; and whether this run did the work, rather than an earlier run.
Result = tuple[ShardTask, Counts | ChatCorpusError, bool]


def dispatch(engine: Engine, tasks: Iterable[ShardTask]) -> Iterator[Result]:
    """Yield each task with its result as it finishes; tasks that an earlier run finished need no work.

    Raises EngineError if the engine is lost. The engine is stopped or closed at the end in every case.
    """
    dispatcher = _Dispatcher(engine, tasks)
    try:
        yield from dispatcher.results()
    except BaseException:
        dispatcher.engine.stop()
        raise
    dispatcher.engine.close()


class _Dispatcher:
    """The waiting tasks, the running tasks, and the sources that failed because a shard kills its worker each time."""

    def __init__(self, engine: Engine, tasks: Iterable[ShardTask]) -> None:
        self.engine = engine
        self._waiting = iter(tasks)
        self._running: dict[Future[Counts], ShardTask] = {}
        self._failed: dict[str, ChatCorpusError] = {}

    def results(self) -> Iterator[Result]:
        while True:
            yield from self._start()
            if not self._running:
                return
            finished = _wait_for_any(self.engine, self._running)
            dead = [task for future, task in self._running.items() if _worker_died(future)]
            for future in finished:
                task = self._running.pop(future)
                if task not in dead:
                    yield task, _result(future, task), True
            if dead:
                yield from self._recover(dead)

    def _start(self) -> Iterator[Result]:
        """Start tasks until the engine has enough of them. Yield the results of tasks that need no work."""
        while len(self._running) < self.engine.prefetch and (task := next(self._waiting, None)) is not None:
            source = task.shard.source
            if source in self._failed:
                yield task, self._failed[source], False
            elif (counts := task.part.counts()) is not None:
                done = message(
                    "{source}: shard {number} was done by an earlier run", source=source, number=task.shard.number
                )
                _log.debug("%s", done, extra={"event": "shard.resumed", "source": source})
                yield task, counts, False
            else:
                self._running[_submit(self.engine, task)] = task

    def _recover(self, dead: list[ShardTask]) -> Iterator[Result]:
        """Try the tasks of dead workers again and yield their results. Continue with a new engine.

        One dead worker ends the pool, and with it all calls that the other workers have started.
        """
        while [future for future in self._running if not future.done()]:
            _wait_for_any(self.engine, [future for future in self._running if not future.done()])
        dead += [self._running.pop(future) for future in list(self._running) if _worker_died(future)]
        self.engine.stop()
        yield from self._retry(dead[: self.engine.maybe_started])
        self._waiting = chain(dead[self.engine.maybe_started :], self._waiting)
        self.engine = self.engine.restart()

    def _retry(self, tasks: list[ShardTask]) -> Iterator[Result]:
        """Run tasks one at a time, except those of a source that has failed, and yield their results."""
        shards = [task.shard for task in tasks]
        names = [message("{source} shard {number}", source=shard.source, number=shard.number) for shard in shards]
        died = message(
            "a worker process died (killed, or out of memory); trying again: {shards}", shards=joined(", ", names)
        )
        _log.warning("%s", died, extra={"event": "worker.died"})
        for task in tasks:
            if task.shard.source in self._failed:
                yield task, self._failed[task.shard.source], False
                continue
            single = self.engine.restart(1)
            future = _submit(single, task)
            try:
                _wait_for_any(single, [future])
            finally:
                single.stop()
            if _worker_died(future):
                self._failed[task.shard.source] = _kills_its_worker(task)
                yield task, self._failed[task.shard.source], True
            else:
                yield task, _result(future, task), True


def _kills_its_worker(task: ShardTask) -> ChatCorpusError:
    first = task.shard.pieces[0]
    return ChatCorpusError(
        message(
            "{source}: shard {number} ({file} from record {record}): its worker process died each time, killed or out "
            "of memory; try a smaller shard_bytes",
            source=task.shard.source,
            number=task.shard.number,
            file=first.file.name,
            record=first.first,
        )
    )


def _submit(engine: Engine, task: ShardTask) -> Future[Counts]:
    try:
        return engine.submit(task.work, task)
    except BrokenExecutor as error:
        future: Future[Counts] = Future()
        future.set_exception(error)
        return future


def _wait_for_any(engine: Engine, running: Collection[Future[Counts]]) -> set[Future[Counts]]:
    """Return the finished calls as soon as there is one. Raises EngineError if none will ever finish."""
    while True:
        engine.check()
        finished = wait(running, timeout=_CHECK_SECONDS, return_when=FIRST_COMPLETED).done
        if finished:
            return finished


def _worker_died(future: Future[Counts]) -> bool:
    return future.done() and isinstance(future.exception(), BrokenExecutor)


def _result(future: Future[Counts], task: ShardTask) -> Counts | ChatCorpusError:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, (EngineError, KeyboardInterrupt)):
        raise error
    if isinstance(error, ChatCorpusError):  # its message already names the place
        return error
    return unwritten(task.shard.extent, error, task.folder.parent)
