"""Response selection sets: contexts come out once, positive responses answer their last turn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from chat_corpus.formats.response_selection import LABELLED
from chat_corpus.schema import Reason
from tests.formats.laws import read


def test_a_context_is_read_once_and_not_once_per_candidate() -> None:
    result = read(LABELLED, "1\t你 好\t吃 了 吗\t吃 了\n0\t你 好\t吃 了 吗\t下雨 了\n")
    assert result.pairs() == [("你 好", "吃 了 吗"), ("吃 了 吗", "吃 了")]
    assert result.rejects == [(2, Reason.NEGATIVE)]


def test_each_positive_response_answers_the_last_context_turn() -> None:
    lines = ["0\t问\t答\t错一", "1\t问\t答\t对一", "0\t问\t答\t错二", "1\t问\t答\t对二"]
    assert read(LABELLED, "\n".join(lines)).pairs() == [("问", "答"), ("答", "对一"), ("答", "对二")]


def test_a_context_without_positive_response_has_pairs() -> None:
    assert read(LABELLED, "0\t问\t答\t错一\n0\t问\t答\t错二\n").pairs() == [("问", "答")]


def test_a_context_of_one_utterance_has_no_pair_but_the_response() -> None:
    assert read(LABELLED, "1\t问\t答\n0\t问\t错\n").pairs() == [("问", "答")]


def test_a_response_that_repeats_the_context_is_a_response() -> None:
    assert read(LABELLED, "1\t哈\t哈\t哈\n1\t哈\t哈\n").pairs() == [("哈", "哈"), ("哈", "哈"), ("哈", "哈")]


@pytest.mark.parametrize("line", ["2\t问\t答", "1\t问", "没有标签", "1 问\t答\t答", "\t问\t答"])
def test_a_malformed_line_does_not_end_the_context(line: str) -> None:
    result = read(LABELLED, f"1\t问\t答\t对\n{line}\n1\t问\t答\t也对\n")
    assert result.pairs() == [("问", "答"), ("答", "对"), ("答", "也对")]
    assert result.rejects == [(2, Reason.FIELDS)]


def test_an_empty_utterance_rejects_the_pairs_beside_it() -> None:
    result = read(LABELLED, "1\t甲\t\t丙\t丁\n")
    assert result.pairs() == [("丙", "丁")]
    assert result.rejects == [(1, Reason.EMPTY)]


def test_a_bad_byte_does_not_end_a_context_wherever_the_file_is_cut() -> None:
    good, other = "1\t问\t答\t对\n".encode(), "1\t别 的\t话\t呢\n".encode()
    content = other + good + b"1\t\xff\t\xff\t\xff\n" + good + other
    for size in (1, 20, 40, 60, 1000):
        result = read(LABELLED, content, shard_bytes=size)
        assert result.pairs().count(("问", "答")) == 1, size
        assert result.rejects == [(3, Reason.ENCODING)]


def test_a_context_of_ninety_eight_turns_is_read() -> None:
    turns = [f"第 {n} 句" for n in range(98)]
    assert read(LABELLED, "1\t" + "\t".join(turns)).pairs() == list(pairwise(turns))
