r"""The .conv layout: a line ``E`` begins a dialogue, each line ``M text`` is a turn of it.

A file may mix ``\n`` and ``\r\n``. A line with neither mark has a position in its dialogue, so that the turns around it
do not become neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from chat_corpus.files.lines import BOM
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records, mark_empty, places_between, turns_frame
from chat_corpus.row_masks import row_mask
from chat_corpus.schema import Reason

_END = re.compile(rb"\nE[ \t]*\r?(?=\n)")


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = parts
    record, text = records["record"], records["text"]
    is_turn = text.str.starts_with("M ").rechunk()
    is_turn = is_turn.fill_null(value=False) if is_turn.null_count() else is_turn
    ends, blanks = _ends_and_blanks(text, ~is_turn)
    placed = ~(ends | blanks)
    lines = {"record": record, "text": text, "is_turn": is_turn}
    dialogues, turns = places_between(ends.filter(~blanks))
    places = {"dialogue_id": dialogues, "turn_index": turns}
    rows = pl.DataFrame({name: column.filter(placed).rechunk() for name, column in lines.items()} | places)
    return Reading(rows=mark_empty(turns_frame(_judged(rows))), non_turns=(record.filter(~placed).rechunk(),))


def _ends_and_blanks(text: pl.Series, other: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return masks of the lines that begin a dialogue and of blank lines; `other` marks the lines without a turn."""
    lines = text.filter(other)
    plain = lines == "E"
    if plain.all(ignore_nulls=False):  # in nearly all files
        return other, other & ~other
    numbers = other.arg_true()
    ends = numbers.filter(plain | (lines.str.strip_chars_end(" \t") == "E"))
    return row_mask(len(text), ends), row_mask(len(text), numbers.filter(lines.str.strip_chars() == ""))


def _judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Return turns without their mark; lines without a mark get a reason."""
    text = pl.col("text")
    if rows["is_turn"].all(ignore_nulls=False):
        return rows.with_columns(text.str.tail(-2))
    marked = pl.col("is_turn") | (text == "M")
    content = pl.when(marked).then(text.str.tail(-2)).otherwise(text)
    unmarked = "a line that begins with neither 'E' nor 'M '"
    return rows.with_columns(
        text=content,
        reason=pl.when(text.is_null())
        .then(pl.lit(str(Reason.ENCODING)))
        .when(~marked)
        .then(pl.lit(str(Reason.LAYOUT))),
        message=pl.when(text.is_null()).then(pl.lit(NOT_UTF8)).when(~marked).then(pl.lit(unmarked)),
    )


def _cut(data: bytes) -> int:
    """Return the offset of the last line ``E``, which begins a dialogue that may be incomplete; 0 if there is none."""
    stop = len(data)
    while (stop := data.rfind(b"\nE", 0, stop)) >= 0:
        if _END.match(data, stop):
            return stop + 1
    return 0


def _is_marked(head: bytes) -> bool:
    """Return whether the first line that is not blank has a mark of this layout."""
    begin = head.removeprefix(BOM).lstrip()
    return begin.startswith(b"M ") or re.match(rb"E[ \t\r]*(?:\n|\Z)", begin) is not None


CONV = Format(read=_read, cut=_cut)
#: The same layout, for file names that other layouts use too.
MARKED_CONV = replace(CONV, accepts=_is_marked)
