"""One shard through all stages: read, normalize, convert, check, pair. A pure function of shard, source and settings.

The stages between reading and pairing stand in two lists, `CLEANING` and `JUDGING`. Each gives columns of the rows that
it is given, and has a law: what it may do to them. One runner applies a stage, has the ledger hold it to its law, and
counts what it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from chat_corpus.errors import LedgerError
from chat_corpus.files.lines import printable
from chat_corpus.formats.base import Records
from chat_corpus.pipeline import ledger, reading, script
from chat_corpus.pipeline.counts import Counts, PairCounts
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.ledger import Law
from chat_corpus.pipeline.pairing import pair
from chat_corpus.pipeline.reposts import split_reposts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.schema import Markup, Reason, Traits
from chat_corpus.sources.base import Source

#: The raw text of a record is shown with so many of its rejects.
_SHOWN = 8
# The class of characters that the filters look for, besides those of the conversion.
_DAMAGED = "damaged"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardResult:
    """What a shard became.

    turns    `schema.TURNS` with clean text, `raw`, the text as it was read, `before_conversion`, and the `script` that
             it was in
    pairs    the pairs to write: `query, answer, query_file_index, query_record, answer_file_index, answer_record`
    rejects  `source, file, record, reason, message, raw`, by record and file; a record's first few have `raw`
    counts   the shard's accounts, balanced
    """

    turns: pl.DataFrame
    pairs: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanTurns:
    """What the records of a shard became before they are filtered.

    turns    `schema.TURNS` with clean text, and `raw`, `before_conversion` and `script` as in `ShardResult`
    counts   the shard's accounts as far as they are known: records, and what was changed
    damaged  a mask of the turns that have lost characters, where it is known
    """

    turns: pl.DataFrame
    counts: Counts
    damaged: pl.Series | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a stage knows besides the rows: their shard, with its accounts, its source, and the settings of that."""

    shard: Shard
    source: Source
    own: SourceSettings
    counts: Counts

    @property
    def traits(self) -> Traits:
        """The traits of the text in the files of the shard."""
        return self.shard.traits(self.source.traits)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, the columns that it gives of rows, the law that the ledger holds it to, and how it is counted.

    `count` is given the accounts, and the rows before and after.
    """

    name: str
    apply: Callable[[pl.DataFrame, Context], pl.DataFrame]
    law: Law
    count: Callable[[Counts, pl.DataFrame, pl.DataFrame], None] = lambda _counts, _before, _after: None


def _bound(rows: pl.DataFrame, _context: Context) -> pl.DataFrame:
    """No later stage is given a turn that is too long for it."""
    return filter_table.reject_oversized(rows)


def _unfold(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Repost chains as dialogues, where that is wanted."""
    wanted = context.own.read.reposts == "dialogue" and Markup.MICROBLOG in context.source.traits.markup
    return split_reposts(rows) if wanted else rows


def _normalize(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The text steps. Gives `raw`, `text`, `held`: what conversion looks for, and why a text never settles."""
    classes = {**script.load(context.own.script).classes, _DAMAGED: filter_table.LOST}
    texts = normalizer.normalize_and_flag(
        rows["text"], context.own.text, context.traits, classes, context.counts.turns.changed_by_step
    )
    texts = texts.with_columns(raw=rows["text"])
    bad = texts["unsettled"]
    if not bad.any():
        return texts.drop("unsettled")
    bad &= rows["reason"].is_null()
    message = (
        f"still changing after {normalizer.ROUNDS} rounds of the text steps: markup nested deeper than people write it"
    )
    return texts.drop("unsettled").with_columns(
        reason=rows["reason"].set(bad, str(Reason.DAMAGED)), message=rows["message"].set(bad, message)
    )


def _count_normalized(counts: Counts, before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.changed_by_normalization = int((before["text"] != after["text"]).sum())


def _convert(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Traditional to simplified script. Gives `text`, `before_conversion` and `script`."""
    done = script.load(context.own.script).convert(
        rows["text"], declared=context.traits.script, dialogues=rows["dialogue_id"], held=rows["held"]
    )
    return done.with_columns(before_conversion=rows["text"])


def _count_converted(counts: Counts, before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.changed_by_conversion = int((before["text"] != after["text"]).sum())
    counts.turns.scripts = +Counter({name: int((after["script"] == name).sum()) for name in script.NAMES})


def _check(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The filters that say when a turn is not kept. Gives `reason` and `message`."""
    return filter_table.apply_filters(rows, context.own.filters, context.source)


def _count_kept(counts: Counts, _before: pl.DataFrame, after: pl.DataFrame) -> None:
    counts.turns.read, counts.turns.kept = len(after), after["reason"].null_count()
    counts.turns.rejected = _by_reason(after)


#: What turns that were read go through until they are clean, in order.
CLEANING = (
    Stage("bound", _bound, Law.MAY_REJECT),
    Stage("unfold", _unfold, Law.MAY_SPLIT),
    Stage("normalize", _normalize, Law.MAY_REJECT, _count_normalized),
    Stage("convert", _convert, Law.KEEPS_REASONS, _count_converted),
)
#: What clean turns go through before they are paired.
JUDGING = (Stage("check", _check, Law.MAY_REJECT, _count_kept),)


def process_shard(shard: Shard, source: Source, own: SourceSettings) -> ShardResult:
    """Run one shard through all stages. Raises ChatCorpusError where its files changed, LedgerError on imbalance."""
    raw = reading.records(shard, source)
    return filter_and_pair(clean_turns(shard, source, own, raw), shard, source, own, lambda: raw)


def clean_turns(shard: Shard, source: Source, own: SourceSettings, raw: tuple[Records, ...]) -> CleanTurns:
    """The stages that know the files and the text, up to conversion. Raises LedgerError on imbalance."""
    context = Context(shard=shard, source=source, own=own, counts=Counts.zero())
    turns = reading.turns(raw, shard, source, own.read.limit, context.counts)
    clean = _run(CLEANING, turns, context)
    damaged = clean["held"] & (1 << len(script.load(own.script).classes)) != 0
    return CleanTurns(turns=clean.drop("held"), counts=context.counts, damaged=damaged)


def filter_and_pair(
    cleaned: CleanTurns, shard: Shard, source: Source, own: SourceSettings, raw: Callable[[], tuple[Records, ...]]
) -> ShardResult:
    """The stages that look at clean turns alone: check, pair. `raw` gives the records of those that are rejected.

    Raises LedgerError on imbalance.
    """
    context = Context(shard=shard, source=source, own=own, counts=Counts.zero())
    context.counts.add(cleaned.counts)
    known = {} if cleaned.damaged is None else {_DAMAGED: cleaned.damaged}
    turns = _run(JUDGING, cleaned.turns.with_columns(**known), context).drop(*known)
    pairs = _paired(turns, context)
    context.counts.check(shard.label)
    return ShardResult(turns=turns, pairs=pairs, rejects=_rejects(turns, shard, raw), counts=context.counts)


def _run(stages: Iterable[Stage], rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Run rows through stages, each held to its law, and counted. Raises LedgerError."""
    where = context.shard.label
    for stage in stages:
        try:
            made = stage.apply(rows, context)
        except pl.exceptions.ShapeError as error:  # columns of other lengths were put together
            raise LedgerError(f"{where}: stage '{stage.name}' lost or added turns: {error}") from error
        after = ledger.checked(stage.law, rows, made, stage.name, where)
        stage.count(context.counts, rows, after)
        rows = after
    return rows


def _paired(turns: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The pairs to write: of all that the places of the turns imply, those without a reason. Raises LedgerError."""
    pairing = context.own.pairs.pairing(context.source.pairing)
    possible = pair(turns, pairing)
    ledger.check_pairs(turns, possible, pairing, context.shard.label)
    whole = possible["reason"].null_count() == len(possible)
    pairs = (possible if whole else possible.filter(pl.col("reason").is_null())).drop("reason")
    context.counts.pairs = PairCounts(
        possible=len(possible), written=len(pairs), rejected=_by_reason(possible), duplicates=0
    )
    return pairs


def _by_reason(frame: pl.DataFrame) -> Counter[str]:
    return Counter(dict(frame["reason"].drop_nulls().value_counts().iter_rows()))


def _rejects(turns: pl.DataFrame, shard: Shard, raw: Callable[[], tuple[Records, ...]]) -> pl.DataFrame:
    """The rejected turns with the raw text of their records."""
    rejected = turns.filter(pl.col("reason").is_not_null()).select(
        "file_index", "record", "turn_index", "reason", "message"
    )
    found = []
    for part, (piece, records) in enumerate(zip(shard.pieces, raw(), strict=True)):
        mine = rejected.filter(pl.col("file_index") == part)
        told = mine.join(_shown(records, mine), on="record", how="left", maintain_order="left")
        found.append(told.with_columns(source=pl.lit(shard.source), file=pl.lit(piece.file.name)))
    whole = pl.concat(found).sort("record", "file_index", "turn_index", maintain_order=True)
    return raw_for_some(whole.select("source", "file", "record", "reason", "message", "raw"))


def _shown(records: Records, rejected: pl.DataFrame) -> pl.DataFrame:
    """`line, raw` of the records that have a reject, what is not text as it can be shown."""
    wanted = records.filter(pl.col("record").is_in(rejected["record"].unique().implode()))
    shown = pl.Series([None if data is None else printable(data) for data in wanted["bytes"]], dtype=pl.String)
    return wanted.select("record", raw=wanted["text"].zip_with(wanted["bytes"].is_null(), shown))


def raw_for_some(rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejects with `file`, `line` and `raw`, the text of a record that has many of them with the first few alone.

    A record of a thousand rejected turns would else be written a thousand times.
    """
    some = pl.int_range(pl.len()).over("file", "record") < _SHOWN
    return rejects.with_columns(raw=pl.when(some).then("raw")) if len(rejects) > _SHOWN else rejects
