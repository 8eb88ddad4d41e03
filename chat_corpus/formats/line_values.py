"""Which lines of a JSON file are values by themselves, as in JSON Lines with broken lines or with texts over lines."""

from __future__ import annotations

from collections.abc import Sequence

from chat_corpus.formats.json_values import MARKS, decode_container, skip_blanks

#: Maximum number of lines of a record in a file where other records have one line.
_REACH = 100


def next_value(text: str, at: int) -> int:
    """Return the offset of the next line after `at` that is a whole value without a comma behind it; -1 if none is."""
    while (at := text.find("\n", at) + 1) > 0:
        end = text.find("\n", at)
        if _is_value(text[at : len(text) if end < 0 else end]):
            return skip_blanks(text, at)
    return -1


def _is_value(line: str) -> bool:
    """Return whether a line is an object or array, as in JSON Lines; in an array or object, a comma follows it."""
    bare = line.strip(f"{MARKS} \t\r")
    return bare[:1] in ("{", "[") and not bare.endswith(",") and decode_container(bare) is not None


def are_values(lines: Sequence[str]) -> bool:
    """Return whether most lines are values of JSON Lines."""
    return 2 * sum(map(_is_value, lines)) > len(lines)


def mostly_lines(lines: Sequence[str]) -> bool:
    """Return whether the lines are JSON Lines with a damaged first line."""
    closed = sum(decode_container(line.strip()) is not None for line in lines[1:])
    return 2 * closed > len(lines) - 1


def spans_lines(lines: Sequence[str]) -> bool:
    """Return whether a record continues in the next lines, because a text in it has line breaks.

    In JSON Lines with a broken line, none does: a record that is not closed would include all records below it.
    """
    open_lines = [
        number
        for number, line in enumerate(lines)
        if line.lstrip().startswith("{") and decode_container(line.strip()) is None
    ]
    spanning = [number for number in open_lines if _continues(lines, number)]
    if not spanning:
        return False
    broken = [number for number in open_lines if number not in spanning and _next_object(lines, number) < len(lines)]
    return not (broken and are_values(lines))


def _next_object(lines: Sequence[str], number: int) -> int:
    """Return the index of the next line that begins an object; the number of lines if there is none."""
    return next((n for n in range(number + 1, len(lines)) if lines[n].lstrip().startswith("{")), len(lines))


def _continues(lines: Sequence[str], number: int) -> bool:
    """Return whether a line and those up to the next object are a value together."""
    end = min(_next_object(lines, number), number + _REACH)
    return end > number + 1 and decode_container("\n".join(lines[number:end]).strip()) is not None
