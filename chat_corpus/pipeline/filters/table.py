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
_LONGEST = 1 << 20
#: What stands for a character that was lost before a corpus was published.
LOST = "\N{REPLACEMENT CHARACTER}"


def reject_oversized(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `schema.TURNS` with a reason instead of a text where a turn is longer than any stage should be given."""
    bytes_ = rows["text"].str.len_bytes()
    long = bytes_ > _LONGEST
    if not long.any():
        return rows
    told = pl.format("{} bytes, more than the {} of the longest turn there can be", bytes_, pl.lit(_LONGEST))
    return rows.with_columns(
        text=pl.when(~long).then("text"),
        reason=pl.when(long & pl.col("reason").is_null()).then(pl.lit(str(Reason.LENGTH))).otherwise("reason"),
        message=pl.when(long & pl.col("reason").is_null()).then(told).otherwise("message"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """One way to reject a turn, as expressions over the columns of `schema.TURNS`, and `raw`, of its own row alone.

    `rejects` is true of the turns that the filter rejects, `message` says what was found; of what it says nothing of,
    the name of the filter is said. The filter is asked where it `applies`. `candidates` is a mask of rows, true of
    every turn that the filter rejects, and cheap; without it, every turn is looked at.
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


#: All filters, in the order in which they are asked; the first that rejects a turn gives the reason. One that an option
#: steers has the option's name.
FILTERS: tuple[Filter, ...] = (
    Filter(
        name="empty",
        reason=Reason.EMPTY,
        rejects=lambda _options, _source: _TEXT == "",
        message=pl.lit("nothing left of the turn once it was cleaned"),
        candidates=_empty,
    ),
    Filter(
        name="no_answer",
        reason=Reason.NO_ANSWER,
        rejects=lambda _options, source: _no_answer(source) & (pl.col("turn_index") > 0),
        message=pl.lit("this source's word for having no answer"),
        applies=lambda _options, source: bool(source.no_answer),
        candidates=lambda rows, source: rows.select(_no_answer(source)).to_series(),
    ),
    Filter(
        name="max_damaged",
        reason=Reason.DAMAGED,
        rejects=lambda options, _source: _CHARS * options.max_damaged < _DAMAGED,
        message=pl.format("{} of {} characters lost", _DAMAGED, _CHARS),
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


def asked(options: FilterOptions, source: Source) -> tuple[Filter, ...]:
    """The filters that are asked of the turns of a source."""
    return tuple(one for one in FILTERS if one.applies(options, source))


def apply_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Rows with `reason` and `message` of the turns not kept.

    `rows` are those of `schema.TURNS` plus `raw`, the text as it was read, and, where that is known, `damaged`: whether
    a text has lost characters.
    """
    filters = asked(options, source)
    candidates = [one.candidates(rows, source) for one in filters if one.candidates is not None]
    asked_of = rows["reason"].is_null()
    if len(candidates) == len(filters):
        asked_of &= reduce(or_, candidates)
    if not asked_of.any():
        return rows
    at = rows.select(*TURNS, "raw").with_row_index("at").filter(asked_of)
    rejects = [(one, one.rejects(options, source), _said(one)) for one in filters]
    judged = at.select(
        "at",
        reason=pl.coalesce(*(pl.when(bad).then(pl.lit(str(one.reason))) for one, bad, _ in rejects)),
        message=pl.coalesce(*(pl.when(bad).then(said) for _, bad, said in rejects)),
    ).drop_nulls("reason")
    changed = {name: rows[name].clone().scatter(judged["at"], judged[name]) for name in ("reason", "message")}
    return rows.with_columns(**changed)


def _said(one: Filter) -> pl.Expr:
    """The message of a filter, which is never null: without one, `evaluate_filters` would say that the turn is kept."""
    return pl.coalesce(one.message, pl.lit(one.name))


def evaluate_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Each filter that is asked, as a column of its name: the message for turns that it rejects, null for the others.

    `rows` are as for `apply_filters`, the columns in the order in which filters are asked.
    """
    return rows.select(
        pl.when(one.rejects(options, source)).then(_said(one)).alias(one.name) for one in asked(options, source)
    )
