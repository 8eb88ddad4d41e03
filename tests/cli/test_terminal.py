"""What is printed: tables with columns that line up, JSON that any program reads, nothing that steers a terminal."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from chat_corpus.cli import language, terminal
from chat_corpus.cli.logs import RED, JsonLines, SafeFormatter, coloured, prefix
from chat_corpus.errors import UsageError
from chat_corpus.messages import message, safe
from tests.conftest import examples

CELLS = st.text(st.sampled_from("abc 在吗！？é①ｱ😀\N{COMBINING ACUTE ACCENT}-,.~0123"), min_size=1, max_size=8)
TITLES = {"a": "name", "b": "size", "c": "files"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def chinese() -> Iterator[None]:
    before = language.in_use()
    language.use("zh")
    yield
    language.use(before)


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(CELLS, CELLS, st.lists(CELLS, max_size=6)), max_size=6))
def test_columns_line_up_whatever_is_in_the_cells(rows: list[tuple[str, str, list[str]]]) -> None:
    """Each column begins at the same place in every line; Han take two places, combining marks none."""
    made: list[dict[str, Any]] = [{"a": a, "b": b, "c": c} for a, b, c in rows]
    lines = terminal.format_table(made, TITLES).split("\n")
    assert len(lines) == len(rows) + 1
    cells = [list(TITLES.values()), *([str(row["a"]), str(row["b"]), terminal._cell(row["c"])] for row in made)]
    widths = [max(terminal.width(row[column]) for row in cells) for column in range(3)]
    for line, row in zip(lines, cells, strict=True):
        assert terminal.width(line) <= sum(widths) + 4
        if row[0].strip() == row[0] and not terminal._is_number(row[0]):
            assert line.startswith(row[0])
            assert line.startswith(terminal.padded(row[0], widths[0]).rstrip())


def test_a_column_of_numbers_is_to_the_right_and_its_title_too() -> None:
    rows: list[dict[str, Any]]
    rows = [{"a": "ptt", "b": "1,200", "c": ["x"]}, {"a": "豆瓣", "b": "~7", "c": []}, {"a": "-", "b": "-", "c": None}]
    assert terminal.format_table(rows, TITLES) == (
        "name   size  files\n"
        "ptt   1,200  x\n"
        "豆瓣     ~7  -\n"
        "-         -  -"
    )  # fmt: skip


def test_of_many_values_four_are_shown_and_the_others_counted() -> None:
    assert terminal._cell([*"abcd"]) == "a, b, c, d"
    assert terminal._cell([*"abcdefg"]) == "a, b, c, d and 3 more"


@settings(max_examples=examples(30))
@given(st.text("ab在吗é😀\N{COMBINING ACUTE ACCENT}\x1b\u202e", max_size=12), st.integers(1, 12))
def test_a_text_that_is_cut_fits_and_is_the_beginning(text: str, columns: int) -> None:
    shown = terminal.cut(text, columns)
    assert shown == text or (terminal.width(shown) <= columns and shown.endswith("…") and text.startswith(shown[:-1]))
    assert (shown == text) is (terminal.width(text) <= columns)


@settings(max_examples=examples(30))
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\t"), max_size=12))
def test_the_width_of_a_text_is_known(text: str) -> None:
    """A width below 0 would break the table: every character without one is shown as an escape."""
    assert terminal.width(text) == wcswidth(safe(text)) >= 0


@settings(max_examples=examples(30))
@given(JSON_VALUES, st.sampled_from([None, 1]))
def test_json_is_the_value_and_harmless_on_a_terminal(value: Any, indent: int | None) -> None:
    text = terminal.safe_json(value, indent)
    assert json.loads(text) == value
    assert all(one.isprintable() or one == "\n" for one in text)


def test_bytes_for_a_terminal_are_made_safe_and_all_others_stay() -> None:
    stream = io.BytesIO()
    terminal.SafeBytes(stream).write("好\x1b[2J\t吗\n".encode() + b"\xff\n")
    assert stream.getvalue().decode() == "好\\x1b[2J\t吗\n\\xff\n"


def record(level: int, text: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("chat_corpus", level, "a.py", 1, text, args, None)
    vars(made).update(extra)
    return made


@pytest.mark.usefixtures("chinese")
def test_a_log_line_is_in_the_language_of_the_terminal_and_its_json_in_english() -> None:
    text = message("{file}: not found; {advice}", file="a.txt", advice=message("check the files"))
    warned = record(logging.WARNING, "%s", text, event="file.missing", source="ptt", colours={})
    assert SafeFormatter().format(warned) == "警告：a.txt：未找到；请检查文件"
    line = json.loads(JsonLines().format(warned))
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert line == {
        "level": "warning", "event": "file.missing", "message": "a.txt: not found; check the files", "source": "ptt",
    }  # fmt: skip


@pytest.mark.usefixtures("chinese")
def test_an_error_in_a_log_line_is_translated() -> None:
    error = UsageError(message("check the files"))
    assert SafeFormatter().format(record(logging.ERROR, "%s", error)) == "错误：请检查文件"


def test_a_log_line_without_an_event_has_a_name_too() -> None:
    line = json.loads(JsonLines().format(record(logging.INFO, "%d of %d", 1, 2, traceback="Traceback")))
    assert (line["event"], line["message"], line["traceback"]) == ("message", "1 of 2", "Traceback")
    assert "seconds" not in line


@settings(max_examples=examples(50))
@given(st.text(max_size=20))
def test_a_log_line_steers_no_terminal_and_its_json_is_one_line(text: str) -> None:
    made = record(logging.WARNING, "%s", text)
    shown = SafeFormatter().format(made)
    assert all(one.isprintable() or one in "\n\t\N{IDEOGRAPHIC SPACE}" for one in shown)
    line = JsonLines().format(made)
    assert "\n" not in line
    assert json.loads(line)["message"] == text


@pytest.mark.parametrize("text", ["100 %", "%s", "{file}", "%(name)s"])
def test_a_percent_sign_or_a_brace_in_a_value_is_text(text: str) -> None:
    assert SafeFormatter().format(record(logging.INFO, "%s: %s", "a", text)) == f"a: {text}"


def test_colours_are_only_where_they_are_wanted() -> None:
    made = record(logging.ERROR, "a\nb", colours={1: RED})
    assert SafeFormatter().format(made) == "error: a\nb"
    assert SafeFormatter(colour=True).format(made) == f"{coloured('error: ', RED)}a\n{coloured('b', RED)}"
    assert prefix(logging.INFO, colour=True) == ""


class Console(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(("variables", "tty", "expected"), [
    ({}, True, True),
    ({}, False, False),
    ({"NO_COLOR": "1"}, True, False),
    ({"NO_COLOR": ""}, True, True),
    ({"TERM": "dumb"}, True, False),
    ({"TERM": "xterm"}, True, True),
])  # fmt: skip
def test_colours_are_for_terminals_that_want_them(
    variables: dict[str, str], tty: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    assert terminal.has_colour(Console(tty=tty)) is expected
