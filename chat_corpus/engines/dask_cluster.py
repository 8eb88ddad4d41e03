"""The engine of Dask workers: those of a running scheduler, on one or many machines, or of a cluster started here.

If a worker dies, Dask gives its tasks to other workers, several times; only a task that kills each of its workers
fails. This module checks what Dask does not: that workers produce the same bytes, see the same folders, and exist.
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
#: Faults of a worker that a message shows.
_SHOWN = 3
#: Seconds to wait for a connection to close.
_CLOSE = 0.5
_RESUME = message("finished shards are saved; run the same command again to resume (--engine local works too)")

#: Code that workers started here run first: they ignore interrupts, since this process ends them.
_PRELOAD = "from chat_corpus import process_setup; process_setup.ignore_terminal_signals()"

_log = logging.getLogger(__name__)


class Cluster:
    """The workers of the Dask scheduler at `address`, or with an empty address a cluster of `workers` on this machine.

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
        )  # a later run deletes it, if this one is killed
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
            # Dask does not retry the tasks of a dead worker here: the run submits them again, as with a pool.
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
        """Raise EngineError with all workers that cannot be used, and warn of slow ones."""
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
        """Two tasks per worker, so that no worker waits for its next task to arrive."""
        return 2 * max(1, len(self._workers))

    @property
    def maybe_started(self) -> int:
        """All of them: the scheduler decides which tasks start."""
        return self.prefetch

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run a call in a worker. The future raises BrokenExecutor if each worker that tried it died."""
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
        """Raise EngineError if the scheduler or all workers are gone; log workers that join and leave."""
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
        """Return a new connection, or start a new cluster on this machine."""
        return Cluster(self._address, workers or self._size, self._site)

    def close(self) -> None:
        """Disconnect; end a cluster that this process started."""
        self.stop()

    def stop(self) -> None:
        """Cancel tasks that have not started; end a cluster that this process started at once."""
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
    """Return the first error of the system in the chain of causes of an exception, or the exception itself."""
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
