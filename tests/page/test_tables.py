"""Tables of a page for papers and programs: what is in a cell comes back out of Markdown, LaTeX and JSON."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.messages import constant, load_catalogue, message, one_line
from chat_corpus.page import tables
from chat_corpus.page.formats import format_number
from chat_corpus.page.model import Cell, Column, Excerpt, Kind, Number, Page, Table, View, share, total
from tests.conftest import examples

#: What a cell may hold: marks of Markdown, of LaTeX and of HTML, line breaks, and text.
HOSTILE = st.text("|\\*_<>[]`&%$#{}~^–-\n\r\t\"' a1在，", min_size=1, max_size=12)
#: What LaTeX needs for one character, and the character.
LATEX = {written: one for one, written in tables._LATEX.items() if one != "–"}


def page(*rows: tuple[Cell, ...], kinds: tuple[Kind, ...] = (Kind.NAME, Kind.TEXT), **options: object) -> Page:
    columns = tuple(Column(title=message("source"), kind=kind) for kind in kinds)
    table = Table(name="a_table", caption=message("Most frequent conversions"), columns=columns, rows=rows, **options)  # type: ignore[arg-type]
    view = View(name="v", title=message("Script"), sentence=message("no turn was converted"), tables=(table,))
    return Page(title=message("Corpus report"), subtitle=message("none"), views=(view,))


def from_markdown(line: str) -> list[str]:
    """The cells of a row, as CommonMark reads it: a mark behind a backslash is text."""
    cells = re.split(r"(?<!\\)((?:\\\\)*)\|", line)
    text = "".join(part + ("\0" if number % 2 else "") for number, part in enumerate(cells))
    return [re.sub(r"\\([\\|*_<>\[\]`])", r"\1", cell.strip(" ")) for cell in text.split("\0")[1:-1]]


def from_latex(line: str) -> list[str]:
    """The cells of a row, as LaTeX reads it."""
    cells = re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))
    pattern = "|".join(map(re.escape, sorted(LATEX, key=len, reverse=True)))
    return [re.sub(pattern, lambda found: LATEX[found[0]], cell) for cell in cells]


@settings(max_examples=examples(40))
@given(HOSTILE, HOSTILE)
def test_a_cell_comes_back_from_markdown(first: str, second: str) -> None:
    lines = tables.as_markdown(page((first, second)), {}).split("\n")
    row = next(number for number, line in enumerate(lines) if line.startswith("| ---")) + 1
    assert from_markdown(lines[row]) == [one_line(first).strip(" "), one_line(second).strip(" ")]
    assert lines[row + 1] == ""


@settings(max_examples=examples(40))
@given(HOSTILE, HOSTILE)
def test_a_cell_comes_back_from_latex(first: str, second: str) -> None:
    text = tables.as_latex(page((first, second)), {})
    rows = text.split("\\midrule\n")[1].split("\n\\bottomrule")[0].split("\n")
    assert len(rows) == 1
    assert from_latex(rows[0]) == [one_line(one).replace("–", "--") for one in (first, second)]


@settings(max_examples=examples(30))
@given(HOSTILE)
def test_no_cell_opens_a_command_or_a_comment_in_latex(text: str) -> None:
    rest = tables._latex(one_line(text))
    for written in sorted(LATEX, key=len, reverse=True):
        rest = rest.replace(written, "")
    assert not set(rest) & set("\\{}&%$#_~^")


def test_every_environment_of_latex_is_closed_and_columns_are_as_many_as_cells() -> None:
    kinds = (Kind.NAME, Kind.COUNT, Kind.SHARE)
    rows = (("ptt", Number(value=1200), share(1, 3)), ("_x&", None, None))
    sums = ("total", total(row[1] for row in rows), None)
    text = tables.as_latex(page(*rows, kinds=kinds, total=sums), {})
    assert sorted(re.findall(r"\\begin{(\w+)}", text)) == sorted(re.findall(r"\\end{(\w+)}", text))
    assert r"\begin{tabular}{lrr}" in text
    assert r"\label{tab:a-table}" in text
    body = [line for line in text.split("\n") if line.endswith(r" \\")]
    assert [len(from_latex(line)) for line in body] == [3] * 4
    assert text.count(r"\midrule") == 2
    assert body[-1] == r"total & 1,200 & -- \\"
    assert body[-2] == r"\_x\& & -- & -- \\"


def test_numbers_are_to_the_right_in_markdown_and_every_row_has_all_cells() -> None:
    kinds = (Kind.NAME, Kind.COUNT, Kind.DELTA)
    text = tables.as_markdown(page(("ptt", Number(value=1200), Number(value=-3)), ("a", None, None), kinds=kinds), {})
    assert "| --- | ---: | ---: |\n| ptt | 1,200 | −3 |\n| a | – | – |" in text


def test_the_words_of_a_table_are_translated_and_its_texts_are_not() -> None:
    cells = (message("simplified"), "simplified", Excerpt(head="前\n", part="|", tail="後"))
    chinese = load_catalogue("zh")
    made = page(cells, kinds=(Kind.NAME, Kind.TEXT, Kind.SAMPLE))
    assert "| 简体 | simplified | 前\\\\n\\|後 |" in tables.as_markdown(made, chinese)
    assert r"简体 & simplified & 前\textbackslash{}n|後 \\" in tables.as_latex(made, chinese)
    (table,) = tables.as_json(made)["views"][0]["tables"]
    assert table["rows"] == [["simplified", "simplified", "前\n|後"]]


def test_json_has_numbers_as_they_are_and_null_where_there_is_none() -> None:
    rows = (("ptt", Number(value=2 / 3, key="sources.ptt")), ("tieba", None))
    made = tables.as_json(page(*rows, kinds=(Kind.NAME, Kind.SHARE), total=("total", Number(value=1))))
    view = json.loads(json.dumps(made))["views"][0]
    assert view["tables"][0]["rows"] == [["ptt", 2 / 3], ["tieba", None]]
    assert view["tables"][0]["total"] == ["total", 1]
    assert view["tables"][0]["columns"] == ["source", "source"]


def test_a_table_without_rows_is_in_no_format() -> None:
    assert "tabular" not in tables.as_latex(page(), {})
    assert "| ---" not in tables.as_markdown(page(), {})
    assert tables.as_json(page())["views"][0]["tables"] == []


def test_a_title_with_marks_is_no_markup() -> None:
    made = Page(title=constant("a"), subtitle=constant("b"), views=page(("x", "y")).views)
    assert tables.as_markdown(made, {}).startswith("# a\n\n## Script\n\nno turn was converted\n\n**Most frequent")


@pytest.mark.parametrize(("value", "kind", "shown"), [
    (0, Kind.COUNT, "0"), (1234567, Kind.COUNT, "1,234,567"),
    (0.0, Kind.SHARE, "0.0%"), (0.00099, Kind.SHARE, "<0.1%"), (0.001, Kind.SHARE, "0.1%"), (1.0, Kind.SHARE, "100.0%"),
    (-0.5, Kind.DELTA, "−0.5"), (0, Kind.DELTA, "0"), (12345, Kind.DELTA, "+12,345"),
    (2.005, Kind.DECIMAL, "2.00"), (1234.5, Kind.DECIMAL, "1,234.50"),
])  # fmt: skip
def test_a_number_is_shown_as_its_kind(value: float, kind: Kind, shown: str) -> None:
    assert format_number(Number(value=value), kind) == shown


@settings(max_examples=examples(30))
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_share_is_a_part_of_a_whole_or_none(part: int, whole: int) -> None:
    found = share(min(part, whole), whole)
    assert found is None if whole == 0 else found is not None and 0 <= found.value <= 1
