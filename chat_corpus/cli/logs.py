"""Messages of the package on stderr: as lines in the current language, or as JSON in English."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import has_colour, safe_json
from chat_corpus.errors import ChatCorpusError
from chat_corpus.messages import message, safe

LOG = logging.getLogger("chat_corpus")

#: ANSI codes (ECMA-48, SGR).
BOLD, RED, YELLOW = 1, 31, 33
#: Prefix and colour of the lines of a level.
_PREFIXES = {logging.WARNING: (message("warning: "), YELLOW), logging.ERROR: (message("error: "), RED)}


def coloured(text: str, code: int) -> str:
    r"""Return text with the ANSI codes for a colour, or for bold.

    >>> coloured("a", BOLD)
    '\x1b[1ma\x1b[0m'
    """
    return f"\x1b[{code}m{text}\x1b[0m"


def prefix(level: int, *, colour: bool) -> str:
    """Return the prefix of lines of a level, in the current language; empty below warnings."""
    word, code = _PREFIXES.get(level, ("", 0))
    return coloured(translate(word), code) if colour and word else translate(word)


class SafeFormatter(logging.Formatter):
    """Formats log records as lines in the current language, with escapes in place of control characters.

    A record may have `colours`: ANSI codes by index of the line.
    """

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return the message of a record, after the prefix of its level."""
        text = translate(record.msg)
        if isinstance(record.args, Mapping):
            text %= record.args
        elif record.args:
            text %= tuple(map(_shown, record.args))
        lines = safe(text).split("\n")
        for number, code in getattr(record, "colours", {}).items() if self._colour else ():
            lines[number] = coloured(lines[number], code)
        return prefix(record.levelno, colour=self._colour) + "\n".join(lines)


def _shown(value: object) -> object:
    if isinstance(value, ChatCorpusError):
        return translate(value.message)
    return translate(value) if isinstance(value, str) else value


class JsonLines(logging.Formatter):
    """Formats log records as JSON objects in English.

    Keys: `time` (UTC, ISO 8601), `level`, `event` (a stable name), `message` and, if they are known, `source`,
    `seconds`, `summary` (the counts of a source) and `traceback`.
    """

    _FACTS = ("source", "seconds", "summary", "traceback")

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        facts = vars(record)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": facts.get("event", "message"),
            "message": record.getMessage(),
            **{name: facts[name] for name in self._FACTS if name in facts},
        }
        return safe_json(line, indent=None)


def handle(
    handler: logging.StreamHandler[TextIO] | None = None, *, level: int = logging.INFO, as_json: bool = False
) -> None:
    """Write messages of the package with at least this level to stderr only, as lines or as JSON."""
    handler = logging.StreamHandler() if handler is None else handler
    handler.setFormatter(JsonLines() if as_json else SafeFormatter(colour=has_colour(sys.stderr)))
    LOG.handlers[:] = [handler]
    LOG.propagate = False
    LOG.setLevel(level)


def info(text: str, event: str, **facts: object) -> None:
    """Log a message at level INFO. `event` is its stable name in JSON, and `facts` are further keys."""
    LOG.info("%s", text, extra={"event": event, **facts})


def warning(text: str, event: str, **facts: object) -> None:
    """Log a problem that needs the attention of the user, at level WARNING. Arguments are as for `info`."""
    LOG.warning("%s", text, extra={"event": event, **facts})
