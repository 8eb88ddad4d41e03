"""Rejects: the turns and pairs of a shard that have a reason, with the raw text of their records."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from chat_corpus.files.lines import printable
from chat_corpus.formats.base import Records
from chat_corpus.pipeline.shard import Shard
from chat_corpus.row_masks import filtered

#: At most this many rejects of a record carry its raw text.
_RAW_COPIES = 8
_COLUMNS = ("source", "file", "record", "reason", "message", "raw")
_NONE = pl.DataFrame(schema={name: pl.UInt32 if name == "record" else pl.String for name in _COLUMNS})


def rejected_rows(turns: pl.DataFrame, possible: pl.DataFrame) -> pl.DataFrame:
    """Return `file_index, record, turn_index, reason, message` of rejected turns, and of pairs that filters reject.

    A pair has the address of its query, and no `turn_index`.
    """
    columns = ["file_index", "record", "turn_index", "reason", "message"]
    rejected = filtered(turns[columns], turns["reason"].is_not_null())
    if possible["message"].null_count() == len(possible):
        return rejected
    pairs = possible.filter(pl.col("message").is_not_null()).select(
        "reason", "message", file_index="query_file_index", record="query_record", turn_index=pl.lit(None, pl.UInt32)
    )
    return pl.concat([rejected, pairs.select(columns)])


def with_raw(rejected: pl.DataFrame, shard: Shard, raw: Callable[[], tuple[Records, ...]]) -> pl.DataFrame:
    """Return `source, file, record, reason, message, raw` of rejects; `raw` is the raw text of the record."""
    if rejected.is_empty():
        return _NONE
    frames = []
    for index, (piece, records) in enumerate(zip(shard.pieces, raw(), strict=True)):
        of_file = filtered(rejected, rejected["file_index"] == index)
        quoted = of_file.join(_printable(records, of_file), on="record", how="left", maintain_order="left")
        frames.append(quoted.with_columns(source=pl.lit(shard.source), file=pl.lit(piece.file.name)))
    whole = pl.concat(frames).sort("record", "file_index", "turn_index", nulls_last=True, maintain_order=True)
    return raw_for_some(whole.select(_COLUMNS))


def _printable(records: Records, rejected: pl.DataFrame) -> pl.DataFrame:
    """Return `record, raw` of the records with a reject; bytes that are not text are escaped."""
    quoted = filtered(records, records["record"].is_in(rejected["record"].unique().implode()))
    texts = quoted["text"]
    if quoted["bytes"].null_count() < len(quoted):
        escaped = pl.Series([None if data is None else printable(data) for data in quoted["bytes"]], dtype=pl.String)
        texts = texts.zip_with(quoted["bytes"].is_null(), escaped)
    return pl.DataFrame({"record": quoted["record"], "raw": texts})


def raw_for_some(rejects: pl.DataFrame) -> pl.DataFrame:
    """Return rejects (`file, record, raw, …`) with `raw` in the first few of each record only.

    Otherwise a record with a thousand rejected turns would be written a thousand times.
    """
    numbers = rejects["record"].sort()
    if not (numbers.slice(_RAW_COPIES) == numbers.head(-_RAW_COPIES)).any():  # no number occurs more often
        return rejects
    some = pl.int_range(pl.len()).over("file", "record") < _RAW_COPIES
    return rejects.with_columns(raw=pl.when(some).then("raw"))
