"""The headers of tables of messages: the names of their columns, and the line that has them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from chat_corpus.files.lines import BOM, cut_at_line
from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats.field_names import columns, normal
from chat_corpus.formats.table_rows import REMARK

SPEAKER, TEXT, DIALOGUE, TIME, TYPE = "speaker", "text", "dialogue", "time", "type"
#: Column names of exported messages, most specific first: WeChat, QQ, Discord and Telegram exporters, and plain tables.
NAMES: Mapping[str, tuple[str, ...]] = {
    SPEAKER: (
        *("speaker", "role", "sender", "from", "talker", "author", "nickname", "username", "user_name", "user", "name"),
        *("nick", "issender", "is_sender"),
        *("发言人", "说话人", "发送者", "发送人", "发信人", "发言者", "角色", "昵称", "用户名", "用户", "姓名"),
        *("發言人", "說話人", "發送者", "發送人", "傳送者", "傳送人", "發信人", "發言者", "暱稱", "用戶名", "用戶"),
        "使用者",
    ),
    TEXT: (
        *("text", "content", "message", "utterance", "msg", "body", "strcontent", "value"),
        *("内容", "消息", "消息内容", "发言内容", "聊天内容", "文本", "话语", "发言"),
        *("內容", "訊息", "訊息內容", "消息內容", "發言內容", "聊天內容", "對話內容", "話語", "發言"),
    ),
    DIALOGUE: (
        *("dialogue", "dialog", "conversation", "session", "dialogue_id", "dialog_id", "conversation_id", "session_id"),
        *("chat_id", "room_name", "room", "chat", "thread", "thread_id"),
        *("对话", "会话", "对话编号", "会话编号", "對話", "會話", "對話編號", "會話編號"),
    ),
    TIME: (
        *("time", "timestamp", "datetime", "date", "strtime", "createtime", "create_time", "created_at", "sent_at"),
        *("时间", "日期", "发送时间", "消息时间", "创建时间", "時間", "發送時間", "傳送時間", "訊息時間", "建立時間"),
    ),
    TYPE: (
        *("消息类型", "訊息類型", "type_name", "typename", "message_type", "messagetype", "msg_type", "msgtype"),
        *("类型", "類型", "type", "localtype"),
    ),
}
#: Column names of export tools for WeChat, with which numbers in a column of types are WeChat's.
_WECHAT = frozenset(("strcontent", "issender", "is_sender", "issend", "subtype", "localid", "msgsvrid", "localtype"))
SEPARATORS = (",", "\t", ";", "|")
#: Number of first lines, blank or not, that may hold the header.
_BLANKS = 10


def whole_lines(head: bytes) -> bytes:
    """Return the first bytes of a file without a mark and without a last line that may be incomplete."""
    data = head.removeprefix(BOM)
    return data[: cut_at_line(data) or len(data)] if len(head) >= HEAD_BYTES else data


def lines_of(head: bytes) -> list[str]:
    """Return the whole lines in the first bytes of a file, without their ends."""
    return whole_lines(head).decode("utf-8", "replace").replace("\r\n", "\n").split("\n")


def header_of(head: bytes) -> tuple[int, list[str]]:
    """Return number and fields of the header, split at the separator that gives most fields.

    The header is the first line that is neither blank nor a remark, or one below it if it names columns of messages,
    as below a title.
    """
    number, line = header_line(lines_of(head), {})
    return number, _most_fields(line)


def header_line(lines: Sequence[str], given: Mapping[str, str]) -> tuple[int, str]:
    """Return number and text of the header; `given` are the names that it must have, none for the usual ones."""
    filled = [(number, line) for number, line in enumerate(lines[:_BLANKS], 1) if line.strip()] or [(0, "")]
    first = next((place for place in filled if not REMARK.match(place[1])), filled[0])
    if not given and columns(_most_fields(first[1])) is not None:  # of questions and answers
        return first
    widths = set[int]()  # of the lines above; a line below rows of the same width is a row too
    for number, line in filled:
        fields = _most_fields(line)
        places = places_of(fields, given, {TEXT, SPEAKER, DIALOGUE, TIME}) if len(fields) not in widths else None
        widths.add(len(fields))
        if places and (given or (TEXT in places and len(places) > 1)):
            return number, line
    return first


def _most_fields(line: str) -> list[str]:
    return max((split_fields(line, separator) for separator in SEPARATORS), key=len)


def split_fields(line: str, separator: str) -> list[str]:
    """Return the fields of a line, which may be quoted; an empty list if it is no row."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def places_of(header: Sequence[str], given: Mapping[str, str], roles: set[str]) -> dict[str, int] | None:
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
