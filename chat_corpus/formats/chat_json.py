"""Chats exported as JSON: an object for each message, with speaker, time and text.

Telegram Desktop (result.json of one chat), DiscordChatExporter, Slack and tools for WeChat write such files: an array,
an array under a key, or one message per line. Sessions end at a gap, and consecutive messages of one speaker merge
(`formats.sessions`). Notices of the program are not messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from chat_corpus.formats import sessions, times
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, RecordError, Records, Turns, mark_empty, turns_frame
from chat_corpus.formats.chat_exports import GAP
from chat_corpus.formats.field_names import ANSWERS, PROMPTS, normal
from chat_corpus.formats.json_elements import elements, records_at
from chat_corpus.formats.json_layout import Nested, has_record, read_dialect
from chat_corpus.formats.json_records import json_array, json_lines, of_the_file
from chat_corpus.formats.json_values import decode
from chat_corpus.formats.placeholders import MEDIA, MEDIA_NUMBER, MEDIA_TYPE, NOTICE_NUMBER, NOTICE_TYPE, PROGRAM
from chat_corpus.schema import Reason

#: Keys of a message, in lower case: of the speaker (all their values together identify one), the time, and the text.
_SPEAKER = (
    *("from", "from_id", "author", "sender", "sender_id", "sendername", "senderusername", "user", "user_id", "talker"),
    *("is_sender", "issender", "issend", "nickname"),
)
_TIME = (
    *(
        "date_unixtime",
        "timestamp",
        "ts",
        "create_time",
        "createtime",
        "time",
        "datetime",
        "date",
        "sent_at",
        "strtime",
    ),
)
_TEXT = ("text", "content", "message", "msg", "strcontent")
#: Keys of the type of a message.
_TYPE = ("subtype", "type", "msgtype", "msg_type", "messagetype", "message_type", "localtype", "type_name", "typename")
#: Types of notices and of media, as words or as WeChat's numbers. A WeChat message of any type but 1 has no text.
_NOTICE = re.compile(f"{NOTICE_TYPE}|{NOTICE_NUMBER}")
_NO_TEXT = re.compile(f"{MEDIA_TYPE}|{MEDIA_NUMBER}")
_MEDIA, _PROGRAM = re.compile(MEDIA), re.compile(PROGRAM)
_FAULT = "a message with speaker, time and text expected"


def message_turns(record: object) -> Turns:
    """Return the text of an exported message as a list of one turn: None for a notice of the program.

    Raises RecordError for any other record, also for a message that has a question and an answer.

    >>> message_turns({"from": "小明", "date": "2026-11-29T10:30:15", "text": ["看", {"type": "bold", "text": "这"}]})
    ['看这']
    """
    found = _message(record)
    if found is None:
        raise RecordError(_FAULT)
    return Turns([found[2]])


def _message(record: object) -> tuple[str, str, str | None] | None:
    """Return speaker, time and text of a message, with None as the text of a notice; None for any other record."""
    if not isinstance(record, Mapping):
        return None
    keys = {str(key).lower(): value for key, value in record.items()}
    time = next((str(keys[key]) for key in _TIME if isinstance(keys.get(key), str | int | float)), None)
    text_key = next((key for key in _TEXT if key in keys), None)
    if time is None or text_key is None:
        return None
    kinds = [str(keys[key]) for key in _TYPE if isinstance(keys.get(key), str | int) and keys[key] not in ("", 0)]
    speaker = [str(_identity(keys[key])) for key in _SPEAKER if keys.get(key) is not None]
    if any(map(_NOTICE.fullmatch, kinds)) or any(map(_PROGRAM.match, speaker)):
        return "", time, None
    text = _text(keys[text_key])
    if not speaker or text is None or _is_dialogue(keys.keys() - {text_key}):
        return None
    words = [kind for kind in kinds if not kind.lstrip("-").isdecimal()]  # beside a word, a number says less
    is_text = not any(map(_NO_TEXT.fullmatch, words or kinds)) and not _MEDIA.match(text)
    return "\n".join(speaker), time, text if is_text else ""


def _identity(value: object) -> object:
    """Return the value that identifies a speaker: the id or name of an object, otherwise the value itself."""
    return value.get("id", value.get("name")) if isinstance(value, Mapping) else value


def _text(value: object) -> str | None:
    """Return the text of a message, which may be a list of pieces; None for other values."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    pieces = [piece.get("text") if isinstance(piece, Mapping) else piece for piece in value]
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _is_dialogue(keys: Iterable[str]) -> bool:
    """Return whether some of the keys are names of a question, and some are names of an answer."""
    names = {normal(key) for key in keys}
    return bool(names & PROMPTS) and bool(names & ANSWERS)


def _read(parts: Sequence[Records], *, gap: int) -> Reading:
    (records,) = parts
    rows, others = _messages(records)
    turns, merged = sessions.turns_of_messages(rows, gap)
    return Reading(rows=mark_empty(turns_frame(turns)), non_turns=(pl.concat([others, merged]),))


def _messages(records: Records) -> tuple[pl.DataFrame, pl.Series]:
    """Return the messages as `sessions.MESSAGES`, and the numbers of records that are not messages, such as notices."""
    beside = of_the_file(records).to_list() if "beside" in records.columns else [False] * len(records)
    columns: dict[str, list[object]] = {name: [] for name in ("record", "speaker", "time", "text", "reason", "message")}
    others = []
    for is_frame, (number, text) in zip(beside, records.select("record", "text").iter_rows(), strict=True):
        fields = None if is_frame or (text is not None and not text.strip(" \t\r\n[],")) else _fields(text)
        if fields is None:
            others.append(number)
            continue
        for name, value in zip(columns, (number, *fields), strict=True):
            columns[name].append(value)
    frame = pl.DataFrame(columns, schema={"record": pl.UInt32, **dict.fromkeys([*columns][1:], pl.String)})
    stamp = times.stamp_of(pl.col("time").str.replace("T", " ", literal=True), times.Order.MONTH_FIRST)
    key = pl.lit(None, dtype=pl.String)
    return frame.select(**{name: {"stamp": stamp, "key": key}.get(name, pl.col(name)) for name in sessions.MESSAGES}), (
        pl.Series(others, dtype=pl.UInt32)
    )


def _fields(text: str | None) -> tuple[str | None, str | None, str | None, str | None, str | None] | None:
    """Return speaker, time, text, reason and message of a record; None for a notice."""
    if text is None:
        return None, None, None, str(Reason.ENCODING), NOT_UTF8
    try:
        found = _message(decode(text))
    except (ValueError, RecursionError) as error:  # RecordError is a ValueError
        return None, None, None, str(Reason.LAYOUT), f"not a JSON record: {error}"
    if found is None:
        return None, None, None, str(Reason.LAYOUT), _FAULT
    speaker, time, content = found
    if content is None:
        return None
    try:
        content.encode()
    except UnicodeEncodeError:
        return None, None, None, str(Reason.ENCODING), "a lone surrogate, which is no character"
    return speaker, time, content, None, None


def _begins(records: Records, gap: int) -> set[int]:
    """Return the record numbers of messages that begin a session."""
    messages, _ = _messages(records)
    return set(messages.filter(sessions.session_starts(messages, gap))["record"])


def _cut_lines(data: bytes, *, gap: int, split: Callable[[bytes, int], Records]) -> int:
    begins = _begins(split(sessions.whole_lines(data), 1), gap)
    return sessions.cut_before(data, pl.Series(sorted(begins), dtype=pl.UInt32))


def _cut_array(data: bytes, *, gap: int, nested: Nested) -> int:
    """Return the end of the record before the last one that begins a session; 0 if there is none.

    The last record is ignored, since it may be incomplete. What follows the cut must not look like the beginning of the
    file.
    """
    spans = list(elements(data, nested))
    last = max((index for index, (*_, is_record) in enumerate(spans) if is_record), default=0)
    begins = _begins(records_at(data, spans[:last], 1), gap)
    prefix = nested.prefix.encode("utf-8", "surrogateescape")
    ends = (spans[number - 2][1] for number in sorted(begins, reverse=True) if number > 1)
    return next((end for end in ends if not prefix or not data[end:].startswith(prefix)), 0)


def _accepts(head: bytes, *, format_: Format) -> bool:
    """Return whether the first bytes of a file have the line layout of `format_`, and a whole message."""
    return format_.accepts(head) and has_record(head, message_turns, may_be_long=False)


def chat_lines(gap: int = GAP) -> Format:
    """Return the format of one message per line. A session ends after `gap` seconds without a message."""
    lines = json_lines(message_turns)
    cut = partial(_cut_lines, gap=gap, split=lines.split)
    return replace(lines, read=partial(_read, gap=gap), cut=cut, accepts=partial(_accepts, format_=lines))


def chat_array(gap: int = GAP) -> Format:
    """Return the format of messages in an array. A session ends after `gap` seconds without a message."""
    array = json_array(message_turns)

    def in_dialect(dialect: str) -> Format:
        plain = array.of(dialect)
        if plain.cut is None:  # a table by columns
            return replace(plain, read=partial(_read, gap=gap))
        cut = partial(_cut_array, gap=gap, nested=read_dialect(dialect))
        return replace(plain, read=partial(_read, gap=gap), cut=cut)

    return replace(
        in_dialect(array.dialect_of(b"[")),
        in_dialect=in_dialect,
        dialect_of=array.dialect_of,
        accepts=partial(_accepts, format_=array),
    )
