"""Make pairs of a query and an answer from dialogues.

Any two rows in the positions that the pairing requires are a possible pair. If its query or its answer was rejected,
the pair has the same reason (that of the query first), so no turn is ever paired across a rejected neighbour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec
import polars as pl

from chat_corpus.row_masks import above, below
from chat_corpus.schema import Pairing

Mode = Literal["source", "adjacent", "exchange", "first"]
#: Returns the values of a column of turns that are in the queries, or in the answers, of all pairs.
Picked = Callable[[pl.Series], pl.Series]
_NEEDED = ("file_index", "record", "dialogue_id", "turn_index", "text", "reason")


class PairOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How dialogues become pairs."""

    #: adjacent: each turn answers the one before; exchange: the 2nd answers the 1st, the 4th the 3rd; first: each turn
    #: answers the first; source: what suits the source (BELLE exchange, SMS none, all others adjacent).
    mode: Mode = "source"

    def pairing(self, declared: Pairing) -> Pairing:
        """Return the pairing of a source. A source with messages that nobody answers has no pairs in any mode."""
        return declared if self.mode == "source" or declared is Pairing.NONE else Pairing(self.mode)


def pair(rows: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    """Return all possible pairs.

    Columns: `query, answer, query_file_index, query_record, answer_file_index, answer_record, reason`. `rows` are rows
    of `schema.TURNS`; those in dialogues are sorted by dialogue and turn. If they have the column `at`, the pairs have
    the columns `query_at` and `answer_at`.
    """
    at = ["at"] if "at" in rows.columns else []
    placed = {name: rows[name] for name in (*_NEEDED, *at)}
    if pairing is Pairing.NONE:
        placed = {name: column.clear() for name, column in placed.items()}
    elif placed["dialogue_id"].null_count():
        in_dialogue = placed["dialogue_id"].is_not_null()
        placed = {name: column.filter(in_dialogue) for name, column in placed.items()}
    queries, answers = _linked(placed["dialogue_id"], placed["turn_index"], pairing)
    return pl.DataFrame(
        {
            "query": queries(placed["text"]),
            "answer": answers(placed["text"]),
            "query_file_index": queries(placed["file_index"]),
            "query_record": queries(placed["record"]),
            "answer_file_index": answers(placed["file_index"]),
            "answer_record": answers(placed["record"]),
            "reason": _reasons(placed["reason"], queries, answers),
            **{f"query_{name}": queries(placed[name]) for name in at},
            **{f"answer_{name}": answers(placed[name]) for name in at},
        }
    )


def _reasons(reasons: pl.Series, queries: Picked, answers: Picked) -> pl.Series:
    """Return the reason of each pair: that of its query, or else of its answer; nearly all have none."""
    first = queries(reasons)
    if reasons.null_count() == len(reasons):
        return first
    return first.zip_with(first.is_not_null(), answers(reasons))


def _linked(dialogues: pl.Series, turns: pl.Series, pairing: Pairing) -> tuple[Picked, Picked]:
    """Return two functions, which pick the queries and the answers of all pairs from a column of these rows."""
    same_dialogue = dialogues.slice(1) == dialogues.head(-1)
    alternative = same_dialogue & (turns.slice(1) == turns.head(-1))
    if pairing is Pairing.FIRST or alternative.any():
        return _linked_apart(dialogues, turns, pairing)
    # If a limit cut turns out of a dialogue, the turns around the gap are not neighbours.
    follows = same_dialogue & (turns.slice(1) == turns.head(-1) + 1)
    if pairing is Pairing.EXCHANGE:
        follows &= turns.slice(1) % 2 == 1
    return partial(above, follows=follows), partial(below, follows=follows)


def _linked_apart(dialogues: pl.Series, turns: pl.Series, pairing: Pairing) -> tuple[Picked, Picked]:
    """Do as `_linked`, if other rows may be between a query and its answer."""
    dialogue, turn, index = pl.col("dialogue"), pl.col("turn"), pl.int_range(pl.len(), dtype=pl.UInt32)
    places = pl.DataFrame({"dialogue": dialogues, "turn": turns})
    same_dialogue = (dialogue == dialogue.shift(1)).fill_null(value=False)
    if pairing is Pairing.FIRST:
        query = pl.when(~same_dialogue).then(index).forward_fill()
    else:
        # Alternatives to a turn answer the same row as the first of them: the row before it.
        alternative = same_dialogue & (turn == turn.shift(1)).fill_null(value=False)
        query = pl.when(~alternative & (index > 0)).then(index - 1).forward_fill()
    answers = (turn % 2 == 1) if pairing is Pairing.EXCHANGE else (turn > 0)
    linked = places.select(dialogue, turn, query=query, answer=index).filter(answers & pl.col("query").is_not_null())
    answered = 0 if pairing is Pairing.FIRST else linked["turn"] - 1
    near = (dialogues.gather(linked["query"]) == linked["dialogue"]) & (turns.gather(linked["query"]) == answered)
    linked = linked if near.all() else linked.filter(near)
    return partial(pl.Series.gather, indices=linked["query"]), partial(pl.Series.gather, indices=linked["answer"])
