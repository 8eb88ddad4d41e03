"""Tables with a message in each row (speaker, text, dialogue, time), and tables with columns that the user names.

The columns are named by a header, in any order, or by the user, by name or number. Rows of one dialogue are contiguous.
A table without a column of dialogues is split at gaps in time. A table that also has no times is a single dialogue,
which is read as a whole. Consecutive messages of one speaker merge (`formats.sessions`).
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import polars as pl

from chat_corpus.files.lines import BOM, cut_at_line
from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats import sessions, times
from chat_corpus.formats.base import Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.formats.field_names import NO_TURN, columns, is_row_number, normal
from chat_corpus.formats.table_rows import MOST_COLUMNS, REMARK, Table, fields_of, plain_format, without_headings

#: Seconds without a message that end a session.
GAP = 3600
SPEAKER, TEXT, DIALOGUE, TIME = "speaker", "text", "dialogue", "time"
QUERY, ANSWER = "query", "answer"
#: Column names of exported messages, most specific first: WeChat, QQ, Discord and Telegram exporters, and plain tables.
_NAMES: Mapping[str, tuple[str, ...]] = {
    SPEAKER: (
        *("speaker", "role", "sender", "from", "talker", "author", "nickname", "username", "user_name", "user", "name"),
        *(
            "nick",
            "issender",
            "is_sender",
            "发言人",
            "说话人",
            "发送者",
            "发送人",
            "发信人",
            "发言者",
            "角色",
            "昵称",
            "用户名",
        ),
        *(
            "用户",
            "姓名",
            "發言人",
            "說話人",
            "發送者",
            "發送人",
            "傳送者",
            "傳送人",
            "發信人",
            "發言者",
            "暱稱",
            "使用者",
            "用戶名",
        ),
        *("用戶",),
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
}
_SEPARATORS = (",", "\t", ";", "|")
#: Number of first lines, blank or not, that may hold the header, and that show the number of columns.
_BLANKS, _SHOWN = 10, 20
#: Minimum share of readable rows in such a table.
_READABLE = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """A table, and the indices of its columns by role: `speaker`, `text`, `dialogue`, `time`, `query`, `answer`."""

    table: Table
    places: Mapping[str, int]
    order: times.Order = times.Order.DAY_FIRST

    def dialect(self) -> str:
        return json.dumps({"table": self.table.dialect(), "places": dict(self.places), "order": self.order})

    @classmethod
    def of(cls, dialect: str) -> _Layout:
        facts = json.loads(dialect)
        return cls(table=Table.of(facts["table"]), places=facts["places"], order=times.Order(facts["order"]))


def _messages(records: Records, layout: _Layout) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Return rows as `sessions.MESSAGES`, numbers of blank lines, and the fields of readable rows (`record, text`)."""
    fields = fields_of(records, layout.table)

    def column(name: str) -> pl.Expr:
        place = layout.places.get(name)
        return pl.lit(None, dtype=pl.String) if place is None else pl.col("text").list.get(place)

    good = fields.good.select(
        "record",
        speaker=pl.when(column(SPEAKER).str.strip_chars() != "").then(column(SPEAKER).str.strip_chars()),
        stamp=times.stamp_of(column(TIME), layout.order),
        key=pl.when(column(DIALOGUE).str.strip_chars() != "").then(column(DIALOGUE).str.strip_chars()),
        text=column(TEXT),
        reason=pl.lit(None, dtype=pl.String),
        message=pl.lit(None, dtype=pl.String),
    )
    missing = [name for name in sessions.MESSAGES if name not in fields.bad.columns]
    bad = fields.bad.with_columns(pl.lit(None, dtype=sessions.MESSAGES[name]).alias(name) for name in missing)
    messages = pl.concat([good, bad.select(sessions.MESSAGES.names())]).sort("record")
    return messages, fields.blank, fields.good


def _read(parts: Sequence[Records], *, layout: _Layout, gap: int) -> Reading:
    (lines,) = parts
    records, headings = without_headings(lines, layout.table)
    messages, blank, good = _messages(records, layout)
    rows, merged = sessions.turns_of_messages(messages, gap)
    unread = [
        (record, name)
        for place, name in layout.table.others
        for record in good.filter(pl.col("text").list.get(place).str.contains(r"\p{L}"))["record"]
    ]
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(pl.concat([headings, blank, merged]),), unread=unread)


def _cut(data: bytes, *, layout: _Layout, gap: int) -> int:
    """Return the offset of the last row that begins a dialogue; 0 if there is none."""
    format_ = plain_format(layout.table)
    whole = data[: (format_.cut or cut_at_line)(data)]
    if not whole:
        return 0
    messages, _, _ = _messages(format_.split(whole, 1), layout)
    return sessions.cut_before(data, messages.filter(sessions.session_starts(messages, gap))["record"])


def _format(layout: _Layout, gap: int) -> Format:
    plain = plain_format(layout.table)
    cut = partial(_cut, layout=layout, gap=gap) if {TIME, DIALOGUE} & set(layout.places) else None
    return replace(plain, read=partial(_read, layout=layout, gap=gap), cut=cut)


def message_table(names: tuple[tuple[str, str], ...] = (), gap: int = GAP) -> Format:
    """Return the format of tables of messages.

    `names` are pairs of a role and the name or number of its column, such as ``("speaker", "谁")``.
    """

    def dialect_of(head: bytes) -> str:
        found = _look(head, names)
        return "" if found is None else found.dialect()

    return replace(
        _format(_PLAIN, gap),
        accepts=lambda head: _look(head, names) is not None,
        dialect_of=dialect_of,
        in_dialect=lambda dialect: _format(_Layout.of(dialect), gap),
    )


_PLAIN = _Layout(table=Table(separator=",", quoted=True), places={SPEAKER: 0, TEXT: 1})


@lru_cache(maxsize=8)
def _look(head: bytes, names: tuple[tuple[str, str], ...]) -> _Layout | None:
    """Return the table of messages in a file with these first bytes; None for any other file."""
    if not names and columns(header_of(head)[1]) is not None:  # a table of questions and answers
        return None
    found = _located(head, {TEXT, SPEAKER, DIALOGUE, TIME}, names)
    if found is None or TEXT not in found.places or len(found.places) == 1:
        return None
    records = plain_format(found.table).split(_whole(head), 1)
    good = fields_of(without_headings(records, found.table)[0], found.table).good
    return replace(found, order=_order(good["text"], found.places[TIME]) if TIME in found.places else found.order)


def _order(fields: pl.Series, place: int) -> times.Order:
    groups = fields.list.get(place).str.strip_chars().to_frame("time")
    parted = groups.select(groups=pl.col("time").str.extract_groups(f"^{times.STAMP}$"))["groups"].struct
    halves = pl.select(pl.coalesce(parted.field("4"), parted.field("8"))).to_series()
    return times.order_of(parted.field("1"), parted.field("2"), halves)


@lru_cache(maxsize=8)
def pair_columns(head: bytes, names: tuple[tuple[str, str], ...]) -> Table | None:
    """Return the table of questions and answers in columns that the user names; None if the file lacks them."""
    found = _located(head, {QUERY, ANSWER}, names)
    if found is None or {QUERY, ANSWER} - set(found.places):
        return None
    return replace(found.table, places=(found.places[QUERY], found.places[ANSWER]))


def named_pairs(names: tuple[tuple[str, str], ...]) -> Format:
    """Return the format of tables of questions and answers in columns that the user names."""

    def dialect_of(head: bytes) -> str:
        found = pair_columns(head, names)
        return "" if found is None else found.dialect()

    return replace(
        plain_format(Table(separator=",", quoted=True)),
        accepts=lambda head: pair_columns(head, names) is not None,
        dialect_of=dialect_of,
        in_dialect=lambda dialect: plain_format(Table.of(dialect)),
    )


def _whole(head: bytes) -> bytes:
    data = head.removeprefix(BOM)
    return data[: cut_at_line(data) or len(data)] if len(head) >= HEAD_BYTES else data


def header_of(head: bytes) -> tuple[int, list[str]]:
    """Return number and fields of the header, split at the separator that gives most fields.

    The header is the first line that is neither blank nor a remark, or one below it if it names columns of messages,
    as below a title.
    """
    number, line = _header_line(_whole(head).decode("utf-8", "replace").replace("\r\n", "\n").split("\n"), {})
    return number, _most_fields(line)


def _header_line(lines: Sequence[str], given: Mapping[str, str]) -> tuple[int, str]:
    """Return number and text of the header; `given` are the names that it must have, none for the usual ones."""
    first = [(number, line) for number, line in enumerate(lines[:_BLANKS], 1) if line.strip()]
    filled = [(number, line) for number, line in first if not REMARK.match(line)] or [*first, (0, "")]
    if not given and columns(_most_fields(filled[0][1])) is not None:  # of questions and answers
        return filled[0]
    for number, line in filled:
        places = _named(_most_fields(line), given, {TEXT, SPEAKER, DIALOGUE, TIME})
        if places and (given or (TEXT in places and len(places) > 1)):
            return number, line
    return filled[0]


def _most_fields(line: str) -> list[str]:
    return max((_fields(line, separator) for separator in _SEPARATORS), key=len)


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def _located(head: bytes, roles: set[str], names: tuple[tuple[str, str], ...]) -> _Layout | None:
    """Return the table in which the header or the user names columns for some of `roles`; None if there is none."""
    data = _whole(head)
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    given = {what: name for what, name in names if what in roles}
    if names and not given:
        return None
    number, line = _header_line(lines, given)
    for separator in _SEPARATORS:
        header = _fields(line, separator)
        if not 1 < len(header) <= MOST_COLUMNS:
            continue
        places = _numbered(given) if given else None
        at = 0 if places is not None else number
        places = places if places is not None else _named(header, given, roles)
        width = _width(lines, separator) if not at else len(header)
        if places and max(places.values()) < width:
            others = () if not at else _others(header, places)
            table = Table(separator=separator, quoted=True, width=width, header=at, others=others)
            best = max((table, replace(table, quoted=False)), key=lambda one: _share(data, one))
            if _share(data, best) >= _READABLE:
                return _Layout(table=best, places=places)
    return None


def _numbered(given: Mapping[str, str]) -> dict[str, int] | None:
    """Return the indices of columns that are given by numbers, from 1; None if they are given by names."""
    if not all(re.fullmatch(r"[1-9]\d?", name) for name in given.values()):
        return None
    return {what: int(name) - 1 for what, name in given.items()}


def _named(header: Sequence[str], given: Mapping[str, str], roles: set[str]) -> dict[str, int] | None:
    """Return the indices of columns in a header by role: by the names from the user, or else by the usual names.

    Returns None if the header lacks a name from the user.
    """
    plain = [normal(name) for name in header]
    places: dict[str, int] = {}
    for what, name in given.items():
        if normal(name) not in plain:
            return None
        places[what] = plain.index(normal(name))
    for what in _NAMES if not given else ():
        usual = [name for name in _NAMES[what] if what in roles and name in plain]
        if usual:
            places.setdefault(what, plain.index(usual[0]))
    return places


def _others(header: Sequence[str], places: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    """Return indices and names of columns that may hold text that is not read."""
    rest = [place for place in range(len(header)) if place not in places.values()]
    return tuple(
        (place, header[place].strip()[:80])
        for place in rest
        if normal(header[place]) not in NO_TURN and not is_row_number(header[place])
    )


def _width(lines: Sequence[str], separator: str) -> int:
    counts = Counter(len(_fields(line, separator)) for line in lines[:_SHOWN] if line.strip())
    return counts.most_common(1)[0][0] if counts else 0


def _share(data: bytes, table: Table) -> float:
    """Return the share of rows that fit a table."""
    records, _ = without_headings(plain_format(table).split(data, 1), table)
    fields = fields_of(records, table)
    return len(fields.good) / max(1, len(fields.good) + len(fields.bad))
