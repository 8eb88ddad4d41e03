"""Records of questions and answers, or of conversations, in the common layouts of instruction data.

The layouts are Alpaca's fields (`history` has the turns before), merged fields, seed tasks, pairs under common names,
messages in the style of ShareGPT and OpenAI, lists of `{human, assistant}`, and plain lists of texts. Each record is
one dialogue; any other layout raises RecordError. An `input` is appended to its prompt on a new line. Roles become the
speakers of the turns, and a system message is not a turn.

A record with both an exchange and a conversation is read as the conversation if this includes the texts of the
exchange, and is rejected otherwise. `Turns.unread` has the names of other fields with text, except those that
`field_names.NO_TURN` lists and those that repeat the text of a turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from chat_corpus.formats.base import RecordError, Turns
from chat_corpus.formats.conversations import LIST, SPEAKERS, alternating, conversation
from chat_corpus.formats.field_names import normal
from chat_corpus.formats.record_fields import SHOWN, Shape, keys_of, kind_of, shape_of, text_under, unread_among

_HISTORY = re.compile(r"(?:^|\n)[ \t]*(?:Human|Assistant)[:：]")
#: Words of prompts for a dialogue; an answer such as 优点：… 缺点：… belongs to other prompts.
_DIALOGUE = re.compile("对话|角色|聊天|dialog", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(\w{1,20})[:：]", re.MULTILINE)
#: The answer that belongs to a prompt if a record has several; the others count as unknown fields.
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
    r"""Return the turns of a record in any of the layouts. Raises RecordError for other records.

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
    names: list[str] = []
    if shape.instances:
        turns: Sequence[str | None] = _seed_task(record, shape)
        used = [*shape.prompts, *shape.instances]
    else:
        turns, used, names = _of_exchange(record, shape)
    rest = [key for key in (*shape.exchange, *shape.conversations, *shape.unknown) if key not in used]
    return Turns(turns, unread_among(record, rest, turns), names or alternating(len(turns)))


def _of_conversation(record: Mapping[str, object], shape: Shape, keys: Sequence[str]) -> Turns:
    """Return the turns of the conversation under the first of `keys`, which must include all other texts."""
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
    return Turns(turns, [*turns.unread, *unread_among(record, shape.unknown, turns)], turns.speakers)


def _of_exchange(record: Mapping[str, object], shape: Shape) -> tuple[list[str | None], list[str], list[str]]:
    """Return the turns of an exchange and of its history, the keys that were read, and the names of the speakers.

    There are names only if the answer is a whole dialogue between people.
    """
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
    last, names = _exchange("\n".join(part for part in parts if part.strip()), text_under(record, answer))
    before = _history(record, shape.history)
    used = [*filter(None, [prompt]), *shape.inputs, answer, *shape.history]
    return (_joined(before, last), used, []) if before else (list(last), used, names)


def _chosen(record: Mapping[str, object], keys: Sequence[str], what: str) -> str | None:
    """Return the key that has a value, or the first key. Raises RecordError if several have different values."""
    if len(keys) <= 1:
        return keys[0] if keys else None
    filled = [key for key in keys if record[key] is not None and record[key] != ""]
    if any(record[key] != record[filled[0]] for key in filled[1:]):
        names = " and ".join(f"'{key[:40]}'" for key in filled[:SHOWN])
        raise RecordError(f"one {what} expected, several met, under {names}")
    return (filled or list(keys))[0]


def _exchange(prompt: str, answer: str) -> tuple[list[str], list[str]]:
    r"""Return prompt and answer as turns, after splitting dialogues that BELLE puts into them, and the speakers' names.

    In multiturn_chat the prompt has the turns before the last answer, as ``Human:…\nAssistant:…``. In generated_chat
    the answer is a whole dialogue between two people that the prompt describes.
    """
    if _HISTORY.match(prompt.lstrip()) and prompt.lstrip().startswith("Human"):
        history = _marked_turns(prompt)
        turns = [*history[:-1], history[-1] + answer] if _ends_with_assistant(prompt) else [*history, answer]
        return turns, []
    dialogue = answer.lstrip()
    names = _SPEAKER.findall(dialogue)
    if (
        _SPEAKER.match(dialogue)
        and _DIALOGUE.search(prompt)
        and _take_turns(names)
        and all(name in prompt for name in names)
    ):
        return re.split(_by(names), dialogue)[1:], names
    return [prompt, answer], []


def _marked_turns(text: str) -> list[str]:
    """Return the turns of a text that marks them with Human or Assistant, beginning with Human.

    Consecutive turns of one speaker become one.
    """
    text = text.lstrip()
    speakers = ["Assistant" in mark for mark in _HISTORY.findall(text)]
    marked = zip(speakers, _HISTORY.split(text)[1:], strict=True)
    return ["\n".join(part for _, part in parts) for _, parts in groupby(marked, key=itemgetter(0))]


def _take_turns(names: list[str]) -> bool:
    return len(set(names)) == SPEAKERS and all(name != other for name, other in pairwise(names))


def _ends_with_assistant(prompt: str) -> bool:
    marks: list[str] = _HISTORY.findall(prompt)
    return "Assistant" in marks[-1]


def _by(names: list[str]) -> str:
    return rf"(?m)^[ \t]*(?:{'|'.join(map(re.escape, sorted(set(names))))})[:：]"


def _seed_task(record: Mapping[str, object], shape: Shape) -> list[str | None]:
    (key, *_) = shape.instances
    instances = record[key]
    if (
        not isinstance(instances, list)
        or not instances
        or not all(isinstance(instance, Mapping) for instance in instances)
    ):
        raise RecordError(f"a list of objects under '{key[:40]}' expected")
    prompt = _chosen(record, shape.prompts, "prompt") or "instruction"
    turns: list[str | None] = []
    for instance in instances:
        parts = (text_under(record, prompt), text_under(instance, "input", ""))
        turns += ["\n".join(part for part in parts if part.strip()), text_under(instance, "output")]
    return turns


def _history(record: Mapping[str, object], keys: Sequence[str]) -> list[str | None]:
    """Return the turns before the exchange: pairs, messages, objects of two texts, or consecutive texts."""
    turns: list[str | None] = []
    for key in keys:
        value = record[key]
        if isinstance(value, str) and value.lstrip().startswith("["):  # from a field of a table
            value = _json(value, key)
        if value in (None, "", [], {}):
            continue
        if isinstance(value, str) and value.lstrip().startswith("Human") and _HISTORY.match(value.lstrip()):
            turns += _marked_turns(value)
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
    """Return the turns `before` and `last`. If `before` ends with a prompt, the first turn of `last` is added to it."""
    if len(before) % 2 == 0:
        return [*before, *last]
    return [*before[:-1], f"{before[-1] or ''}\n{last[0]}", *last[1:]]
