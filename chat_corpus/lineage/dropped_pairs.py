"""Pairs that a pass over all pairs dropped: the line in the rejects, and the pair that each one repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from chat_corpus.errors import ChatCorpusError
from chat_corpus.lineage.recorded_run import RERUN, RecordedRun
from chat_corpus.lineage.replayed_shard import DroppedPair, PairAddress, ReplayedShard
from chat_corpus.messages import message
from chat_corpus.schema import Reason


def dropped_pair(run: RecordedRun, shard: ReplayedShard, pair: Mapping[str, Any]) -> tuple[DroppedPair, int | None]:
    """Return the reject of a dropped pair, and the TSV row of the pair that it repeats.

    `pair` is a row of `ReplayedShard.pairs`. The row number is None if the dropped pair repeats none, or if the
    repeated pair has no row. Raises ChatCorpusError if the reject is not at the place where the run wrote it.
    """
    dropped = run.reject_of_dropped(shard, pair["dropped"])
    file, record = shard.shard.pieces[pair["query_file_index"]].file.name, pair["query_record"]
    firsts = _pairs_at(run, dropped.same_as)
    if dropped.reason == Reason.DUPLICATE and run.source_settings.dedup.ignoring == "nothing":
        firsts = firsts.filter((pl.col("query") == pair["query"]) & (pl.col("answer") == pair["answer"]))
    if (dropped.file, dropped.record) != (file, record) or (dropped.same_as is not None and firsts.is_empty()):
        raise ChatCorpusError(
            message(
                "{rejects}: the reject of {file}:{record} is not where the run wrote it; {advice}",
                rejects=shard.rejects,
                file=file,
                record=record,
                advice=RERUN,
            )
        )
    rows = firsts.filter(pl.col("row").is_not_null())
    if len(rows) > 1 and len(equal := rows.filter(pl.col("answer") == pair["answer"])):
        rows = equal
    return dropped, int(rows["row"][0]) if len(rows) else None


def why_dropped(dropped: DroppedPair) -> str:
    """Return the message of a dropped pair; the usual one for a repeated pair as a message that can be translated."""
    first = dropped.same_as
    if first is None or dropped.message != f"the same pair is at {first.file}:{first.record}":
        return dropped.message
    return message("the same pair is at {file}:{record}", file=first.file, record=first.record)


def _pairs_at(run: RecordedRun, address: PairAddress | None) -> pl.DataFrame:
    """Return the pairs without a reason that have their query in the record at an address.

    Columns are those of `ReplayedShard.pairs`. The frame is empty, with only `query, answer, row`, if there is no
    address, or no shard that read it. Raises as `RecordedRun.replay`.
    """
    entry = None if address is None else run.entry_of_record(address.file, address.record)
    if address is None or entry is None:
        return pl.DataFrame(schema={"query": pl.String, "answer": pl.String, "row": pl.UInt32})
    shard = run.replay(entry)
    file_index = [piece.file.name for piece in shard.shard.pieces].index(address.file)
    is_query = (pl.col("query_file_index") == file_index) & (pl.col("query_record") == address.record)
    return shard.pairs.filter(is_query & pl.col("reason").is_null())
