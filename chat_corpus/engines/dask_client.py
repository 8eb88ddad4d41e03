"""How this process meets Dask: the package, silenced, and a client of a scheduler, or the reason why there is none."""

from __future__ import annotations

import asyncio
import logging
import warnings
from typing import Any

from chat_corpus.errors import EngineError, UsageError

#: Seconds that a scheduler has to answer.
_CONNECT = 15.0
_MISSING = (
    "Dask is not installed here: pip install 'distributed>=2026.8,<2027', or '.[dask]' in a checkout of chat-corpus; "
    "or leave out --engine and --scheduler"
)

_log = logging.getLogger(__name__)


class _ToOurLog(logging.Handler):
    """What Dask says of its own accord, for those who want to hear everything."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.debug("dask: %s", record.getMessage(), extra={"event": "dask"})


def dask() -> Any:
    """The package `distributed`, which then writes nothing to stderr. Raises UsageError where it is not installed."""
    try:
        import dask as core

        core.config.set({"logging": {"version": 1, "disable_existing_loggers": False}})
        import distributed
    except ModuleNotFoundError as error:
        raise UsageError(_MISSING) from error
    for name in ("distributed", "tornado", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = [_ToOurLog()], False
    return distributed


def client(distributed: Any, where: Any) -> Any:
    """A client of the scheduler with an address, or of a cluster that was started here.

    Raises UsageError where the address is none or has no certificates, EngineError where nobody answers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # versions are looked at by us
        if not isinstance(where, str):
            return distributed.Client(where, timeout=_CONNECT, set_as_default=False)
        limit = min(_CONNECT, _seconds("distributed.comm.timeouts.connect"))
        security = distributed.Security()
        try:
            options = security.get_connection_args("client")
        except OSError as error:
            raise UsageError(f"Dask's certificates (distributed.comm.tls in its configuration): {error}") from error
        if where.startswith("tls://") and options.get("ssl_context") is None:
            raise UsageError(
                f"--scheduler {where}: Dask has no certificates: set distributed.comm.tls.ca-file, .client.cert and "
                ".client.key in its configuration (DASK_DISTRIBUTED__COMM__TLS__CA_FILE and so on)"
            )
        try:
            asyncio.run(_reach(distributed, where, limit, options))
            return distributed.Client(where, timeout=limit, set_as_default=False, security=security)
        except ValueError as error:
            raise UsageError(f"--scheduler {where}: {error}; an address is expected, as tcp://10.0.0.1:8786") from error
        except (OSError, RuntimeError, TimeoutError) as error:
            raise EngineError(
                f"no Dask scheduler answers at {where} within {limit:.0f} s: {error}; is it running, is the address "
                "the one that it printed, and can this machine reach it?"
            ) from error


async def _reach(distributed: Any, address: str, limit: float, options: dict[str, Any]) -> None:
    """Connect once and no more: a client that fails to connect leaves threads behind, which talk."""
    comm = await distributed.comm.connect(address, timeout=limit, **options)
    await comm.close()


def _seconds(key: str) -> float:
    import dask

    return float(dask.utils.parse_timedelta(dask.config.get(key), default="s"))
