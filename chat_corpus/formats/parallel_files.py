"""Parallel files: line n of the second file answers line n of the first.

A line that is not UTF-8, or is empty, affects only its exchange. Lines beyond the end of the shorter file are rejected
as unpaired. The planner decides beforehand whether files of different length are read at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.schema import Reason


def _read(parts: Sequence[Records]) -> Reading:
    common = min(len(records) for records in parts)
    bad, beyond = pl.col("text").is_null(), pl.col("dialogue_id").is_null()
    sides = [
        records.with_columns(
            file_index=pl.lit(part, dtype=pl.UInt8),
            turn_index=pl.lit(part, dtype=pl.UInt32),
            dialogue_id=pl.when(pl.int_range(pl.len()) < common).then(pl.int_range(pl.len(), dtype=pl.UInt32)),
        )
        for part, records in enumerate(parts)
    ]
    rows = pl.concat(sides).sort("record", maintain_order=True)
    rows = rows.with_columns(
        turn_index=pl.when(~beyond).then("turn_index"),
        reason=pl.when(bad).then(pl.lit(str(Reason.ENCODING))).when(beyond).then(pl.lit(str(Reason.UNPAIRED))),
        message=pl.when(bad)
        .then(pl.lit(NOT_UTF8))
        .when(beyond)
        .then(pl.lit("the parallel file ends before this line")),
    )
    empty = pl.Series("record", [], dtype=pl.UInt32)
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(empty,) * len(parts))


PARALLEL = Format(read=_read, parts=2)
