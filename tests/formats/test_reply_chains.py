"""Threads flattened into exchanges become threads again."""

from __future__ import annotations

from chat_corpus.formats.reply_chains import CHAINED
from chat_corpus.schema import Pairing, Reason
from tests.formats.laws import read

THREAD = "一楼\t二楼\n二楼\t三楼\n三楼\t四楼\n"


def test_lines_that_chain_become_one_thread_with_each_turn_once() -> None:
    result = read(CHAINED, THREAD)
    assert result.turns == [(1, "一楼"), (1, "二楼"), (2, "三楼"), (3, "四楼")]
    assert result.pairs() == [("一楼", "二楼"), ("二楼", "三楼"), ("三楼", "四楼")]
    assert result.pairs(Pairing.FIRST) == [("一楼", "二楼"), ("一楼", "三楼"), ("一楼", "四楼")]


def test_another_query_begins_a_new_thread() -> None:
    result = read(CHAINED, "甲\t乙\n丙\t丁\n丁\t戊")
    assert result.pairs(Pairing.FIRST) == [("甲", "乙"), ("丙", "丁"), ("丙", "戊")]


def test_a_line_that_answers_itself_continues_the_thread() -> None:
    assert read(CHAINED, "顶\t顶\n顶\t顶\n").pairs() == [("顶", "顶"), ("顶", "顶")]


def test_a_malformed_or_blank_line_ends_its_thread() -> None:
    result = read(CHAINED, "甲\t乙\n广告\n乙\t丙\n\n丙\t丁\n")
    assert result.pairs(Pairing.FIRST) == [("甲", "乙"), ("乙", "丙"), ("丙", "丁")]
    assert result.rejects == [(2, Reason.FIELDS)]
    assert result.non_turns == [{4}]


def test_a_bad_byte_rejects_its_line() -> None:
    result = read(CHAINED, "甲\t乙\n乙\t".encode() + b"\xff\n" + "乙\t丁\n".encode())
    assert result.pairs() == [("甲", "乙"), ("乙", "丁")]
    assert result.rejects == [(2, Reason.ENCODING)]


def test_an_empty_turn_inside_a_thread_makes_no_pair() -> None:
    result = read(CHAINED, "甲\t\n\t丙\n丙\t丁\n")
    assert result.pairs() == [("丙", "丁")]
    assert result.rejects == [(1, Reason.EMPTY)]


def test_a_thread_is_never_cut() -> None:
    result = read(CHAINED, "首\t尾\n" + THREAD + "另\t外\n", shard_bytes=1)
    assert len(result.frames) > 1
    assert result.pairs(Pairing.FIRST)[1:4] == [("一楼", "二楼"), ("一楼", "三楼"), ("一楼", "四楼")]
