"""The tally of a shard: counts of its kept turns, pairs and dialogues, and of the turns that filters reject."""

from __future__ import annotations

from collections import Counter

import polars as pl

from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.process import CleanTurns, ShardResult
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.sources.base import Source
from chat_corpus.statistics.tally import DIALOGUE_TURNS, FILTER, tally_of_names, tally_of_values
from chat_corpus.statistics.texts import count_texts, tally_of_lengths


def shard_tally(cleaned: CleanTurns, result: ShardResult, source: Source, settings: SourceSettings) -> pl.DataFrame:
    """Return the tally of a shard. It includes pairs that passes over all pairs drop later."""
    turns, dialogues = result.turns, result.turns["dialogue_id"]
    kept = turns["reason"].is_null()
    tally, lengths = count_texts(turns["text"], kept, cleaned.decoded)
    dialogues = dialogues if kept.all() else dialogues.filter(kept)
    dialogues = dialogues.drop_nulls() if dialogues.null_count() else dialogues
    return pl.concat([
        tally,
        tally_of_lengths(*(lengths[result.links[name]] for name in ("query_at", "answer_at"))),
        tally_of_values(DIALOGUE_TURNS, dialogues.rle().struct.field("len")),
        tally_of_names(_rejected_by_filter(cleaned.turns, turns, source, settings)),
    ])  # fmt: skip


def _rejected_by_filter(
    before: pl.DataFrame, after: pl.DataFrame, source: Source, settings: SourceSettings
) -> Counter[str]:
    """Return the number of rejected turns by `filter.<name>`, the first filter that rejects the turn."""
    if before["reason"].null_count() == after["reason"].null_count():  # filters only add reasons
        return Counter()
    rejected = before["reason"].is_null() & after["reason"].is_not_null()
    names: dict[str, set[str]] = {}
    for filter_ in filter_table.active_filters(settings.filters, source):
        names.setdefault(str(filter_.reason), set()).add(filter_.name)
    reasons = dict(after["reason"].filter(rejected).value_counts().iter_rows())
    if all(len(names.get(reason, ())) == 1 for reason in reasons):  # no need to evaluate the filters again
        return Counter({f"{FILTER}{min(names[reason])}": count for reason, count in reasons.items()})
    messages = filter_table.evaluate_filters(before.filter(rejected), settings.filters, source)
    first = messages.select(
        pl.coalesce(pl.when(pl.col(name).is_not_null()).then(pl.lit(f"{FILTER}{name}")) for name in messages.columns)
    )
    return Counter(dict(first.to_series().drop_nulls().value_counts().iter_rows()))
