"""When a turn is not kept. Each filter fills in the reason of the turns it rejects; no row is removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.row_masks import matches
from chat_corpus.schema import TURNS, Reason
from chat_corpus.sources.base import Source

#: Bytes of the longest turn: text steps need up to a hundred times as much memory for one text.
LONGEST_TURN = 1 << 20
#: Replaces a character that was lost before a corpus was published.
LOST = "\N{REPLACEMENT CHARACTER}"


def reject_oversized(rows: pl.DataFrame) -> pl.DataFrame:
    """Reject turns that are too long for any stage: they get a reason, and lose their text. Takes `schema.TURNS`."""
    bytes_ = rows["text"].str.len_bytes()
    long = bytes_ > LONGEST_TURN
    if not long.any():
        return rows
    message = pl.format("{} bytes, more than the {} of the longest turn there can be", bytes_, pl.lit(LONGEST_TURN))
    return rows.with_columns(
        text=pl.when(~long).then("text"),
        reason=pl.when(long & pl.col("reason").is_null()).then(pl.lit(str(Reason.LENGTH))).otherwise("reason"),
        message=pl.when(long & pl.col("reason").is_null()).then(message).otherwise("message"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """One reason to reject a turn, as expressions over the columns of `schema.TURNS`, and `raw`, of its row alone.

    rejects     true for the turns that the filter rejects
    message     what was found; where it is null, the name of the filter is the message
    applies     whether the options and the source switch the filter on
    candidates  a cheap mask that is true for every turn that the filter rejects, and for few others; without it, the
                filter checks every turn
    """

    name: str
    reason: Reason
    rejects: Callable[[FilterOptions, Source], pl.Expr]
    message: pl.Expr
    applies: Callable[[FilterOptions, Source], bool] = lambda _options, _source: True
    candidates: Callable[[pl.DataFrame, Source], pl.Series] | None = None


_TEXT = pl.col("text")
_CHARS = _TEXT.str.len_chars()
_DAMAGED = _TEXT.str.count_matches(LOST, literal=True)


def _empty(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return rows["text"].str.len_bytes() == 0


def _damaged(rows: pl.DataFrame, _source: Source) -> pl.Series:
    return rows["damaged"] if "damaged" in rows.columns else matches(rows["text"], LOST)


def _no_answer(source: Source) -> pl.Expr:
    return pl.col("raw").str.strip_chars().is_in(sorted(source.no_answer))


#: All filters, in order. The first one that rejects a turn gives the reason. A filter with an option has its name.
FILTERS: tuple[Filter, ...] = (
    Filter(
        name="empty",
        reason=Reason.EMPTY,
        rejects=lambda _options, _source: _TEXT == "",
        message=pl.lit("nothing is left after cleaning"),
        candidates=_empty,
    ),
    Filter(
        name="no_answer",
        reason=Reason.NO_ANSWER,
        rejects=lambda _options, source: _no_answer(source) & (pl.col("turn_index") > 0),
        message=pl.lit("the text that this source has for no answer"),
        applies=lambda _options, source: bool(source.no_answer),
        candidates=lambda rows, source: rows.select(_no_answer(source)).to_series(),
    ),
    Filter(
        name="max_damaged",
        reason=Reason.DAMAGED,
        rejects=lambda options, _source: _CHARS * options.max_damaged < _DAMAGED,
        message=pl.format("{} of {} characters are lost", _DAMAGED, _CHARS),
        applies=lambda options, _source: options.max_damaged < 1,
        candidates=_damaged,
    ),
    Filter(
        name="min_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: options.min_chars > _CHARS,
        message=pl.format("{} characters, fewer than min_chars", _CHARS),
        applies=lambda options, _source: options.min_chars > 1,
    ),
    Filter(
        name="max_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: options.max_chars < _CHARS,
        message=pl.format("{} characters, more than max_chars", _CHARS),
        applies=lambda options, _source: options.max_chars > 0,
    ),
)


def active_filters(options: FilterOptions, source: Source) -> tuple[Filter, ...]:
    """Return the filters that apply to a source."""
    return tuple(candidate for candidate in FILTERS if candidate.applies(options, source))


def apply_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return the rows with `reason` and `message` for turns that a filter rejects.

    `rows` has the columns of `schema.TURNS`; `raw`, the text as it was read; and, if it is known, `damaged`: whether a
    text has lost characters.
    """
    filters = active_filters(options, source)
    candidates = [filter_.candidates(rows, source) for filter_ in filters if filter_.candidates is not None]
    checked = rows["reason"].is_null()
    if len(candidates) == len(filters):
        checked &= reduce(or_, candidates)
    if not checked.any():
        return rows
    turns = rows.select(*TURNS, "raw").with_row_index("at").filter(checked)
    cases = [(filter_, filter_.rejects(options, source)) for filter_ in filters]
    rejected = turns.select(
        "at",
        reason=pl.coalesce(*(pl.when(rejects).then(pl.lit(str(filter_.reason))) for filter_, rejects in cases)),
        message=pl.coalesce(*(pl.when(rejects).then(_message(filter_)) for filter_, rejects in cases)),
    ).drop_nulls("reason")
    changed = {name: rows[name].clone().scatter(rejected["at"], rejected[name]) for name in ("reason", "message")}
    return rows.with_columns(**changed)


def _message(filter_: Filter) -> pl.Expr:
    """The message of a filter, never null: for `evaluate_filters` a null means that the filter lets a turn pass."""
    return pl.coalesce(filter_.message, pl.lit(filter_.name))


def evaluate_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return a column for each filter that applies, in order: its message for turns that it rejects, else null.

    `rows` is as for `apply_filters`.
    """
    return rows.select(
        pl.when(filter_.rejects(options, source)).then(_message(filter_)).alias(filter_.name)
        for filter_ in active_filters(options, source)
    )
