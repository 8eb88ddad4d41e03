"""Detect which of `formats.layouts` a file has, from its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from chat_corpus.discovery.trial import trial
from chat_corpus.files.lines import BOM
from chat_corpus.formats import layouts
from chat_corpus.formats.base import RecordError
from chat_corpus.formats.blank_lines import is_blank_separated
from chat_corpus.formats.chat_exports import style_of
from chat_corpus.formats.conv import MARKED_CONV
from chat_corpus.formats.conversations import has_role
from chat_corpus.formats.field_names import columns, normal
from chat_corpus.formats.json_layout import has_record, is_json, layout
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.json_values import decode_container
from chat_corpus.formats.layouts import ColumnNames, Layout
from chat_corpus.formats.message_headers import header_of
from chat_corpus.formats.own_records import record_turns
from chat_corpus.messages import Message, beginning, count_noun, error_text, joined, message
from chat_corpus.schema import Pairing

#: Minimum share of lines that begin with `E` or `M` among those that are not blank, and the pattern of such lines.
_MARKED, _MARK = 0.7, re.compile(rb"(?m)^(?:M .*|M|E[ \t]*)\r?$")
#: Minimum share of readable records in a table without header.
_READABLE = 0.9
#: Maximum number of keys of a record in a message, and of values that are tried for a record.
_KEYS, _TRIED = 5, 20
#: In a record that is longer than the head: a role of a message, or a key.
_ROLE = re.compile(rb'"(?:role|from)"\s*:\s*"([^"\\]{1,40})"|"([^"\\]{1,40})"\s*:')
#: Keys of records of a user and an assistant: of single exchanges, and of exchanges that may have a history.
_PROMPTS, _EXCHANGES = frozenset({"prompt", "query", "input"}), frozenset({"instruction", "history"})
#: The first chat in an export of all chats of Telegram.
_TELEGRAM = re.compile(
    rb'"list"\s*:\s*\[\s*\{[^{}\[\]]*"type"\s*:\s*'
    rb'"(?:saved_messages|personal_chat|bot_chat|(?:private|public)_(?:group|supergroup|channel))"'
)
#: Words by which the names of parallel files differ: in the file with queries, and in the file with answers.
_SIDES = (
    ("post", "response"), ("query", "response"), ("query", "answer"), ("question", "answer"), ("src", "tgt"),
    ("source", "target"), ("input", "output"), ("q", "a"), ("x", "y"), ("context", "response"), ("ask", "answer"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """The layout of a file, the evidence, and how turns become pairs.

    `is_assistant` means that an assistant answers a user.
    """

    layout: Layout
    evidence: Message
    pairing: Pairing = Pairing.ADJACENT
    is_assistant: bool = False


def detect(head: bytes, names: ColumnNames = ()) -> Detection | Message:
    """Return the layout of the file with these first bytes (UTF-8), or a description of the file if it has no layout.

    `names` are the columns that the user names; if there are any, the layout must be a table.
    """
    if names:
        return _table(head, names) or message("no columns of these names: {names}", names=_named(names))
    if detected := _chat_json(head):
        return detected
    found = _json(head)
    if isinstance(found, Detection):
        return found
    # A table has times and speakers too, so a header of known names comes before lines of chats.
    for look in (_subtitles, _conv, _headed_table, _chat, _blank_lines, _plain_table):
        if detected := look(head):
            return detected
    return found or _seen(head)


def detect_as(named: Layout, head: bytes, names: ColumnNames = ()) -> Detection:
    """Return the detection of a file that has a layout because the user names it: pairing and evidence are found.

    `names` are as in `detect`, and empty for a layout without columns.
    """
    looks = {
        layouts.JSON.name: (_json,),
        layouts.TABLE.name: (_headed_table, _plain_table),
        layouts.BLANK_LINE_CHATS.name: (_blank_lines,),
        layouts.CONV_FILES.name: (_conv,),
        layouts.SUBTITLES.name: (_subtitles,),
        layouts.CHAT_EXPORT.name: (_chat_json, _chat),
    }
    found = [_table(head, names)] if names else [look(head) for look in looks.get(named.name, ())]
    detected = next((one for one in found if isinstance(one, Detection)), None)
    return detected or Detection(layout=named, evidence=message("as named"))


def sides(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the index of the file with queries and of the file with answers; None if the names do not show it.

    >>> sides(["train.answer.txt", "train.query.txt"]), sides(["a.txt", "b.txt"])
    ((1, 0), None)
    """
    words = [re.findall(r"[a-z]+|\d+|[^a-z\d]", name.lower()) for name in names]
    if len(words) != 2 or len(words[0]) != len(words[1]):
        return None
    apart = [(one, other) for one, other in zip(*words, strict=True) if one != other]
    if len(apart) != 1:
        return None
    if apart[0] in _SIDES:
        return 0, 1
    return (1, 0) if apart[0][::-1] in _SIDES else None


def _json(head: bytes) -> Detection | Message | None:
    """Return the detection of JSON records, or the reason why a JSON file has none; None for any other file."""
    if not is_json(head):
        return None
    if _TELEGRAM.search(head):
        return message("an export of several chats of Telegram: export one chat at a time")
    in_lines = layout(head, record_turns) is None
    format_ = (json_lines if in_lines else json_array)(record_turns).fitted(head)
    fault: Message | None = None
    for value in islice(_values(format_.split(head, 1)["text"].drop_nulls()), _TRIED):
        try:
            turns = record_turns(value)
        except RecordError as error:
            fault = fault or message("JSON, but not of a known shape: {fault}", fault=error_text(error))
            continue
        if not isinstance(value, dict):
            return Detection(layout=layouts.JSON, evidence=message("lists of texts"))
        shown = joined(", ", [str(key)[:40] for key in islice(value, _KEYS)])
        return _records(message("records with the keys {keys}", keys=shown), _has_assistant(value, len(turns)))
    if has_record(head, record_turns):  # a record that is longer than the head, or after values that are not records
        names = [one.decode("utf-8", "replace") for pair in _ROLE.findall(head) for one in pair if one]
        return _records(
            message("JSON"), has_role(names) or bool({normal(name) for name in names} & (_PROMPTS | _EXCHANGES))
        )
    return fault


def _values(records: Iterable[str]) -> Iterator[object]:
    """Yield the objects and arrays of records that are not broken."""
    for record in records:
        value = decode_container(record)
        if value is not None:
            yield value


def _records(evidence: Message, is_assistant: bool) -> Detection:
    pairing = Pairing.EXCHANGE if is_assistant else Pairing.ADJACENT
    return Detection(layout=layouts.JSON, evidence=evidence, pairing=pairing, is_assistant=is_assistant)


def _has_assistant(record: Mapping[str, object], turns: int) -> bool:
    """Return whether an assistant answers a user in a record, by its keys and by the roles in its messages."""
    keys = {normal(key) for key in record}
    for value in record.values():
        messages = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        words = [str(word) for one in messages for pair in one.items() for word in pair]
        if has_role(words):
            return True
    if keys & _EXCHANGES:
        return True
    return bool(keys & _PROMPTS) and turns <= len(("query", "answer"))


def _subtitles(head: bytes) -> Detection | None:
    formats = layouts.SUBTITLES.formats((), 0)
    evidence = (message("events of SubStation Alpha"), message("times of subtitles"))
    return next(
        (
            Detection(layout=layouts.SUBTITLES, evidence=shown)
            for one, shown in zip(formats, evidence, strict=True)
            if one.accepts(head)
        ),
        None,
    )


def _conv(head: bytes) -> Detection | None:
    lines = [line for line in head.split(b"\n") if line.strip()]
    marked = len(_MARK.findall(head))
    if not (MARKED_CONV.accepts(head) and marked >= _MARKED * len(lines) and b"\nM " in b"\n" + head):
        return None
    return Detection(layout=layouts.CONV_FILES, evidence=message("lines that begin with 'E' and 'M '"))


def _chat(head: bytes) -> Detection | None:
    if style_of(head.removeprefix(BOM)) is None:
        return None
    return Detection(layout=layouts.CHAT_EXPORT, evidence=message("lines with a time and a speaker"))


def _chat_json(head: bytes) -> Detection | None:
    """Return the detection of messages of a chat in JSON."""
    if not is_json(head):
        return None
    lines, array, _ = layouts.CHAT_EXPORT.formats((), 0)
    if not (lines.accepts(head) or array.accepts(head)):
        return None
    return Detection(layout=layouts.CHAT_EXPORT, evidence=message("messages with a time and a speaker"))


def _table(head: bytes, names: ColumnNames) -> Detection | None:
    (format_,) = layouts.TABLE.formats(names, 0)
    if not format_.accepts(head):
        return None
    return Detection(layout=layouts.TABLE, evidence=message("columns {names}", names=_named(names)))


def _named(names: ColumnNames) -> Message:
    return joined(", ", [f"{what}={name}" for what, name in names])


def _headed_table(head: bytes) -> Detection | None:
    """Return the detection of a table with a header of known column names."""
    messages, pairs = layouts.TABLE.formats((), 0)
    fields = header_of(head)[1]
    if not (messages.accepts(head) or (columns(fields) is not None and pairs.accepts(head))):
        return None
    shown = joined(", ", [field.strip()[:40] for field in fields])
    return Detection(layout=layouts.TABLE, evidence=message("a header with the columns {names}", names=shown))


def _blank_lines(head: bytes) -> Detection | None:
    if not is_blank_separated(head):
        return None
    return Detection(layout=layouts.BLANK_LINE_CHATS, evidence=message("blank lines between dialogues"))


def _plain_table(head: bytes) -> Detection | None:
    """Return the detection of a table without header: nearly all of its lines are a query and an answer."""
    _, pairs = layouts.TABLE.formats((), 0)
    tried = trial(pairs, head) if pairs.accepts(head) else None
    if tried is None or tried[0].share > 1 - _READABLE:
        return None
    return Detection(layout=layouts.TABLE, evidence=message("two fields in each line"))


def _seen(head: bytes) -> Message:
    """Return a description of a file that has no layout."""
    lines = head.removeprefix(BOM).decode("utf-8", "replace").splitlines()
    filled = [line for line in lines if line.strip()]
    if not filled:
        return message("nothing but blanks")
    return message(
        "{lines} of text without blank lines between dialogues, times, or a separator that all of them have; the first "
        "is '{line}'",
        lines=count_noun(len(filled), "line"),
        line=beginning(filled[0]),
    )
