"""Utterances with ids in one file, conversations as lists of ids in another."""

from __future__ import annotations

import pytest

from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.schema import Reason
from tests.formats.laws import read


def line(number: object, text: str) -> str:
    return f"{number} +++$+++ 某人 +++$+++ {text}\n"


def listed(*ids: object) -> str:
    result = ", ".join(map(str, ids))
    return f"9 +++$+++ 问者 +++$+++ 答者 +++$+++ 2016 +++$+++ http://a.example/?a=[1] +++$+++ [{result}]\n"


def test_conversations_list_turns_of_the_other_file() -> None:
    result = read(LINE_IDS, line(2, "答") + line(1, "问"), listed(1, 2))
    assert result.addressed() == [("问", "答", 0, 2, 0, 1, None)]
    assert result.non_turns == [set(), {1}]


def test_lines_without_id_continue_the_line_before() -> None:
    result = read(LINE_IDS, line(1, "怎么写") + "var a = 1;\r\n\n3 不是编号\n" + line(2, "这样"), listed(1, 2))
    assert result.pairs() == [("怎么写\nvar a = 1;\n\n3 不是编号", "这样")]
    assert result.non_turns[0] == {2, 3, 4}


def test_a_line_before_the_first_id_continues_nothing() -> None:
    result = read(LINE_IDS, "游离的一行\n" + line(1, "问") + line(2, "答"), listed(1, 2))
    assert result.pairs() == [("问", "答")]
    assert result.rejects == [(1, Reason.LAYOUT)]


def test_a_missing_id_removes_the_pairs_beside_it() -> None:
    result = read(LINE_IDS, line(1, "问") + line(2, "答"), listed(1, 7, 2))
    assert result.pairs() == []
    assert result.rejects == [(1, Reason.LAYOUT)]


def test_an_utterance_in_no_conversation_is_unpaired() -> None:
    assert read(LINE_IDS, line(1, "问") + line(2, "答") + line(3, "独"), listed(1, 2)).rejects == [(3, Reason.UNPAIRED)]


def test_a_repeated_id_means_its_first_utterance() -> None:
    result = read(LINE_IDS, line(1, "问") + line(2, "答") + line(1, "冒名"), listed(1, 2))
    assert result.pairs() == [("问", "答")]
    assert result.rejects == [(3, Reason.LAYOUT)]


def test_an_utterance_may_be_in_two_conversations() -> None:
    result = read(LINE_IDS, line(1, "问") + line(2, "答") + line(3, "又答"), listed(1, 2) + listed(1, 3))
    assert result.pairs() == [("问", "答"), ("问", "又答")]


@pytest.mark.parametrize("bad", ["[1, 2", "[]", "[一]", "[１, ２]", "[99999999999999999999, 2]", "无"])
def test_a_conversation_without_ids_rejects_only_itself(bad: str) -> None:
    result = read(LINE_IDS, line(1, "问") + line(2, "答"), listed(1, 2) + f"9 +++$+++ 甲 +++$+++ {bad}\n\n")
    assert result.pairs() == [("问", "答")]
    assert result.rejects == [(2, Reason.LAYOUT)]
    assert result.non_turns[1] == {1, 3}


@pytest.mark.parametrize("number", ["x1", "１", "99999999999999999999"])
def test_an_id_is_a_number_of_ascii_digits(number: str) -> None:
    result = read(LINE_IDS, line(number, "问") + line(2, "答"), listed(2))
    assert result.rejects == [(1, Reason.LAYOUT)]


def test_a_bad_byte_rejects_its_utterance_with_all_its_lines() -> None:
    lines = line(1, "问").encode() + b"\xff\n" + line(2, "答").encode() + line(3, "又答").encode()
    result = read(LINE_IDS, lines, listed(1, 2) + listed(2, 3))
    assert result.pairs() == [("答", "又答")]
    assert result.rejects == [(1, Reason.ENCODING), (1, Reason.LAYOUT)]


def test_separators_inside_a_text_belong_to_it() -> None:
    assert read(LINE_IDS, line(1, "甲 +++$+++ 乙") + line(2, ""), listed(1, 2)).turns == [(1, "甲 +++$+++ 乙")]
