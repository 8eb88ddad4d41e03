"""Instruction tuning records: exchanges under the names that sets use, with their history; seed tasks; conversations.

Each function maps one decoded record to the turns of one dialogue and raises RecordError for any other layout. An
`input` belongs to its instruction, on a line of its own; `history` is what was said before. Roles are not kept: a
system message, which nobody answers, is no turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise

from chat_corpus.formats.base import RecordError

_HISTORY = re.compile(r"(?:^|\n)[ \t]*(?:Human|Assistant)[:：][ \t]*")
#: What a prompt asks for whose answer is a dialogue; 优点：… 缺点：… answers something else.
_DIALOGUE = re.compile("对话|角色|聊天|dialog", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(\w{1,20})[:：]", re.MULTILINE)
_SPEAKERS = 2
#: Where records keep a whole conversation, a list of messages.
_CONVERSATIONS = ("conversations", "messages", "conversation", "dialogue", "dialog")
#: What the two sides of one exchange are called; `input` belongs to `instruction`. The first is what most sets have.
_EXCHANGES = (
    ("instruction", "output"),
    ("input", "target"),
    ("prompt", "response"),
    ("prompt", "completion"),
    ("query", "response"),
    ("question", "answer"),
    ("question", "std_answer"),
    ("query", "answer"),
    ("post", "response"),
    ("post", "comment"),
)
#: Keys whose texts become turns.
READ = frozenset({"input", "history", "instances", *_CONVERSATIONS, *(key for keys in _EXCHANGES for key in keys)})
#: Keys whose texts are known to be no turns: what a record is, where it comes from, what a system is told.
NO_TURNS = frozenset(
    {
        "id", "idx", "index", "uid", "uuid", "class", "category", "type",
        "task", "tag", "tags", "source", "origin", "dataset", "name", "lang",
        "language", "url", "link", "time", "date", "created_at", "updated_at", "split",
        "model", "system", "system_prompt", "is_classification", "topic", "domain", "label", "score",
        "rating",
    }
)  # fmt: skip
#: So many keys of an unknown record are told.
_SHOWN = 6
#: What releases call the one who asks, and the one who answers.
_USERS = frozenset({"human", "user"})
_ASSISTANTS = frozenset({"assistant", "gpt", "chatgpt", "bot", "model", "other"})


def instruction_turns(record: object) -> Sequence[str | None]:
    r"""The turns of a record of any of the layouts.

    >>> instruction_turns({"instruction": "翻译", "input": "hi", "output": "你好", "history": [["在吗", "在"]]})
    ['在吗', '在', '翻译\nhi', '你好']
    >>> instruction_turns({"conversations": [{"from": "human", "value": "在吗"}, {"from": "gpt", "value": "在"}]})
    ['在吗', '在']
    >>> instruction_turns([{"role": "user", "content": "在吗"}, {"role": "assistant", "content": "在"}])
    ['在吗', '在']
    """
    if isinstance(record, list):
        return _conversation(record, "the record")
    if not isinstance(record, Mapping):
        raise RecordError(f"a JSON object expected, {_kind(record)} met")
    conversation = next((key for key in _CONVERSATIONS if record.get(key)), None)
    exchange = next((keys for keys in _EXCHANGES if _holds_text(record, *keys)), None)
    if conversation is not None and exchange is not None:
        raise RecordError(
            f"both a conversation ('{conversation}') and an exchange ({' and '.join(map(repr, exchange))})"
        )
    if exchange is None:
        conversation = conversation or next((key for key in _CONVERSATIONS if key in record), None)
    if conversation is not None:
        return _conversation(record[conversation], f"'{conversation}'")
    if "instances" in record:
        return _seed_task(record)
    return [*_history(record), *_last_exchange(record, exchange)]


def _holds_text(record: Mapping[str, object], query: str, answer: str) -> bool:
    texts = (record.get(query), record.get(answer))
    return all(isinstance(text, str) for text in texts) and any(str(text).strip() for text in texts)


def _last_exchange(record: Mapping[str, object], keys: tuple[str, str] | None) -> Sequence[str | None]:
    query, answer = keys or next((keys for keys in _EXCHANGES if keys[1] in record), _EXCHANGES[0])
    if keys is None and all(isinstance(record.get(key), list) for key in (query, answer)):
        raise RecordError(
            f"columns of lists under '{query}' and '{answer}' met, one record an object expected: convert it, as with "
            "pandas.read_json(F).to_json(G, orient='records', lines=True, force_ascii=False)"
        )
    if query == "instruction":
        return _exchange(_prompt(record, record), _text(record, answer))
    return _exchange(_text(record, query), _text(record, answer))


def _history(record: Mapping[str, object]) -> Sequence[str | None]:
    """The rounds before the last: pairs of texts, or messages."""
    history = record.get("history")
    if not history:
        return []
    if isinstance(history, list) and all(isinstance(one, Mapping) for one in history):
        turns = _conversation(history, "'history'")
        return [*turns, None] if len(turns) % 2 else turns
    pairs = history if isinstance(history, list) else []
    if not pairs or not all(isinstance(one, list) and len(one) == 2 for one in pairs):
        raise RecordError("a list of pairs of texts under 'history' expected")
    texts = [text for pair in pairs for text in pair]
    if not all(isinstance(text, str) for text in texts):
        raise RecordError("a list of pairs of texts under 'history' expected")
    return texts


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


def _conversation(messages: object, place: str) -> list[str | None]:
    """User and assistant in turn: what one says in several messages is one turn; an assistant who begins is turn 1."""
    if not isinstance(messages, list) or not all(isinstance(one, Mapping) for one in messages):
        raise RecordError(f"a list of messages, each an object, expected in {place}")
    turns: list[str | None] = []
    for role, text in (said for message in messages for said in _said(message)):
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


def _said(message: Mapping[str, object]) -> list[tuple[str, str]]:
    """Who said what in a message: under from and value, role and content, or the names of both sides."""
    if "human" in message and "assistant" in message:
        return [("user", _text(message, "human")), ("assistant", _text(message, "assistant"))]
    role, text = ("role", "content") if "role" in message else ("from", "value")
    return [(_text(message, role).lower(), _text(message, text))]
