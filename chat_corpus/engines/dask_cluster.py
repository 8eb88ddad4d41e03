"""The engine that runs tasks on Dask workers: those of a running scheduler, or of a cluster started on this machine.

If a worker of a running scheduler dies, Dask gives its tasks to other workers, several times; a task fails only if each
worker that tries it dies. In a cluster started here, the task fails at once, and the run submits it again.

This module checks what Dask does not check: that the workers produce the same bytes, see the same files and folders,
and that there are workers at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import pickle
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from chat_corpus.engines import dask_client, worker_checks
from chat_corpus.engines.base import Engine, Site
from chat_corpus.engines.local import start_tracker
from chat_corpus.errors import EngineError
from chat_corpus.messages import Message, count_noun, error_text, joined, message

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Seconds to wait for the first worker of a scheduler.
FIRST_WORKER_SECONDS = 15.0
#: Seconds that a cluster may be without workers, while workers restart.
_NO_WORKERS = 60.0
#: Seconds between checks of the workers.
_CHECK = 2.0
#: A message shows at most this many faults of a worker.
_SHOWN = 3
#: Seconds to wait for a connection to close.
_CLOSE = 0.5
_RESUME = message("finished shards are saved; run the same command again to resume (--engine local works too)")

#: Code that the workers of a cluster started here run first. They ignore interrupts, since this process ends them.
_PRELOAD = "from chat_corpus import process_setup; process_setup.ignore_terminal_signals()"

_log = logging.getLogger(__name__)


class Cluster:
    """The workers of the Dask scheduler at `address`; if that is empty, a cluster of `workers` on this machine.

    Raises UsageError if Dask is not installed or not configured for the address, EngineError if the scheduler does not
    answer or its workers cannot be used.
    """

    def __init__(self, address: str, workers: int, site: Site) -> None:
        self._address, self._size, self._site = address, workers, site
        at = message("the Dask scheduler at {address}", address=address)
        self._name = at if address else message("the Dask scheduler of this machine")
        self._dask = dask_client.dask()
        self._token = (
            site.folder / f".token.{uuid.uuid4().hex}.writing"
        )  # if this run is killed, a later run deletes the file
        self._requirements = worker_checks.Requirements(versions=worker_checks.process_versions(), token=self._token)
        self._client: Any = None
        self._local: Any = None  # the cluster that this process started
        self._workers: dict[str, int] = {}
        self._checked = self._had_workers = time.monotonic()
        try:
            self._open()
        except BaseException:
            self.stop()
            raise

    def _open(self) -> None:
        self._token.touch()
        if not self._address:
            os.environ["POLARS_MAX_THREADS"] = "1"  # Polars reads it when a worker imports Polars
            # allowed_failures=0: the run submits the tasks of a dead worker again, as it does for a pool.
            self._local = self._started(
                n_workers=self._size, threads_per_worker=1, memory_limit=0, dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False, "allowed_failures": 0}, silence_logs=logging.CRITICAL,
                preload=[_PRELOAD],
            )  # fmt: skip
        self._client = dask_client.client(self._dask, self._local or self._address)
        self._executor = self._client.get_executor(pure=False)
        self._await_workers()
        self._inspect()

    def _started(self, **options: Any) -> Any:
        """Start a cluster on this machine. Raises EngineError if the system cannot start processes."""
        try:
            start_tracker()
            return self._dask.LocalCluster(**options)
        except (OSError, ImportError, RuntimeError) as error:
            fault = message(
                "a Dask cluster cannot be started on this machine: {error}; use --engine local",
                error=error_text(_system_error(error)),
            )
            raise EngineError(fault) from error

    def _await_workers(self) -> None:
        limit = time.monotonic() + FIRST_WORKER_SECONDS
        while not (workers := self._client.nthreads()):
            if time.monotonic() > limit:
                fault = message(
                    "{scheduler} has no workers; start some, for example with '{command}'",
                    scheduler=self._name,
                    command=f"dask worker {self._address} --nthreads 1 --nworkers 4",
                )
                raise EngineError(fault)
            time.sleep(0.1)
        self._workers = workers

    def _inspect(self) -> None:
        """Check the scheduler and its workers, and warn about slow workers.

        Raises EngineError if the version of the scheduler differs, or if workers cannot be used (with all of them).
        """
        version = _version_of_scheduler(self._client)
        if version != self._dask.__version__:
            fault = message(
                "{scheduler} runs distributed {version}, but {local} is installed here; install the same version on "
                "all machines",
                scheduler=self._name,
                version=version,
                local=self._dask.__version__,
            )
            raise EngineError(fault)
        site, check = self._site, worker_checks.inspect_worker
        files = worker_checks.file_facts((*site.files, *map(Path, site.plugins)))
        workers = self._client.run(check, self._requirements, files, site.sources, site.plugins, on_error="return")
        faults = {address: _faults(worker) for address, worker in sorted(workers.items())}
        if any(faults.values()):
            raise EngineError(joined("; ", [_unusable(address, found) for address, found in faults.items() if found]))
        for address, worker in workers.items():
            self._warn_if_slow(address, worker)
        if not self._local:
            hosts = sorted(Counter(worker.host for worker in workers.values()).items())
            info = message(
                "{workers} of {address}: {hosts}",
                workers=count_noun(len(workers), "worker"),
                address=self._address,
                hosts=joined(", ", [f"{host} {number}" for host, number in hosts]),
            )
            _log.info(info, extra={"event": "workers"})

    def _warn_if_slow(self, address: str, worker: worker_checks.WorkerFacts) -> None:
        if worker.threads > 1 and not self._local:
            warning = message(
                "worker {address}: Polars uses {threads} threads; start the worker with POLARS_MAX_THREADS=1",
                address=address,
                threads=worker.threads,
            )
            _log.warning(warning, extra={"event": "worker.slow"})
        if self._workers.get(address, 1) > 1:
            warning = message(
                "worker {address}: only one of its {threads} threads is used; start it with --nthreads 1 --nworkers N",
                address=address,
                threads=self._workers[address],
            )
            _log.warning(warning, extra={"event": "worker.slow"})

    @property
    def prefetch(self) -> int:
        """Two tasks per worker, so that no worker waits until its next task arrives."""
        return 2 * max(1, len(self._workers))

    @property
    def maybe_started(self) -> int:
        """All submitted tasks: the scheduler decides which of them start."""
        return self.prefetch

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Start a call in a worker. Its future raises BrokenExecutor if every worker that tried the call died."""
        future: Future[_T] = Future()
        sent: Future[bytes] = self._executor.submit(
            worker_checks.call, self._requirements, pickle.dumps((function, args, kwargs))
        )
        sent.add_done_callback(partial(self._pass_on, future))
        return future

    def _pass_on(self, future: Future[_T], sent: Future[bytes]) -> None:
        try:
            future.set_result(worker_checks.outcome(sent.result()))
        except self._dask.scheduler.KilledWorker as error:
            future.set_exception(BrokenExecutor(str(error)))
        except CancelledError:
            future.set_exception(self._lost())
        except ModuleNotFoundError as error:
            fault = message(
                "a worker of {scheduler} cannot be used: {error}; {resume}",
                scheduler=self._name,
                error=error_text(error),
                resume=_RESUME,
            )
            future.set_exception(EngineError(fault))
        except BaseException as error:  # noqa: BLE001 the run waits for the future, which holds any exception
            future.set_exception(error)

    def _lost(self) -> EngineError:
        return EngineError(
            message("the connection to {scheduler} was lost; {resume}", scheduler=self._name, resume=_RESUME)
        )

    def check(self) -> None:
        """Raise EngineError if the connection is lost or workers are missing for too long.

        Logs workers that join or leave.
        """
        now = time.monotonic()
        if self._client.status != "running":
            raise self._lost()
        if now - self._checked < _CHECK:
            return
        try:
            workers = self._client.sync(self._client.scheduler.ncores, callback_timeout=_NO_WORKERS)
        except (OSError, TimeoutError) as error:
            raise self._lost() from error
        for gone in self._workers.keys() - workers.keys():
            warning = message("worker {address} left; other workers take over its tasks", address=gone)
            _log.warning(warning, extra={"event": "worker.gone"})
        for new in workers.keys() - self._workers.keys():
            _log.info(message("worker {address} joined", address=new), extra={"event": "worker.came"})
        self._workers, self._checked = workers, time.monotonic()
        if workers:
            self._had_workers = self._checked
        elif now - self._had_workers > _NO_WORKERS:
            fault = message(
                "{scheduler} has had no workers for {seconds:.0f} s; {resume}",
                scheduler=self._name,
                seconds=_NO_WORKERS,
                resume=_RESUME,
            )
            raise EngineError(fault)

    def restart(self, workers: int | None = None) -> Engine:
        """Return an engine with a new connection to the scheduler, or with a new cluster on this machine."""
        return Cluster(self._address, workers or self._size, self._site)

    def close(self) -> None:
        """Disconnect, and end the cluster if this process started it."""
        self.stop()

    def stop(self) -> None:
        """Disconnect, which cancels tasks that have not started. End the cluster at once if this process started it."""
        with warnings.catch_warnings(), contextlib.suppress(OSError, TimeoutError, asyncio.TimeoutError):
            warnings.simplefilter("ignore")
            if self._client is not None:
                self._client.close(timeout=_CLOSE)
            if self._local is not None:
                for worker in multiprocessing.active_children():
                    worker.kill()
                self._local.close(timeout=_CLOSE)
        self._token.unlink(missing_ok=True)


def _system_error(error: BaseException) -> BaseException:
    """Return the first OSError or ImportError in the chain of causes of an exception, or else the exception itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (OSError, ImportError)):
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _version_of_scheduler(client: Any) -> str:
    return str(client.get_versions()["scheduler"]["packages"]["distributed"])


def _faults(worker: worker_checks.WorkerFacts | Exception) -> list[Message]:
    if isinstance(worker, worker_checks.WorkerFacts):
        return worker.faults
    return [message("{kind}: {error}", kind=type(worker).__name__, error=error_text(worker))]


def _unusable(address: str, faults: list[Message]) -> Message:
    """Return a message about a worker with its first few faults."""
    first, more = joined("; ", faults[:_SHOWN]), len(faults) - _SHOWN
    if more > 0:
        return message(
            "worker {address} cannot be used: {faults}; and {more} more", address=address, faults=first, more=more
        )
    return message("worker {address} cannot be used: {faults}", address=address, faults=first)
