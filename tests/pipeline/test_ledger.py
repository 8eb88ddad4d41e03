"""The ledger raises where a reader or a stage loses, doubles or moves anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest
from msgspec.structs import replace

from chat_corpus.errors import LedgerError
from chat_corpus.formats.base import Reading, turns_frame
from chat_corpus.pipeline.counts import Counts, FileCounts, PairCounts, RecordCounts, TurnCounts
from chat_corpus.pipeline.ledger import check_reading, check_rows

WHERE = "某源, shard 3"


def reading(lines: list[int | None], non_turns: list[int], reasons: list[str | None] | None = None) -> Reading:
    frame = pl.DataFrame(
        {"record": lines, "reason": reasons or [None] * len(lines)}, schema={"record": pl.UInt32, "reason": pl.String}
    )
    return Reading(rows=turns_frame(frame), non_turns=(pl.Series("record", non_turns, dtype=pl.UInt32),))


def test_records_are_used_structural_or_rejected() -> None:
    read = reading([5, 5, 6, 8], [7], ["empty", None, "layout", None])
    assert check_reading(read, 0, 5, 4, WHERE) == (2, 1)
    assert check_reading(reading([], []), 0, 1, 0, WHERE) == (0, 0)
    assert check_reading(reading([], [1, 2]), 0, 1, 2, WHERE) == (0, 0)


WRONG: dict[str, tuple[list[int | None], list[int]]] = {
    "lost in the middle": ([1, 3], []),
    "lost at the end": ([1, 2], []),
    "one more": ([1, 2, 3, 4], []),
    "a turn and non_turns": ([1, 2, 3], [3]),
    "non_turns twice": ([1, 2], [3, 3]),
    "before the first": ([0, 1, 2], []),
    "after the last": ([1, 2, 4], []),
    "all moved": ([2, 3, 4], []),
    "non_turns moved": ([1, 2], [9]),
    "no number": ([1, 2, None], []),
    "all lost": ([], []),
    "non_turns lost": ([], [1, 2]),
}


@pytest.mark.parametrize(("lines", "non_turns"), WRONG.values(), ids=WRONG)
def test_a_reader_that_loses_doubles_or_moves_a_line_is_reported_with_its_place(
    lines: list[int | None], non_turns: list[int]
) -> None:
    with pytest.raises(LedgerError, match=WHERE):
        check_reading(reading(lines, non_turns), 0, 1, 3, WHERE)


def test_each_part_has_its_own_account() -> None:
    read = reading([1, 1], [])
    both = Reading(
        rows=read.rows.with_columns(file_index=pl.Series([0, 1], dtype=pl.UInt8)), non_turns=read.non_turns * 2
    )
    assert check_reading(both, 0, 1, 1, WHERE) == check_reading(both, 1, 1, 1, WHERE) == (1, 0)
    with pytest.raises(LedgerError):
        check_reading(both, 1, 1, 2, WHERE)


@pytest.mark.parametrize(
    "stage",
    [
        lambda rows: rows.head(2),
        lambda rows: pl.concat([rows, rows.head(1)]),
        lambda rows: rows.reverse(),
        lambda rows: rows.with_columns(record=pl.col("record") + 1),
        lambda rows: rows.with_columns(turn_index=pl.lit(0, dtype=pl.UInt32)),
        lambda rows: rows.with_columns(file_index=pl.lit(1, dtype=pl.UInt8)),
    ],
    ids=["lost", "doubled", "reversed", "lines moved", "turns moved", "parts moved"],
)
def test_a_stage_that_loses_doubles_or_moves_turns_is_reported_by_name(
    stage: Callable[[pl.DataFrame], pl.DataFrame],
) -> None:
    rows = reading([1, 2, 3], []).rows.with_columns(turn_index=pl.Series([0, 1, None], dtype=pl.UInt32))
    check_rows(rows, rows.with_columns(text=pl.lit("另一句")), "convert", WHERE)
    with pytest.raises(LedgerError, match=rf"{WHERE}: stage 'convert'"):
        check_rows(rows, stage(rows), "convert", WHERE)


def test_the_figures_of_shards_add_up() -> None:
    one = replace(
        Counts.zero(),
        records=replace(RecordCounts.zero(), read=5, used=3, non_turns=2),
        turns=replace(TurnCounts.zero(), read=4, kept=3, rejected=Counter(empty=1)),
    )
    other = replace(
        Counts.zero(),
        records=replace(RecordCounts.zero(), read=1, rejected=1),
        turns=replace(TurnCounts.zero(), read=1, rejected=Counter(empty=1, layout=0)),
        pairs=replace(PairCounts.zero(), possible=2, written=2),
    )
    one.add(other)
    one.check("一")
    assert one.records == replace(RecordCounts.zero(), read=6, non_turns=2, used=3, rejected=1)
    assert one.turns.rejected == {"empty": 2}
    assert one.pairs == replace(PairCounts.zero(), possible=2, written=2)
    assert other.turns.rejected == Counter(empty=1)


FIGURES = [
    *(("records", name) for name in RecordCounts.__struct_fields__),
    *(("turns", name) for name in ("read", "kept", "rejected")),
    *(("pairs", name) for name in PairCounts.__struct_fields__),
]


@pytest.mark.parametrize(("of", "figure"), FIGURES, ids=" ".join)
def test_a_figure_that_is_one_off_does_not_balance(of: str, figure: str) -> None:
    counts = replace(
        Counts.zero(),
        records=replace(RecordCounts.zero(), read=1, used=1),
        turns=replace(TurnCounts.zero(), read=1, kept=1),
        pairs=replace(PairCounts.zero(), possible=1, written=1),
    )
    counts.check("某源")
    value = getattr(getattr(counts, of), figure)
    setattr(getattr(counts, of), figure, Counter(["empty"]) if isinstance(value, Counter) else value + 1)
    with pytest.raises(LedgerError, match=rf"某源: {of} do not balance"):
        counts.check("某源")


def test_the_figures_of_files_must_be_those_of_their_source() -> None:
    file = replace(FileCounts.zero(), used=1, rejected=1)
    counts = replace(
        Counts.zero(), records=replace(RecordCounts.zero(), read=2, used=1, rejected=1), records_by_file={"a": file}
    )
    counts.check("某源")
    counts.records_by_file["a"].used = 2
    with pytest.raises(LedgerError, match="used records of the files do not balance: 1 met, 2 accounted for"):
        counts.check("某源")
