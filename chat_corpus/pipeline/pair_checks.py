"""Check that no pair is lost, added or moved between the turns and the pairs to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import polars as pl

from chat_corpus.errors import DEFECT, LedgerError
from chat_corpus.messages import message
from chat_corpus.row_masks import above, below
from chat_corpus.schema import PAIR_REASON, Pairing

#: Factor of the dialogue in a number that combines a dialogue and a turn.
_DIALOGUE = 1 << 32
#: Columns that identify a pair.
_ADDRESS = ("query_file_index", "query_record", "answer_file_index", "answer_record")
#: Maximum number of pairs of a shard for which texts are compared.
_LOOKS = 1000

#: A function that returns the values of a column of turns for the queries of all pairs, or for their answers.
_Side = Callable[[pl.Series], pl.Series]


def check_pairs(rows: pl.DataFrame, pairs: pl.DataFrame, pairing: Pairing, where: str) -> None:
    """Check that the pairs are those that the positions of the turns imply: each answer is paired once.

    `rows` is the argument of `pairing.pair`, `pairs` its result. Compares the number, addresses and reasons of all
    pairs, and the texts of some. Raise LedgerError if they differ.
    """
    placed = {name: rows[name] for name in ("file_index", "record", "dialogue_id", "turn_index", "text", "reason")}
    if placed["dialogue_id"].null_count():
        in_dialogue = placed["dialogue_id"].is_not_null()
        placed = {name: column.filter(in_dialogue) for name, column in placed.items()}
    expected, query, answer = _implied(placed["dialogue_id"], placed["turn_index"], pairing)
    if len(pairs) != expected or not _are(pairs, placed, {"query": query, "answer": answer}):
        fault = message(
            "{where}: stage 'pair' lost, added or moved pairs: {pairs:,} made, {expected:,} expected from the turns; "
            "{defect}",
            where=where,
            pairs=len(pairs),
            expected=expected,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def check_filtered_pairs(before: pl.DataFrame, after: pl.DataFrame, where: str) -> None:
    """Check that filters of pairs changed neither the pairs nor their order, and only filled in missing reasons.

    The added reasons must begin with `schema.PAIR_REASON`. Raise LedgerError if a check fails.
    """
    given = before["reason"]
    same = len(before) == len(after) and all(before[name].equals(after[name]) for name in _ADDRESS)
    if same and given.null_count():
        added = after["reason"].filter(given.is_null()).drop_nulls()
        same = bool(added.str.starts_with(PAIR_REASON).all())
        same = same and after["reason"].set(given.is_null(), None).equals(given)
    elif same:
        same = after["reason"].equals(given)
    if not same:
        fault = message(
            "{where}: stage 'filter pairs' lost, added or moved pairs, or changed their reasons; {defect}",
            where=where,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def _implied(dialogues: pl.Series, turns: pl.Series, pairing: Pairing) -> tuple[int, _Side, _Side]:
    """Return the number of pairs that the positions of rows imply, and functions that pick queries and answers."""
    before, after, turn = turns.head(-1), turns.slice(1), turns.cast(pl.Int64)
    together = dialogues.slice(1) == dialogues.head(-1)
    possible = (turns % 2 == 1) if pairing is Pairing.EXCHANGE else (turns > 0) & (pairing is not Pairing.NONE)
    if pairing is not Pairing.FIRST and not (together & (before == after)).any():
        follows = together & possible.slice(1) & (after - 1 == before)
        return int(follows.sum()), partial(above, follows=follows), partial(below, follows=follows)
    places = dialogues.cast(pl.Int64) * _DIALOGUE + turn
    first = pairing is Pairing.FIRST
    # The query is the first row of the dialogue, or the last row before those at the position of the answer.
    query = _begins(dialogues) if first else _begins(places) - 1
    answered: pl.Series = places - turn if first else places - 1
    answer = (possible & (query >= 0) & (places.gather(query.clip(0)) == answered)).arg_true()
    queries = query.gather(answer)
    return len(answer), partial(pl.Series.gather, indices=queries), partial(pl.Series.gather, indices=answer)


def _begins(values: pl.Series) -> pl.Series:
    """Return for each row the index at which its run of equal values begins."""
    value, index = pl.col(values.name), pl.int_range(pl.len())
    begins = value.ne_missing(value.shift(1)) | (index == 0)
    return values.to_frame().select(pl.when(begins).then(index).forward_fill()).to_series()


def _are(pairs: pl.DataFrame, turns: Mapping[str, pl.Series], sides: Mapping[str, _Side]) -> bool:
    """Whether the pairs have the addresses, texts and reasons of the turns that `sides` picks."""
    apart = 1 + len(pairs) // _LOOKS
    return (
        all(
            pairs[f"{side}_{name}"].equals(picked(turns[name]))
            for side, picked in sides.items()
            for name in ("file_index", "record")
        )
        and all(
            pairs[side].gather_every(apart).equals(picked(turns["text"]).gather_every(apart))
            for side, picked in sides.items()
        )
        and _reasons_are(pairs["reason"], turns["reason"], sides)
    )


def _reasons_are(given: pl.Series, reasons: pl.Series, sides: Mapping[str, _Side]) -> bool:
    """Whether each pair has the reason of its query, or else that of its answer; nearly all have none."""
    if reasons.null_count() == len(reasons):
        return given.null_count() == len(given)
    rejected = reasons.is_not_null()
    either = sides["query"](rejected) | sides["answer"](rejected)
    if not either.any() or not given.is_not_null().equals(either):
        return not either.any() and given.null_count() == len(given)
    first, second = (picked(reasons).filter(either) for picked in sides.values())
    return bool(given.filter(either).equals(first.zip_with(first.is_not_null(), second)))
