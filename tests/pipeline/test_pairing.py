"""From dialogues to pairs: each mode, against a plain reading of what it means."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.formats.base import turns_frame
from chat_corpus.pipeline.pairing import PairOptions, pair
from chat_corpus.schema import Pairing
from tests.conftest import examples

#: A dialogue: for each turn its alternatives, each shown by its reason.
Dialogue = list[list["str | None"]]
_REASONS = st.sampled_from([None, None, None, "empty", "negative"])
_DIALOGUE = st.lists(st.lists(_REASONS, min_size=1, max_size=3), max_size=5).map(
    lambda turns: [t[:1] for t in turns[:1]] + turns[1:]
)
DIALOGUES = st.lists(_DIALOGUE, max_size=5)


def frame(dialogues: list[Dialogue], lone: int = 0) -> pl.DataFrame:
    """Rows numbered by line, their number as their text; at the end some that are in no dialogue."""
    rows = [
        (dialogue, turn, reason)
        for dialogue, turns in enumerate(dialogues)
        for turn, alternatives in enumerate(turns)
        for reason in alternatives
    ]
    frame = pl.DataFrame(
        [*rows, *[(None, None, "fields")] * lone],
        schema={"dialogue_id": pl.UInt32, "turn_index": pl.UInt32, "reason": pl.String},
        orient="row",
    )
    return turns_frame(frame.with_row_index("record", 1).with_columns(text=pl.col("record").cast(pl.String)))


def expected(rows: pl.DataFrame, pairing: Pairing) -> list[tuple[int, int, str | None]]:
    """The pairs (line of query, line of answer, reason), by looking for the query of each turn."""
    held = [row for row in rows.iter_rows(named=True) if row["dialogue_id"] is not None]
    found = []
    for answer in held:
        query_index = {Pairing.FIRST: 0, Pairing.NONE: -1}.get(pairing, answer["turn_index"] - 1)
        if (
            answer["turn_index"] == 0
            or query_index < 0
            or (pairing is Pairing.EXCHANGE and answer["turn_index"] % 2 == 0)
        ):
            continue
        queries = [
            row for row in held if (row["dialogue_id"], row["turn_index"]) == (answer["dialogue_id"], query_index)
        ]
        query = queries[-1]
        found.append((query["record"], answer["record"], query["reason"] or answer["reason"]))
    return found


@pytest.mark.parametrize("pairing", Pairing)
@settings(max_examples=examples(30), deadline=None)
@given(dialogues=DIALOGUES, lone=st.integers(0, 2))
def test_each_turn_is_paired_with_what_it_answers(pairing: Pairing, dialogues: list[Dialogue], lone: int) -> None:
    rows = frame(dialogues, lone)
    pairs = pair(rows, pairing)
    assert pairs.columns == [
        "query",
        "answer",
        "query_file_index",
        "query_record",
        "answer_file_index",
        "answer_record",
        "reason",
    ]
    assert pairs.select("query_record", "answer_record", "reason").rows() == expected(rows, pairing)
    assert pairs["query"].to_list() == pairs["query_record"].cast(pl.String).to_list()
    assert pairs["answer"].to_list() == pairs["answer_record"].cast(pl.String).to_list()
    turns = [(turn, len(alternatives)) for dialogue in dialogues for turn, alternatives in enumerate(dialogue)]
    possible = {
        Pairing.ADJACENT: sum(size for turn, size in turns if turn),
        Pairing.FIRST: sum(size for turn, size in turns if turn),
        Pairing.EXCHANGE: sum(size for turn, size in turns if turn % 2),
        Pairing.NONE: 0,
    }
    assert len(pairs) == possible[pairing]


def test_a_rejected_turn_is_never_bridged() -> None:
    rows = frame([[[None], ["empty"], [None], [None]]])
    good = {mode: pair(rows, mode).filter(pl.col("reason").is_null()) for mode in Pairing}
    assert good[Pairing.ADJACENT].select("query", "answer").rows() == [("3", "4")]
    assert good[Pairing.EXCHANGE].select("query", "answer").rows() == [("3", "4")]
    assert good[Pairing.FIRST].select("query", "answer").rows() == [("1", "3"), ("1", "4")]


@pytest.mark.parametrize("pairing", [Pairing.ADJACENT, Pairing.EXCHANGE, Pairing.FIRST])
@pytest.mark.parametrize("left", [[0, 2], [1, 2], [2], [0, 3]])
def test_what_a_limit_cut_out_of_a_dialogue_is_not_bridged(pairing: Pairing, left: list[int]) -> None:
    rows = frame([[[None]] * 4, [[None]] * 4])
    cut = rows.filter((pl.col("dialogue_id") == 0) | pl.col("turn_index").is_in(left))
    assert pair(cut, pairing).select("query_record", "answer_record", "reason").rows() == [
        (query, answer, reason)
        for query, answer, reason in expected(rows, pairing)
        if query in cut["record"] and answer in cut["record"]
    ]


@pytest.mark.parametrize("declared", Pairing)
def test_a_chosen_mode_wins_but_gives_no_pairs_where_nobody_answers(declared: Pairing) -> None:
    assert PairOptions().pairing(declared) is declared
    chosen = PairOptions(mode="first").pairing(declared)
    assert chosen is (Pairing.NONE if declared is Pairing.NONE else Pairing.FIRST)
