"""Text for a terminal: nothing that came from a file may steer it, and Han characters are two columns wide."""

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
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def echo_json(value: Any) -> None:
    """Print a value to stdout as JSON: in UTF-8, whatever the encoding of the console, if a program reads it."""
    echo_document(safe_json(value) + "\n")


def echo_document(text: str) -> None:
    """Print a text for programs to stdout: in UTF-8, whatever the encoding of the console, if one reads it."""
    with process_setup.results():
        click.echo(safe(text) if sys.stdout.isatty() else text.encode(), nl=False)


def echo(text: str, *, to_stderr: bool = False) -> None:
    """Print a result to stdout, or to stderr if stdout has JSON: a message in the language in use, made safe."""
    with process_setup.results():
        click.echo(safe(translate(text)), err=to_stderr)


def has_colour(stream: IO[Any]) -> bool:
    """Whether to write colours to a stream: to terminals that show them, unless NO_COLOR is set (no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    return sys.platform != "win32" or "WT_SESSION" in os.environ  # the old console of Windows shows the codes


def width(text: str) -> int:
    """Columns that text takes on a terminal, once it is safe."""
    shown = safe(text)
    if shown.isascii():
        return len(shown)
    from wcwidth import wcswidth  # here, for text without wide characters needs no table

    return wcswidth(shown)


def cut(text: str, columns: int) -> str:
    """Text of at most so many columns, with an ellipsis if it was longer.

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
    """Text with blanks behind it, up to a width."""
    return text + " " * (columns - width(text))


def format_table(rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    """Rows as a table in the language in use; numbers to the right, a Han character as wide as two letters.

    `titles` has the keys of the columns, in their order, and what is above them.
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
    """Whether a column has numbers and nothing else; its title is to the right as well."""
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
