"""The output of `sample` for people: texts before and after cleaning side by side, without control characters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import echo, padded, width
from chat_corpus.lineage.sample_model import SampledRow, SampledText
from chat_corpus.messages import message, one_line, visible
from chat_corpus.terms import reason_name, stored_text

#: Width in columns of the roles, and the separator between the texts.
_ROLE, _BETWEEN = 13, " | "
#: Minimum and maximum width of a text in columns; wider texts are hard to read.
_LEAST, _MOST = 20, 60
_BEFORE, _AFTER = message("before"), message("after")
_ROLES = {"query": message("query"), "answer": message("answer"), "raw": message("raw")}
_UNCHANGED, _UNKNOWN = message("(unchanged)"), message("(unknown)")


def show(rows: Sequence[SampledRow]) -> None:
    """Print rows."""
    columns = shutil.get_terminal_size((100, 24)).columns
    wide = min(max((columns - _ROLE - len(_BETWEEN)) // 2, _LEAST), _MOST)
    for row in rows:
        echo("\n".join([*_lines(row, wide), ""]))


def _lines(row: SampledRow, wide: int) -> Iterator[str]:
    yield one_line(row.address)
    if row.reason is None:
        yield _line("", translate(_BEFORE), translate(_AFTER), wide)
        for text in row.texts:
            yield from _side_by_side(text, wide)
        return
    reason = reason_name(row.reason)
    if row.message:
        reason = message("{reason}: {message}", reason=reason, message=stored_text(row.message))
    yield one_line(padded(translate(message("  rejected")), _ROLE) + translate(reason))
    for text in row.texts:
        shown = (text.before if text.after is None else text.after) or ""
        for number, line in enumerate(_fold(visible(shown), 2 * wide + len(_BETWEEN))):
            yield padded("" if number else f"  {_role(text)}", _ROLE) + line


def _side_by_side(text: SampledText, wide: int) -> Iterator[str]:
    """Yield the lines of a text before and after cleaning, and the address of its raw record."""
    after = visible(text.after or "")
    if text.before is None:
        columns = translate(_UNKNOWN), after
    elif text.changed:
        columns = visible(text.before), after
    else:
        columns = after, translate(_UNCHANGED)
    lines = zip_longest(*(_fold(column, wide) for column in columns), fillvalue="")
    for number, (left, right) in enumerate(lines):
        yield _line("" if number else _role(text), left, right, wide)
    if text.address:
        yield padded("", _ROLE) + one_line(text.address)


def _role(text: SampledText) -> str:
    return translate(_ROLES.get(text.role, text.role))


def _line(role: str, left: str, right: str, wide: int) -> str:
    return f"{padded(f'  {role}', _ROLE)}{padded(left, wide)}{_BETWEEN}{right}".rstrip()


def _fold(text: str, wide: int) -> list[str]:
    """Return text as lines of at most `wide` columns. It is broken between any two characters, and none is left out."""
    lines, line, columns = [], "", 0
    for character in text:
        more = max(width(character), 0)
        if columns + more > wide:
            lines.append(line)
            line, columns = "", 0
        line, columns = line + character, columns + more
    return [*lines, line]
