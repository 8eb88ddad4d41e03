"""Second step of an export: which records are duplicates of earlier ones, over all sources, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from chat_corpus.exports import splitting
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart


def mark_duplicates(parts: Sequence[RecordsPart]) -> None:
    """Leave beside each part which of its records are equal to an earlier one, of the same or another source.

    `parts` are those of all sources, in the order in which the first of equal records stays.
    """
    keys = [part.keys for part in parts]
    found = exact.find_repeats(keys).sort("first")
    limits = list(pairwise(exact.row_offsets(keys)))
    named = [found.clear().with_columns(same_as=pl.lit("", pl.String))]
    for part, (begin, end) in zip(parts, limits, strict=True):
        mine = _within(found, "first", begin, end)
        if len(mine):
            content = _contents(part, mine["first"] - begin)
            named.append(mine.with_columns(same_as=splitting.record_ids(part.source, content)))
    whole = pl.concat(named).sort("row")
    for part, (begin, end) in zip(parts, limits, strict=True):
        mine = _within(whole, "row", begin, end).select(pl.col("row") - begin, "same_as")
        _leave(mine, part.duplicates)


def mark_occurrences(parts: Sequence[RecordsPart]) -> None:
    """Leave beside each part of one source which of its records have contents of an earlier one, and the how many-th.

    Such records are duplicates that are kept, or contents with the same 64-bit hash. Duplicates that are left out do
    not count.
    """
    keys = [part.contents for part in parts]
    found = exact.find_repeats(keys)
    if found.is_empty():
        return
    limits = list(pairwise(exact.row_offsets(keys)))
    dropped = pl.concat(
        [
            pl.Series(dtype=pl.UInt32),
            *(dropped_rows(part) + begin for part, (begin, _) in zip(parts, limits, strict=True)),
        ]
    )
    firsts = found.select("first").unique().with_columns(row="first").select("row", "first")
    kept = pl.concat([firsts, found]).filter(~pl.col("row").is_in(dropped.implode())).sort("first", "row")
    numbered = kept.select("row", number=pl.int_range(1, pl.len() + 1).over("first")).filter(pl.col("number") > 1)
    numbered = numbered.sort("row")
    for part, (begin, end) in zip(parts, limits, strict=True):
        mine = _within(numbered, "row", begin, end).with_columns(pl.col("row") - begin)
        if len(mine):
            mine = mine.with_columns(id=splitting.record_ids(part.source, _contents(part, mine["row"]), mine["number"]))
            mine = mine.with_columns(order=splitting.order_keys(mine["id"]))
        _leave(mine.drop("number"), part.occurrences)


def dropped_rows(part: RecordsPart) -> pl.Series:
    """The records of a part that are left out as duplicates, by number."""
    if not part.duplicates.exists():
        return pl.Series("row", dtype=pl.UInt32)
    return exact.read(part.duplicates, "row")["row"]


def repeated_contents(part: RecordsPart) -> pl.DataFrame:
    """`row, id, order` of the records of a part whose contents occurred before."""
    if not part.occurrences.exists():
        return pl.DataFrame(schema={"row": pl.UInt32, "id": pl.String, "order": pl.UInt64})
    return exact.read(part.occurrences)


def ids_of(part: RecordsPart, rows: pl.Series, content: pl.Series) -> pl.Series:
    """The ids of records of a part, by their numbers and content keys."""
    ids = splitting.record_ids(part.source, content)
    repeated = repeated_contents(part)
    if repeated.is_empty():
        return ids
    others = rows.to_frame("row").join(repeated, on="row", how="left", maintain_order="left")["id"]
    return others.zip_with(others.is_not_null(), ids)


def _within(found: pl.DataFrame, column: str, begin: int, end: int) -> pl.DataFrame:
    """The rows of a frame, sorted by this column, that are in a part."""
    first, last = (found[column].search_sorted(row, "left") for row in (begin, end))
    return found[first:last]


def _contents(part: RecordsPart, rows: pl.Series) -> pl.Series:
    """The content keys of records of a part."""
    told = exact.read(part.contents, "row", "low")
    return rows.to_frame("row").join(told, on="row", how="left", maintain_order="left")["low"]


def _leave(frame: pl.DataFrame, path: Path) -> None:
    if frame.is_empty():
        path.unlink(missing_ok=True)
    else:
        frame.write_ipc(path, compression="uncompressed")
