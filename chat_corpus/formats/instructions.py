"""Instruction tuning records: Alpaca's fields, merged fields, seed tasks, and ShareGPT's conversations.

Each function maps one decoded record to the turns of one dialogue and raises RecordError for any other layout. An
`input` belongs to its instruction, on a line of its own. Roles are not kept: a system message, which nobody answers, is
no turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise

from chat_corpus.formats.base import RecordError

_HISTORY = re.compile(r"(?:^|\n)[ \t]*(?:Human|Assistant)[:：]")
#: What a prompt asks for whose answer is a dialogue; 优点：… 缺点：… answers something else.
_DIALOGUE = re.compile("对话|角色|聊天|dialog", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(\w{1,20})[:：]", re.MULTILINE)
_SPEAKERS = 2
#: So many keys of an unknown record are told.
_SHOWN = 6
#: What releases call the one who asks, and the one who answers.
_USERS = frozenset({"human", "user"})
_ASSISTANTS = frozenset({"assistant", "gpt", "chatgpt", "bot", "model", "other"})


def instruction_turns(record: object) -> Sequence[str | None]:
    r"""The turns of a record of any of the layouts.

    >>> instruction_turns({"instruction": "翻译", "input": "hi", "output": "你好"})
    ['翻译\nhi', '你好']
    >>> instruction_turns({"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]})
    ['在吗', '在']
    """
    if not isinstance(record, Mapping):
        raise RecordError(f"a JSON object expected, {_kind(record)} met")
    if "conversations" in record:
        return _conversation(record["conversations"])
    if "instances" in record:
        return _seed_task(record)
    if "target" in record:
        return _exchange(_text(record, "input"), _text(record, "target"))
    return _exchange(_prompt(record, record), _text(record, "output"))


def _text(record: Mapping[str, object], key: str, default: str | None = None) -> str:
    value = record.get(key, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        keys = ", ".join(name[:40] for name in islice(record, _SHOWN))
        more = f" and {len(record) - _SHOWN} more" if len(record) > _SHOWN else ""
        met = f"{_kind(value)} met" if key in record else f"the keys are {keys or 'none'}{more}"
        raise RecordError(f"a text under '{key}' expected, {met}")
    return value


def _kind(value: object) -> str:
    """What JSON calls a value."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _prompt(record: Mapping[str, object], instance: Mapping[str, object]) -> str:
    parts = (_text(record, "instruction"), _text(instance, "input", ""))
    return "\n".join(part for part in parts if part.strip())


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


def _seed_task(record: Mapping[str, object]) -> list[str]:
    instances = record["instances"]
    if not isinstance(instances, list) or not instances or not all(isinstance(one, Mapping) for one in instances):
        raise RecordError("a list of objects under 'instances' expected")
    return [turn for one in instances for turn in (_prompt(record, one), _text(one, "output"))]


def _conversation(messages: object) -> list[str | None]:
    """User and assistant in turn: what one says in several messages is one turn; an assistant who begins is turn 1."""
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise RecordError("a list of objects under 'conversations' expected")
    turns: list[str | None] = []
    for message in messages:
        role, text = _text(message, "from").lower(), _text(message, "value")
        if role == "system":
            continue
        if role not in _USERS | _ASSISTANTS:
            raise RecordError(f"a role '{role[:40]}' met, human, user, assistant, gpt or system expected")
        if (len(turns) % 2 == 0) == (role in _USERS):
            turns.append(text)
        elif turns:
            turns[-1] = f"{turns[-1]}\n{text}"
        else:
            turns = [None, text]
    if not turns:
        raise RecordError("a conversation without turns")
    return turns
