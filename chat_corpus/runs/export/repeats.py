"""Second step of an export: find records that are duplicates of earlier ones, over all sources, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from chat_corpus.exports import splitting
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import BATCH_ROWS, RecordsPart, leave


def mark_duplicates(parts: Sequence[RecordsPart]) -> None:
    """Write for each part which of its records equal an earlier one, of the same or a different source.

    `parts` are those of all sources, in order. The first of equal records is not a duplicate.
    """
    keys = [part.keys for part in parts]
    repeats = exact.find_repeats(keys).sort("first")
    limits = list(pairwise(exact.row_offsets(keys)))
    contents = [pl.Series("content", dtype=pl.UInt64)]
    for part, (begin, end) in zip(parts, limits, strict=True):
        rows = _within(repeats, "first", begin, end)
        if len(rows):
            contents.append(_contents(part, rows["first"] - begin))
    whole = repeats.with_columns(pl.concat(contents).alias("content")).sort("row")
    del repeats, contents
    sources = [part.source for part in parts]
    ends = pl.Series([end for _, end in limits], dtype=pl.UInt32)
    for part, (begin, end) in zip(parts, limits, strict=True):
        rows = _within(whole, "row", begin, end)
        if len(rows):
            of_first = ends.search_sorted(rows["first"], side="right").to_list()
            names = pl.Series([sources[number] for number in of_first], dtype=pl.String)
            same_as = splitting.record_ids(names, rows["content"])
            leave(part.duplicates, rows.select(pl.col("row") - begin, same_as=same_as))


def mark_occurrences(parts: Sequence[RecordsPart]) -> None:
    """Give a different order key, and thus a different id, to each record with the contents of an earlier record.

    `parts` are those of one source. Such records are duplicates that are not dropped, or have contents with the same
    64-bit hash. Dropped duplicates do not count.
    """
    keys = [part.contents for part in parts]
    repeats = exact.find_repeats(keys)
    if repeats.is_empty():
        return
    limits = list(pairwise(exact.row_offsets(keys)))
    dropped = pl.concat(
        [
            pl.Series(dtype=pl.UInt32),
            *(dropped_rows(part) + begin for part, (begin, _) in zip(parts, limits, strict=True)),
        ]
    )
    firsts = repeats.select("first").unique().with_columns(row="first").select("row", "first")
    remaining = pl.concat([firsts, repeats]).filter(~pl.col("row").is_in(dropped.implode())).sort("first", "row")
    numbered = remaining.select("row", number=pl.int_range(1, pl.len() + 1).over("first")).filter(pl.col("number") > 1)
    numbered = numbered.sort("row")
    for part, (begin, end) in zip(parts, limits, strict=True):
        rows = _within(numbered, "row", begin, end).with_columns(pl.col("row") - begin)
        if len(rows):
            keys_of_rows = splitting.occurrence_keys(_contents(part, rows["row"]), rows["number"])
            _reorder(part, rows.select("row", order=keys_of_rows))


def _reorder(part: RecordsPart, orders: pl.DataFrame) -> None:
    """Give some records of a part a new order key, and sort all of them again; `orders` has `row, order`."""
    records = exact.read(part.records).update(orders, on="row").sort("order", "row")
    leave(part.records, records, BATCH_ROWS)


def dropped_rows(part: RecordsPart) -> pl.Series:
    """Return the numbers of the records of a part that are left out as duplicates: `row`."""
    if not part.duplicates.exists():
        return pl.Series("row", dtype=pl.UInt32)
    return exact.read(part.duplicates, "row")["row"]


def _within(frame: pl.DataFrame, column: str, begin: int, end: int) -> pl.DataFrame:
    """Return the rows of a frame, sorted by this column, with values from `begin` to `end - 1`."""
    first, last = (frame[column].search_sorted(row, "left") for row in (begin, end))
    return frame[first:last]


def _contents(part: RecordsPart, rows: pl.Series) -> pl.Series:
    """Return the content keys of some records of a part by their numbers."""
    contents = exact.read(part.contents, "row", "low")
    return rows.to_frame("row").join(contents, on="row", how="left", maintain_order="left")["low"]
