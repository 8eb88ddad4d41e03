"""Chats exported as JSON: messages of several programs, sessions, notices, and what goes wrong in such files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat_corpus.formats.chat_json import chat_array, chat_lines
from tests.formats import laws


def telegram(number: int, who: str, time: str, text: object, **facts: object) -> dict[str, object]:
    sent = {"date": f"2026-11-29T{time}", "from": who, "from_id": f"user{who}", "text": text}
    return {"id": number, "type": "message", **sent, **facts}


CHAT = [
    telegram(1, "小明", "10:00:00", "", type="service", actor="小明", action="phone_call"),
    telegram(2, "小明", "10:30:15", "在吗"),
    telegram(3, "小红", "10:30:40", ["看 ", {"type": "link", "text": "https://example.org"}]),
    telegram(4, "小红", "10:30:45", "", photo="photos/1.jpg"),
    telegram(5, "小明", "10:31:00", "看到了"),
    telegram(6, "小红", "18:00:00", "吃了吗"),
    telegram(7, "小明", "18:01:00", "吃了"),
]
PAIRS = [("在吗", "看 https://example.org"), ("看 https://example.org", "看到了"), ("吃了吗", "吃了")]
TELEGRAM = {"name": "小红", "type": "personal_chat", "id": 4242, "messages": CHAT}
WHOLE: dict[str, Any] = {
    "Discord": {
        "guild": {"id": "0", "name": "服务器"},
        "channel": {"id": "1", "type": "GuildTextChat", "name": "闲聊"},
        "messages": [
            {"id": "1", "type": "Default", "timestamp": "2026-11-29T10:30:15.123+00:00", "content": "在吗",
             "author": {"id": "1", "name": "ming", "nickname": "小明"}, "attachments": []},
            {"id": "2", "type": "GuildMemberJoin", "timestamp": "2026-11-29T10:30:16+00:00", "content": "加入了",
             "author": {"id": "3", "name": "hua"}},
            {"id": "3", "type": "Reply", "timestamp": "2026-11-29T10:30:55.123+00:00", "content": "在",
             "author": {"id": "2", "name": "hong", "nickname": "小红"}},
        ],
        "messageCount": 3,
    },
    "Slack": [
        {"user": "U1", "type": "message", "ts": "1795919400.000100", "text": "在吗"},
        {"user": "U3", "type": "message", "subtype": "channel_join", "ts": "1795919401.000100", "text": "joined"},
        {"user": "U2", "type": "message", "ts": "1795919410.000100", "text": "在"},
    ],
    "WeChat": [
        {"talker": "wxid_1", "is_sender": 1, "content": "在吗", "create_time": 1795919400, "type": 1},
        {"talker": "wxid_1", "is_sender": 0, "content": "<msg/>", "create_time": 1795919405, "type": 3},
        {"talker": "wxid_1", "is_sender": 0, "content": "在", "create_time": 1795919410, "type": 1},
    ],
}  # fmt: skip


def test_a_chat_of_telegram_is_read_in_sessions() -> None:
    result = laws.read(chat_array(), json.dumps(TELEGRAM, ensure_ascii=False, indent=1))
    assert result.pairs() == PAIRS
    assert result.rejects == []


@pytest.mark.parametrize("name", WHOLE)
def test_chats_of_other_programs_are_read(name: str) -> None:
    content = json.dumps(WHOLE[name], ensure_ascii=False, indent=2)
    assert chat_array().accepts(content.encode())
    assert laws.read(chat_array(), content).pairs() == [("在吗", "在")]


@pytest.mark.parametrize(
    "facts",
    [
        {"type": "系统消息"},
        {"type": "system"},
        {"type": 10000, "subtype": 4},
        {"type": "10000"},
        {"sender": "系统消息"},
    ],
    ids=str,
)
def test_a_notice_is_no_turn_whatever_its_type_is_called(facts: dict[str, object]) -> None:
    def sent(number: int, who: str, text: str, **facts: object) -> dict[str, object]:
        return {"createTime": 1795919400 + number, "sender": who, "content": text, "type": "文本消息", **facts}

    notice = sent(2, "小明", "小明修改了群名", **facts)
    messages = [
        sent(1, "小明", "在吗"),
        notice,
        sent(3, "小红", "cat.gif", type="动画表情"),
        sent(4, "小红", "在", type="引用消息", localType=244813135921),
    ]
    reading = laws.read(chat_array(), json.dumps(messages, ensure_ascii=False, indent=1))
    assert (reading.pairs(), reading.rejects) == ([("在吗", "在")], [])


def test_a_message_per_line_is_read_too() -> None:
    content = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in CHAT)
    assert chat_lines().accepts(content.encode())
    assert not chat_array().accepts(content.encode())
    assert laws.read(chat_lines(), content).pairs() == PAIRS
    assert len(laws.read(chat_lines(), content, shard_bytes=64).frames) == 2


def test_shards_are_cut_between_sessions() -> None:
    content = json.dumps(TELEGRAM, ensure_ascii=False, indent=1)
    result = laws.read(chat_array(), content, shard_bytes=64)
    assert (result.pairs(), len(result.frames)) == (PAIRS, 2)


def test_what_is_no_message_is_rejected_by_itself() -> None:
    messages = [
        telegram(1, "小明", "10:30:15", "在吗"),
        {"id": 2, "who": "?"},
        telegram(3, "小红", "10:30:20", {"odd": 1}),
        telegram(4, "小红", "10:30:40", "\ud800"),
        telegram(5, "小红", "10:30:41", "在"),
        telegram(6, "小明", "never", "几点"),
    ]
    content = json.dumps(messages, indent=1).replace('"id": 5,', '"id": 5 "x",')
    result = laws.read(chat_array(), content)
    assert result.rejects == [(2, "layout"), (3, "layout"), (4, "encoding"), (5, "layout")]
    assert [text for _, text in result.turns] == ["在吗", "几点"]
    assert result.pairs() == []


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "user", "content": "在吗", "timestamp": 1}, {"role": "assistant", "content": "在"}]},
        {"instruction": "在吗", "output": "在", "text": "在吗在", "time": "2024-01-01", "user": "甲"},
        {"text": "一条微博", "time": "2024-01-01 08:00:00"},
        {"user": "甲", "text": "没有时间"},
    ],
    ids=lambda record: "+".join(record),
)
def test_other_records_are_no_chat(record: dict[str, object]) -> None:
    content = json.dumps(record, ensure_ascii=False)
    for data in (content + "\n" + content + "\n", f"[{content},\n{content}]"):
        assert not chat_lines().accepts(data.encode())
        assert not chat_array().accepts(data.encode())
