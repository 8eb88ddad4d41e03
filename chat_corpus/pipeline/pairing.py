"""From dialogues to query/response pairs.

A pair is possible wherever two rows stand in the places that the pairing asks for. It carries the reason of its query
or else of its response, where one of them was rejected, so that no turn is ever paired across a rejected neighbour.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import polars as pl

from chat_corpus.schema import Pairing

Mode = Literal["source", "adjacent", "exchange", "first"]
_NEEDED = ("file_index", "record", "dialogue_id", "turn_index", "text", "reason")


class PairOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How dialogues become pairs."""

    #: adjacent: each turn answers the one before; exchange: the 2nd answers the 1st, the 4th the 3rd; first: each turn
    #: answers the first; source: what suits the source (BELLE exchange, SMS none, all others adjacent).
    mode: Mode = "source"

    def pairing(self, declared: Pairing) -> Pairing:
        """The pairing to use for a source; one whose messages nobody answers has no pairs in any mode."""
        return declared if self.mode == "source" or declared is Pairing.NONE else Pairing(self.mode)


def pair(rows: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    """All possible pairs: `query, answer, query_file_index, query_record, answer_file_index, answer_record, reason`.

    `rows` are rows of `schema.TURNS`, sorted by dialogue and turn but for those in no dialogue. Where they have the
    column `at`, so have the pairs as `query_at` and `answer_at`.
    """
    at = ["at"] if "at" in rows.columns else []
    placed = rows.select(*_NEEDED, *at)
    if pairing is Pairing.NONE:
        placed = placed.clear()
    elif placed["dialogue_id"].null_count():
        placed = placed.filter(pl.col("dialogue_id").is_not_null())
    query, answer = _linked(placed["dialogue_id"], placed["turn_index"], pairing)
    reasons = placed["reason"]
    first = reasons.gather(query)
    return pl.DataFrame(
        {
            "query": placed["text"].gather(query),
            "answer": placed["text"].gather(answer),
            "query_file_index": placed["file_index"].gather(query),
            "query_record": placed["record"].gather(query),
            "answer_file_index": placed["file_index"].gather(answer),
            "answer_record": placed["record"].gather(answer),
            "reason": first.zip_with(first.is_not_null(), reasons.gather(answer)),
            **{f"query_{name}": placed[name].gather(query) for name in at},
            **{f"answer_{name}": placed[name].gather(answer) for name in at},
        }
    )


def _linked(dialogues: pl.Series, turns: pl.Series, pairing: Pairing) -> tuple[pl.Series, pl.Series]:
    """The indices of queries and answers among rows in these places."""
    dialogue, turn, index = pl.col("dialogue"), pl.col("turn"), pl.int_range(pl.len(), dtype=pl.UInt32)
    places = pl.DataFrame({"dialogue": dialogues, "turn": turns})
    same_dialogue = (dialogue == dialogue.shift(1)).fill_null(value=False)
    alternative = same_dialogue & (turn == turn.shift(1)).fill_null(value=False)
    if pairing is Pairing.FIRST:
        query = pl.when(~same_dialogue).then(index).forward_fill()
    elif places.select(alternative.any()).item():
        # Alternatives to a turn answer what the first of them answers: the row before it.
        query = pl.when(~alternative & (index > 0)).then(index - 1).forward_fill()
    else:
        query = pl.when(index > 0).then(index - 1)
    linked = places.select(dialogue, turn, query=query, answer=index)
    linked = linked.filter(_answers(pairing) & pl.col("query").is_not_null())
    # Where a limit cut turns out of a dialogue, those around the gap are no neighbours.
    answered = 0 if pairing is Pairing.FIRST else linked["turn"] - 1
    near = (dialogues.gather(linked["query"]) == linked["dialogue"]) & (turns.gather(linked["query"]) == answered)
    linked = linked if near.all() else linked.filter(near)
    return linked["query"], linked["answer"]


def _answers(pairing: Pairing) -> pl.Expr:
    odd_only = pairing is Pairing.EXCHANGE
    return (pl.col("turn") % 2 == 1) if odd_only else (pl.col("turn") > 0)
