"""Preview what the passes over all pairs of a source would remove from the pairs that pass the filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.filters.options import with_trial
from chat_corpus.pipeline.filters.preview import Example, Figures, FilterPreview, Sampling
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pair_passes.facts import ShardPairs
from chat_corpus.pipeline.pair_passes.options import RelatednessOptions
from chat_corpus.pipeline.pair_passes.pass_input import PairFacts
from chat_corpus.pipeline.pair_passes.table import PairPass
from chat_corpus.pipeline.process import ShardResult
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.sources.base import Source

#: Name of the file with the pairs of a shard, from which examples are drawn: `query, answer, record, file`.
_PAIRS = "pairs"
#: Usual values for passes that are off, to preview what they would remove.
_TRIAL = DedupOptions(exact="always", dialogues=True, near=0.8, answers_per_query=20, queries_per_answer=20)
_TRIAL_RELATEDNESS = RelatednessOptions(drop_lowest=0.05)


def looked_at(settings: SourceSettings, *, everything: bool) -> SourceSettings:
    """Return the settings to preview: with `everything`, filters and passes that are off get a usual value."""
    if not everything:
        return settings
    dedup, off = settings.dedup, DedupOptions()
    tried = {
        name: getattr(_TRIAL, name)
        for name in ("exact", "dialogues", "near", "answers_per_query", "queries_per_answer")
        if getattr(dedup, name) == getattr(off, name)
    }
    related = settings.relatedness
    drops = related.drop_lowest > 0 or related.min is not None
    return replace(
        settings,
        filters=with_trial(settings.filters),
        dedup=replace(dedup, **tried),
        relatedness=related if drops else _TRIAL_RELATEDNESS,
    )


def leave_facts(
    result: ShardResult, shard: Shard, settings: SourceSettings, passes: Sequence[PairPass], folder: Path
) -> None:
    """Write to `folder` the facts about a shard that passes need, and its pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    ShardPairs.of(result, shard, settings).leave(folder, shard.number, table.needed_facts(passes))
    names = pl.Series("file", [piece.file.name for piece in shard.pieces], dtype=pl.String)
    pairs = result.pairs.select("query", "answer", record="query_record")
    files = names.gather(result.pairs["query_file_index"])
    pairs.with_columns(file=files).write_ipc(_path(folder, shard.number, _PAIRS), compression="uncompressed")


def _path(folder: Path, number: int, name: str) -> Path:
    return folder / f"{number}.{name}.arrow"


def add_passes(
    preview: FilterPreview,
    source: Source,
    settings: SourceSettings,
    *,
    everything: bool,
    folder: Path,
    shards: int,
    sampling: Sampling,
) -> None:
    """Add to the preview of a source what its passes would remove.

    `folder` has the files that `leave_facts` wrote for this number of `shards`. The figures of a pass count the pairs
    that it drops if it is the only pass after the filters; `given_rows` counts those that a run drops for its reason.
    """
    looked = looked_at(settings, everything=everything)
    passes, on = table.enabled(looked, source), table.enabled(settings, source)
    if not passes or not shards:
        return
    parts = [{name: _path(folder, number, name) for name in table.needed_facts(passes)} for number in range(shards)]
    found = {each.name: table.find_alone(each, parts, looked, folder) for each in passes}
    times = pl.concat([rows["row"] for rows in found.values()]).value_counts()
    single = times.filter(pl.col("count") == 1)["row"].implode()
    for each in passes:
        rows = found[each.name]
        alone = int(rows["row"].is_in(single).sum())
        preview.filters[each.name] = Figures(rows=len(rows), alone_rows=alone)
        preview.examples[each.name] = _examples(each, rows, looked, parts, folder, sampling)
    for first, second in combinations(found, 2):
        if both := int(found[first]["row"].is_in(found[second]["row"].implode()).sum()):
            preview.overlaps[first, second] = both
    if settings == looked and len(on) == 1:  # a single pass is the same as a pass alone
        dropped = found[on[0].name].with_columns(number=pl.lit(0, pl.UInt8))
    else:
        dropped = table.find_dropped(on, parts, settings, folder).rows
    for number, given in dropped["number"].value_counts().iter_rows():
        preview.filters[on[number].name].given_rows = given
    preview.removed_rows += len(dropped)


def _examples(
    each: PairPass,
    rows: pl.DataFrame,
    settings: SourceSettings,
    parts: Sequence[PairFacts],
    folder: Path,
    sampling: Sampling,
) -> list[Example]:
    """Return examples, drawn by a hash of the pair's number, with their texts and the message of the pass."""
    if rows.is_empty():
        return []
    drawn = rows.with_columns(key=pl.col("row").hash(seed=sampling.seed)).bottom_k(sampling.examples, by="key")
    keys = [part["keys"] for part in parts]
    starts = exact.row_offsets(keys)
    drawn = exact.with_addresses(drawn, keys, starts)
    drawn = drawn.with_columns(message=pl.coalesce(each.message(settings), pl.lit(each.name)))
    made = []
    for number, (begin, end) in enumerate(pairwise(starts)):
        some = drawn.filter(pl.col("row").is_between(begin, end, closed="left"))
        if len(some):
            pairs = exact.read(_path(folder, number, _PAIRS))[some["row"] - begin]
            made += [_example(key, text, pair) for (key, text), pair in zip(
                some.select("key", "message").iter_rows(), pairs.iter_rows(named=True), strict=True
            )]  # fmt: skip
    return sorted(made)


def _example(key: int, text: str, pair: Mapping[str, object]) -> Example:
    return Example(
        key=key,
        file=str(pair["file"]),
        record=int(str(pair["record"])),
        before=str(pair["query"]),
        text=str(pair["answer"]),
        message=text,
    )
