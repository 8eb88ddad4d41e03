"""Figures: bars are as long as their numbers, nothing leaves the drawing, and no bar covers a second one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.messages import message
from chat_corpus.page.figures import (
    NOTHING,
    WIDTH,
    BarRow,
    HistogramRow,
    Segment,
    Titles,
    columns,
    histograms,
    matrix,
    plain_bar,
    short,
    stacked,
)
from chat_corpus.page.model import Figure, Rect
from tests.conftest import examples

COUNTS = st.integers(0, 10**9)
ROWS = st.lists(st.lists(COUNTS, min_size=1, max_size=4), max_size=6)


def titles(panels: int = 1) -> Titles:
    return Titles(
        name="a", title=message("Lengths"), sentence=message("none"), panels=tuple([message("query")] * panels)
    )


def inside(figure: Figure) -> bool:
    """Whether every bar and every line is within the drawing, and every label begins or ends there."""
    rects = all(
        one.x >= 0 and one.y >= 0 and one.x + one.width <= figure.width + 1e-6 and one.y + one.height <= figure.height
        for one in figure.rects
    )
    lines = all(0 <= x <= figure.width + 1e-6 for one in figure.lines for x in (one.x1, one.x2))
    return rects and lines and all(0 <= one.x <= figure.width and 0 <= one.y <= figure.height for one in figure.labels)


def in_rows(rects: tuple[Rect, ...]) -> dict[float, list[Rect]]:
    rows: dict[float, list[Rect]] = {}
    for one in rects:
        rows.setdefault(one.y, []).append(one)
    return rows


@settings(max_examples=examples(20))
@given(ROWS)
def test_the_segments_of_a_bar_have_the_lengths_of_their_numbers(values: list[list[int]]) -> None:
    rows = [
        BarRow(
            label=f"来源{number}",
            panels=(tuple(Segment(value=one, style="c1", name=f"s{at}") for at, one in enumerate(row)),),
            values=("x",),
        )
        for number, row in enumerate(values)
    ]
    figure = stacked(titles(), rows, [])
    assert inside(figure)
    drawn = list(in_rows(figure.rects).values())
    expected = [[one for one in row if one] for row in values if any(row)]
    assert [len(row) for row in drawn] == [len(row) for row in expected]
    for rects, numbers in zip(drawn, expected, strict=True):
        unit = sum(rect.width for rect in rects) / sum(numbers)
        for rect, number in zip(rects, numbers, strict=True):
            assert rect.width == pytest.approx(unit * number, rel=1e-6, abs=1e-6)
            assert rect.title.endswith(f": {number:,}")
        assert all(first.x + first.width <= second.x + 1e-6 for first, second in pairwise(rects))


@settings(max_examples=examples(20))
@given(st.lists(COUNTS, min_size=1, max_size=8))
def test_plain_bars_are_to_each_other_as_their_numbers(values: list[int]) -> None:
    most = max(values)
    figure = stacked(titles(), [plain_bar(f"r{at}", one, most, f"{one:,}") for at, one in enumerate(values)], [])
    assert inside(figure)
    assert all(rect.style != NOTHING for rect in figure.rects)
    widths = [rect.width for rect in figure.rects]
    longest = max(widths, default=1)
    assert widths == pytest.approx([longest * one / most for one in values if one], rel=1e-6)
    shown = [label.text for label in figure.labels if label.style == "value"]
    assert shown == [f"{one:,}" for one in values]


@settings(max_examples=examples(20))
@given(st.lists(st.lists(COUNTS, min_size=5, max_size=5), max_size=4), st.integers(1, 3))
def test_every_bin_that_is_not_empty_has_a_bar_and_the_highest_are_equal(values: list[list[int]], panels: int) -> None:
    bins = [(1, 1), (2, 3), (4, 7), (8, 15), (16, 31)]
    rows = [
        HistogramRow(label=f"r{at}", panels=(tuple(row),) * panels, medians=(None,) * panels)
        for at, row in enumerate(values)
    ]
    figure = histograms(titles(panels), rows, bins)
    assert inside(figure)
    assert len(figure.rects) == panels * sum(one > 0 for row in values for one in row)
    tallest = {round(max(one.height for one in figure.rects if one.title.startswith(f"r{at}, ")), 6)
               for at, row in enumerate(values) if any(row)}  # fmt: skip
    assert len(tallest) <= 1
    for at, row in enumerate(values):
        bars = [one for one in figure.rects if one.title.startswith(f"r{at}, ")][: sum(one > 0 for one in row)]
        spans = [f"{first:,}" if first == last else f"{first:,}–{last:,}" for first, last in bins]
        expected = [f"r{at}, {span}: {one:,}" for span, one in zip(spans, row, strict=True) if one]
        assert [one.title for one in bars] == expected
        heights = sorted(zip([one for one in row if one], (one.height for one in bars), strict=True))
        assert all(first <= larger + 1e-6 for (_, first), (_, larger) in pairwise(heights))


@pytest.mark.parametrize("bins", [[], [(0, 0)], [(2**n, 2 ** (n + 1) - 1) for n in range(40)]])
def test_any_number_of_bins_can_be_drawn(bins: list[tuple[int, int]]) -> None:
    row = HistogramRow(label="语料", panels=((1,) * len(bins),), medians=(3,))
    figure = histograms(titles(), [row], bins)
    assert inside(figure)
    ticks = [label for label in figure.labels if label.style == "note" and label.anchor == "middle"]
    assert all(second.x - first.x >= 6.6 * len(str(first.text)) / 2 for first, second in pairwise(ticks))


@settings(max_examples=examples(15))
@given(st.integers(0, 12), st.data())
def test_a_matrix_has_a_field_for_each_two_names(count: int, choice: st.DataObject) -> None:
    names = [f"来源{number}" for number in range(count)]
    pairs = [(first, second) for at, first in enumerate(names) for second in names[at + 1 :]]
    values = {pair: choice.draw(COUNTS) for pair in pairs}
    figure = matrix(titles(), names, values)
    assert inside(figure)
    assert [one.title for one in figure.rects] == [f"{a}, {b}: {values[a, b]:,}" for a, b in pairs]
    levels = sorted(zip(values.values(), (int(one.style.removeprefix("level")) for one in figure.rects), strict=True))
    assert all(first[1] <= second[1] for first, second in pairwise(levels))
    assert all((level == 0) is (value == 0) and level <= 4 for value, level in levels)
    assert len({(one.x, one.y) for one in figure.rects}) == len(pairs)


@settings(max_examples=examples(100))
@given(st.integers(0, 10**10))
def test_a_count_in_few_characters_is_right_to_its_last_digit(value: int) -> None:
    shown = short(value)
    unit = {"k": 1e3, "M": 1e6}.get(shown[-1], 1)
    number = shown.rstrip("kM")
    step = unit * (0.1 if "." in number else 1)
    assert abs(float(number.replace(",", "")) * unit - value) <= step / 2 + 1e-6
    assert len(shown) <= 7


@pytest.mark.parametrize(("text", "expected"), [("ptt", 3), ("豆瓣", 4), ("ｱ", 1), ("Ａ", 2), ("", 0)])
def test_han_are_twice_as_wide_as_letters(text: str, expected: int) -> None:
    assert columns(text) == expected


def test_a_long_name_leaves_room_for_its_bar() -> None:
    figure = stacked(titles(), [plain_bar("很长的名字" * 20, 5, 5, "5")], [])
    (bar,) = figure.rects
    assert bar.width > WIDTH / 2
