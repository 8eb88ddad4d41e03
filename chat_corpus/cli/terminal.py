"""Text for a terminal. Control characters from files are escaped, and Han characters count as two columns."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import click

from chat_corpus import process_setup
from chat_corpus.cli.language import translate
from chat_corpus.messages import joined, message, safe

#: Maximum number of values of a list that are shown in a cell.
_SHOWN = 4


class SafeBytes:
    """A stream that writes UTF-8 lines to a terminal, with escapes in place of control characters."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        """Write whole lines. Return the number of bytes written."""
        return self._stream.write(safe(data.decode("utf-8", errors="backslashreplace")).encode())

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


def safe_json(value: Any, indent: int | None = 1) -> str:
    r"""Return a value as JSON in which characters that cannot be printed are JSON escapes.

    >>> safe_json("\u009b2J 好")
    '"\\u009b2J 好"'
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def echo_json(value: Any) -> None:
    """Print a value to stdout as JSON, as `echo_document` does."""
    echo_document(safe_json(value) + "\n")


def echo_document(text: str) -> None:
    """Print a text for programs to stdout.

    A terminal shows it with escapes for control characters. Otherwise, it is in UTF-8, whatever the locale.
    """
    with process_setup.results():
        click.echo(safe(text) if sys.stdout.isatty() else text.encode(), nl=False)


def echo(text: str, *, to_stderr: bool = False) -> None:
    """Print a text to stdout or stderr, with escapes for control characters; a message in the current language."""
    with process_setup.results():
        click.echo(safe(translate(text)), err=to_stderr)


def has_colour(stream: IO[Any]) -> bool:
    """Whether to write colours to a stream: it must be a terminal with colours, and NO_COLOR (no-color.org) not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    return sys.platform != "win32" or "WT_SESSION" in os.environ  # the old console of Windows shows the codes


def width(text: str) -> int:
    """Return the number of columns that text takes on a terminal, after control characters were escaped."""
    shown = safe(text)
    if shown.isascii():
        return len(shown)
    from wcwidth import wcswidth  # imported here, since ASCII text does not need its tables

    return wcswidth(shown)


def cut(text: str, columns: int) -> str:
    """Return text of at most `columns` columns, with an ellipsis if it was cut.

    >>> cut("在吗在吗", 5), cut("在吗", 5)
    ('在吗…', '在吗')
    """
    if width(text) <= columns:
        return text
    end = len(text)
    while end and width(text[:end]) >= columns:
        end -= 1
    return f"{text[:end]}…"


def padded(text: str, columns: int) -> str:
    """Return text with blanks after it, up to a width of `columns`."""
    return text + " " * (columns - width(text))


def format_table(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Return rows as a table in the current language, with numbers aligned to the right.

    `titles` maps the keys of the columns, in order, to their titles.
    """
    cells = [[translate(title) for title in titles.values()]]
    cells += [[_cell(row[key]) for key in titles] for row in rows]
    widths = [max(width(row[column]) for row in cells) for column in range(len(titles))]
    right = [_is_numeric([row[column] for row in cells[1:]]) for column in range(len(titles))]
    return "\n".join(_line(row, widths, right) for row in cells)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = (
        " " * (columns - width(cell)) + cell if to_right or _is_number(cell) else padded(cell, columns)
        for cell, columns, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(aligned).rstrip()


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column has only numbers, so that its title is aligned to the right too."""
    return any(map(_is_number, cells)) and all(_is_number(cell) or cell == "-" for cell in cells)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").removeprefix("~").isdigit()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        if len(value) > _SHOWN:
            shown = message("{names} and {number} more", names=joined(", ", value[:_SHOWN]), number=len(value) - _SHOWN)
        else:
            shown = joined(", ", value)
        return translate(shown) or "-"
    return "-" if value is None else translate(value)


def echo_rows(rows: list[dict[str, Any]], titles: Mapping[str, str], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        echo_json(rows)
    else:
        echo(format_table(rows, titles))
