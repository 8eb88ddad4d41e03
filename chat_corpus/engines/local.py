"""The engine for large inputs: a pool of spawned processes on this machine."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from chat_corpus import process_setup
from chat_corpus.engines.base import Engine
from chat_corpus.engines.inline import Inline
from chat_corpus.messages import error_text, message

_P = ParamSpec("_P")
_T = TypeVar("_T")


_log = logging.getLogger(__name__)

#: Tasks to submit per worker: enough to keep workers busy while this process joins the shards of a source and finds
#: repeats in a gigabyte of pairs.
AHEAD = 24


class Pool:
    """A pool of spawned processes, each with one Polars thread.

    Raises OSError or ImportError if the system cannot start processes.
    """

    def __init__(self, workers: int) -> None:
        # Polars reads this variable when a worker imports it. The threads of this process have already started.
        os.environ["POLARS_MAX_THREADS"] = "1"
        start_tracker()
        self.prefetch = AHEAD * workers
        self.maybe_started = 2 * workers  # running tasks, and finished ones with results that have not arrived
        self._workers = workers
        self._pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        try:
            for _ in range(workers):  # a worker starts with its first task: this starts them while the run is planned
                self._pool.submit(importlib.import_module, "chat_corpus.runs.task")
        except BaseException:
            self.stop()
            raise

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call in a worker."""
        return self._pool.submit(function, *args, **kwargs)

    def check(self) -> None:
        """Do nothing: if a worker dies, the futures of the pool raise BrokenExecutor."""

    def restart(self, workers: int | None = None) -> Engine:
        """Return a new pool, or an `Inline` engine if the system cannot start processes."""
        return pool(workers or self._workers)

    def close(self) -> None:
        """Let the workers end after their tasks, without waiting for them."""
        self._pool.shutdown(wait=False)

    def stop(self) -> None:
        """Cancel tasks that have not started, and end the workers at once."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()


def pool(workers: int) -> Engine:
    """Return a pool of workers, or an `Inline` engine if the system cannot start processes."""
    try:
        return Pool(workers)
    except (OSError, ImportError) as error:  # no semaphores (/dev/shm is missing), too many processes or open files
        warning = message(
            "worker processes cannot be started ({error}); continuing in one process, which takes longer",
            error=error_text(error),
        )
        _log.warning(warning, extra={"event": "workers.none"})
        return Inline()


def start_tracker() -> None:
    """Start the resource tracker of multiprocessing so that it ignores a closed terminal, as it ignores Ctrl-C.

    Otherwise it would end before the workers, and a new tracker would warn about every semaphore that it did not
    create.
    """
    if os.name == "nt":  # Windows has no resource tracker
        return
    from multiprocessing import resource_tracker

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _begin() -> None:
    """Prepare a worker: ignore interrupts, since the parent process ends it, and exit if the parent is killed."""
    process_setup.ignore_terminal_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
