"""Rows of a shard that differ between two runs over the same raw data, and the cause of each difference.

A pair is the same pair in both runs if its two turns have the same addresses. The stages are searched in order for the
cause of a difference between two turns: reading of the record, text steps (the first one after which the texts differ),
script conversion, masking of personal data, filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.lineage.cause_kinds import CauseKind, Factor, constant, union, with_name
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.lineage.replayed_shard import ReplayedShard
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.text.step_diff import StepConfig, diverge
from chat_corpus.schema import Pairing

_TURN = {"file_index": pl.UInt8(), "record": pl.UInt32(), "place": pl.UInt32()}
_TEXTS = ("raw", "before_conversion", "before_masking", "text", "reason", "message", "rule")
_FATE = {"dialogue_id": pl.UInt32(), "turn_index": pl.UInt32(), **dict.fromkeys(_TEXTS, pl.String())}
_SIDES = ("query", "answer")
_PAIR = [f"{side}_{name}" for side in _SIDES for name in _TURN]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSide:
    """A run, and its replay of a shard; None if the run stopped before this shard because of `read.limit`."""

    run: RecordedRun
    shard: ReplayedShard | None

    @property
    def pairing(self) -> Pairing:
        """The pairing of the turns in this run."""
        return self.run.source_settings.pairs.pairing(self.run.source.pairing)

    @property
    def step_config(self) -> StepConfig:
        """The options and the traits for the text steps."""
        traits = self.run.source.traits
        if self.shard is not None:
            traits = self.shard.shard.traits(traits)
        return self.run.source_settings.text, traits

    def turns(self, other: RunSide) -> pl.DataFrame:
        """Return the turns of the shard.

        Columns: the address `file_index, record, place`; `dialogue_id, turn_index`; the text after each stage (`raw`,
        `before_conversion`, `before_masking`, `text`); `reason` and `message`; `rule`, the name of the filter that
        rejects the turn; `other_rejects`, whether a filter of the run `other` would reject it.
        """
        if self.shard is None:
            return pl.DataFrame(schema={**_TURN, **_FATE, "other_rejects": pl.Boolean()})
        turns = self.shard.turns
        if "before_masking" not in turns.columns:
            turns = turns.with_columns(before_masking="text")
        messages = filter_table.evaluate_filters(turns, self.run.source_settings.filters, self.run.source)
        others = filter_table.evaluate_filters(turns, other.run.source_settings.filters, other.run.source)
        rejected = others.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        return turns.with_columns(rule=_first_name(messages), other_rejects=rejected).select(
            *_TURN, *_FATE, "other_rejects"
        )

    def pairs(self) -> pl.DataFrame:
        """Return the possible pairs of the shard.

        Columns: `file_index, record, place` of both turns, with the prefixes `query_` and `answer_`; `row`, the row
        number in the TSV; `reason`; `rule`, the name of the filter of pairs that rejects the pair; `tsv`, the line of
        the TSV. `row` and `tsv` are null for pairs that were not written.
        """
        if self.shard is None:
            keys = {f"{side}_{name}": dtype for side in _SIDES for name, dtype in _TURN.items()}
            columns = {"row": pl.UInt32, "reason": pl.String, "rule": pl.String, "tsv": pl.String}
            return pl.DataFrame(schema={**keys, **columns})
        pairs, place = self.shard.pairs, self.shard.turns["place"]
        places = {f"{side}_place": place.gather(pairs[f"{side}_at"]) for side in _SIDES}
        written = pairs["row"].is_not_null().arg_true()
        lines = tsv.encode(pairs[written]).decode("utf-8").split("\n")[:-1]
        line = pl.Series("tsv", [None], dtype=pl.String).new_from_index(0, len(pairs)).scatter(written, lines)
        rule = pl.when(pl.col("message").is_not_null()).then(self._pair_filters(pairs))
        return pairs.with_columns(line, rule=rule, **places).select(*_PAIR, "row", "reason", "rule", "tsv")

    def _pair_filters(self, pairs: pl.DataFrame) -> pl.Series:
        """Return the name of the first filter of pairs that rejects each pair; null if there is none."""
        messages = filter_table.evaluate_pair_filters(pairs, self.run.source_settings.filters, self.run.source)
        return _first_name(messages, len(pairs))


def _first_name(messages: pl.DataFrame, rows: int = 0) -> pl.Series:
    """Return, for each row, the name of the first column that is not null; `rows` nulls if there are no columns."""
    if not messages.width:
        return pl.Series("rule", [None], dtype=pl.String).new_from_index(0, rows)
    names = (pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in messages.columns)
    return messages.select(rule=pl.coalesce(names)).to_series()


def row_differences(old: RunSide, new: RunSide) -> pl.DataFrame:
    """Return the rows of a shard that differ between two runs, in the order of their addresses.

    Columns: `query_file_index, query_record, answer_file_index, answer_record`; for the old run, `row` and `tsv` (row
    number and line, null if it did not write the pair) and `reason` (null if it did not reject the pair or one of its
    turns); for the new run, `row_new, tsv_new, reason_new`; `causes`, a list of codes of `Factor` that cannot be
    separated, null if no cause was found.
    """
    sides = [side.pairs().with_columns(there=pl.lit(value=True)) for side in (old, new)]
    both = sides[0].join(sides[1], on=_PAIR, how="full", coalesce=True, suffix="_new")
    rows = both.filter(pl.col("tsv").ne_missing(pl.col("tsv_new")))
    turns = _turn_differences(old, new, rows)
    for side in _SIDES:
        names = {name: f"{side}_{name}" for name in turns.columns}
        rows = rows.join(turns.rename(names), on=[names[name] for name in _TURN], how="left")
    causes = _causes(pairing_differs=old.pairing is not new.pairing)
    return rows.with_columns(causes=causes).sort(_PAIR).select(
        *(f"{side}_{name}" for side in _SIDES for name in ("file_index", "record")),
        "row", "tsv", "reason", "row_new", "tsv_new", "reason_new", "causes",
    )  # fmt: skip


def _causes(*, pairing_differs: bool) -> pl.Expr:
    """Return an expression for the causes of a difference between pairs, with codes of `Factor`.

    If a pair is possible in only one run, the other run lacks one of its turns or pairs turns differently. Otherwise,
    the cause is what makes only one run reject a turn or the pair, if one does, or what makes the turns differ. If a
    pass over all pairs drops the pair in only one run, the reason may be its text, the text of the pair that it
    repeats, or the settings of the pass; these cannot be separated.
    """
    turn_causes = [pl.col(f"{side}_causes") for side in _SIDES]
    rejected_once = [pl.col(f"{side}_rejected_once") for side in _SIDES]
    possible = pl.col("there").is_not_null() & pl.col("there_new").is_not_null()
    accepted = pl.col("reason").is_null() & pl.col("reason_new").is_null()
    early = [Factor(CauseKind.READING).code, Factor(CauseKind.LIMIT).code]
    read = union(*(pl.when(causes.list.first().is_in(early)).then(causes) for causes in turn_causes))
    pairing = constant(CauseKind.PAIRING) if pairing_differs else pl.lit(None, dtype=pl.List(pl.String))
    rejecting = (pl.when(rejected).then(causes) for rejected, causes in zip(rejected_once, turn_causes, strict=True))
    return (
        pl.when(~possible)
        .then(pl.coalesce(read, pairing))
        .when(pl.any_horizontal(*rejected_once))
        .then(_pair_rejection(*rejecting))
        .when(pl.col("rule").is_null() != pl.col("rule_new").is_null())
        .then(union(with_name(CauseKind.FILTER, pl.coalesce("rule", "rule_new")), union(*turn_causes)))
        .when(accepted & (pl.col("row").is_null() | pl.col("row_new").is_null()))
        .then(union(constant(CauseKind.REPEAT), union(*turn_causes)))
        .otherwise(union(*turn_causes))
    )


def _pair_rejection(query: pl.Expr, answer: pl.Expr) -> pl.Expr:
    """Return an expression for the causes why only one run rejects a pair, from the causes for its turns.

    If the new run rejects the pair and a filter alone is the cause for one turn, that is enough: several causes for the
    other turn are left out. In all other cases, the causes for both turns count. (A pair that the old run rejected
    comes back only if both turns do.)
    """
    is_new = pl.col("reason_new").is_not_null()
    return (
        pl.when(is_new & _is_filter(query) & _is_several(answer))
        .then(query)
        .when(is_new & _is_filter(answer) & _is_several(query))
        .then(answer)
        .otherwise(union(query, answer))
    )


def _is_filter(causes: pl.Expr) -> pl.Expr:
    return causes.list.first().str.starts_with(f"{CauseKind.FILTER} ") & ~_is_several(causes)


def _is_several(causes: pl.Expr) -> pl.Expr:
    return causes.list.len() > 1


def _turn_differences(old: RunSide, new: RunSide, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the turns of the pairs in `rows`.

    Columns: `file_index, record, place`; `rejected_once`, whether only one run rejects the turn; `causes` of the
    difference between the runs, null if there is none or if it was not found.
    """
    keys = pl.concat(rows.select(pl.col(f"{side}_{name}").alias(name) for name in _TURN) for side in _SIDES).unique()
    sides = [
        keys.join(
            side.turns(other).with_columns(there=pl.lit(value=True)),
            on=list(_TURN),
            how="left",
            maintain_order="left",
        )
        for side, other in ((old, new), (new, old))
    ]
    turns = sides[0].hstack(sides[1].select(pl.exclude(*_TURN).name.suffix("_new")))
    # The filters of each run were applied to the texts of the other run.
    crossed = {"old_rejects_new": "other_rejects_new", "new_rejects_old": "other_rejects"}
    turns = turns.with_columns(_steps(old, new, turns), **crossed)
    both = pl.col("there").is_not_null() & pl.col("there_new").is_not_null()
    rejected_once = both & (pl.col("reason").is_null() != pl.col("reason_new").is_null())
    return turns.select(
        *_TURN,
        rejected_once=rejected_once,
        causes=pl.when(~both & (_beyond_limit(old, "there") | _beyond_limit(new, "there_new")))
        .then(constant(CauseKind.LIMIT))
        .when(~both | _differ("raw"))
        .then(constant(CauseKind.READING))
        .when(rejected_once)
        .then(_turn_rejection())
        .otherwise(_text_causes()),
    )


def _differ(name: str) -> pl.Expr:
    return pl.col(name).ne_missing(pl.col(f"{name}_new"))


def _text_causes() -> pl.Expr:
    """Return an expression for the causes why turns with the same raw text have different clean texts."""
    return (
        pl.when(_differ("before_conversion"))
        .then(with_name(CauseKind.STEP, pl.col("step")))
        .when(_differ("before_masking"))
        .then(constant(CauseKind.CONVERSION))
        .when(_differ("text"))
        .then(constant(CauseKind.MASKING))
    )


def _turn_rejection() -> pl.Expr:
    """Return an expression for the causes why only one run rejects a turn.

    The cause is the filter if the filters of the rejecting run would also reject the text of the other run. It is the
    text if the filters of the other run would also reject the text of the rejecting run. It is both together if both
    conditions are true, or neither is.
    """
    rejects_new = pl.col("reason_new").is_not_null()
    filter_cause = with_name(CauseKind.FILTER, pl.when(rejects_new).then("rule_new").otherwise("rule"))
    by_filter = pl.when(rejects_new).then("new_rejects_old").otherwise("old_rejects_new")
    by_text = pl.when(rejects_new).then("old_rejects_new").otherwise("new_rejects_old")
    return (
        pl.when(by_filter & ~by_text)
        .then(filter_cause)
        .when(by_text & ~by_filter)
        .then(_text_causes())
        .otherwise(_together(_text_causes(), filter_cause))
    )


def _together(text: pl.Expr, filter_: pl.Expr) -> pl.Expr:
    """Return an expression for both causes in one list; null if one of them was not found."""
    return pl.when(text.is_not_null() & filter_.is_not_null()).then(pl.concat_list(text, filter_))


def _beyond_limit(side: RunSide, there: str) -> pl.Expr:
    """Return an expression: whether a turn is missing from a run because of `read.limit`."""
    limit = side.run.source_settings.read.limit
    return pl.col(there).is_null() & (pl.col("record") > limit) if limit else pl.lit(value=False)


def _steps(old: RunSide, new: RunSide, turns: pl.DataFrame) -> pl.Series:
    """Return the name of the first step after which turns with the same raw text differ.

    The name is null for other turns, and for turns for which running the steps does not reproduce the two results.
    """
    same_raw = pl.col("raw") == pl.col("raw_new")
    mask = turns.select((same_raw & _differ("before_conversion")).fill_null(value=False)).to_series()
    changed = turns.filter(mask)
    result = diverge(changed["raw"], old.step_config, new.step_config)
    is_reproduced = (result["old"] == changed["before_conversion"]) & (
        result["new"] == changed["before_conversion_new"]
    )
    null = pl.Series("step", [None], dtype=pl.String)
    steps = result["step"].zip_with(is_reproduced, null.new_from_index(0, len(changed)))
    step: pl.Series = null.new_from_index(0, len(turns)).scatter(mask.arg_true(), steps)
    return step
