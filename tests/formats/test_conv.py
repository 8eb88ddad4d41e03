"""The .conv layout: `E` opens a dialogue, `M text` is a turn."""

from __future__ import annotations

import pytest

from chat_corpus.formats.conv import CONV
from chat_corpus.schema import Reason
from tests.formats.laws import read


def test_the_last_dialogue_needs_no_closing_mark() -> None:
    assert read(CONV, "E\nM 走吗\nM 走\nE\nM 最后一问\nM 最后一答").pairs() == [
        ("走吗", "走"),
        ("最后一问", "最后一答"),
    ]


def test_both_line_ends_occur_in_one_file() -> None:
    result = read(CONV, "E\r\nM 早\r\nM 早啊\nE\nM 晚\r\nM 晚安\r\n")
    assert result.pairs() == [("早", "早啊"), ("晚", "晚安")]
    assert result.non_turns == [{1, 4}]


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029", "\v", "\f", "\x1c", "\r"])
def test_other_line_breaks_are_part_of_a_turn(odd: str) -> None:
    assert read(CONV, f"E\nM 一{odd}二\nM 三\n").turns == [(2, f"一{odd}二"), (3, "三")]


def test_a_bad_byte_rejects_its_turn_and_no_pair_bridges_it() -> None:
    result = read(CONV, "E\nM 甲\nM ".encode() + b"\xff\n" + "M 丙\nM 丁\n".encode())
    assert result.pairs() == [("丙", "丁")]
    assert result.rejects == [(3, Reason.ENCODING)]


def test_a_line_without_a_mark_separates_the_turns_around_it() -> None:
    result = read(CONV, "E\nM 甲\n没有记号\nM 丙\n")
    assert result.pairs() == []
    assert result.rejects == [(3, Reason.LAYOUT)]


@pytest.mark.parametrize("empty", ["M", "M ", "M   ", "M \u3000"])
def test_a_turn_without_text_is_empty(empty: str) -> None:
    assert read(CONV, f"E\nM 甲\n{empty}\nM 丙\n").rejects == [(3, Reason.EMPTY)]


def test_dialogues_of_one_or_no_turn_have_no_pairs() -> None:
    result = read(CONV, "E\nM 独白\nE\nE\nM 问\nM 答\nE\n")
    assert result.pairs() == [("问", "答")]
    assert result.non_turns == [{1, 3, 4, 7}]


def test_a_dialogue_of_any_length_is_one_dialogue() -> None:
    result = read(CONV, "E\n" + "".join(f"M 第{n}句\n" for n in range(300)), shard_bytes=100)
    assert len(result.pairs()) == 299


def test_a_word_that_begins_with_a_mark_is_not_a_mark() -> None:
    assert read(CONV, "E\nM E\nM M \nEnd\nMore\n").rejects == [(4, Reason.LAYOUT), (5, Reason.LAYOUT)]


def test_a_blank_line_is_a_non_turn() -> None:
    assert read(CONV, "E\nM 问\n\n \t\nM 答\n").non_turns == [{1, 3, 4}]


def test_a_byte_order_mark_does_not_hide_the_first_mark() -> None:
    result = read(CONV, "\ufeffE\nM 问\nM 答")
    assert result.pairs() == [("问", "答")]
    assert result.non_turns == [{1}]
