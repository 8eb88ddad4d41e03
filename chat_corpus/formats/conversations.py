"""Conversations in JSON: messages with roles, questions with their answers, or consecutive texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chat_corpus.formats.base import ASSISTANT, USER, RecordError, Turns
from chat_corpus.formats.field_names import ANSWERS, INPUT, NO_TURN, PROMPTS, normal
from chat_corpus.formats.record_fields import Shape, kind_of, shape_of, text_under, unread_among

SPEAKERS = 2
#: Names of the roles of user and assistant in releases.
_USERS = frozenset({"human", "user", "usr", "prompter", "customer", "用户", "客户", "顾客"})
_ASSISTANTS = frozenset(
    {"assistant", "gpt", "chatgpt", "ai", "bot", "chatbot", "model", "other", "助手", "助理", "机器人", "客服"}
)
#: Roles of messages that are not turns.
_SYSTEMS = frozenset({"system", "developer", "系统"})
#: Roles of tool calls and their results; such conversations are not dialogues of two.
_TOOLS = frozenset(
    {"tool", "tool_call", "tool_response", "function", "function_call", "observation", "ipython", "工具"}
)
#: The name in error messages for a record that is a list. The elements of such a list, or of a list under "data", are
#: messages or texts; objects with a question and an answer would be records.
LIST = "the record"
_OF_RECORDS = frozenset({LIST, "data"})


def has_role(speakers: Iterable[str]) -> bool:
    """Return whether some of the speakers are roles in a chat with a model, not names of people.

    >>> has_role(["小明", "user"]), has_role(["小明", "小红"])
    (True, False)
    """
    return any(normal(speaker) in _USERS | _ASSISTANTS | _SYSTEMS | _TOOLS for speaker in speakers)


def conversation(value: object, key: str) -> Turns:
    """Return the turns of messages, of objects with a question and an answer, or of consecutive texts.

    `key` is the name of the value in error messages. Raises RecordError for any other value.
    """
    if isinstance(value, Mapping) and _is_round(shape_of(tuple(value))):
        return _rounds([value], [shape_of(tuple(value))], key)
    if isinstance(value, list) and value:
        if all(isinstance(text, str) for text in value) and len(value) >= SPEAKERS:
            return _texts(value)
        if all(isinstance(item, Mapping) for item in value):
            value = [_message_of(item) for item in value]
            shapes = [shape_of(tuple(item)) for item in value]
            if normal(key) not in _OF_RECORDS and all(map(_is_round, shapes)):
                return _rounds(value, shapes, key)
            return _messages(value, shapes, key)
    if value == []:
        raise RecordError("a conversation without turns")
    raise RecordError(f"a list of objects under '{key[:40]}' expected, {kind_of(value)} of something else met")


def _texts(texts: Sequence[str]) -> Turns:
    """Return consecutive texts. Raises RecordError if they are names of columns, or encoded records."""
    if all(normal(text) in PROMPTS | ANSWERS | NO_TURN | {INPUT} for text in texts):
        raise RecordError("texts that follow each other expected, names of fields met: rows without names are not read")
    if all(text.lstrip().startswith("{") and text.rstrip().endswith("}") for text in texts):
        raise RecordError("a record expected, a list of records as texts met: decode these first")
    return Turns(texts, speakers=texts.speakers if isinstance(texts, Turns) else ())


def _message_of(message: Mapping[str, object]) -> Mapping[str, object]:
    """Return a message with role and content, also for a message such as ``{"user": "…"}``."""
    if len(message) == 1:
        ((role, text),) = message.items()
        if normal(role) in _USERS | _ASSISTANTS | _SYSTEMS:
            return {"role": role, "content": text}
    return message


def _is_round(shape: Shape) -> bool:
    """Return whether an object is a question with its answer; an instruction with its output is not."""
    is_pair = len(shape.prompts) == 1 and len(shape.answers) == 1 and not shape.roles
    return is_pair and normal(shape.prompts[0]) != "instruction"


def _rounds(rounds: Sequence[Mapping[str, object]], shapes: Sequence[Shape], key: str) -> Turns:
    turns: list[str] = []
    unread: dict[str, None] = {}
    for round_, shape in zip(rounds, shapes, strict=True):
        last = [text_under(round_, shape.prompts[0]), text_under(round_, shape.answers[0])]
        turns += last
        rest = [name for name in round_ if name not in (*shape.prompts, *shape.answers) and normal(name) not in NO_TURN]
        unread |= dict.fromkeys(f"{key}[].{name}" for name in unread_among(round_, rest, last))
    return Turns(turns, list(unread), alternating(len(turns)))


def alternating(count: int) -> list[str]:
    """Return the speakers of `count` turns: user and assistant alternate, beginning with the user."""
    return [(USER, ASSISTANT)[turn % SPEAKERS] for turn in range(count)]


def _messages(messages: Sequence[Mapping[str, object]], shapes: Sequence[Shape], key: str) -> Turns:
    """Return alternating turns of user and assistant, joining consecutive messages of a role.

    If the assistant begins, turn 0 is None. Raises RecordError for unknown roles, or if there are no turns.
    """
    turns: list[str | None] = []
    unread: dict[str, None] = {}
    roles = [_role(message, (*shape.roles, "from")[0]) for message, shape in zip(messages, shapes, strict=True)]
    users = _users(roles)
    for message, shape, role in zip(messages, shapes, roles, strict=True):
        text_key = (*shape.texts, "value")[0]
        text = _content(message, text_key)
        rest = [name for name in message if name not in (*shape.roles, text_key) and normal(name) not in NO_TURN]
        unread |= dict.fromkeys(f"{key}[].{name}" for name in unread_among(message, rest, [text]))
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
    return Turns(turns, list(unread), _speakers(roles, users, len(turns)))


def _speakers(roles: Sequence[str], users: frozenset[str], count: int) -> list[str]:
    """Return the speaker of each turn: user and assistant, or the two unknown roles as they are."""
    if users == _USERS:
        return alternating(count)
    (first,) = users
    others = [role for role in roles if role not in {*_SYSTEMS, first}]
    return [first if turn % SPEAKERS == 0 else others[0] for turn in range(count)]


def _role(message: Mapping[str, object], key: str) -> str:
    value = message.get(key)
    return str(value) if type(value) is int else normal(text_under(message, key))


def _users(roles: Sequence[str]) -> frozenset[str]:
    """Return the names of the role of the user. If there are two unknown roles, such as A and B, the first is the user.

    Raises RecordError for other unknown roles.
    """
    speakers = list(dict.fromkeys(role for role in roles if role not in _SYSTEMS))
    unknown = [role for role in speakers if role not in _USERS | _ASSISTANTS]
    if not unknown:
        return _USERS
    odd = next((role for role in unknown if role in _TOOLS), unknown[0])
    if odd in _TOOLS or len(unknown) != len(speakers) or len(speakers) != SPEAKERS:
        raise RecordError(f"a role '{odd[:40]}' met, human, user, assistant, gpt or system expected")
    return frozenset(speakers[:1])


def _content(message: Mapping[str, object], key: str) -> str:
    """Return the text of a message: a text, or a list of parts that are all texts (OpenAI)."""
    parts = message.get(key)
    if isinstance(parts, list) and parts and all(isinstance(part, Mapping) and "text" in part for part in parts):
        return "\n".join(text_under(part, "text") for part in parts)
    if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
        return "\n".join(parts)
    return text_under(message, key)
