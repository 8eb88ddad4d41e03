"""Chats with blank lines between dialogues."""

from __future__ import annotations

from chat_corpus.formats.blank_lines import BLANK_LINES, is_blank_separated
from tests.formats import laws

CHATS = "\ufeff在吗\r\n在\r\n\r\n\u3000\n今天吃什么\n火锅吧\n太辣了\n \n\n晚安"


def test_a_blank_line_ends_a_dialogue() -> None:
    reading = laws.read(BLANK_LINES, CHATS)
    assert reading.pairs() == [("在吗", "在"), ("今天吃什么", "火锅吧"), ("火锅吧", "太辣了")]
    assert reading.non_turns == [{3, 4, 8, 9}]
    assert laws.read(BLANK_LINES, CHATS, shard_bytes=16).pairs() == reading.pairs()


def test_a_bad_byte_keeps_its_place() -> None:
    reading = laws.read(BLANK_LINES, "在吗\n".encode() + b"\xff\n" + "在\n\n".encode())
    assert reading.rejects == [(2, "encoding")]
    assert reading.pairs() == []


def test_only_several_dialogues_of_several_lines_look_like_it() -> None:
    assert is_blank_separated("在吗\n在\n\n好\n嗯\n".encode())
    assert not is_blank_separated("在吗\n在\n好\n".encode())
    assert not is_blank_separated("一段\n\n另一段\n\n第三段\n".encode())
