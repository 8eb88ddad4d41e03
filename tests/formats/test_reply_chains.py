"""Threads flattened into exchanges become threads again."""

from __future__ import annotations

from chat_corpus.formats.reply_chains import CHAINED
from chat_corpus.schema import Pairing, Reason
from tests.formats.laws import read

THREAD = "一楼\t二楼\n二楼\t三楼\n三楼\t四楼\n"


def test_lines_that_chain_become_one_thread_with_each_turn_once() -> None:
    told = read(CHAINED, THREAD)
    assert told.turns == [(1, "一楼"), (1, "二楼"), (2, "三楼"), (3, "四楼")]
    assert told.pairs() == [("一楼", "二楼"), ("二楼", "三楼"), ("三楼", "四楼")]
    assert told.pairs(Pairing.FIRST) == [("一楼", "二楼"), ("一楼", "三楼"), ("一楼", "四楼")]


def test_another_query_opens_another_thread() -> None:
    told = read(CHAINED, "甲\t乙\n丙\t丁\n丁\t戊")
    assert told.pairs(Pairing.FIRST) == [("甲", "乙"), ("丙", "丁"), ("丙", "戊")]


def test_a_line_answered_with_itself_chains_on() -> None:
    assert read(CHAINED, "顶\t顶\n顶\t顶\n").pairs() == [("顶", "顶"), ("顶", "顶")]


def test_a_malformed_or_blank_line_ends_its_thread() -> None:
    told = read(CHAINED, "甲\t乙\n广告\n乙\t丙\n\n丙\t丁\n")
    assert told.pairs(Pairing.FIRST) == [("甲", "乙"), ("乙", "丙"), ("丙", "丁")]
    assert told.rejects == [(2, Reason.FIELDS)]
    assert told.non_turns == [{4}]


def test_a_bad_byte_costs_its_line() -> None:
    told = read(CHAINED, "甲\t乙\n乙\t".encode() + b"\xff\n" + "乙\t丁\n".encode())
    assert told.pairs() == [("甲", "乙"), ("乙", "丁")]
    assert told.rejects == [(2, Reason.ENCODING)]


def test_an_empty_turn_inside_a_thread_bridges_nothing() -> None:
    told = read(CHAINED, "甲\t\n\t丙\n丙\t丁\n")
    assert told.pairs() == [("丙", "丁")]
    assert told.rejects == [(1, Reason.EMPTY)]


def test_a_thread_is_never_cut() -> None:
    told = read(CHAINED, "首\t尾\n" + THREAD + "另\t外\n", shard_bytes=1)
    assert len(told.frames) > 1
    assert told.pairs(Pairing.FIRST)[1:4] == [("一楼", "二楼"), ("一楼", "三楼"), ("一楼", "四楼")]
