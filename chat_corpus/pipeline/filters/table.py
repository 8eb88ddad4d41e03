"""The table of filters, which reject turns, dialogues and pairs. A rejected row is not removed, it gets a reason.

A filter checks one row or dialogue at a time, and does not depend on other filters. The first filter that rejects a row
gives the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import polars as pl

from chat_corpus.errors import ChatCorpusError
from chat_corpus.messages import message
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.filters.other_scopes import DIALOGUE_FILTERS, PAIR_FILTERS
from chat_corpus.pipeline.filters.turn_filters import FIRST, FURTHER, LOST
from chat_corpus.pipeline.filters.word_lists import DENY
from chat_corpus.row_masks import filtered
from chat_corpus.schema import TURNS, Reason
from chat_corpus.sources.base import Filter, Scope, Source

__all__ = ["FILTERS", "LOST", "Filter"]

#: Maximum size of a turn in bytes: text steps need up to a hundred times as much memory for one text.
LONGEST_TURN = 1 << 20
#: All filters of this package, in order. A filter with an option has the name of the option.
FILTERS: tuple[Filter, ...] = (*FIRST, *FURTHER, DENY, *DIALOGUE_FILTERS, *PAIR_FILTERS)
#: Name of the column with the number of a row; no filter has such a name.
_AT = "#"
_PAIR = ("query", "answer", "query_file_index", "query_record", "answer_file_index", "answer_record")


def reject_oversized(rows: pl.DataFrame) -> pl.DataFrame:
    """Reject turns above `LONGEST_TURN`: they get a reason, and their text becomes null. `rows` is `schema.TURNS`."""
    bytes_ = rows["text"].str.len_bytes()
    long = bytes_ > LONGEST_TURN
    if not long.any():
        return rows
    details = pl.format("{} bytes, more than the {} of the longest turn there can be", bytes_, pl.lit(LONGEST_TURN))
    return rows.with_columns(
        text=pl.when(~long).then("text"),
        reason=pl.when(long & pl.col("reason").is_null()).then(pl.lit(str(Reason.LENGTH))).otherwise("reason"),
        message=pl.when(long & pl.col("reason").is_null()).then(details).otherwise("message"),
    )


def active_filters(options: FilterOptions, source: Source, scope: Scope | None = None) -> tuple[Filter, ...]:
    """Return the active filters for a source, with those of plugins, in the order of scopes; or only of one scope."""
    plugins = (item for item in source.filters if options.custom.get(item.name, item.enabled) is not False)
    active = [item for item in (*FILTERS, *plugins) if item.applies(options, source)]
    return tuple(item for each in Scope for item in active if item.scope is each and scope in (None, each))


def apply_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return the rows with `reason` and `message` filled in for turns that a filter of turns or dialogues rejects.

    `rows` has the columns of `schema.TURNS`; `raw`, the text as read; and optionally `damaged`, a mask of the texts
    with lost characters. Raise ChatCorpusError if a filter of a plugin fails.
    """
    filters = active_filters(options, source, Scope.TURN)
    candidates = [filter_.candidates(rows, source) for filter_ in filters if filter_.candidates is not None]
    checked = rows["reason"].is_null()
    if filters and len(candidates) == len(filters):
        checked &= reduce(or_, candidates)
    rows = _reject(rows, checked, filters, options, source)
    if filters := active_filters(options, source, Scope.DIALOGUE):
        rows = _reject(rows, rows["dialogue_id"].is_not_null(), filters, options, source)
    return rows


def _reject(
    rows: pl.DataFrame, checked: pl.Series, filters: Sequence[Filter], options: FilterOptions, source: Source
) -> pl.DataFrame:
    """Return the rows with `reason` and `message` for rejected rows among the `checked` ones without a reason."""
    if not checked.any() or not filters:
        return rows
    numbered = filtered(rows[[*TURNS, "raw"]].with_row_index(_AT), checked)
    rejected = _first_rejections(numbered, filters, options, source)
    if numbered["reason"].null_count() < len(numbered):
        rejected = rejected.filter(rows["reason"].gather(rejected[_AT]).is_null())
    if rejected.is_empty():
        return rows
    changed = {name: rows[name].clone().scatter(rejected[_AT], rejected[name]) for name in ("reason", "message")}
    return rows.with_columns(**changed)


def _first_rejections(
    numbered: pl.DataFrame, filters: Sequence[Filter], options: FilterOptions, source: Source
) -> pl.DataFrame:
    """Return the row number, `reason` and `message` of each rejected row, from the first filter that rejects it."""
    messages = _messages(numbered, filters, options, source)
    cases = [pl.when(pl.col(item.name).is_not_null()).then(pl.lit(str(item.reason))) for item in filters]
    found = messages.select(reason=pl.coalesce(*cases), message=pl.coalesce(*(item.name for item in filters)))
    return numbered.select(_AT).hstack(found).drop_nulls("reason")


def evaluate_filters(rows: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return a column for each filter of turns and dialogues: its message for turns that it rejects, else null.

    `rows` is as for `apply_filters`; filters of dialogues need whole dialogues. The first column that is not null has
    the message of `apply_filters`.
    """
    filters = (*active_filters(options, source, Scope.TURN), *active_filters(options, source, Scope.DIALOGUE))
    messages = _messages(rows, filters, options, source)
    unplaced = [item.name for item in filters if item.scope is Scope.DIALOGUE]
    if not unplaced:
        return messages
    placed = rows["dialogue_id"].is_not_null()
    return messages.with_columns(pl.when(placed).then(name).alias(name) for name in unplaced)


def apply_pair_filters(pairs: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return the pairs of `pairing.pair` with `message`, and `reason` for those that a filter of pairs rejects.

    Pairs that already have a reason keep it. The `message` is null for these and for pairs that no filter rejects.
    """
    pairs = pairs.with_columns(message=pl.lit(None, dtype=pl.String))
    filters = active_filters(options, source, Scope.PAIR)
    if not filters:
        return pairs
    numbered = pairs.select(*_PAIR, "reason").with_row_index(_AT).filter(pl.col("reason").is_null()).drop("reason")
    rejected = _first_rejections(numbered, filters, options, source)
    changed = {name: pairs[name].clone().scatter(rejected[_AT], rejected[name]) for name in ("reason", "message")}
    return pairs.with_columns(**changed)


def evaluate_pair_filters(pairs: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return a column for each filter of pairs: its message for pairs that it rejects, else null."""
    return _messages(pairs, active_filters(options, source, Scope.PAIR), options, source)


def rejections(rows: pl.DataFrame, item: Filter, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return `row: u32, message` of the rows without a reason that one filter rejects; other filters do not matter.

    `rows` are the turns of whole dialogues, as for `apply_filters`; or, for a filter of pairs, the result of
    `pairing.pair`.
    """
    checked = rows["reason"].is_null()
    if item.candidates is not None:
        checked &= item.candidates(rows, source)
    numbered = rows.with_row_index(_AT)
    if item.scope is Scope.DIALOGUE:
        numbered = numbered.filter(pl.col("dialogue_id").is_not_null())
    elif not checked.all():
        numbered = numbered.filter(checked)
    messages = _messages(numbered, (item,), options, source)[item.name]
    found = pl.DataFrame({"row": numbered[_AT], "message": messages}).drop_nulls("message")
    return found.filter(checked.gather(found["row"])) if item.scope is Scope.DIALOGUE else found


def _messages(rows: pl.DataFrame, filters: Sequence[Filter], options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return a column for each filter: its message for rows that it rejects, else null.

    Raise ChatCorpusError, with the name of the filter, if a filter fails.
    """
    try:
        return rows.select(_message(item, options, source).alias(item.name) for item in filters)
    except pl.exceptions.PolarsError:
        for item in filters:
            try:
                rows.select(_message(item, options, source))
            except pl.exceptions.PolarsError as error:
                fault = message("filter {name}: {error}", name=item.name, error=str(error))
                raise ChatCorpusError(fault) from error
        raise


def _message(item: Filter, options: FilterOptions, source: Source) -> pl.Expr:
    """Return an expression for the message of a filter; null for rows that pass."""
    rejects = item.rejects(options, source)
    if item.message is None:
        return rejects.cast(pl.String)
    return pl.when(rejects).then(pl.coalesce(item.message, pl.lit(item.name)))
