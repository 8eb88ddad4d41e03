"""The tally of a shard: its written pairs, its dialogues, and the turns that filters reject."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from chat_corpus.pipeline.character_scan import numpy_pays
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.process import CleanTurns, ShardResult
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.sources.base import Source
from chat_corpus.statistics.tally import DIALOGUE_TURNS, FILTER, tally_of_names, tally_of_values
from chat_corpus.statistics.texts import tally_of_linked, tally_of_pairs

if TYPE_CHECKING:
    from chat_corpus.pipeline.code_points import CodePoints
    from chat_corpus.statistics.seen_turns import SeenTurns

#: It pays to find the turns that are in several pairs if they make the pairs longer by more than this.
_REPEATED = 1.25


class LazyObserver:
    """A `SeenTurns` that is made when the scan calls it, since little text is counted without NumPy."""

    def __init__(self) -> None:
        self.seen: SeenTurns | None = None

    def __call__(self, texts: pl.Series, points: CodePoints) -> None:
        """See some turns."""
        if self.seen is None:
            from chat_corpus.statistics.seen_turns import SeenTurns

            self.seen = SeenTurns()
        self.seen(texts, points)


def shard_tally(
    cleaned: CleanTurns,
    result: ShardResult,
    texts: pl.DataFrame,
    tsv: bytes,
    source: Source,
    settings: SourceSettings,
    seen: SeenTurns | None = None,
) -> pl.DataFrame:
    """Return the tally of a shard before repeated pairs are dropped.

    `texts` has the columns `query` and `answer` as they are in the lines of `tsv`, `seen` is what the
    scan before the text steps has seen of the turns, if it was observed.
    """
    turns = result.turns
    dialogues = turns["dialogue_id"].filter(turns["reason"].is_null()).drop_nulls()
    return pl.concat([
        _pairs(result, texts, tsv, seen),
        tally_of_values(DIALOGUE_TURNS, dialogues.rle().struct.field("len")),
        tally_of_names(_rejected_by_filter(cleaned.turns, turns, source, settings)),
    ])  # fmt: skip


def _pairs(result: ShardResult, texts: pl.DataFrame, tsv: bytes, seen: SeenTurns | None) -> pl.DataFrame:
    """The tally of the pairs, in the way that costs least."""
    turns = result.turns
    if not numpy_pays(len(tsv)):
        return tally_of_pairs(tsv)
    if seen is not None and seen.rows == len(turns):
        from chat_corpus.statistics.seen_turns import tally_of_seen

        return tally_of_seen(seen, turns["text"], texts, result.links)
    if 2 * len(texts) > _REPEATED * result.counts.turns.kept:
        return tally_of_linked(texts, result.links, len(turns))
    return tally_of_pairs(tsv)


def _rejected_by_filter(
    before: pl.DataFrame, after: pl.DataFrame, source: Source, settings: SourceSettings
) -> Counter[str]:
    """The turns that each filter rejects, the first of several, by `filter.` with its name."""
    rejected = before["reason"].is_null() & after["reason"].is_not_null()
    if not rejected.any():
        return Counter()
    names: dict[str, set[str]] = {}
    for filter_ in filter_table.active_filters(settings.filters, source):
        names.setdefault(str(filter_.reason), set()).add(filter_.name)
    reasons = dict(after["reason"].filter(rejected).value_counts().iter_rows())
    if all(len(names.get(reason, ())) == 1 for reason in reasons):  # which spares a second look at the turns
        return Counter({f"{FILTER}{min(names[reason])}": count for reason, count in reasons.items()})
    messages = filter_table.evaluate_filters(before.filter(rejected), settings.filters, source)
    first = messages.select(
        pl.coalesce(pl.when(pl.col(name).is_not_null()).then(pl.lit(f"{FILTER}{name}")) for name in messages.columns)
    )
    return Counter(dict(first.to_series().drop_nulls().value_counts().iter_rows()))
