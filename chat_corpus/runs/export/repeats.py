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
    """Write beside each part which of its records equal an earlier one, of the same or a different source.

    `parts` are those of all sources, in order: of equal records, the first one stays.
    """
    keys = [part.keys for part in parts]
    repeats = exact.find_repeats(keys).sort("first")
    limits = list(pairwise(exact.row_offsets(keys)))
    named = [repeats.clear().with_columns(same_as=pl.lit("", pl.String))]
    for part, (begin, end) in zip(parts, limits, strict=True):
        rows = _within(repeats, "first", begin, end)
        if len(rows):
            content = _contents(part, rows["first"] - begin)
            named.append(rows.with_columns(same_as=splitting.record_ids(part.source, content)))
    whole = pl.concat(named).sort("row")
    for part, (begin, end) in zip(parts, limits, strict=True):
        rows = _within(whole, "row", begin, end).select(pl.col("row") - begin, "same_as")
        _write(rows, part.duplicates)


def mark_occurrences(parts: Sequence[RecordsPart]) -> None:
    """Write beside each part of one source which of its records have the contents of an earlier one, and their ids.

    Such records are duplicates that stay, or have contents with the same 64-bit hash. Dropped duplicates do not
    count.
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
            rows = rows.with_columns(id=splitting.record_ids(part.source, _contents(part, rows["row"]), rows["number"]))
            rows = rows.with_columns(order=splitting.order_keys(rows["id"]))
        _write(rows.drop("number"), part.occurrences)


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


def _within(frame: pl.DataFrame, column: str, begin: int, end: int) -> pl.DataFrame:
    """The rows of a frame, sorted by this column, that are in a part."""
    first, last = (frame[column].search_sorted(row, "left") for row in (begin, end))
    return frame[first:last]


def _contents(part: RecordsPart, rows: pl.Series) -> pl.Series:
    """The content keys of records of a part."""
    contents = exact.read(part.contents, "row", "low")
    return rows.to_frame("row").join(contents, on="row", how="left", maintain_order="left")["low"]


def _write(frame: pl.DataFrame, path: Path) -> None:
    if frame.is_empty():
        path.unlink(missing_ok=True)
    else:
        frame.write_ipc(path, compression="uncompressed")
