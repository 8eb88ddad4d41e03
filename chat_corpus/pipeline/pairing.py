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
    index = pl.int_range(pl.len(), dtype=pl.UInt32)
    same_dialogue = pl.col("dialogue_id") == pl.col("dialogue_id").shift(1)
    alternative = (same_dialogue & (pl.col("turn_index") == pl.col("turn_index").shift(1))).fill_null(value=False)
    if pairing is Pairing.FIRST:
        query = pl.when(~same_dialogue.fill_null(value=False)).then(index).forward_fill()
    else:
        # Alternatives to a turn answer what the first of them answers: the row before it.
        query = pl.when(~alternative & (index > 0)).then(index - 1).forward_fill()
    linked = placed.select(pl.all(), query=query)
    answers = linked.filter(_answers(pairing) & pl.col("query").is_not_null())
    queries = placed[answers["query"]]
    pairs = pl.DataFrame(
        {
            "query": queries["text"],
            "answer": answers["text"],
            "query_file_index": queries["file_index"],
            "query_record": queries["record"],
            "answer_file_index": answers["file_index"],
            "answer_record": answers["record"],
            "reason": queries["reason"].zip_with(queries["reason"].is_not_null(), answers["reason"]),
            **{f"query_{name}": queries[name] for name in at},
            **{f"answer_{name}": answers[name] for name in at},
        }
    )
    # Where a limit cut turns out of a dialogue, those around the gap are no neighbours.
    asked = 0 if pairing is Pairing.FIRST else answers["turn_index"] - 1
    return pairs.filter((queries["dialogue_id"] == answers["dialogue_id"]) & (queries["turn_index"] == asked))


def _answers(pairing: Pairing) -> pl.Expr:
    odd_only = pairing is Pairing.EXCHANGE
    return (pl.col("turn_index") % 2 == 1) if odd_only else (pl.col("turn_index") > 0)
