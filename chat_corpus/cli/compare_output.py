"""What a person reads of two output folders compared: lines that cannot steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chat_corpus.lineage.comparison_model import Cause, Compared, Matched, Row
from chat_corpus.lineage.run_differences import RunDifferences
from chat_corpus.messages import one_line


def source(told: Compared) -> Iterator[str]:
    """The lines on one source."""
    if told.old_rows is None or told.new_rows is None:
        rows, side = (told.new_rows, "new") if told.old_rows is None else (told.old_rows, "old")
        yield f"{told.source}: only in the {side} folder, {rows:,} rows"
        return
    if told.same:
        yield f"{told.source}: the same {told.old_rows:,} rows" + (", in other bytes:" if told.unlike else "")
        if told.unlike:
            yield "  line breaks, as of the last row, are not the same"
            yield from _unlike(told.unlike)
            yield from (f"  {one_line(remark)}" for remark in told.remarks)
        return
    counts = f"{told.appeared:,} appeared, {told.vanished:,} vanished, {told.changed:,} changed"
    yield f"{told.source}: {told.old_rows:,} rows, now {told.new_rows:,}: {counts} (matched {_MATCHED[told.aligned]})"
    if told.unlike:
        yield from _unlike(told.unlike)
    yield f"  causes{_over(told)}:"
    for cause in told.causes:
        yield _cause(cause)
    for row in told.examples:
        yield from _row(row)
    yield from (f"  {one_line(remark)}" for remark in told.remarks)


_MATCHED = {Matched.ADDRESS: "by address", Matched.TEXT: "as text: changed is what shares its query or answer"}


def _over(told: Compared) -> str:
    if told.by_report:
        return ", as the reports leave no other"
    if told.aligned is Matched.ADDRESS or not told.traced:
        return ""
    return f", counted over {told.traced:,} of the {told.shards:,} shards that are not the same"


def _unlike(told: RunDifferences) -> Iterator[str]:
    for one in told.settings:
        yield one_line(
            f"  setting {one.key}: {json.dumps(one.old, ensure_ascii=False)}, now "
            f"{json.dumps(one.new, ensure_ascii=False)}"
        )
    if told.code:
        yield f"  code or packages: {told.code[0]}, now {told.code[1]}"
    if told.inputs:
        yield one_line(f"  raw files that are not the same: {', '.join(told.inputs)}")
    if told.plugins:
        yield "  plugins, or code that they import: not the same"
    if told.edited:
        yield one_line(f"  not as its run left it: {', '.join(told.edited)}")


def _cause(told: Cause) -> str:
    settings = f" ({', '.join(told.settings)})" if told.settings else ""
    return one_line(f"  {told.rows:>9,} {told.kind}: {told.cause or 'cause not determined'}{settings}")


def _row(told: Row) -> Iterator[str]:
    at = "" if told.query is None else f" {told.query}" + ("" if told.answer == told.query else f" and {told.answer}")
    reason = f", rejected: {told.reason}" if told.reason else ""
    yield one_line(f"  {told.kind}{at}: {told.cause or 'cause not determined'}{reason}")
    if told.old is not None:
        yield one_line(f"    - {told.old_row}: {told.old}")
    if told.new is not None:
        yield one_line(f"    + {told.new_row}: {told.new}")
