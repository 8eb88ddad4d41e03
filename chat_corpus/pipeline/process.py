"""Process one shard: read, normalize, convert, mask, filter, pair. A pure function of shard, source and settings.

The stages between reading and pairing are two lists, `CLEANING` and `FILTERING`. A stage returns new columns for its
rows, and declares with a law what it may change. `_run` applies each stage, checks its law with the ledger, and counts
its changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import polars as pl

from chat_corpus.errors import LedgerError
from chat_corpus.exports import tsv
from chat_corpus.formats.base import Records
from chat_corpus.pipeline import ledger, pair_checks, reading, script
from chat_corpus.pipeline.counts import Counts, PairCounts
from chat_corpus.pipeline.decoded import MARKS, Decoded
from chat_corpus.pipeline.filters import masking
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.ledger import Law
from chat_corpus.pipeline.pairing import pair
from chat_corpus.pipeline.rejects import rejected_rows, with_raw
from chat_corpus.pipeline.reposts import split_reposts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.row_masks import filtered
from chat_corpus.schema import Markup, Reason, Traits
from chat_corpus.sources.base import Scope, Source

#: Name of the class of characters that the filters need, and of the column with its mask.
_DAMAGED = "damaged"
#: Columns with the row numbers of the two turns of a pair.
_LINKS = ("query_at", "answer_at")
#: Classes of characters besides those of the conversion: those that the filters need, that TSV files replace, and that
#: the statistics look for.
_CLASSES = {_DAMAGED: filter_table.LOST, "breaks": tsv.BREAKS, "marks": MARKS}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardResult:
    """The result of a shard.

    turns    `schema.TURNS` with clean text, `raw` (the text as read), `before_conversion`, `script` (the script before
             conversion) and, if the settings mask anything, `before_masking`
    pairs    the pairs to write: `query, answer, query_file_index, query_record, answer_file_index, answer_record`
    links    `query_at` and `answer_at` of each pair: row numbers of `turns`
    rejects  `source, file, record, reason, message, raw`, by record and file; only the first few of a record have `raw`
    counts   the counts of the shard, which balance
    """

    turns: pl.DataFrame
    pairs: pl.DataFrame
    links: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanTurns:
    """The turns of a shard before they are filtered.

    turns    `schema.TURNS` with clean text, and the other columns of `ShardResult`
    counts   the counts so far: records and changes
    damaged  mask of the turns with lost characters; None if it is not known
    breaks   mask of the turns with a line break or a tab; None if it is not known
    decoded  character counts of the turns
    """

    turns: pl.DataFrame
    counts: Counts
    damaged: pl.Series | None = None
    breaks: pl.Series | None = None
    decoded: Decoded = field(default_factory=Decoded)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The input of a stage besides the rows; stages may also update `counts` and `decoded`, the character counts."""

    shard: Shard
    source: Source
    settings: SourceSettings
    counts: Counts
    decoded: Decoded = field(default_factory=Decoded)

    @property
    def traits(self) -> Traits:
        """The traits of the text in the files of the shard."""
        return self.shard.traits(self.source.traits)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, a function that returns columns for the rows, the law that these obey, and a counter.

    `count` updates the counts of the shard, which it takes with the rows before and after the stage.
    """

    name: str
    apply: Callable[[pl.DataFrame, Context], pl.DataFrame]
    law: Law
    count: Callable[[Counts, pl.DataFrame, pl.DataFrame], None] = lambda _counts, _before, _after: None


def _limit_length(rows: pl.DataFrame, _context: Context) -> pl.DataFrame:
    """Reject turns that are too long for any later stage."""
    return filter_table.reject_oversized(rows)


def _split_reposts(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Turn repost chains into dialogues, if the settings say so."""
    as_dialogues = context.settings.read.reposts == "dialogue" and Markup.MICROBLOG in context.source.traits.markup
    return split_reposts(rows) if as_dialogues else rows


def _normalize(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Run the text steps and reject unsettled turns. Return `raw`, `text`, and `held`, a bitmask of its classes."""
    classes = {**script.load(context.settings.script).classes, **_CLASSES}
    texts = normalizer.normalize_and_flag(
        rows["text"],
        context.settings.text,
        context.traits,
        classes,
        context.counts.turns.changed_by_step,
        context.decoded,
    )
    context.decoded.complete(texts["text"])
    texts = texts.with_columns(raw=rows["text"])
    unsettled = texts["unsettled"]
    if not unsettled.any():
        return texts.drop("unsettled")
    unsettled &= rows["reason"].is_null()
    message = (
        f"still changing after {normalizer.ROUNDS} rounds of the text steps: markup nested deeper than people write it"
    )
    return texts.drop("unsettled").with_columns(
        reason=rows["reason"].set(unsettled, str(Reason.DAMAGED)), message=rows["message"].set(unsettled, message)
    )


def _count_normalized(counts: Counts, before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.changed_by_normalization = int((before["text"] != after["text"]).sum())


def _convert(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Convert traditional to simplified script. Return `text`, `before_conversion` and `script`."""
    converted = script.load(context.settings.script).convert(
        rows["text"],
        declared=context.traits.script,
        dialogues=rows["dialogue_id"],
        held=rows["held"],
        decoded=context.decoded,
    )
    return converted.with_columns(before_conversion=rows["text"])


def _count_converted(counts: Counts, before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.changed_by_conversion = int((before["text"] != after["text"]).sum())
    counts.turns.scripts = +Counter({name: int((after["script"] == name).sum()) for name in script.NAMES})


def _mask(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Mask personal data, if the settings say so. Return `text` and `before_masking`."""
    if not context.settings.filters.kinds("mask"):
        return rows
    texts, changed = masking.mask_personal(rows["text"], context.settings.filters)
    context.counts.turns.changed_by_step.update({f"mask_{kind}": number for kind, number in changed.items()})
    if changed:
        context.decoded.change(texts.is_not_null(), rows["text"], texts)
    return pl.DataFrame({"text": texts, "before_masking": rows["text"]})


def _filter(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Apply the filters of turns and dialogues. Return the rows with `reason` and `message`."""
    return filter_table.apply_filters(rows, context.settings.filters, context.source)


def _count_filtered(counts: Counts, _before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.read, counts.turns.kept = len(after), after["reason"].null_count()
    counts.turns.rejected = _by_reason(after)


#: Stages from raw turns to clean turns.
CLEANING = (
    Stage("limit_length", _limit_length, Law.MAY_REJECT),
    Stage("split_reposts", _split_reposts, Law.MAY_SPLIT),
    Stage("normalize", _normalize, Law.MAY_REJECT, _count_normalized),
    Stage("convert", _convert, Law.KEEPS_REASONS, _count_converted),
    Stage("mask", _mask, Law.KEEPS_REASONS),
)
#: Stages from clean turns to turns that can be paired.
FILTERING = (Stage("filter", _filter, Law.MAY_REJECT, _count_filtered),)


def process_shard(shard: Shard, source: Source, settings: SourceSettings) -> ShardResult:
    """Run a shard through all stages. Raise ChatCorpusError if its files changed, LedgerError if counts differ."""
    raw = reading.records(shard, source)
    return filter_and_pair(clean_turns(shard, source, settings, raw), shard, source, settings, lambda: raw)


def clean_turns(
    shard: Shard,
    source: Source,
    settings: SourceSettings,
    raw: tuple[Records, ...],
) -> CleanTurns:
    """Read the turns of raw records and clean them. Raise LedgerError if counts differ."""
    context = Context(shard=shard, source=source, settings=settings, counts=Counts.zero())
    turns = reading.turns(raw, shard, source, settings.read.limit, context.counts)
    clean = _run(CLEANING, turns, context)
    first = len(script.load(settings.script).classes)
    damaged, breaks, context.decoded.marked = (
        clean["held"] & (1 << number) != 0 for number in range(first, first + len(_CLASSES))
    )
    return CleanTurns(
        turns=clean.drop("held"),
        counts=context.counts,
        damaged=damaged,
        breaks=breaks,
        decoded=context.decoded,
    )


def filter_and_pair(
    cleaned: CleanTurns, shard: Shard, source: Source, settings: SourceSettings, raw: Callable[[], tuple[Records, ...]]
) -> ShardResult:
    """Filter clean turns and pair them. `raw` returns the raw records, which rejects quote.

    Raise LedgerError if counts differ.
    """
    context = Context(shard=shard, source=source, settings=settings, counts=Counts.zero())
    context.counts.add(cleaned.counts)
    masks = {} if cleaned.damaged is None else {_DAMAGED: cleaned.damaged}
    turns = _run(FILTERING, cleaned.turns.with_columns(**masks), context).drop(*masks)
    possible = possible_pairs(turns.with_row_index("at"), source, settings, shard.label)
    linked = _written(possible, context)
    pairs, links = linked[[name for name in linked.columns if name not in _LINKS]], linked[list(_LINKS)]
    context.counts.check(shard.label)
    rejects = with_raw(rejected_rows(turns, possible), shard, raw)
    return ShardResult(turns=turns, pairs=pairs, links=links, rejects=rejects, counts=context.counts)


def _run(stages: Iterable[Stage], rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return the rows after all stages. Raise LedgerError if a stage breaks its law."""
    where = context.shard.label
    for stage in stages:
        try:
            columns = stage.apply(rows, context)
        except pl.exceptions.ShapeError as error:  # the stage combined columns of different lengths
            raise LedgerError(f"{where}: stage '{stage.name}' lost or added turns: {error}") from error
        after = ledger.checked(stage.law, rows, columns, stage.name, where)
        stage.count(context.counts, rows, after)
        rows = after
    return rows


def possible_pairs(turns: pl.DataFrame, source: Source, settings: SourceSettings, where: str) -> pl.DataFrame:
    """Return all pairs that the positions of turns imply, with the columns of `pairing.pair` and `message`.

    A pair of a rejected turn has the reason of that turn. A pair that a filter of pairs rejects has the reason of the
    filter and a `message`, which is null for all others. Raise LedgerError if pairs are missing, added, or lose their
    reason.
    """
    pairing = settings.pairs.pairing(source.pairing)
    possible = pair(turns, pairing)
    pair_checks.check_pairs(turns, possible, pairing, where)
    if not filter_table.active_filters(settings.filters, source, Scope.PAIR):
        return possible.with_columns(message=pl.lit(None, dtype=pl.String))
    filtered = filter_table.apply_pair_filters(possible, settings.filters, source)
    pair_checks.check_filtered_pairs(possible, filtered, where)
    return filtered


def _written(possible: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Return the pairs to write, those without a reason, with their links; store the counts of all pairs."""
    none_rejected = possible["reason"].null_count() == len(possible)
    pairs = possible[[name for name in possible.columns if name not in ("reason", "message")]]
    pairs = pairs if none_rejected else filtered(pairs, possible["reason"].is_null())
    context.counts.pairs = PairCounts(
        possible=len(possible), written=len(pairs), rejected=_by_reason(possible), duplicates=0
    )
    return pairs


def _by_reason(frame: pl.DataFrame) -> Counter[str]:
    return Counter(dict(frame["reason"].drop_nulls().value_counts().iter_rows()))
