"""The connection to Dask: import the package with its logs redirected, and connect to a scheduler."""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import Any

from chat_corpus.errors import EngineError, UsageError
from chat_corpus.messages import error_text, message

#: Seconds to wait for the answer of a scheduler.
_CONNECT = 15.0
_log = logging.getLogger(__name__)


class _ToOurLog(logging.Handler):
    """Pass log records of Dask to the log of this module, at level DEBUG."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.debug("dask: %s", record.getMessage(), extra={"event": "dask"})


def dask() -> Any:
    """Return the package `distributed`, which no longer logs to stderr. Raises UsageError if it is not installed."""
    try:
        import dask as core

        core.config.set({"logging": {"version": 1, "disable_existing_loggers": False}})
        import distributed
    except ModuleNotFoundError as error:
        fault = message(
            "Dask is not installed: run pip install 'distributed>=2026.8,<2027', or pip install '.[dask]' in a "
            "checkout of chat-corpus, or omit --engine and --scheduler"
        )
        raise UsageError(fault) from error
    for name in ("distributed", "tornado", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = [_ToOurLog()], False
    return distributed


def client(distributed: Any, where: Any) -> Any:
    """Return a client; `where` is the address of a scheduler, or a cluster that this process started.

    Raises UsageError for a wrong address or missing certificates, EngineError if the scheduler does not answer.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the cluster engine checks versions itself
        if not isinstance(where, str):
            return distributed.Client(where, timeout=_CONNECT, set_as_default=False)
        return _remote_client(distributed, where)


def _remote_client(distributed: Any, address: str) -> Any:
    limit = min(_CONNECT, _seconds("distributed.comm.timeouts.connect"))
    security = distributed.Security()
    try:
        options = security.get_connection_args("client")
    except OSError as error:
        fault = message(
            "the TLS certificates of Dask cannot be read (distributed.comm.tls in the configuration of Dask): {error}",
            error=error_text(error),
        )
        raise UsageError(fault) from error
    if address.startswith("tls://") and options.get("ssl_context") is None:
        raise UsageError(
            message(
                "--scheduler {address}: Dask has no certificates; set distributed.comm.tls.ca-file, .client.cert and "
                ".client.key in the configuration of Dask (DASK_DISTRIBUTED__COMM__TLS__CA_FILE and so on)",
                address=address,
            )
        )
    try:
        asyncio.run(_reach(distributed, address, limit, options))
        return distributed.Client(address, timeout=limit, set_as_default=False, security=security)
    except ValueError as error:
        fault = message(
            "--scheduler {address}: {error}; expected an address such as tcp://10.0.0.1:8786",
            address=address,
            error=error_text(error),
        )
        raise UsageError(fault) from error
    except (OSError, RuntimeError, TimeoutError) as error:
        fault = message(
            "no Dask scheduler answers at {address} within {seconds:.0f} s: {error}; check that it is running, that "
            "this is the address that it printed, and that this machine can reach it",
            address=address,
            seconds=limit,
            error=error_text(error),
        )
        raise EngineError(fault) from error


async def _reach(distributed: Any, address: str, limit: float, options: dict[str, Any]) -> None:
    """Try a connection before a client is made: a client that cannot connect leaves threads that write to logs."""
    comm = await distributed.comm.connect(address, timeout=limit, **options)
    await comm.close()


def _seconds(key: str) -> float:
    import dask

    return float(dask.utils.parse_timedelta(dask.config.get(key), default="s"))
