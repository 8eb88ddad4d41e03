"""Roles of the columns in a table of messages, and the usual names of these columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from chat_corpus.formats.field_names import normal

#: Roles of columns: in a table of messages, and in a table of pairs.
SPEAKER, TEXT, DIALOGUE, TIME, TYPE = "speaker", "text", "dialogue", "time", "type"
QUERY, ANSWER = "query", "answer"
#: Column names of exported messages, most specific first: WeChat, QQ, Discord and Telegram exporters, and plain tables.
NAMES: Mapping[str, tuple[str, ...]] = {
    SPEAKER: (
        *("speaker", "role", "sender", "from", "talker", "author", "nickname", "username", "user_name", "user", "name"),
        *("nick", "issender", "is_sender", "发言人", "说话人", "发送者", "发送人", "发言者", "角色", "昵称", "用户"),
        *("姓名", "發言人", "發送者", "暱稱"),
    ),
    TEXT: (
        *("text", "content", "message", "utterance", "msg", "body", "strcontent", "value"),
        *("内容", "消息", "消息内容", "文本", "话语", "發言", "內容", "訊息"),
    ),
    DIALOGUE: (
        *("dialogue", "dialog", "conversation", "session", "dialogue_id", "dialog_id", "conversation_id", "session_id"),
        *("chat_id", "room_name", "room", "chat", "thread", "thread_id"),
        *("对话", "会话", "对话编号", "会话编号", "對話", "會話"),
    ),
    TIME: (
        *("time", "timestamp", "datetime", "date", "strtime", "createtime", "create_time", "created_at", "sent_at"),
        *("时间", "日期", "時間"),
    ),
    TYPE: (
        *("消息类型", "訊息類型", "type_name", "typename", "message_type", "messagetype", "msg_type", "msgtype"),
        *("类型", "類型", "type", "localtype"),
    ),
}
#: Column names of export tools for WeChat, with which numbers in a column of types are WeChat's.
_WECHAT = frozenset(("strcontent", "issender", "is_sender", "issend", "subtype", "localid", "msgsvrid", "localtype"))


def by_number(given: Mapping[str, str]) -> dict[str, int] | None:
    """Return the indices of columns that are given by numbers, from 1; None if they are given by names."""
    if not all(re.fullmatch(r"[1-9]\d?", name) for name in given.values()):
        return None
    return {what: int(name) - 1 for what, name in given.items()}


def by_name(header: Sequence[str], given: Mapping[str, str], roles: set[str]) -> dict[str, int] | None:
    """Return the indices of columns in a header by role: by the names from the user, or else by the usual names.

    Returns None if the header lacks a name from the user.
    """
    plain = [normal(name) for name in header]
    places: dict[str, int] = {}
    for what, name in given.items():
        if normal(name) not in plain:
            return None
        places[what] = plain.index(normal(name))
    for what in NAMES if not given else ():
        usual = [name for name in NAMES[what] if what in roles and name in plain]
        if usual:
            places.setdefault(what, plain.index(usual[0]))
    return places


def is_of_wechat(header: Sequence[str]) -> bool:
    """Return whether a header is that of an export tool for WeChat."""
    return not _WECHAT.isdisjoint(map(normal, header))
