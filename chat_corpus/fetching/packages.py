"""Import the packages that transfer files when they are needed, with a clear message if they are not installed."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

from chat_corpus.errors import UsageError
from chat_corpus.messages import message

_log = logging.getLogger(__name__)


class _ToOurLog(logging.Handler):
    """A handler that passes log records of these packages to the log of chat-corpus, at level DEBUG."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.debug("%s: %s", record.name, record.getMessage(), extra={"event": "fetch.package"})


def pooch() -> Any:
    """Return the package `pooch`. Raises UsageError if it is not installed."""
    package = _imported("pooch")
    logger = package.get_logger()
    logger.handlers[:], logger.propagate = [_ToOurLog()], False
    return package


def hub() -> Any:
    """Return the package `huggingface_hub`, without Xet and telemetry. Raises UsageError if it is not installed.

    Xet downloads from additional hosts, which mirrors do not have, and cannot resume a plain HTTP transfer.
    """
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    package = _imported("huggingface_hub")
    logger = logging.getLogger("huggingface_hub")
    logger.handlers[:], logger.propagate = [_ToOurLog()], False
    return package


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            message(
                "{package} is not installed: run pip install 'chat-corpus[fetch]', or pip install '.[fetch]' in a "
                "checkout of chat-corpus",
                package=name,
            )
        ) from error
