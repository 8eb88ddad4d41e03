"""Filters of whole dialogues and of pairs."""

from __future__ import annotations

from typing import Literal

import polars as pl

from chat_corpus.exports.splitting import fold_spelled
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Filter, Scope, Source

#: Number of positions in the dialogue of a turn; alternative answers share a position.
_TURNS = (pl.col("turn_index").max() + 1).over("dialogue_id")
_COUNTED = pl.when(_TURNS == 1).then(pl.lit("1 turn")).otherwise(pl.format("{} turns", _TURNS))

DIALOGUE_FILTERS = (
    Filter(
        name="min_turns",
        reason=Reason.TURNS,
        rejects=lambda options, _source: options.min_turns > _TURNS,
        message=pl.format("a dialogue of {}, fewer than min_turns", _COUNTED),
        scope=Scope.DIALOGUE,
        applies=lambda options, _source: options.min_turns > 1,
    ),
    Filter(
        name="max_turns",
        reason=Reason.TURNS,
        rejects=lambda options, _source: options.max_turns < _TURNS,
        message=pl.format("a dialogue of {}, more than max_turns", _COUNTED),
        scope=Scope.DIALOGUE,
        applies=lambda options, _source: options.max_turns > 0,
    ),
)


def _length(side: Literal["query", "answer"], bound: Literal["min", "max"]) -> Filter:
    """Return a filter of pairs for the minimum or maximum length, in characters, of the query or the answer."""
    name, chars = f"{bound}_{side}_chars", pl.col(side).str.len_chars()
    shorter = bound == "min"
    off = 1 if shorter else 0
    text = f"the {side} has {{}} characters, {'fewer' if shorter else 'more'} than {name}"

    def rejects(options: FilterOptions, _source: Source) -> pl.Expr:
        limit: int = getattr(options, name)
        return chars < limit if shorter else chars > limit

    return Filter(
        name=name,
        reason=Reason.PAIR_LENGTH,
        rejects=rejects,
        message=pl.format(text, chars),
        scope=Scope.PAIR,
        applies=lambda options, _source: getattr(options, name) > off,
    )


def _echo(options: FilterOptions, _source: Source) -> pl.Expr:
    query, answer = pl.col("query"), pl.col("answer")
    if options.echo == "exact":
        return query == answer
    folded = (side.map_batches(fold_spelled, return_dtype=pl.String) for side in (query, answer))
    return next(folded) == next(folded)


PAIR_FILTERS = (
    _length("query", "min"),
    _length("query", "max"),
    _length("answer", "min"),
    _length("answer", "max"),
    Filter(
        name="echo",
        reason=Reason.PAIR_ECHO,
        rejects=_echo,
        message=pl.lit("the answer repeats the query"),
        scope=Scope.PAIR,
        applies=lambda options, _source: options.echo != "keep",
    ),
)
