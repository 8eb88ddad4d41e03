"""Select the records of a part that are in a split, and find the records in a range of order keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from chat_corpus.exports import splits, splitting
from chat_corpus.exports.ordering import KEYS
from chat_corpus.exports.splits import SplitLimits
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart
from chat_corpus.runs.export.repeats import dropped_rows


@dataclass(frozen=True, kw_only=True)
class PartRows:
    """Consecutive rows of the file of records of a part."""

    part: RecordsPart
    first: int
    count: int

    def read(self, *columns: str) -> pl.DataFrame:
        """Return some columns of these rows."""
        return pl.scan_ipc(self.part.records, glob=False).slice(self.first, self.count).select(columns).collect()


def rows_between(parts: Sequence[RecordsPart], cuts: Sequence[int]) -> list[tuple[PartRows, ...]]:
    """Return the rows in each range of order keys, from one of the sorted `cuts` to below the next one."""
    ranges: list[list[PartRows]] = [[] for _ in cuts[1:]]
    for part in parts:
        order = exact.read(part.records, "order")["order"].to_numpy()
        limits = [len(order) if cut >= KEYS else int(np.searchsorted(order, np.uint64(cut))) for cut in cuts]
        for found, first, last in zip(ranges, limits, limits[1:], strict=False):
            if first < last:
                found.append(PartRows(part=part, first=first, count=last - first))
    return [tuple(found) for found in ranges]


def twin_rows(part: RecordsPart) -> pl.DataFrame:
    """Return the records of train that are held, each with the evaluation pair it resembles: `row, id, similarity`."""
    if not part.twins.exists():
        return pl.DataFrame(schema={"row": pl.UInt32, "id": pl.String, "similarity": pl.Float64})
    return exact.read(part.twins)


def selected(part: RecordsPart, limits: SplitLimits, split: str) -> pl.DataFrame:
    """Return the records of a part that are in a split: `at, row, order`; `at` is the row in the file of records."""
    keys = exact.read(part.records, "row", "order", "group").with_row_index("at")
    chosen = splits.is_in_split(keys["group"], limits, split)
    for left_out in (dropped_rows(part), twin_rows(part)["row"] if split == "train" else None):
        if left_out is not None and len(left_out):
            chosen &= ~keys["row"].is_in(left_out.implode())
    return keys.filter(chosen).select("at", "row", "order")


def load(part: RecordsPart, keys: pl.DataFrame) -> pl.DataFrame:
    """Return some records of a part: `messages, source, id`; `keys` are rows of `selected`, at least one."""
    first, last = keys["at"].min(), keys["at"].max()
    assert isinstance(first, int) and isinstance(last, int)  # noqa: S101, PT018 of a column of integers
    rows = PartRows(part=part, first=first, count=last + 1 - first)
    frame = rows.read("messages")[keys["at"] - first]
    return frame.with_columns(source=pl.lit(part.source), id=splitting.record_ids(part.source, keys["order"]))
