"""Engines of this machine: the process itself for small inputs, a pool of spawned processes for large ones."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from chat_corpus import process_setup
from chat_corpus.engines.base import Engine

_P = ParamSpec("_P")
_T = TypeVar("_T")


_log = logging.getLogger(__name__)

#: Tasks for each worker: enough for them to go on while this process puts a source in its place.
AHEAD = 6


class Inline:
    """Do each task when it is submitted, in this process."""

    prefetch = maybe_started = 1

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Call the function; its failure is the future's."""
        future: Future[_T] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 whatever it is belongs to the future, as with any executor
            future.set_exception(error)
        return future

    def check(self) -> None:
        """It is this process."""

    def restart(self, workers: int | None = None) -> Engine:  # noqa: ARG002 it has no workers
        """Itself: it has no worker that could die."""
        return self

    def close(self) -> None:
        """Nothing is left to end."""

    def stop(self) -> None:
        """Nothing is left to stop."""


class Pool:
    """A pool of spawned processes, each with one Polars thread.

    Raises OSError or ImportError where the system lets none be started.
    """

    def __init__(self, workers: int) -> None:
        # Read by Polars when a worker imports it; this process has its threads already.
        os.environ["POLARS_MAX_THREADS"] = "1"
        start_tracker()
        self.prefetch = AHEAD * workers
        self.maybe_started = 2 * workers  # those that they do, and those that they have done but not yet told of
        self._workers = workers
        self._pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        try:
            for _ in range(workers):  # a worker starts when first asked for something: now, while the tasks are planned
                self._pool.submit(importlib.import_module, "chat_corpus.runs.task")
        except BaseException:
            self.stop()
            raise

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call in a worker."""
        return self._pool.submit(function, *args, **kwargs)

    def check(self) -> None:
        """A pool that broke says so through its tasks."""

    def restart(self, workers: int | None = None) -> Engine:
        """A new pool."""
        return pool(workers or self._workers)

    def close(self) -> None:
        """Let the workers end, which takes them a moment, while this process goes on."""
        self._pool.shutdown(wait=False)

    def stop(self) -> None:
        """Drop what has not begun, and end the workers at once."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()


def pool(workers: int) -> Engine:
    """A pool of so many workers, or, where the system lets none be started, this process, which then does it all."""
    try:
        return Pool(workers)
    except (OSError, ImportError) as error:  # no semaphores, as without /dev/shm; no more processes, or open files
        told = "no worker processes can be started (%s); this process does all of it, which takes longer"
        _log.warning(told, error, extra={"event": "workers.none"})
        return Inline()


def start_tracker() -> None:
    """Start the process that tidies up after workers: deaf to a terminal that closes, as Python has it for Ctrl-C.

    It would else be gone when the workers are ended, and its follower tell of each semaphore that it does not know.
    """
    if os.name == "nt":  # which has none
        return
    from multiprocessing import resource_tracker

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _begin() -> None:
    """Leave interrupts to the parent, which ends its workers, and end with a parent that was killed."""
    process_setup.ignore_terminal_signals()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def most_workers(cores: int, platform: str = sys.platform) -> int:
    """How many of so many workers a pool can have: Windows waits for 63 handles at once, of which a pool needs two."""
    return min(cores, 61) if platform == "win32" else cores
