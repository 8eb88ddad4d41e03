"""Messages are English wherever they go, translatable on a terminal only; nothing from a file may steer a terminal."""

from __future__ import annotations

import copy
import json
import pickle
import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.messages import (
    Message,
    amount,
    beginning,
    constant,
    count_noun,
    displayed,
    error_text,
    joined,
    message,
    one_line,
    safe,
    scaled,
    translated,
    visible,
)
from tests.conftest import examples

CATALOGUE = {
    "{file}: {count} expected": "{file}：应为 {count}",
    "{number:,} fields": "{number:,} 个字段",
    ", ": "、",
    "no rows": "没有数据行",
}
#: What a file name or a record may hold: any code point, also bytes that are no text (U+DC80 to U+DCFF).
ANY_TEXT = st.text(st.characters(), max_size=30)
#: Control sequences that move the cursor, colour text, hide it, or turn its direction.
HARMFUL = ("\x1b[2J", "\x9b31m", "\x07", "\x00", "\x7f", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{ZERO WIDTH SPACE}", "\x85")


def steers(text: str) -> list[str]:
    """The characters of a text that a terminal does not show: control, format, private, unassigned, surrogate."""
    return [one for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")]


def test_a_message_within_a_message_is_translated_with_it() -> None:
    text = message("{file}: {count} expected", file="a.csv", count=count_noun(2000, "field"))
    assert text == "a.csv: 2,000 fields expected"
    assert text.translated(CATALOGUE) == "a.csv：应为 2,000 个字段"


def test_the_same_english_has_several_translations_if_the_context_differs() -> None:
    catalogue = {"records": "记录数", "records [export]": "样本数", "{number:,} records [export]": "{number:,} 个样本"}
    assert message("records").translated(catalogue) == "记录数"
    assert message("records", "export").translated(catalogue) == "样本数"
    count = count_noun(1, "record", "export")
    assert (count, count.translated(catalogue)) == ("1 record", "1 个样本")
    assert message("records", "page").translated(catalogue) == "records"


def test_a_template_that_the_catalogue_lacks_stays_english_while_its_parts_are_translated() -> None:
    text = message("{what}; {more}", what=count_noun(2, "field"), more=message("no rows"))
    assert text.translated(CATALOGUE) == "2 个字段; 没有数据行"


def test_joined_messages_and_their_separator_are_translated() -> None:
    parts = ["a.csv", message("no rows"), count_noun(1, "field")]
    assert joined(", ", parts) == "a.csv, no rows, 1 field"
    assert joined(", ", parts).translated(CATALOGUE) == "a.csv、没有数据行、1 个字段"
    assert joined(", ", []) == joined(", ", []).translated(CATALOGUE) == ""


@pytest.mark.parametrize("name", ["{file}", "{0}", "{", "}", "{file!r:>{count}}", "%s", "{file.__class__}"])
def test_braces_in_a_value_are_text_in_every_language(name: str) -> None:
    """A file may be called `{count}.csv`: it is never looked up or formatted again."""
    text = message("{file}: {count} expected", file=name, count=2)
    assert text == f"{name}: 2 expected"
    assert text.translated(CATALOGUE) == f"{name}：应为 2"


@pytest.mark.parametrize("text", ["a {brace}", "{", "100 %", "{0!x}"])
def test_a_constant_may_have_braces(text: str) -> None:
    assert constant(text) == constant(text).translated({}) == text
    assert constant(text).translated({text: "译文 {"}) == "译文 {"


def test_what_is_no_message_is_not_translated() -> None:
    for value in ("no rows", 3, None, ["no rows"]):
        assert translated(value, CATALOGUE) is value


@pytest.mark.parametrize("number", [0, 1, 2, 1000, -1])
def test_one_of_a_thing_is_singular_and_any_other_number_plural(number: int) -> None:
    assert count_noun(number, "turn") == f"{number:,} turn" + "s" * (number != 1)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_message_that_a_worker_sends_stays_translatable(again: object) -> None:
    text = message("{file}: {count} expected", file="a.csv", count=count_noun(2, "field"))
    copied = again(text)  # type: ignore[operator]
    assert (type(copied), copied) == (Message, text)
    assert copied.translated(CATALOGUE) == text.translated(CATALOGUE)


def test_a_message_is_plain_english_in_json() -> None:
    text = message("{file}: {count} expected", file="a.csv", count=2)
    assert json.dumps([text]) == '["a.csv: 2 expected"]'
    assert msgspec.json.encode(str(text)) == b'"a.csv: 2 expected"'


def test_the_error_of_a_message_stays_translatable_and_any_other_is_one_line() -> None:
    assert error_text(ValueError(message("no rows"))) == "no rows"
    assert translated(error_text(ValueError(message("no rows"))), CATALOGUE) == "没有数据行"
    assert error_text(OSError(2, "no\nsuch\x1b[1m")) == r"[Errno 2] no\nsuch\x1b[1m"
    assert error_text(KeyError("a\nb")) == r"'a\nb'"


@settings(max_examples=examples(60))
@given(ANY_TEXT)
def test_nothing_in_a_text_steers_a_terminal(text: str) -> None:
    """A safe text keeps its lines and tabs, a line has none; both show every other character or its escape."""
    assert set(steers(safe(text))) <= {"\n", "\t"}
    assert steers(one_line(text)) == steers(displayed(text)) == steers(beginning(text)) == []


@pytest.mark.parametrize("harmful", HARMFUL)
def test_what_moves_colours_or_hides_text_is_shown_as_an_escape(harmful: str) -> None:
    for shown in (safe, one_line, displayed, visible):
        assert not set(steers(shown(f"好{harmful}吗")))
        assert shown(f"好{harmful}吗").startswith("好\\")
        assert shown(f"好{harmful}吗").endswith("吗")


@settings(max_examples=examples(60))
@given(st.text("在吗！？ABC,.- 123\N{IDEOGRAPHIC SPACE}", max_size=20))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert safe(text) == one_line(text) == visible(text) == text
    assert displayed(text) == text.replace("\N{IDEOGRAPHIC SPACE}", "\\u3000")


@settings(max_examples=examples(60))
@given(st.text("אب٣123abc\N{HANGUL FILLER}\N{COMBINING GRAPHEME JOINER}中", max_size=20))
def test_what_is_visible_runs_from_left_to_right(text: str) -> None:
    assert not {unicodedata.bidirectional(one) for one in visible(text)} & {"R", "AL", "AN", "RLO", "RLE", "RLI"}
    assert not {"\N{HANGUL FILLER}", "\N{COMBINING GRAPHEME JOINER}"} & set(visible(text))


@settings(max_examples=examples(30))
@given(st.binary(max_size=20))
def test_bytes_of_a_file_name_that_are_no_text_are_shown_as_such(name: bytes) -> None:
    text = name.decode("utf-8", "surrogateescape")
    lost = [f"\\x{ord(one) - 0xDC00:02x}" for one in text if 0xDC80 <= ord(one) <= 0xDCFF]
    shown = displayed(text)
    for escape in lost:
        assert escape in shown
        shown = shown[shown.index(escape) + len(escape) :]


@settings(max_examples=examples(30))
@given(st.text(max_size=600))
def test_the_beginning_of_a_record_is_short_and_on_one_line(record: str) -> None:
    shown = beginning(record)
    assert "\n" not in shown
    assert len(shown.split(" ")[0]) <= 80 * 10  # each character is at most one escape, of ten characters
    if record.isprintable() and record.isascii():
        assert " ".join(record.split()).startswith(shown.rstrip())


@settings(max_examples=examples(60))
@given(st.integers(0, 10**13))
def test_an_amount_is_right_to_its_last_digit(size: int) -> None:
    number, unit = scaled(size)
    factor = {"kB": 1e3, "MB": 1e6}[unit]
    step = 0.1 if "." in number else 1
    assert abs(float(number.replace(",", "")) - size / factor) <= step / 2 + 1e-9
    assert amount(size) == f"{number} {unit}"
