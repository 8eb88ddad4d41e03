"""JSON records in the layouts of `instructions`, and in further layouts of trainers.

TRL's conversational ``prompt`` and ``completion``, which are lists of messages, and ParlAI's ``dialog``, a list with a
list of messages with ``id`` and ``text``, are read as conversations. Messages of three or more speakers are read too.
`joined_characters` removes the blanks between characters, which CDial-GPT needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

import polars as pl

from chat_corpus.formats.base import Format, Reading, Records, Turns
from chat_corpus.formats.conversations import has_role
from chat_corpus.formats.field_names import CONVERSATIONS, normal
from chat_corpus.formats.instructions import instruction_turns

_DIALOG = "dialog"
#: Keys of the speaker and of the text in messages of a group.
_SPEAKERS, _TEXTS = ("speaker", "name", "sender", "role", "from"), ("text", "content", "value", "utterance", "message")
#: Minimum number of speakers in a group.
_GROUP = 3
#: Minimum share of turns with a blank, and of tokens with a single character, in texts with blanks between characters.
_MANY, _ALL = 0.5, 0.97


def record_turns(record: object) -> Turns:
    r"""Return the turns of a record. Raises RecordError for any other layout.

    >>> answer = {"role": "assistant", "content": "在"}
    >>> record_turns({"prompt": [{"role": "user", "content": "在吗"}], "completion": [answer]})
    ['在吗', '在']
    >>> record_turns({"dialog": [[{"id": "user", "text": "在吗"}, {"id": "assistant", "text": "在"}]]})
    ['在吗', '在']
    >>> record_turns({"dialog": [{"speaker": who, "text": who} for who in "甲甲乙丙"]})
    ['甲\n甲', '乙', '丙']
    """
    return instruction_turns(_plain(record))


def _plain(record: object) -> object:
    if not isinstance(record, Mapping):
        return record
    prompt, completion = record.get("prompt"), record.get("completion")
    if isinstance(prompt, list) and isinstance(completion, list) and _is_messages(prompt) and _is_messages(completion):
        rest = {key: value for key, value in record.items() if key not in ("prompt", "completion")}
        return {**rest, "messages": [*prompt, *completion]}
    for key, value in record.items():
        if normal(str(key)) in CONVERSATIONS and isinstance(value, list) and _is_messages(value):
            group = _group(value)
            if group is not None:
                return {**record, key: group}
    dialog = record.get(_DIALOG)
    if isinstance(dialog, list) and len(dialog) == 1 and _is_messages(dialog[0]):
        messages = [{"role": one.get("id"), **{k: v for k, v in one.items() if k != "id"}} for one in dialog[0]]
        return {**record, _DIALOG: messages}
    return record


def _group(messages: Sequence[Mapping[str, object]]) -> Turns | None:
    """Return the turns in messages of three or more speakers; None for other messages.

    Consecutive messages of one speaker become one turn. A user, an assistant and their tools are not a group.
    """
    names = next((key for key in _SPEAKERS if all(isinstance(one.get(key), str) for one in messages)), None)
    texts = next((key for key in _TEXTS if all(isinstance(one.get(key), str) for one in messages)), None)
    if names is None or texts is None:
        return None
    speakers = [str(one[names]) for one in messages]
    if len(set(speakers)) < _GROUP or has_role(speakers):
        return None
    runs = [
        (speaker, "\n".join(str(one[texts]) for _, one in run))
        for speaker, run in groupby(zip(speakers, messages, strict=True), key=lambda pair: pair[0])
    ]
    return Turns([text for _, text in runs], speakers=[speaker for speaker, _ in runs])


def _is_messages(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def joined_characters(format_: Format) -> Format:
    """Return a format for files with blanks between characters: it removes all blanks from the turns.

    >>> from chat_corpus.files.lines import numbered_lines
    >>> from chat_corpus.formats.blank_lines import BLANK_LINES
    >>> read = joined_characters(BLANK_LINES).read
    >>> read((numbered_lines("你 好 o k".encode(), 1),)).rows["text"].to_list()
    ['你好ok']
    """
    inner = format_.in_dialect
    return replace(
        format_,
        read=partial(_joined, read=format_.read),
        in_dialect=None if inner is None else lambda dialect: joined_characters(inner(dialect)),
    )


def _joined(parts: Sequence[Records], *, read: Callable[[Sequence[Records]], Reading]) -> Reading:
    reading = read(parts)
    return replace(reading, rows=reading.rows.with_columns(pl.col("text").str.replace_all("[ \u3000]+", "")))


def is_parted(texts: pl.Series) -> bool:
    """Return whether most texts have a blank, and nearly all tokens between blanks are single characters.

    >>> is_parted(pl.Series(["你 好 啊", "h i"])), is_parted(pl.Series(["你好 啊", "在"]))
    (True, False)
    """
    known = texts.drop_nulls()
    tokens = known.str.split(" ").explode()
    tokens = tokens.filter(tokens != "")
    parted = int(known.str.contains(" ", literal=True).sum())
    single = int((tokens.str.len_chars() == 1).sum())
    return parted > _MANY * len(known) and single > _ALL * len(tokens)
