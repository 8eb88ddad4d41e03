"""The tally of a shard: its written pairs, its dialogues, and the turns that filters reject."""

from __future__ import annotations

from collections import Counter

import polars as pl

from chat_corpus.pipeline.character_scan import numpy_pays
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.process import CleanTurns, ShardResult
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.sources.base import Source
from chat_corpus.statistics.tally import DIALOGUE_TURNS, FILTER, tally_of_names, tally_of_values
from chat_corpus.statistics.texts import tally_of_linked, tally_of_pairs

#: It pays to find the turns that are in several pairs if they make the pairs longer by more than this.
_REPEATED = 1.25


def shard_tally(
    cleaned: CleanTurns, result: ShardResult, texts: pl.DataFrame, tsv: bytes, source: Source, settings: SourceSettings
) -> pl.DataFrame:
    """Return the tally of a shard before repeated pairs are dropped.

    `texts` has the columns `query` and `answer` as they are in the lines of `tsv`.
    """
    turns = result.turns
    repeated = 2 * len(texts) > _REPEATED * result.counts.turns.kept
    pairs = (
        tally_of_linked(texts, result.links, len(turns)) if repeated and numpy_pays(len(tsv)) else tally_of_pairs(tsv)
    )
    dialogues = turns["dialogue_id"].filter(turns["reason"].is_null()).drop_nulls()
    return pl.concat([
        pairs,
        tally_of_values(DIALOGUE_TURNS, dialogues.rle().struct.field("len")),
        tally_of_names(_rejected_by_filter(cleaned.turns, turns, source, settings)),
    ])  # fmt: skip


def _rejected_by_filter(
    before: pl.DataFrame, after: pl.DataFrame, source: Source, settings: SourceSettings
) -> Counter[str]:
    """The turns that each filter rejects, the first of several, by `filter.` with its name."""
    rejected = before["reason"].is_null() & after["reason"].is_not_null()
    if not rejected.any():
        return Counter()
    messages = filter_table.evaluate_filters(before.filter(rejected), settings.filters, source)
    first = messages.select(
        pl.coalesce(pl.when(pl.col(name).is_not_null()).then(pl.lit(f"{FILTER}{name}")) for name in messages.columns)
    )
    return Counter(dict(first.to_series().drop_nulls().value_counts().iter_rows()))
