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
    "tabs": "2026-11-29 10:30:15\t小明\t在吗\n2026-11-29 10:30:50\t小红\t在\n",
    "parenthesis": "小明(2026-11-29 10:30:15)：在吗\n小红(2026-11-29 10:30:50)：在\n",
    "bracket above": "[11/29/2026 10:30 AM] ming\n在吗\n\n[11/29/2026 10:31 AM] hong\n在\n",
    "daily": "[LINE] 與小紅的聊天記錄\n儲存日期：2026/11/29 21:00\n\n"
    "2026/11/29（日）\n10:30\t小明\t在吗\n10:31\t小紅\t在\n",
}


@pytest.mark.parametrize("name", STYLES)
def test_each_style_is_found_and_read(name: str) -> None:
    style = style_of(STYLES[name].encode())
    assert style is not None
    assert style.name == name
    assert laws.read(chat_export(), STYLES[name]).pairs() == [("在吗", "在")]


LINE = """[LINE] 與小紅的聊天記錄
儲存日期：2026/12/01 21:00

2026/11/29(日)
23:50\t小明\t"第一行
第二行"
23:51\t小紅\t[貼圖]
23:51\t小紅收回了訊息
23:52\t小紅\t好
2026/11/30(一)
00:10\t小明\t早點睡
00:11\t小紅\t晚安
2026/12/01(二)
上午09:00\t小明\t早
上午09:01\t小紅\t早安
"""
OTHERS = {
    "WeChat, a colon without blank": (
        "[2026-11-29 10:30:15] 小明：在吗\n[2026-11-29 10:30:50] 小红：[图片]\n[2026-11-29 10:30:55] 小红：在\n"
    ),
    "WeChat, media in other brackets": (
        "2026-11-29 10:30:15 小明\n在吗\n\n2026-11-29 10:30:50 小红\n【表情包】\n\n2026-11-29 10:31:50 小红\n在\n\n"
    ),
    "WhatsApp of China": (
        "2026/11/29 10:30 - 消息和通话都进行端到端加密。\n2026/11/29 10:30 - 小明: 在吗\n"
        "2026/11/29 10:31 - 小红: <省略影音内容>\n2026/11/29 10:31 - 小红: 在\n"
    ),
    "WhatsApp of Taiwan": (
        "2026/11/29 晚上10:30 - 小明: 在吗\n2026/11/29 晚上10:31 - 小紅: 已刪除此訊息\n"
        "2026/11/29 晚上10:31 - 小紅: 在\n"
    ),
    "WhatsApp with a file": (
        "[29/11/26, 10:30:15] 小明: 在吗\n[29/11/26, 10:31:00] 小红: \u200e<附件：00001.jpg>\n"
        "[29/11/26, 10:31:15] 小红: 在\n"
    ),
    "QQ with a half of the day": "2026-11-29 上午 10:30:15 小明\n在吗\n\n2026-11-29 上午 10:30:50 小红(10001)\n在\n\n",
    "LINE in English": "[LINE] Chat history with 小红\nSaved on: 11/29/2026, 21:00\n\nSun, 11/29/2026\n"
    "10:30 PM\t小明\t在吗\n10:31 PM\t小红\t在\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_chats_of_other_programs_are_read(name: str) -> None:
    assert laws.read(chat_export(), OTHERS[name]).pairs() == [("在吗", "在")]


NOTICES = [
    '"小美" 撤回了一条消息', "你撤回了一条消息", "小美撤回了一条消息 重新编辑", "小美已收回訊息", "您收回了一则訊息",
    '"Mei" recalled a message', '"小美" 拍了拍我', '你领取了"小美"的红包', '"小美"邀请"小明"加入了群聊',
]  # fmt: skip
TEXTS = [
    "谁撤回了一条消息",
    "你刚才撤回了一条消息？",
    "他拍了拍我的肩",
    "撤回了消息没用",
    "[微笑]",
    "收到红包了",
    "看图片",
]


@pytest.mark.parametrize("notice", NOTICES)
def test_notices_are_left_out_and_counted(notice: str) -> None:
    lines = f"2024-01-01 08:00 甲: 在吗\n{notice}\n2024-01-01 08:01 {notice}\n2024-01-01 08:02 乙: 在\n"
    assert laws.read(chat_export(), lines).turns == [(1, "在吗"), (4, "在")]
    above = f"2024-01-01 08:00 甲\n在吗\n2024-01-01 08:01 系统消息(10000)\n{notice}\n2024-01-01 08:02 乙\n在\n"
    reading = laws.read(chat_export(), above)
    assert (reading.pairs(), reading.rejects) == ([("在吗", "在")], [])


def test_a_notice_in_the_place_of_a_speaker_is_no_message() -> None:
    lines = '2024-01-01 08:00 甲\n在吗\n\n2024-01-01 08:01 "小美" 撤回了一条消息\n\n2024-01-01 08:02 乙\n在\n'
    assert laws.read(chat_export(), lines).pairs() == [("在吗", "在")]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_like_notices_are_turns(text: str) -> None:
    reading = laws.read(chat_export(), f"2024-01-01 08:00 甲: 在吗\n2024-01-01 08:01 乙: {text}\n")
    assert reading.pairs() == [("在吗", text)]


def test_a_chat_of_line_has_its_dates_on_lines_of_their_own() -> None:
    result = laws.read(chat_export(), LINE)
    assert result.turns == [
        (5, "第一行\n第二行"), (7, "好"), (11, "早點睡"), (12, "晚安"), (14, "早"), (15, "早安"),
    ]  # fmt: skip
    assert result.pairs() == [("第一行\n第二行", "好"), ("好", "早點睡"), ("早點睡", "晚安"), ("早", "早安")]
    assert len(laws.read(chat_export(), LINE, shard_bytes=64).frames) == 2


def test_what_is_wrong_in_a_chat_of_line_costs_itself_alone() -> None:
    lines = "2026/11/29(日)\n壞掉的一行\n10:30\t小明\t在嗎\n99:99\t小紅\t幾點\n10:31\t小紅\t在\n"
    result = laws.read(chat_export(), lines)
    assert result.rejects == [(2, "layout")]
    assert result.pairs() == [("在嗎\n99:99\t小紅\t幾點", "在")]
    assert laws.read(chat_export(), "10:30\t小明\t沒有日期\n" + lines).rejects == [(1, "layout"), (3, "layout")]


def test_sessions_end_at_a_gap_and_messages_of_one_speaker_merge() -> None:
    reading = laws.read(chat_export(), QQ)
    assert reading.turns == [(7, "在吗"), (10, "在\n呢"), (17, "新年快乐"), (20, "同乐")]
    assert reading.pairs() == [("在吗", "在\n呢"), ("新年快乐", "同乐")]
    assert laws.read(chat_export(gap=86_400), QQ).pairs()[1] == ("在\n呢", "新年快乐")


def test_shards_are_cut_between_sessions() -> None:
    assert laws.read(chat_export(), QQ, shard_bytes=64).pairs() == laws.read(chat_export(), QQ).pairs()
    assert len(laws.read(chat_export(), QQ, shard_bytes=64).frames) == 2


def test_a_message_without_text_keeps_its_place() -> None:
    reading = laws.read(
        chat_export(), "2024-01-01 08:00 甲: 看\n2024-01-01 08:01 乙: [图片]\n2024-01-01 08:02 甲: 好看吧\n"
    )
    assert reading.rejects == [(2, "empty")]
    assert reading.pairs() == []


def test_a_bad_byte_costs_its_message_and_no_other() -> None:
    lines = [
        "2024-01-01 08:00 甲: 在吗",
        "2024-01-01 08:01 乙: 坏",
        "2024-01-01 08:02 甲: 几点",
        "2024-01-01 08:03 乙: 五点",
    ]
    content = "\n".join(lines).encode().replace("坏".encode(), b"\xff")
    reading = laws.read(chat_export(), content)
    assert reading.rejects == [(2, "encoding")]
    assert reading.pairs() == [("几点", "五点")]


def test_text_before_the_first_message_is_rejected_with_its_address() -> None:
    reading = laws.read(chat_export(), "随手一行\n2024-01-01 08:00 甲: 在吗\n2024-02-30 08:01 乙: 没有这一天\n")
    assert reading.rejects == [(1, "layout")]
    assert reading.turns == [(2, "在吗\n2024-02-30 08:01 乙: 没有这一天")]


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
