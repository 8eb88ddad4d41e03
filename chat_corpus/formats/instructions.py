"""Records of question and answer, and of whole conversations, in the shapes in which sets for chat models circulate.

Alpaca's fields (with `history`, the turns before), merged fields, seed tasks, pairs under any usual names, messages of
ShareGPT's and OpenAI's kind, lists of `{human, assistant}`, plain lists of texts. Each record is one dialogue; for any
other layout RecordError says what was expected. An `input` belongs to its prompt, on a line by itself. Roles are not
kept: a system message, which nobody answers, is no turn.

A record that holds an exchange and a conversation is read as the conversation if that holds the texts of the exchange
too, and is of no known layout otherwise. Fields with text that no shape has, and that `names.NO_TURN` does not list,
are named in `Turns.unread`, unless their text is that of a turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from chat_corpus.formats.base import RecordError, Turns
from chat_corpus.formats.conversations import LIST, SPEAKERS, conversation
from chat_corpus.formats.field_names import normal
from chat_corpus.formats.record_fields import SHOWN, Shape, keys_of, kind_of, shape_of, text_under, unread_among

_HISTORY = re.compile(r"(?:^|\n)[ \t]*(?:Human|Assistant)[:：]")
#: What a prompt asks for whose answer is a dialogue; 优点：… 缺点：… answers something else.
_DIALOGUE = re.compile("对话|角色|聊天|dialog", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(\w{1,20})[:：]", re.MULTILINE)
#: Which answer belongs to a prompt, where a record has several; the others are fields like any unknown ones.
_PARTNERS: Mapping[str, tuple[str, ...]] = {
    "instruction": ("output",),
    "prompt": ("response", "completion"),
    "query": ("response",),
    "question": ("answer", "std_answer"),
    "ask": ("answer",),
    "q": ("a",),
    "post": ("response", "comment"),
    "human": ("assistant",),
    "user": ("assistant",),
    "input": ("target", "output"),
    "问": ("答",),
    "问题": ("答案", "回答"),
}


def instruction_turns(record: object) -> Turns:
    r"""The turns of a record of any of the layouts.

    >>> instruction_turns({"instruction": "翻译", "input": "hi", "output": "你好"})
    ['翻译\nhi', '你好']
    >>> instruction_turns({"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]})
    ['在吗', '在']
    >>> instruction_turns({"query": "几点", "response": "五点", "note": "随手记的"}).unread
    ('note',)
    """
    if isinstance(record, list):
        return conversation(record, LIST)
    if not isinstance(record, Mapping):
        raise RecordError(f"a JSON object expected, {kind_of(record)} met")
    shape = shape_of(tuple(record))
    filled = [key for key in shape.conversations if isinstance(record[key], (list, Mapping)) and record[key]]
    if filled or (shape.conversations and not shape.exchange):
        return _of_conversation(record, shape, filled or list(shape.conversations))
    if shape.instances:
        turns: Sequence[str | None] = _seed_task(record, shape)
        told = [*shape.prompts, *shape.instances]
    else:
        turns, told = _of_exchange(record, shape)
    rest = [key for key in (*shape.exchange, *shape.conversations, *shape.unknown) if key not in told]
    return Turns(turns, unread_among(record, rest, turns))


def _of_conversation(record: Mapping[str, object], shape: Shape, keys: Sequence[str]) -> Turns:
    """The turns of the conversation under the first of `keys`; what else is there must be in it as well."""
    first, *others = keys
    turns = conversation(record[first], first)
    for key in others:
        if conversation(record[key], key) != turns:
            raise RecordError(f"one conversation expected, two met, under '{first[:40]}' and '{key[:40]}'")
    lost = unread_among(record, shape.exchange, turns)
    if lost:
        raise RecordError(
            f"an exchange or a conversation expected, both met, under '{lost[0][:40]}' and '{first[:40]}', "
            "and the conversation lacks the text of the exchange"
        )
    return Turns(turns, [*turns.unread, *unread_among(record, shape.unknown, turns)])


def _of_exchange(record: Mapping[str, object], shape: Shape) -> tuple[list[str | None], list[str]]:
    """The turns of an exchange with those before it, and the keys that they are from."""
    prompt = _chosen(record, shape.prompts, "prompt")
    partners = _PARTNERS.get(normal((*filter(None, [prompt]), *shape.inputs, "")[0]), ())
    answers = [key for name in partners for key in shape.answers if normal(key) == name and record[key] is not None]
    answer = answers[0] if answers else _chosen(record, shape.answers, "answer")
    if answer is None or (prompt is None and not shape.inputs):
        missing, name = ("an answer", "output") if answer is None else ("a prompt", "instruction")
        met = f"{kind_of(record[name])} met" if name in record else keys_of(record)
        raise RecordError(f"{missing} expected, a text under '{name}' or another such name; {met}")
    parts = [text_under(record, key) for key in (prompt,) if key is not None]
    parts += [text_under(record, key, "" if parts else None) for key in shape.inputs]
    last = _exchange("\n".join(part for part in parts if part.strip()), text_under(record, answer))
    before = _history(record, shape.history)
    told = [*filter(None, [prompt]), *shape.inputs, answer, *shape.history]
    return (_joined(before, last) if before else list(last)), told


def _chosen(record: Mapping[str, object], keys: Sequence[str], what: str) -> str | None:
    """The key of several that has a value; the first where none has. Raises RecordError where several differ."""
    if len(keys) <= 1:
        return keys[0] if keys else None
    filled = [key for key in keys if record[key] is not None and record[key] != ""]
    if any(record[key] != record[filled[0]] for key in filled[1:]):
        told = " and ".join(f"'{key[:40]}'" for key in filled[:SHOWN])
        raise RecordError(f"one {what} expected, several met, under {told}")
    return (filled or list(keys))[0]


def _exchange(prompt: str, answer: str) -> list[str]:
    r"""Prompt and answer as turns: what BELLE's chats embed in either is taken apart again.

    multiturn_chat keeps the turns before the last answer in the prompt, as ``Human:…\nAssistant:…``; generated_chat
    has a whole dialogue between two people, turn by turn, whom the prompt describes, in the answer.
    """
    if _HISTORY.match(prompt.lstrip()) and prompt.lstrip().startswith("Human"):
        history = _HISTORY.split(prompt.lstrip())[1:]
        return [*history[:-1], history[-1] + answer] if _ends_with_assistant(prompt) else [*history, answer]
    dialogue = answer.lstrip()
    names = _SPEAKER.findall(dialogue)
    if (
        _SPEAKER.match(dialogue)
        and _DIALOGUE.search(prompt)
        and _take_turns(names)
        and all(name in prompt for name in names)
    ):
        return re.split(_by(names), dialogue)[1:]
    return [prompt, answer]


def _take_turns(names: list[str]) -> bool:
    return len(set(names)) == SPEAKERS and all(one != other for one, other in pairwise(names))


def _ends_with_assistant(prompt: str) -> bool:
    marks: list[str] = _HISTORY.findall(prompt)
    return "Assistant" in marks[-1]


def _by(names: list[str]) -> str:
    return rf"(?m)^[ \t]*(?:{'|'.join(map(re.escape, sorted(set(names))))})[:：]"


def _seed_task(record: Mapping[str, object], shape: Shape) -> list[str | None]:
    (key, *_) = shape.instances
    instances = record[key]
    if not isinstance(instances, list) or not instances or not all(isinstance(one, Mapping) for one in instances):
        raise RecordError(f"a list of objects under '{key[:40]}' expected")
    prompt = _chosen(record, shape.prompts, "prompt") or "instruction"
    turns: list[str | None] = []
    for one in instances:
        parts = (text_under(record, prompt), text_under(one, "input", ""))
        turns += ["\n".join(part for part in parts if part.strip()), text_under(one, "output")]
    return turns


def _history(record: Mapping[str, object], keys: Sequence[str]) -> list[str | None]:
    """The turns before the exchange: pairs, messages, objects of two texts, or texts one after the other."""
    turns: list[str | None] = []
    for key in keys:
        value = record[key]
        if isinstance(value, str) and value.lstrip().startswith("["):  # a table's field
            value = _json(value, key)
        if value in (None, "", [], {}):
            continue
        if isinstance(value, str) and value.lstrip().startswith("Human") and _HISTORY.match(value.lstrip()):
            turns += _HISTORY.split(value.lstrip())[1:]
        elif not isinstance(value, list):
            raise RecordError(f"a list of exchanges under '{key[:40]}' expected, {kind_of(value)} met")
        elif all(isinstance(pair, list) for pair in value):
            for pair in filter(None, value):
                if len(pair) != SPEAKERS or not all(isinstance(text, str) for text in pair):
                    raise RecordError(f"pairs of texts under '{key[:40]}' expected, a list of {len(pair)} values met")
                turns += pair
        else:
            turns += conversation(value, key)
    return turns


def _json(text: str, key: str) -> object:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"a list of exchanges under '{key[:40]}' expected, a text met that is no JSON") from error


def _joined(before: list[str | None], last: Sequence[str]) -> list[str | None]:
    """Turns and those that follow; where the same person goes on, both are one turn."""
    if len(before) % 2 == 0:
        return [*before, *last]
    return [*before[:-1], f"{before[-1] or ''}\n{last[0]}", *last[1:]]
