"""Make sequences of messages from turns, without a rejected turn or a gap between them.

In a sequence, each message answers the message before it. An alternative response has a separate sequence, which begins
with the same turns as the sequence of its dialogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from chat_corpus.schema import Pairing

#: Pairings in which only turns with an even number can begin a record. Turns count from 0.
_EVEN_FIRST = (Pairing.EXCHANGE, Pairing.FIRST)
_INDEX = pl.UInt32


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequences:
    """Messages in the order of their sequences, and the turns that they were made from.

    messages       `sequence, position, length, branch, content, row`: number of the sequence (increasing), position in
                   the sequence from 0, number of messages in the sequence, whether the sequence is that of an
                   alternative response, text, and row of the first turn
    members        `row, message`: the turns of each message; a turn can be in messages of several sequences
    alternatives   rows of the alternative responses that were left out
    without_query  rows of the turns that answer a rejected or missing turn
    """

    messages: pl.DataFrame
    members: pl.DataFrame
    alternatives: pl.Series
    without_query: pl.Series


def sequences(rows: pl.DataFrame, pairing: Pairing, *, first_only: bool) -> Sequences:
    """Return the sequences of a frame with the columns `row, dialogue_id, turn_index, speaker, text, usable`.

    `row` is the number of the row in the frame of turns. Rows are sorted by dialogue and turn. With `first_only`, only
    one response of several alternatives is used: the one in the main line (`_main_line`).
    """
    if pairing is Pairing.FIRST:  # all responses answer turn 0: they are alternatives to each other
        rows = rows.with_columns(turn_index=pl.min_horizontal("turn_index", 1), speaker=pl.lit(None, pl.String))
    main, others = _main_line(rows, followed_by="first" if pairing is Pairing.FIRST else "last")
    left_out = others["row"] if first_only else others["row"].clear()
    others = others.clear() if first_only else others
    main = _with_pieces(main)
    turns = _with_branches(main, others) if len(others) else _main_sequences(main)
    turns, without_query = _from_query(turns, even_first=pairing in _EVEN_FIRST)
    messages, members = _merged(turns)
    return Sequences(messages=messages, members=members, alternatives=left_out, without_query=without_query)


def _main_line(rows: pl.DataFrame, *, followed_by: Literal["first", "last"]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the main line, with one row for each position of a dialogue, and the usable rows that are alternatives.

    If more turns follow, they answer the first or the last alternative (`followed_by`, as in `pipeline.pairing`), so
    this one is in the main line. In the last position of a dialogue it is the first usable alternative.
    """
    dialogue, turn = pl.col("dialogue_id"), pl.col("turn_index")
    repeated = (dialogue == dialogue.shift(1)) & (turn == turn.shift(1))
    rows = rows.with_columns(repeated=repeated.fill_null(value=False))
    if not rows["repeated"].any():
        return rows, rows.clear()
    rows = rows.with_columns(place=(~pl.col("repeated")).cum_sum())
    row = pl.col("row")
    places = rows.group_by("place", maintain_order=True).agg(
        "dialogue_id", last=row.last(), usable=row.filter(pl.col("usable")).first(), first=row.first()
    )
    places = places.with_columns(dialogue_id=pl.col("dialogue_id").list.first())
    is_final = (dialogue != dialogue.shift(-1)).fill_null(value=True)
    chosen = places.select(pl.when(is_final).then(pl.coalesce("usable", "first")).otherwise(followed_by)).to_series()
    is_main = rows.select(row.is_in(chosen.implode())).to_series()
    return rows.filter(is_main).drop("place"), rows.filter(~is_main & rows["usable"]).drop("place")


def _with_pieces(main: pl.DataFrame) -> pl.DataFrame:
    """Return the main line with `at`, the number of the row; `run`, a number per run; and `piece`, a number per piece.

    A run is a series of turns of the same known speaker; each turn of an unknown speaker is a run. `run` grows by 1
    from run to run in a dialogue, and by more over a gap. A piece is a series of usable rows without a gap.
    """
    dialogue, turn, speaker = pl.col("dialogue_id"), pl.col("turn_index"), pl.col("speaker")
    same = (dialogue == dialogue.shift(1)).fill_null(value=False)
    step = turn.cast(pl.Int64) - turn.cast(pl.Int64).shift(1)
    follows = same & (step == 1)
    same_speaker = (follows & (speaker == speaker.shift(1))).fill_null(value=False)
    usable = pl.col("usable")
    main = main.with_columns(
        at=pl.int_range(pl.len(), dtype=_INDEX),
        # The first run of a dialogue has the number of its first turn, so that both are even or both are odd.
        step=pl.when(same_speaker).then(0).when(same).then(step).otherwise(turn.cast(pl.Int64)),
        begins=~same,
        breaks=~(follows & usable & usable.shift(1)).fill_null(value=False),
    )
    total = pl.col("step").cum_sum()
    before = pl.when("begins").then(total - pl.col("step")).forward_fill()
    return main.with_columns(run=total - before, piece=pl.col("breaks").cum_sum().cast(_INDEX)).drop(
        "step", "begins", "breaks"
    )


def _main_sequences(main: pl.DataFrame) -> pl.DataFrame:
    columns = (pl.col("piece").alias("sequence"), "run", "row", "text", pl.lit(value=False).alias("branch"))
    return main.filter("usable").select(*columns)


def _with_branches(main: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the turns of all sequences. Sequences are in the order of their last turns in the source."""
    last = pl.when((pl.col("piece") != pl.col("piece").shift(-1)).fill_null(value=True)).then("row").backward_fill()
    keyed = main.filter("usable").with_columns(last=last)
    main_turns = keyed.select("last", "run", "row", "text", branch=pl.lit(value=False))
    branches = _branches(main, others)
    context = branches.select("last", at=pl.int_ranges("begin", "end", dtype=_INDEX)).explode("at", empty_as_null=False)
    before = main.select("run", "row", "text")[context["at"]].with_columns(last=context["last"])
    both = pl.concat(
        [
            main_turns,
            before.select("last", "run", "row", "text", branch=pl.lit(value=True)),
            branches.select("last", "run", pl.col("last").alias("row"), "text", branch=pl.lit(value=True)),
        ]
    ).sort("last", "row")
    sequence = (pl.col("last") != pl.col("last").shift(1)).fill_null(value=True).cum_sum().cast(_INDEX)
    return both.select(sequence.alias("sequence"), "run", "row", "text", "branch")


def _branches(main: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return `text, last, run, begin, end` for each alternative response.

    `last` is its row; `begin` and `end` (exclusive) are the range of rows of the main line before it. An alternative
    that answers no usable turn has no rows before it: both are 0.
    """
    first = pl.when((pl.col("piece") != pl.col("piece").shift(1)).fill_null(value=True)).then("at").forward_fill()
    before = main.select("dialogue_id", "run", "speaker", pl.col("turn_index") + 1, "at", "usable", begin=first)
    joined = others.join(before, on=("dialogue_id", "turn_index"), how="left", suffix="_before", maintain_order="left")
    answers = pl.col("usable_before").fill_null(value=False)
    same_speaker = (pl.col("speaker") == pl.col("speaker_before")).fill_null(value=False)
    end = pl.when(answers).then(pl.col("at") + 1).otherwise(0)
    return joined.select(
        "text",
        last="row",
        run=pl.when(answers).then(pl.col("run") + (~same_speaker).cast(pl.Int64)).otherwise("turn_index"),
        begin=pl.when(answers).then("begin").otherwise(0),
        end=end,
    )


def _from_query(turns: pl.DataFrame, *, even_first: bool) -> tuple[pl.DataFrame, pl.Series]:
    """Return turns with `position`, the number of the message in its sequence, and the rows before the first query."""
    begins = (pl.col("sequence") != pl.col("sequence").shift(1)).fill_null(value=True)
    first = pl.when(begins).then("run").forward_fill()
    turns = turns.with_columns(position=pl.col("run") - (first + first % 2 if even_first else first)).drop("run")
    if not even_first:
        return turns, turns["row"].clear()
    early = turns["position"] < 0
    return turns.filter(~early), turns.filter(early)["row"]


def _merged(turns: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `Sequences.messages`, in which consecutive turns of a speaker are joined, and `Sequences.members`."""
    new = (pl.col("sequence") != pl.col("sequence").shift(1)) | (pl.col("position") != pl.col("position").shift(1))
    turns = turns.with_columns(new=new.fill_null(value=True))
    message = (turns["new"].cum_sum() - 1).cast(_INDEX).alias("message")
    members = turns.select("row", message)
    messages = turns.filter("new")
    if len(messages) < len(turns):
        joined = turns.group_by(message, maintain_order=True).agg(pl.col("text").str.join("\n"))
        messages = messages.with_columns(joined["text"])
    ends = (pl.col("sequence") != pl.col("sequence").shift(-1)).fill_null(value=True)
    length = pl.when(ends).then(pl.col("position") + 1).backward_fill()
    columns = ("sequence", "position", length.alias("length"), "branch", pl.col("text").alias("content"), "row")
    return messages.select(*columns), members
