"""Chats exported as text: styles, sessions, speakers, and what goes wrong in such files."""

from __future__ import annotations

import json

import pytest

from chat_corpus.formats.chat_exports import chat_export, style_of
from tests.formats import laws

QQ = """消息记录（此消息记录为文本格式，不支持重新导入）

================================================================
消息对象:小红
================================================================

2023-12-31 21:15:33 小明(10001)
在吗

2023-12-31 21:15:50 小红<hong@example.org>
[图片]

2023-12-31 21:16:50 小红<hong@example.org>
在
呢

2024-01-01 09:00:00 小明(10001)
新年快乐

2024-01-01 09:00:05 小红<hong@example.org>
同乐
"""
STYLES = {
    "bracket": "[31/12/2023, 21:15:33] 小明: 在吗\n\u200e[31/12/2023, 21:15:40] 小红: \u200e在\n",
    "dash": "12/31/23, 9:15 PM - Messages are end-to-end encrypted.\n12/31/23, 9:15 PM - 小明: 在吗\n"
    "12/31/23, 9:16 PM - 小红: 在\n",
    "inline": "2023-12-31 21:15:33 小明: 在吗\n2023-12-31 21:15:40 小红：在\n",
    "above": "2023/12/31 下午9:15 小明\n在吗\n2023/12/31 下午9:16 小红\n在\n",
    "below": "小明 2023年12月31日 21:15\n在吗\n\n小红 2023年12月31日 21:16\n在\n",
}


@pytest.mark.parametrize("name", STYLES)
def test_each_style_is_found_and_read(name: str) -> None:
    style = style_of(STYLES[name].encode())
    assert style is not None
    assert style.name == name
    assert laws.read(chat_export(), STYLES[name]).pairs() == [("在吗", "在")]


def test_sessions_end_at_a_gap_and_messages_of_one_speaker_merge() -> None:
    told = laws.read(chat_export(), QQ)
    assert told.turns == [(7, "在吗"), (10, "在\n呢"), (17, "新年快乐"), (20, "同乐")]
    assert told.pairs() == [("在吗", "在\n呢"), ("新年快乐", "同乐")]
    assert laws.read(chat_export(gap=86_400), QQ).pairs()[1] == ("在\n呢", "新年快乐")


def test_shards_are_cut_between_sessions() -> None:
    assert laws.read(chat_export(), QQ, shard_bytes=64).pairs() == laws.read(chat_export(), QQ).pairs()
    assert len(laws.read(chat_export(), QQ, shard_bytes=64).frames) == 2


def test_a_message_without_text_keeps_its_place() -> None:
    told = laws.read(
        chat_export(), "2024-01-01 08:00 甲: 看\n2024-01-01 08:01 乙: [图片]\n2024-01-01 08:02 甲: 好看吧\n"
    )
    assert told.rejects == [(2, "empty")]
    assert told.pairs() == []


def test_a_bad_byte_costs_its_message_and_no_other() -> None:
    lines = [
        "2024-01-01 08:00 甲: 在吗",
        "2024-01-01 08:01 乙: 坏",
        "2024-01-01 08:02 甲: 几点",
        "2024-01-01 08:03 乙: 五点",
    ]
    content = "\n".join(lines).encode().replace("坏".encode(), b"\xff")
    told = laws.read(chat_export(), content)
    assert told.rejects == [(2, "encoding")]
    assert told.pairs() == [("几点", "五点")]


def test_text_before_the_first_message_is_rejected_with_its_address() -> None:
    told = laws.read(chat_export(), "随手一行\n2024-01-01 08:00 甲: 在吗\n2024-02-30 08:01 乙: 没有这一天\n")
    assert told.rejects == [(1, "layout")]
    assert told.turns == [(2, "在吗\n2024-02-30 08:01 乙: 没有这一天")]


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        (["13/2/2024, 08:00", "1/3/2024, 08:00"], "dmy"),
        (["2/13/2024, 08:00", "3/1/2024, 08:00"], "mdy"),
        (["2/3/24, 8:00 AM", "2/4/24, 8:00 AM"], "mdy"),
        (["2/3/2024, 08:00", "2/4/2024, 08:00"], "dmy"),
    ],
)
def test_the_order_of_day_and_month_is_found(dates: list[str], order: str) -> None:
    content = "".join(f"{date} - 甲: 早\n" for date in dates)
    assert json.loads(chat_export().dialect_of(content.encode()))["order"] == order


@pytest.mark.parametrize("content", ["在吗\n在\n", "问题\t回答\n", "1\n00:00:01,000 --> 00:00:02,000\n在吗\n", ""])
def test_other_text_is_no_export(content: str) -> None:
    assert not chat_export().accepts(content.encode())
