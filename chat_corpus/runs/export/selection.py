"""Which records of a part are in a split, and what is known of records that are left out of it."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import polars as pl

from chat_corpus.exports import splitting
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.preference import REJECTED, REJECTED_TYPE
from chat_corpus.exports.splitting import SplitLimits
from chat_corpus.files.atomic import write_atomic, write_blocks
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart
from chat_corpus.runs.export.repeats import dropped_rows, ids_of, repeated_contents

#: Columns of records that are loaded: `rejected` are texts of responses that the source labels as wrong.
LOADED = pl.Schema({**DIALOGUES, REJECTED: REJECTED_TYPE, "order": pl.UInt64()})


def twin_rows(part: RecordsPart) -> pl.DataFrame:
    """`row, id, similarity` of the records of train that are held, with the evaluation pair that each resembles."""
    if not part.twins.exists():
        return pl.DataFrame(schema={"row": pl.UInt32, "id": pl.String, "similarity": pl.Float64})
    return exact.read(part.twins)


def selected(part: RecordsPart, limits: SplitLimits, split: str, begin: int = 0, end: int = 1 << 64) -> pl.DataFrame:
    """`at, row, order` of the records of a part that are in a split, with order keys from `begin` up to `end`.

    `at` is the row in the file of records.
    """
    keys = exact.read(part.records, "row", "order", "group").with_row_index("at")
    repeated = repeated_contents(part)
    if len(repeated):  # their ids are not those of their contents, nor is their place in the order
        keys = keys.update(repeated.select("row", "order"), on="row")
    inside = keys["order"] >= begin
    inside &= keys["order"] < end if end < 1 << 64 else inside
    keys = keys.filter(inside)
    chosen = splitting.assign_split(keys["group"], limits) == split
    for left_out in (dropped_rows(part), twin_rows(part)["row"] if split == "train" else dropped_rows(part)):
        chosen &= ~keys["row"].is_in(left_out.implode())
    return keys.filter(chosen).select("at", "row", "order")


def load(part: RecordsPart, keys: pl.DataFrame) -> pl.DataFrame:
    """Records of a part as `LOADED`; `keys` are some that were `selected`."""
    if keys.is_empty():
        return LOADED.to_frame()
    first, last = keys["at"].min(), keys["at"].max()
    assert isinstance(first, int) and isinstance(last, int)  # noqa: S101, PT018 of a column of integers
    scan = pl.scan_ipc(part.records, glob=False).slice(first, last + 1 - first)
    frame = scan.select("messages", "rejected", "content").collect()[keys["at"] - first]
    ids = ids_of(part, keys["row"], frame["content"])
    return frame.select("messages", "rejected", id=ids, source=pl.lit(part.source), order=keys["order"]).select(*LOADED)


def leave(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame beside a part."""
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    write_atomic(path, partial(write_blocks, data=content.getvalue()), sync=False)
