"""The output of `compare` for people: lines in the current language, without control characters."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chat_corpus.cli.language import translate
from chat_corpus.lineage.comparison_model import Cause, Change, Compared, Matched, Row
from chat_corpus.lineage.run_differences import RunDifferences
from chat_corpus.messages import Message, count_noun, joined, message, one_line
from chat_corpus.page.comparison import RowChanges
from chat_corpus.terms import reason_name

_CHANGES = {
    Change.APPEARED: message("appeared"),
    Change.VANISHED: message("vanished"),
    Change.CHANGED: message("changed"),
}
_UNDETERMINED = message("cause not determined")


def source(compared: Compared) -> Iterator[str]:
    """Yield the lines about one source."""
    yield translate(_summary(compared))
    if compared.old_rows is None or compared.new_rows is None:
        return
    lines = list(_differences(compared.unlike)) if compared.unlike else []
    if compared.same and lines:
        lines.insert(0, message("line breaks differ, such as the one after the last row"))
    yield from _indented(lines)
    if not compared.same:
        yield from _indented([_causes(compared)])
        yield from map(_cause, compared.causes)
        for row in compared.examples:
            yield from _row(row)
    if not compared.same or lines:
        yield from _indented(compared.remarks)


def changes(compared: Compared) -> RowChanges:
    """Return the changes of the rows of a source, for a page."""
    old, new = compared.old_rows, compared.new_rows
    causes = tuple((_CHANGES[cause.kind], cause.cause or _UNDETERMINED, cause.rows) for cause in compared.causes)
    return RowChanges(
        source=compared.source,
        appeared=compared.appeared if old is not None else new or 0,
        vanished=compared.vanished if new is not None else old or 0,
        changed=compared.changed,
        causes=causes,
    )


def _summary(compared: Compared) -> Message:
    name = compared.source
    if compared.old_rows is None:
        rows = count_noun(compared.new_rows or 0, "row")
        return message("{source}: only in the new folder, {rows}", source=name, rows=rows)
    old = count_noun(compared.old_rows, "row")
    if compared.new_rows is None:
        return message("{source}: only in the old folder, {rows}", source=name, rows=old)
    if compared.same and compared.unlike:
        return message("{source}: the same {rows}, but not the same bytes:", source=name, rows=old)
    if compared.same:
        return message("{source}: the same {rows}", source=name, rows=old)
    if compared.aligned is Matched.ADDRESS:
        matched = message("matched by address")
    else:
        matched = message("matched as text: rows that share a query or an answer count as changed")
    return message(
        "{source}: {old}, now {new:,}: {appeared:,} appeared, {vanished:,} vanished, {changed:,} changed ({matched})",
        source=name,
        old=old,
        new=compared.new_rows,
        appeared=compared.appeared,
        vanished=compared.vanished,
        changed=compared.changed,
        matched=matched,
    )


def _causes(compared: Compared) -> Message:
    """Return the line above the causes, which describes the rows that they are counted in."""
    if compared.by_report:
        return message("causes, which follow from the reports:")
    if compared.aligned is Matched.ADDRESS or not compared.traced:
        return message("causes:")
    return message(
        "causes, counted in {traced:,} of the {shards:,} shards that differ:",
        traced=compared.traced,
        shards=compared.shards,
    )


def _differences(unlike: RunDifferences) -> Iterator[Message]:
    for setting in unlike.settings:
        old, new = (json.dumps(value, ensure_ascii=False) for value in (setting.old, setting.new))
        yield message("setting {key}: {old}, now {new}", key=setting.key, old=old, new=new)
    if unlike.code:
        yield message("code or packages: {old}, now {new}", old=unlike.code[0], new=unlike.code[1])
    if unlike.inputs:
        yield message("raw files that differ: {files}", files=joined(", ", unlike.inputs))
    if unlike.plugins:
        yield message("plugins, or code that they import, differ")
    if unlike.edited:
        yield message("changed since the run wrote it: {files}", files=joined(", ", unlike.edited))


def _indented(lines: Iterator[str] | list[Message] | tuple[str, ...]) -> Iterator[str]:
    return (f"  {one_line(translate(line))}" for line in lines)


def _cause(cause: Cause) -> str:
    name: str = cause.cause or _UNDETERMINED
    if cause.settings:
        name = message("{cause} ({settings})", cause=name, settings=joined(", ", cause.settings))
    line = message("{rows:>9,} {change}: {cause}", rows=cause.rows, change=_CHANGES[cause.kind], cause=name)
    return f"  {one_line(translate(line))}"


def _row(row: Row) -> Iterator[str]:
    name = row.cause or _UNDETERMINED
    if row.reason:
        name = message("{cause}, rejected: {reason}", cause=name, reason=reason_name(row.reason))
    kind = _CHANGES[row.kind]
    if row.query is None:
        head = message("{change}: {cause}", change=kind, cause=name)
    elif row.answer == row.query:
        head = message("{change} {address}: {cause}", change=kind, address=row.query, cause=name)
    else:
        head = message(
            "{change} {query} and {answer}: {cause}", change=kind, query=row.query, answer=row.answer, cause=name
        )
    yield from _indented([head])
    if row.old is not None:
        yield one_line(f"    - {row.old_row}: {row.old}")
    if row.new is not None:
        yield one_line(f"    + {row.new_row}: {row.new}")
