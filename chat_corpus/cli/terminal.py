"""Text for a terminal: nothing that came from a file may steer it, and Han characters are two columns wide."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

import click

from chat_corpus import process_setup
from chat_corpus.messages import safe

#: So many values of a list are shown in a cell.
_SHOWN = 4


class SafeBytes:
    """A stream of UTF-8 lines that a terminal shows, made safe on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Write whole lines."""
        return self._stream.write(safe(data.decode("utf-8", errors="backslashreplace")).encode())

    def flush(self) -> None:
        """Have the terminal show them."""
        self._stream.flush()


def safe_json(value: Any, indent: int | None = 1) -> str:
    r"""A value as JSON that cannot steer a terminal either: what cannot be printed is escaped, as JSON does.

    >>> safe_json("\u009b2J 好")
    '"\\u009b2J 好"'
    """
    told = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in told)


def echo_json(value: Any) -> None:
    """Print a value to stdout as JSON: in UTF-8, whatever the encoding of the console, if a program reads it."""
    text = safe_json(value) + "\n"
    with process_setup.results():
        click.echo(text if sys.stdout.isatty() else text.encode(), nl=False)


def echo(text: str) -> None:
    """Print text, made safe, to stdout: a result."""
    with process_setup.results():
        click.echo(safe(text))


#: What the lines of a level begin with.
_PREFIXES = {logging.WARNING: "warning: ", logging.ERROR: "error: "}


class SafeFormatter(logging.Formatter):
    """Log records as lines that cannot steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Format the message of a record, behind the word for its level."""
        return _PREFIXES.get(record.levelno, "") + safe(record.getMessage())


class JsonLines(logging.Formatter):
    """Log records as JSON objects.

    `time` (UTC, ISO 8601), `level`, `event` (a stable name), `message`, and where they are known `source`, `seconds`,
    `summary` (the counts of a source) and `traceback`.
    """

    _FACTS = ("source", "seconds", "summary", "traceback")

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        facts = vars(record)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": facts.get("event", "message"),
            "message": record.getMessage(),
            **{name: facts[name] for name in self._FACTS if name in facts},
        }
        return safe_json(line, indent=None)


def handle_logs() -> None:
    """Have messages of the package come out on stderr safely, before anybody decides how loud they are."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter())
    log = logging.getLogger("chat_corpus")
    log.handlers[:] = [handler]
    log.propagate = False


def format_table(rows: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> str:
    """Rows as a table with a head; figures to the right, a Han character as wide as two letters."""
    cells = [list(names), *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(_aligned(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _cell(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(map(str, value[:_SHOWN]))
        return f"{shown} and {len(value) - _SHOWN} more" if len(value) > _SHOWN else shown or "-"
    return "-" if value is None else str(value)


def _width(text: str) -> int:
    from wcwidth import wcswidth  # here, for --help needs no table

    return wcswidth(safe(text))


def _aligned(text: str, width: int) -> str:
    gap = " " * (width - _width(text))
    return gap + text if text.replace(",", "").replace(".", "").isdigit() else text + gap


def echo_rows(rows: list[dict[str, Any]], names: tuple[str, ...], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        echo_json(rows)
    else:
        echo(format_table(rows, names))
