"""Keep an engine busy with tasks, whatever order they finish in, and outlive workers that die.

When a worker dies, killed or out of memory, every task that may have been begun is tried once more, one at a time, so
that the one that kills its worker is known by name. The others go on, but for those of its source, which has failed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from itertools import chain

from chat_corpus.engines.base import Engine
from chat_corpus.errors import ChatCorpusError, EngineError, unwritten
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.task import ShardTask, run_shard

#: Seconds between looks at the engine while nothing finishes.
_PATIENCE = 1.0

_log = logging.getLogger(__name__)


#: A task, its accounts or why it failed, and whether it was done now and not by an earlier run.
Driven = tuple[ShardTask, Counts | ChatCorpusError, bool]


def dispatch(engine: Engine, tasks: Iterable[ShardTask]) -> Iterator[Driven]:
    """Each task with what became of it, as they finish; tasks done in an earlier run at once.

    Raises EngineError where the engine is lost. Stops the engine in every case.
    """
    running: dict[Future[Counts], ShardTask] = {}
    failed: dict[str, ChatCorpusError] = {}  # sources of which a shard kills its worker each time
    waiting = iter(tasks)
    try:
        while True:
            while len(running) < engine.prefetch and (task := next(waiting, None)) is not None:
                if task.shard.source in failed:
                    yield task, failed[task.shard.source], False
                elif (counts := task.part.counts()) is not None:
                    about = {"event": "shard.resumed", "source": task.shard.source}
                    _log.debug(
                        "%s: shard %d was done by an earlier run", task.shard.source, task.shard.number, extra=about
                    )
                    yield task, counts, False
                else:
                    running[_submit(engine, task)] = task
            if not running:
                break
            finished = _finished(engine, running)
            lost = [task for future, task in running.items() if _died(future)]
            for future in finished:
                task = running.pop(future)
                if task not in lost:
                    yield task, _outcome(future, task), True
            if lost:
                # One dead worker ends the pool, and with it what the other workers had under way.
                while [future for future in running if not future.done()]:
                    _finished(engine, [future for future in running if not future.done()])
                lost += [running.pop(future) for future in list(running) if _died(future)]
                engine.stop()
                yield from _again(engine, lost[: engine.maybe_started], failed)
                waiting = chain(lost[engine.maybe_started :], waiting)
                engine = engine.restart()
    except BaseException:
        engine.stop()
        raise
    engine.close()


def _again(engine: Engine, lost: list[ShardTask], failed: dict[str, ChatCorpusError]) -> Iterator[Driven]:
    """The tasks `lost` that may have been begun, one at a time, but none of a source that has `failed`."""
    told = ", ".join(f"{task.shard.source} shard {task.shard.number}" for task in lost)
    _log.warning(
        "a worker process died (killed, or out of memory); trying again: %s", told, extra={"event": "worker.died"}
    )
    for task in lost:
        if task.shard.source in failed:
            yield task, failed[task.shard.source], False
            continue
        single = engine.restart(1)
        future = _submit(single, task)
        try:
            _finished(single, [future])
        finally:
            single.stop()
        if _died(future):
            shard, first = task.shard, task.shard.pieces[0]
            where = f"{shard.source}: shard {shard.number} ({first.file.name} from record {first.first})"
            told = "a worker process died over it each time, killed or out of memory; try a smaller shard_bytes"
            failed[shard.source] = ChatCorpusError(f"{where}: {told}")
            yield task, failed[shard.source], True
        else:
            yield task, _outcome(future, task), True


def _submit(engine: Engine, task: ShardTask) -> Future[Counts]:
    try:
        return engine.submit(run_shard, task)
    except BrokenExecutor as error:
        future: Future[Counts] = Future()
        future.set_exception(error)
        return future


def _finished(engine: Engine, running: Collection[Future[Counts]]) -> set[Future[Counts]]:
    """Those of the calls under way that are done, as soon as one is. Raises EngineError where none ever will be."""
    while True:
        engine.check()
        finished = wait(running, timeout=_PATIENCE, return_when=FIRST_COMPLETED).done
        if finished:
            return finished


def _died(future: Future[Counts]) -> bool:
    return future.done() and isinstance(future.exception(), BrokenExecutor)


def _outcome(future: Future[Counts], task: ShardTask) -> Counts | ChatCorpusError:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, (EngineError, KeyboardInterrupt)):
        raise error
    if isinstance(error, ChatCorpusError):  # told with its place where it was met
        return error
    return unwritten(task.shard.extent, error, task.folder.parent)
