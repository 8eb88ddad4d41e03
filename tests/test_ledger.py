"""The ledger raises where a reader or a stage loses, doubles or moves anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields

import polars as pl
import pytest

from chat_corpus.errors import LedgerError
from chat_corpus.formats.base import Reading, turns_frame
from chat_corpus.ledger import Counts, Example, FileCounts, check_reading, check_rows

WHERE = "某源, shard 3"


def reading(lines: list[int | None], structural: list[int], reasons: list[str | None] | None = None) -> Reading:
    frame = pl.DataFrame(
        {"line": lines, "reason": reasons or [None] * len(lines)}, schema={"line": pl.UInt32, "reason": pl.String}
    )
    return Reading(rows=turns_frame(frame), structural=(pl.Series("line", structural, dtype=pl.UInt32),))


def test_records_are_used_structural_or_rejected() -> None:
    told = reading([5, 5, 6, 8], [7], ["empty", None, "layout", None])
    assert check_reading(told, 0, 5, 4, WHERE) == (2, 1)
    assert check_reading(reading([], []), 0, 1, 0, WHERE) == (0, 0)
    assert check_reading(reading([], [1, 2]), 0, 1, 2, WHERE) == (0, 0)


WRONG: dict[str, tuple[list[int | None], list[int]]] = {
    "lost in the middle": ([1, 3], []),
    "lost at the end": ([1, 2], []),
    "one more": ([1, 2, 3, 4], []),
    "a turn and structural": ([1, 2, 3], [3]),
    "structural twice": ([1, 2], [3, 3]),
    "before the first": ([0, 1, 2], []),
    "after the last": ([1, 2, 4], []),
    "all moved": ([2, 3, 4], []),
    "structural moved": ([1, 2], [9]),
    "no number": ([1, 2, None], []),
    "all lost": ([], []),
    "structural lost": ([], [1, 2]),
}


@pytest.mark.parametrize(("lines", "structural"), WRONG.values(), ids=WRONG)
def test_a_reader_that_loses_doubles_or_moves_a_line_is_told_with_its_place(
    lines: list[int | None], structural: list[int]
) -> None:
    with pytest.raises(LedgerError, match=WHERE):
        check_reading(reading(lines, structural), 0, 1, 3, WHERE)


def test_each_part_has_its_own_account() -> None:
    told = reading([1, 1], [])
    both = Reading(rows=told.rows.with_columns(part=pl.Series([0, 1], dtype=pl.UInt8)), structural=told.structural * 2)
    assert check_reading(both, 0, 1, 1, WHERE) == check_reading(both, 1, 1, 1, WHERE) == (1, 0)
    with pytest.raises(LedgerError):
        check_reading(both, 1, 1, 2, WHERE)


@pytest.mark.parametrize(
    "stage",
    [
        lambda rows: rows.head(2),
        lambda rows: pl.concat([rows, rows.head(1)]),
        lambda rows: rows.reverse(),
        lambda rows: rows.with_columns(line=pl.col("line") + 1),
        lambda rows: rows.with_columns(turn=pl.lit(0, dtype=pl.UInt32)),
        lambda rows: rows.with_columns(part=pl.lit(1, dtype=pl.UInt8)),
    ],
    ids=["lost", "doubled", "reversed", "lines moved", "turns moved", "parts moved"],
)
def test_a_stage_that_loses_doubles_or_moves_turns_is_told_by_name(
    stage: Callable[[pl.DataFrame], pl.DataFrame],
) -> None:
    rows = reading([1, 2, 3], []).rows.with_columns(turn=pl.Series([0, 1, None], dtype=pl.UInt32))
    check_rows(rows, rows.with_columns(text=pl.lit("另一句")), "convert", WHERE)
    with pytest.raises(LedgerError, match=rf"{WHERE}: stage 'convert'"):
        check_rows(rows, stage(rows), "convert", WHERE)


def test_the_figures_of_shards_add_up() -> None:
    one = Counts(records=5, used=3, structural=2, turns=4, kept=3, turns_rejected=Counter(empty=1))
    other = Counts(
        records=1, records_rejected=1, turns=1, turns_rejected=Counter(empty=1, layout=0), pairs=2, written=2
    )
    one.add(other)
    one.check("一")
    assert one.report()["records"] == {"read": 6, "structural": 2, "used": 3, "rejected": 1}
    assert one.report()["turns"]["rejected"]["empty"] == 2
    assert one.report()["pairs"] == {"possible": 2, "written": 2, "rejected": {}, "duplicates": 0}
    assert other.turns_rejected == Counter(empty=1)


@pytest.mark.parametrize(
    "figure",
    sorted({figure.name for figure in fields(Counts)} - {"normalized", "changed", "converted", "scripts", "files"}),
)
def test_a_figure_that_is_one_off_does_not_balance(figure: str) -> None:
    counts = Counts(records=1, used=1, turns=1, kept=1, pairs=1, written=1)
    counts.check("某源")
    value = getattr(counts, figure)
    setattr(counts, figure, Counter(["empty"]) if isinstance(value, Counter) else value + 1)
    with pytest.raises(LedgerError, match=r"某源: (records|turns|pairs) do not balance"):
        counts.check("某源")


def test_figures_can_be_written_and_read_again() -> None:
    example = Example(line=7, reason="layout", detail="不是", raw="甲乙")
    file = FileCounts(used=2, rejected=1, unreadable=Counter(layout=1), example=example)
    counts = Counts(records=2, used=2, turns_rejected=Counter(layout=1), scripts=Counter(Hans=4), files={"a": file})
    counts.changed = Counter(alinks=3)
    assert Counts.read(counts.report()) == counts
    with pytest.raises(ValueError, match="version"):
        Counts.read({"records": 1})


def test_the_figures_of_files_must_be_those_of_their_source() -> None:
    counts = Counts(records=2, used=1, records_rejected=1, files={"a": FileCounts(used=1, rejected=1)})
    counts.check("某源")
    counts.files["a"].used = 2
    with pytest.raises(LedgerError, match="used records of the files do not balance: 1 met, 2 accounted for"):
        counts.check("某源")
