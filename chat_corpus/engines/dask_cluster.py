"""An engine of Dask workers: those of a scheduler that runs already, on many machines or one, or a cluster of our own.

Dask gives the tasks of a worker that died to others, several times; only a task that its workers never outlive comes
back as failed. What is not left to Dask is looked at here: that workers make the same bytes, that they see the same
folders, and that there are any.
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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from chat_corpus.engines import dask_client, worker_checks
from chat_corpus.engines.base import Engine
from chat_corpus.engines.local import start_tracker
from chat_corpus.errors import EngineError

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: Seconds that a scheduler has to find its first worker.
_FIRST_WORKER = 15.0
#: Seconds that a cluster may be without any worker, while one is started anew.
_DESERTED = 60.0
#: Seconds between looks at the workers.
_LOOK = 2.0
#: Seconds that a connection has to say goodbye.
_GOODBYE = 0.5
_RESUME = "what is done is kept: the same command goes on from there, and so does --engine local"

#: What a worker of our own does first: an interrupt is ours, who end it.
_DEAF = "from chat_corpus import process_setup; process_setup.ignore_terminal_signals()"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What every worker must find: `files` to read, a `folder` to write under, and `sources` from the `plugins`."""

    files: tuple[Path, ...]
    folder: Path
    sources: tuple[str, ...]
    plugins: tuple[str, ...]


class Cluster:
    """Workers of the Dask scheduler at `address`; without one, so many `workers` of this machine.

    Raises UsageError where Dask is not installed or not configured for the address, EngineError where the scheduler
    does not answer, or its workers cannot take part.
    """

    def __init__(self, address: str, workers: int, site: Site) -> None:
        self._address, self._asked, self._site = address, workers, site
        self._name = f"the Dask scheduler {address or 'of this machine'}"
        self._dask = dask_client.dask()
        self._token = site.folder / f".token.{uuid.uuid4().hex}.writing"  # swept, if we are killed
        self._terms = worker_checks.Terms(versions=worker_checks.own_versions(), token=self._token)
        self._client: Any = None
        self._own: Any = None
        self._workers: dict[str, int] = {}
        self._looked = self._peopled = time.monotonic()
        try:
            self._open()
        except BaseException:
            self.stop()
            raise

    def _open(self) -> None:
        self._token.touch()
        if not self._address:
            os.environ["POLARS_MAX_THREADS"] = "1"  # read by Polars when a worker imports it
            # No other worker gets the tasks of one that died: the driver tries them again, as it does with a pool.
            self._own = self._started(
                n_workers=self._asked, threads_per_worker=1, memory_limit=0, dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False, "allowed_failures": 0}, silence_logs=logging.CRITICAL,
                preload=[_DEAF],
            )  # fmt: skip
        self._client = dask_client.client(self._dask, self._own or self._address)
        self._executor = self._client.get_executor(pure=False)
        self._await_workers()
        self._inspect()

    def _started(self, **options: Any) -> Any:
        """A cluster of this machine. Raises EngineError where the system lets no process be started."""
        try:
            start_tracker()
            return self._dask.LocalCluster(**options)
        except (OSError, ImportError, RuntimeError) as error:
            raise EngineError(
                f"no Dask cluster can be started on this machine: {_refusal(error)}; use --engine local"
            ) from error

    def _await_workers(self) -> None:
        limit = time.monotonic() + _FIRST_WORKER
        while not (workers := self._client.nthreads()):
            if time.monotonic() > limit:
                start = f"dask worker {self._address} --nthreads 1 --nworkers 4"
                raise EngineError(f"{self._name} has no workers: start some, as with '{start}'")
            time.sleep(0.1)
        self._workers = workers

    def _inspect(self) -> None:
        """Raise EngineError with every worker that cannot take part, and say which of them will be slow."""
        there = _version_of_scheduler(self._client)
        if there != self._dask.__version__:
            raise EngineError(
                f"{self._name} is distributed {there}, here is {self._dask.__version__}; "
                "install the same version everywhere"
            )
        site = self._site
        files = worker_checks.seen((*site.files, *map(Path, site.plugins)))
        told = self._client.run(worker_checks.look, self._terms, files, site.sources, site.plugins, on_error="return")
        faults = {address: _faults(worker) for address, worker in sorted(told.items())}
        if any(faults.values()):
            raise EngineError("; ".join(_unfit(address, found) for address, found in faults.items() if found))
        for address, worker in told.items():
            if worker.threads > 1 and not self._own:
                _log.warning(
                    "worker %s: Polars has %d threads there; start it with POLARS_MAX_THREADS=1",
                    address, worker.threads, extra={"event": "worker.slow"},
                )  # fmt: skip
            if self._workers.get(address, 1) > 1:
                _log.warning(
                    "worker %s: one of its %d threads is used; start it with --nthreads 1 --nworkers N",
                    address, self._workers[address], extra={"event": "worker.slow"},
                )  # fmt: skip
        if not self._own:
            hosts = ", ".join(f"{host} {n}" for host, n in sorted(Counter(one.host for one in told.values()).items()))
            _log.info("%d workers of %s: %s", len(told), self._address, hosts, extra={"event": "workers"})

    @property
    def prefetch(self) -> int:
        """Two tasks for every worker there is, so that none waits for the next to be sent."""
        return 2 * max(1, len(self._workers))

    @property
    def maybe_started(self) -> int:
        """Any of them."""
        return self.prefetch

    def submit(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a worker do a call. Its future fails with BrokenExecutor where all workers that tried died of it."""
        future: Future[_T] = Future()
        sent: Future[bytes] = self._executor.submit(
            worker_checks.call, self._terms, pickle.dumps((function, args, kwargs))
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
            future.set_exception(EngineError(f"a worker of {self._name} cannot take part: {error}; {_RESUME}"))
        except BaseException as error:  # noqa: BLE001 whatever it is belongs to the future, which is waited for
            future.set_exception(error)

    def _lost(self) -> EngineError:
        return EngineError(f"the connection to {self._name} was lost; {_RESUME}")

    def check(self) -> None:
        """Raise EngineError where scheduler or workers are gone; say which workers came and went."""
        now = time.monotonic()
        if self._client.status != "running":
            raise self._lost()
        if now - self._looked < _LOOK:
            return
        try:
            workers = self._client.sync(self._client.scheduler.ncores, callback_timeout=_DESERTED)
        except (OSError, TimeoutError) as error:
            raise self._lost() from error
        for gone in self._workers.keys() - workers.keys():
            _log.warning("worker %s is gone; others do what it had under way", gone, extra={"event": "worker.gone"})
        for new in workers.keys() - self._workers.keys():
            _log.info("worker %s has come", new, extra={"event": "worker.came"})
        self._workers, self._looked = workers, time.monotonic()
        if workers:
            self._peopled = self._looked
        elif now - self._peopled > _DESERTED:
            raise EngineError(f"{self._name} has had no workers for {_DESERTED:.0f} s; {_RESUME}")

    def restart(self, workers: int | None = None) -> Engine:
        """A new connection, or a new cluster of our own."""
        return Cluster(self._address, workers or self._asked, self._site)

    def close(self) -> None:
        """Leave the cluster to itself, or end our own."""
        self.stop()

    def stop(self) -> None:
        """Have the scheduler forget what has not begun, and end our own cluster at once."""
        with warnings.catch_warnings(), contextlib.suppress(OSError, TimeoutError, asyncio.TimeoutError):
            warnings.simplefilter("ignore")
            if self._client is not None:
                self._client.close(timeout=_GOODBYE)
            if self._own is not None:
                for worker in multiprocessing.active_children():
                    worker.kill()
                self._own.close(timeout=_GOODBYE)
        self._token.unlink(missing_ok=True)


def _refusal(error: BaseException) -> BaseException:
    """What the system refused, of all that led to an exception; the exception itself, if that is not known."""
    one: BaseException | None = error
    while one is not None:
        if isinstance(one, (OSError, ImportError)):
            return one
        one = one.__cause__ or one.__context__
    return error


def _version_of_scheduler(client: Any) -> str:
    return str(client.get_versions()["scheduler"]["packages"]["distributed"])


def _faults(worker: worker_checks.Worker | Exception) -> list[str]:
    return worker.faults if isinstance(worker, worker_checks.Worker) else [f"{type(worker).__name__}: {worker}"]


def _unfit(address: str, faults: list[str]) -> str:
    """How a worker differs, the first few points of it."""
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return f"worker {address} cannot take part: {'; '.join(faults[:3])}{more}"
