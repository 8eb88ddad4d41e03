"""In which rows of a shard two runs over the same raw data differ, and what parted them: each row, not a sample.

A pair is the same in both where the addresses of its two turns are. What parted two turns is looked for in the order of
the stages: how the record was read, the first text step after which the texts differ, the conversion, a filter.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.lineage.cause_kinds import CauseKind, Factor, either, literal, named
from chat_corpus.lineage.recorded_run import RecordedRun, ReplayedShard
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.text.step_diff import StepConfig, diverge
from chat_corpus.schema import Pairing

_TURN = {"file_index": pl.UInt8(), "record": pl.UInt32(), "place": pl.UInt32()}
_TEXTS = ("raw", "before_conversion", "text", "reason", "message", "rule")
_TOLD = {"dialogue_id": pl.UInt32(), "turn_index": pl.UInt32(), **dict.fromkeys(_TEXTS, pl.String())}
_SIDES = ("query", "answer")
_PAIR = [f"{side}_{name}" for side in _SIDES for name in _TURN]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSide:
    """One run's doing of a shard; `again` is null where its limit ended before."""

    written: RecordedRun
    again: ReplayedShard | None

    @property
    def pairing(self) -> Pairing:
        """How its turns became pairs."""
        return self.written.own.pairs.pairing(self.written.source.pairing)

    @property
    def way(self) -> StepConfig:
        """Options and traits of the text steps."""
        traits = self.written.source.traits
        if self.again is not None:
            traits = self.again.shard.traits(traits)
        return self.written.own.text, traits

    def turns(self) -> pl.DataFrame:
        """The turns by address: `part, line, place`, their texts from stage to stage, and the filter that failed."""
        if self.again is None:
            return pl.DataFrame(schema={**_TURN, **_TOLD})
        asked = filter_table.evaluate_filters(self.again.turns, self.written.own.filters, self.written.source)
        rule = asked.select(
            rule=pl.coalesce(pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in asked.columns)
        )
        return self.again.turns.with_columns(rule["rule"]).select(*_TURN, *_TOLD)

    def pairs(self) -> pl.DataFrame:
        """The possible pairs by the addresses of their turns: `row, reason`, and `tsv`, the line where there is one."""
        if self.again is None:
            keys = {f"{side}_{name}": dtype for side in _SIDES for name, dtype in _TURN.items()}
            return pl.DataFrame(schema={**keys, "row": pl.UInt32, "reason": pl.String, "tsv": pl.String})
        pairs, place = self.again.pairs, self.again.turns["place"]
        placed = {f"{side}_place": place.gather(pairs[f"{side}_at"]) for side in _SIDES}
        written = pairs["row"].is_not_null().arg_true()
        lines = tsv.encode(pairs[written]).decode("utf-8").split("\n")[:-1]
        line = pl.Series("tsv", [None], dtype=pl.String).new_from_index(0, len(pairs)).scatter(written, lines)
        return pairs.with_columns(line, **placed).select(*_PAIR, "row", "reason", "tsv")


def differences(old: RunSide, new: RunSide) -> pl.DataFrame:
    """The rows in which two runs over the same pieces differ, by address.

    Columns: `query_file_index, query_record, answer_file_index, answer_record`; `row, tsv, reason` of the old
    run, and with `_new` of the new one: row and line where it wrote the pair, the reason where it rejected a turn; and
    `causes`, null where none was found, else a list of codes of `Factor`; causes in one list cannot be separated.
    """
    sides = [side.pairs().with_columns(there=pl.lit(value=True)) for side in (old, new)]
    both = sides[0].join(sides[1], on=_PAIR, how="full", coalesce=True, suffix="_new")
    rows = both.filter(pl.col("tsv").ne_missing(pl.col("tsv_new")))
    turns = _parted(old, new, rows)
    for side in _SIDES:
        named = {name: f"{side}_{name}" for name in turns.columns}
        rows = rows.join(turns.rename(named), on=[named[name] for name in _TURN], how="left")
    return rows.with_columns(causes=_causes(mode=old.pairing is not new.pairing)).sort(_PAIR).select(
        *(f"{side}_{name}" for side in _SIDES for name in ("file_index", "record")),
        "row", "tsv", "reason", "row_new", "tsv_new", "reason_new", "causes",
    )  # fmt: skip


def _causes(*, mode: bool) -> pl.Expr:
    """What parted a pair; `mode` says whether the two runs pair in different ways.

    A pair that is not possible in one of them has a turn that is not there, or other neighbours. Else it is what makes
    only one run reject a turn, else what makes the turns differ. A pair that only one run left out as a repeat may have
    become one by its own text, or by that of the first such pair, or by neither: these are not told apart.
    """
    told = [pl.col(f"{side}_causes") for side in _SIDES]
    fell = [pl.col(f"{side}_fell") for side in _SIDES]
    possible = pl.col("there").is_not_null() & pl.col("there_new").is_not_null()
    kept = pl.col("reason").is_null() & pl.col("reason_new").is_null()
    early = [Factor(CauseKind.READING).code, Factor(CauseKind.LIMIT).code]
    read = either(*(pl.when(one.list.first().is_in(early)).then(one) for one in told))
    pairing = literal(CauseKind.PAIRING) if mode else pl.lit(None, dtype=pl.List(pl.String))
    return (
        pl.when(~possible)
        .then(pl.coalesce(read, pairing))
        .when(pl.any_horizontal(*fell))
        .then(_felling(*(pl.when(fallen).then(one) for fallen, one in zip(fell, told, strict=True))))
        .when(kept & (pl.col("row").is_null() | pl.col("row_new").is_null()))
        .then(either(literal(CauseKind.REPEAT), either(*told)))
        .otherwise(either(*told))
    )


def _felling(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Why only one run rejects a pair.

    Where the new one does, a filter that rejects a turn by itself is enough, whatever else the other turn needs to
    fall; a pair comes back only with both its turns.
    """
    new = pl.col("reason_new").is_not_null()
    return (
        pl.when(new & _is_filter(one) & _is_several(other))
        .then(one)
        .when(new & _is_filter(other) & _is_several(one))
        .then(other)
        .otherwise(either(one, other))
    )


def _is_filter(causes: pl.Expr) -> pl.Expr:
    codes = [Factor(CauseKind.FILTER, rule.name).code for rule in filter_table.FILTERS]
    return causes.list.first().is_in(codes) & ~_is_several(causes)


def _is_several(causes: pl.Expr) -> pl.Expr:
    return causes.list.len() > 1


def _parted(old: RunSide, new: RunSide, rows: pl.DataFrame) -> pl.DataFrame:
    """The turns of pairs: `part, line, place`, and what are their `causes` to differ.

    `fell` says whether only one of them rejects it.
    """
    keys = pl.concat(rows.select(pl.col(f"{side}_{name}").alias(name) for name in _TURN) for side in _SIDES).unique()
    sides = [
        keys.join(
            side.turns().with_columns(there=pl.lit(value=True)), on=list(_TURN), how="left", maintain_order="left"
        )
        for side in (old, new)
    ]
    turns = sides[0].hstack(sides[1].select(pl.exclude(*_TURN).name.suffix("_new")))
    turns = turns.with_columns(_steps(old, new, turns), *_crossed(old, new, sides))
    both = pl.col("there").is_not_null() & pl.col("there_new").is_not_null()
    fell = both & (pl.col("reason").is_null() != pl.col("reason_new").is_null())
    return turns.select(
        *_TURN,
        fell=fell,
        causes=pl.when(~both & (_beyond(old, "there") | _beyond(new, "there_new")))
        .then(literal(CauseKind.LIMIT))
        .when(~both | _differ("raw"))
        .then(literal(CauseKind.READING))
        .when(fell)
        .then(_fallen())
        .otherwise(_text()),
    )


def _differ(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"{name}_new"))


def _text() -> pl.Expr:
    """What parted the texts of turns read alike."""
    return (
        pl.when(_differ("before_conversion"))
        .then(named(CauseKind.STEP, pl.col("step")))
        .when(_differ("text"))
        .then(literal(CauseKind.CONVERSION))
    )


def _fallen() -> pl.Expr:
    """Why only one run rejects a turn.

    It is its filter, where that would reject the other's text too, its text, where the other's filters would reject
    that, and both together where neither alone tells them apart.
    """
    rejects_new = pl.col("reason_new").is_not_null()
    rule = named(CauseKind.FILTER, pl.when(rejects_new).then("rule_new").otherwise("rule"))
    by_filter = pl.when(rejects_new).then("new_rejects_old").otherwise("old_rejects_new")
    by_text = pl.when(rejects_new).then("old_rejects_new").otherwise("new_rejects_old")
    return (
        pl.when(by_filter & ~by_text)
        .then(rule)
        .when(by_text & ~by_filter)
        .then(_text())
        .otherwise(_with(_text(), rule))
    )


def _with(text: pl.Expr, rule: pl.Expr) -> pl.Expr:
    """Both causes together; null where one of them was not found."""
    return pl.when(text.is_not_null() & rule.is_not_null()).then(pl.concat_list(text, rule))


def _crossed(old: RunSide, new: RunSide, sides: list[pl.DataFrame]) -> list[pl.Series]:
    """Whether the filters of each run would reject the texts of the other."""
    asked = (("old_rejects_new", old, sides[1]), ("new_rejects_old", new, sides[0]))
    return [
        filter_table.evaluate_filters(frame, side.written.own.filters, side.written.source)
        .select(pl.any_horizontal(pl.all().is_not_null()).alias(name))
        .to_series()
        for name, side, frame in asked
    ]


def _beyond(side: RunSide, there: str) -> pl.Expr:
    limit = side.written.own.read.limit
    return pl.col(there).is_null() & (pl.col("record") > limit) if limit else pl.lit(value=False)


def _steps(old: RunSide, new: RunSide, turns: pl.DataFrame) -> pl.Series:
    """The step that parted turns read alike; null where the steps side by side give other texts than the runs."""
    alike = pl.col("raw") == pl.col("raw_new")
    where = turns.select((alike & _differ("before_conversion")).fill_null(value=False)).to_series()
    some = turns.filter(where)
    told = diverge(some["raw"], old.way, new.way)
    sound = (told["old"] == some["before_conversion"]) & (told["new"] == some["before_conversion_new"])
    none = pl.Series("step", [None], dtype=pl.String)
    parted = told["step"].zip_with(sound, none.new_from_index(0, len(some)))
    step: pl.Series = none.new_from_index(0, len(turns)).scatter(where.arg_true(), parted)
    return step
