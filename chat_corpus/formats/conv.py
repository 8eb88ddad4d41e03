"""The .conv layout: a line ``E`` opens a dialogue, each line ``M text`` is a turn of it; the last one needs no ``E``.

Both line ends occur in one file. A line with neither mark keeps a place in its dialogue, so that the turns around it
are not taken for neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from chat_corpus.formats.base import Format, Reading, Records, mark_empty, position_within, turns_frame
from chat_corpus.schema import Reason

_END = re.compile(rb"\nE[ \t]*\r?(?=\n)")


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = parts
    text = pl.col("text")
    marked = records.with_columns(end=text.str.strip_chars_end(" \t") == "E", blank=text.str.strip_chars() == "")
    marked = marked.with_columns(dialogue=pl.col("end").fill_null(value=False).cum_sum())
    structural = pl.col("end") | pl.col("blank")
    lines = marked.filter(structural.fill_null(value=False))["line"]
    rows = marked.filter(~structural | text.is_null()).with_columns(turn=position_within("dialogue"))
    is_turn = text.str.starts_with("M ") | (text == "M")
    rows = rows.with_columns(
        text=pl.when(is_turn).then(text.str.slice(2)).otherwise(text),
        reason=pl.when(text.is_null())
        .then(pl.lit(str(Reason.ENCODING)))
        .when(~is_turn)
        .then(pl.lit(str(Reason.LAYOUT))),
        detail=pl.when(text.is_null())
        .then(pl.lit("not UTF-8"))
        .when(~is_turn)
        .then(pl.lit("a line that begins with neither 'E' nor 'M '")),
    )
    return Reading(rows=mark_empty(turns_frame(rows)), structural=(lines,))


def _cut(data: bytes) -> int:
    """Cut before the last line ``E``, which opens the dialogue that may go on."""
    stop = len(data)
    while (stop := data.rfind(b"\nE", 0, stop)) >= 0:
        if _END.match(data, stop):
            return stop + 1
    return 0


CONV = Format(read=_read, cut=_cut)
