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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

from chat_corpus.formats.base import RecordError, Turns
from chat_corpus.formats.names import (
    ANSWERS,
    CONVERSATIONS,
    HISTORIES,
    INPUT,
    INSTANCES,
    NO_TURN,
    PROMPTS,
    ROLES,
    SECOND_PROMPTS,
    TEXTS,
    normal,
)

_HISTORY = re.compile(r"(?:^|\n)[ \t]*(?:Human|Assistant)[:：]")
#: What a prompt asks for whose answer is a dialogue; 优点：… 缺点：… answers something else.
_DIALOGUE = re.compile("对话|角色|聊天|dialog", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(\w{1,20})[:：]", re.MULTILINE)
_SPEAKERS = 2
#: So many keys of an unknown record are told.
_SHOWN = 6
#: What releases call the one who asks, and the one who answers.
_USERS = frozenset({"human", "user", "usr", "prompter", "customer", "用户", "客户", "顾客"})
_ASSISTANTS = frozenset(
    {"assistant", "gpt", "chatgpt", "ai", "bot", "chatbot", "model", "other", "助手", "助理", "机器人", "客服"}
)
#: Whom nobody answers.
_SYSTEMS = frozenset({"system", "developer", "系统"})
#: Programs that a model calls, and what it says to them: no dialogue of two.
_TOOLS = frozenset(
    {"tool", "tool_call", "tool_response", "function", "function_call", "observation", "ipython", "工具"}
)
#: What a record is called that is a list. The elements of a list that is the record, or is under "data", are messages
#: or texts: other objects would be records themselves.
_LIST = "the record"
_OF_RECORDS = frozenset({_LIST, "data"})
#: So deep a value is looked into for text; what is deeper counts as text.
_DEEP = 8
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """The keys of a record by what they hold."""

    prompts: tuple[str, ...]
    inputs: tuple[str, ...]
    answers: tuple[str, ...]
    history: tuple[str, ...]
    instances: tuple[str, ...]
    conversations: tuple[str, ...]
    roles: tuple[str, ...]
    texts: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def exchange(self) -> tuple[str, ...]:
        return (*self.prompts, *self.inputs, *self.answers, *self.history, *self.instances)


@lru_cache(maxsize=1 << 10)
def _shape(keys: tuple[str, ...]) -> _Shape:
    def of(names: frozenset[str] | set[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if normal(key) in names)

    known = PROMPTS | ANSWERS | CONVERSATIONS | NO_TURN | {INPUT, INSTANCES} | HISTORIES
    prompts, inputs, answers = of(PROMPTS), of({INPUT}), of(ANSWERS)
    if answers and not (prompts or inputs):
        prompts = of(SECOND_PROMPTS)
    return _Shape(
        prompts=prompts,
        inputs=inputs,
        answers=answers,
        history=of(HISTORIES),
        instances=of({INSTANCES}),
        conversations=of(CONVERSATIONS),
        roles=of(ROLES),
        texts=of(TEXTS),
        unknown=tuple(key for key in keys if normal(key) not in known and key not in prompts),
    )


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
        return _conversation(record, _LIST)
    if not isinstance(record, Mapping):
        raise RecordError(f"a JSON object expected, {_kind(record)} met")
    shape = _shape(tuple(record))
    filled = [key for key in shape.conversations if isinstance(record[key], (list, Mapping)) and record[key]]
    if filled or (shape.conversations and not shape.exchange):
        return _of_conversation(record, shape, filled or list(shape.conversations))
    if shape.instances:
        turns: Sequence[str | None] = _seed_task(record, shape)
        told = [*shape.prompts, *shape.instances]
    else:
        turns, told = _of_exchange(record, shape)
    rest = [key for key in (*shape.exchange, *shape.conversations, *shape.unknown) if key not in told]
    return Turns(turns, _texts_under(record, rest, turns))


def _of_conversation(record: Mapping[str, object], shape: _Shape, keys: Sequence[str]) -> Turns:
    """The turns of the conversation under the first of `keys`; what else is there must be in it as well."""
    first, *others = keys
    turns = _conversation(record[first], first)
    for key in others:
        if _conversation(record[key], key) != turns:
            raise RecordError(f"one conversation expected, two met, under '{first[:40]}' and '{key[:40]}'")
    lost = _texts_under(record, shape.exchange, turns)
    if lost:
        raise RecordError(
            f"an exchange or a conversation expected, both met, under '{lost[0][:40]}' and '{first[:40]}', "
            "and the conversation lacks the text of the exchange"
        )
    return Turns(turns, [*turns.unread, *_texts_under(record, shape.unknown, turns)])


def _of_exchange(record: Mapping[str, object], shape: _Shape) -> tuple[list[str | None], list[str]]:
    """The turns of an exchange with those before it, and the keys that they are from."""
    prompt = _chosen(record, shape.prompts, "prompt")
    partners = _PARTNERS.get(normal((*filter(None, [prompt]), *shape.inputs, "")[0]), ())
    answers = [key for name in partners for key in shape.answers if normal(key) == name and record[key] is not None]
    answer = answers[0] if answers else _chosen(record, shape.answers, "answer")
    if prompt is None and not shape.inputs:
        _text(record, "instruction")
    if answer is None:
        _text(record, "output")
    assert answer is not None  # noqa: S101 _text has raised
    parts = [_text(record, key) for key in (prompt,) if key is not None]
    parts += [_text(record, key, "" if parts else None) for key in shape.inputs]
    last = _exchange("\n".join(part for part in parts if part.strip()), _text(record, answer))
    before = _history(record, shape.history)
    told = [*filter(None, [prompt]), *shape.inputs, answer, *shape.history]
    return (_joined(before, last) if before else list(last)), told


def _chosen(record: Mapping[str, object], keys: Sequence[str], what: str) -> str | None:
    """The key of several that has a value; the first where none has. Raises RecordError where several differ."""
    if len(keys) <= 1:
        return keys[0] if keys else None
    filled = [key for key in keys if record[key] is not None and record[key] != ""]
    if any(record[key] != record[filled[0]] for key in filled[1:]):
        told = " and ".join(f"'{key[:40]}'" for key in filled[:_SHOWN])
        raise RecordError(f"one {what} expected, several met, under {told}")
    return (filled or list(keys))[0]


def _text(record: Mapping[str, object], key: str, default: str | None = None) -> str:
    value = record.get(key, default)
    if value is None and default is not None:
        return default
    if isinstance(value, list) and len(value) == 1:  # one answer of several that there could be
        value = value[0]
    if not isinstance(value, str):
        keys = ", ".join(name[:40] for name in islice(record, _SHOWN))
        more = f" and {len(record) - _SHOWN} more" if len(record) > _SHOWN else ""
        met = f"{_kind(value)} met" if key in record else f"the keys are {keys or 'none'}{more}"
        raise RecordError(f"a text under '{key[:40]}' expected, {met}")
    return value


def _kind(value: object) -> str:
    """What JSON calls a value."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


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
    return len(set(names)) == _SPEAKERS and all(one != other for one, other in pairwise(names))


def _ends_with_assistant(prompt: str) -> bool:
    marks: list[str] = _HISTORY.findall(prompt)
    return "Assistant" in marks[-1]


def _by(names: list[str]) -> str:
    return rf"(?m)^[ \t]*(?:{'|'.join(map(re.escape, sorted(set(names))))})[:：]"


def _seed_task(record: Mapping[str, object], shape: _Shape) -> list[str | None]:
    (key, *_) = shape.instances
    instances = record[key]
    if not isinstance(instances, list) or not instances or not all(isinstance(one, Mapping) for one in instances):
        raise RecordError(f"a list of objects under '{key[:40]}' expected")
    prompt = _chosen(record, shape.prompts, "prompt") or "instruction"
    turns: list[str | None] = []
    for one in instances:
        parts = (_text(record, prompt), _text(one, "input", ""))
        turns += ["\n".join(part for part in parts if part.strip()), _text(one, "output")]
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
            raise RecordError(f"a list of exchanges under '{key[:40]}' expected, {_kind(value)} met")
        elif all(isinstance(pair, list) for pair in value):
            for pair in filter(None, value):
                if len(pair) != _SPEAKERS or not all(isinstance(text, str) for text in pair):
                    raise RecordError(f"pairs of texts under '{key[:40]}' expected, a list of {len(pair)} values met")
                turns += pair
        else:
            turns += _conversation(value, key)
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


def _conversation(value: object, key: str) -> Turns:
    """The turns of messages, of objects with a question and an answer, or of texts that follow each other."""
    if isinstance(value, Mapping) and _is_round(_shape(tuple(value))):
        return _rounds([value], [_shape(tuple(value))], key)
    if isinstance(value, list) and value:
        if all(isinstance(text, str) for text in value) and len(value) >= _SPEAKERS:
            return _texts(value)
        if all(isinstance(one, Mapping) for one in value):
            value = [_message_of(one) for one in value]
            shapes = [_shape(tuple(one)) for one in value]
            if normal(key) not in _OF_RECORDS and all(map(_is_round, shapes)):
                return _rounds(value, shapes, key)
            return _messages(value, shapes, key)
    if value == []:
        raise RecordError("a conversation without turns")
    raise RecordError(f"a list of objects under '{key[:40]}' expected, {_kind(value)} of something else met")


def _texts(texts: Sequence[str]) -> Turns:
    """Texts that follow each other. Raises RecordError where they are the names of columns, or records as texts."""
    if all(normal(text) in PROMPTS | ANSWERS | NO_TURN | {INPUT} for text in texts):
        raise RecordError("texts that follow each other expected, names of fields met: rows without names are not read")
    if all(text.lstrip().startswith("{") and text.rstrip().endswith("}") for text in texts):
        raise RecordError("a record expected, a list of records as texts met: decode these first")
    return Turns(texts)


def _message_of(message: Mapping[str, object]) -> Mapping[str, object]:
    """A message; one of the kind ``{"user": "…"}`` in the form of all others."""
    if len(message) == 1:
        ((role, text),) = message.items()
        if normal(role) in _USERS | _ASSISTANTS | _SYSTEMS:
            return {"role": role, "content": text}
    return message


def _is_round(shape: _Shape) -> bool:
    """Whether an object is a question with its answer, and not a task with its solution."""
    found = len(shape.prompts) == 1 and len(shape.answers) == 1 and not shape.roles
    return found and normal(shape.prompts[0]) != "instruction"


def _rounds(rounds: Sequence[Mapping[str, object]], shapes: Sequence[_Shape], key: str) -> Turns:
    turns: list[str] = []
    unread: dict[str, None] = {}
    for one, shape in zip(rounds, shapes, strict=True):
        last = [_text(one, shape.prompts[0]), _text(one, shape.answers[0])]
        turns += last
        rest = [name for name in one if name not in (*shape.prompts, *shape.answers) and normal(name) not in NO_TURN]
        unread |= dict.fromkeys(f"{key}[].{name}" for name in _texts_under(one, rest, last))
    return Turns(turns, list(unread))


def _messages(messages: Sequence[Mapping[str, object]], shapes: Sequence[_Shape], key: str) -> Turns:
    """User and assistant in turn: what one says in several messages is one turn; an assistant who begins is turn 1."""
    turns: list[str | None] = []
    unread: dict[str, None] = {}
    roles = [_role(message, (*shape.roles, "from")[0]) for message, shape in zip(messages, shapes, strict=True)]
    users = _users(roles)
    for message, shape, role in zip(messages, shapes, roles, strict=True):
        text_key = (*shape.texts, "value")[0]
        text = _content(message, text_key)
        rest = [name for name in message if name not in (*shape.roles, text_key) and normal(name) not in NO_TURN]
        unread |= dict.fromkeys(f"{key}[].{name}" for name in _texts_under(message, rest, [text]))
        if role in _SYSTEMS:
            continue
        if (len(turns) % 2 == 0) == (role in users):
            turns.append(text)
        elif turns:
            turns[-1] = f"{turns[-1]}\n{text}"
        else:
            turns = [None, text]
    if not turns:
        raise RecordError("a conversation without turns")
    return Turns(turns, list(unread))


def _role(message: Mapping[str, object], key: str) -> str:
    value = message.get(key)
    return str(value) if type(value) is int else normal(_text(message, key))


def _users(roles: Sequence[str]) -> frozenset[str]:
    """Whose roles are those of the one who asks: of two that nobody knows, as A and B, it is the one who begins.

    Raises RecordError for any others.
    """
    speakers = list(dict.fromkeys(role for role in roles if role not in _SYSTEMS))
    unknown = [role for role in speakers if role not in _USERS | _ASSISTANTS]
    if not unknown:
        return _USERS
    odd = next((role for role in unknown if role in _TOOLS), unknown[0])
    if odd in _TOOLS or len(unknown) != len(speakers) or len(speakers) != _SPEAKERS:
        raise RecordError(f"a role '{odd[:40]}' met, human, user, assistant, gpt or system expected")
    return frozenset(speakers[:1])


def _content(message: Mapping[str, object], key: str) -> str:
    """The text of a message: one text, or parts of which all are texts (OpenAI)."""
    parts = message.get(key)
    if isinstance(parts, list) and parts and all(isinstance(part, Mapping) and "text" in part for part in parts):
        return "\n".join(_text(part, "text") for part in parts)
    if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
        return "\n".join(parts)
    return _text(message, key)


def _texts_under(record: Mapping[str, object], keys: Sequence[str], turns: Sequence[str | None]) -> list[str]:
    """The keys that hold text which is not that of a turn."""
    if not keys:
        return []
    known = {turn.strip() for turn in turns if turn}
    return [key for key in keys if any(text.strip() not in known for text in _texts_in(record[key], 0))]


def _texts_in(value: object, depth: int) -> Iterator[str]:
    """The texts in a value with a letter in them: no numbers, dates or marks."""
    if isinstance(value, str):
        if any(map(str.isalpha, value)):
            yield value
    elif depth < _DEEP and isinstance(value, list):
        for one in value:
            yield from _texts_in(one, depth + 1)
    elif depth < _DEEP and isinstance(value, Mapping):
        for one in value.values():
            yield from _texts_in(one, depth + 1)
    elif isinstance(value, (list, Mapping)) and value:
        yield "…"
