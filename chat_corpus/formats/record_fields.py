"""The roles of keys in a JSON record: questions, answers, conversations, and unknown text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from chat_corpus.formats.base import RecordError
from chat_corpus.formats.field_names import (
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

#: Maximum number of keys of a record in a message.
SHOWN = 6
#: Maximum depth of the search for text; deeper values count as text.
_DEEP = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The keys of a record by their role."""

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
        """The keys of an exchange."""
        return (*self.prompts, *self.inputs, *self.answers, *self.history, *self.instances)


@lru_cache(maxsize=1 << 10)
def shape_of(keys: tuple[str, ...]) -> Shape:
    """Return the keys of a record by role, which their names show."""

    def of(names: frozenset[str] | set[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if normal(key) in names)

    listed = PROMPTS | ANSWERS | CONVERSATIONS | NO_TURN | {INPUT, INSTANCES} | HISTORIES
    prompts, inputs, answers = of(PROMPTS), of({INPUT}), of(ANSWERS)
    if answers and not (prompts or inputs):
        prompts = of(SECOND_PROMPTS)
    return Shape(
        prompts=prompts,
        inputs=inputs,
        answers=answers,
        history=of(HISTORIES),
        instances=of({INSTANCES}),
        conversations=of(CONVERSATIONS),
        roles=of(ROLES),
        texts=of(TEXTS),
        unknown=tuple(key for key in keys if normal(key) not in listed and key not in prompts),
    )


def text_under(record: Mapping[str, object], key: str, default: str | None = None) -> str:
    """Return the text under a key; `default` if it is missing or null. Raises RecordError for other values."""
    value = record.get(key, default)
    if value is None and default is not None:
        return default
    if isinstance(value, list) and len(value) == 1:  # a list of alternatives with a single one
        value = value[0]
    if not isinstance(value, str):
        raise RecordError(
            f"a text under '{key[:40]}' expected, {f'{kind_of(value)} met' if key in record else keys_of(record)}"
        )
    return value


def keys_of(record: Mapping[str, object]) -> str:
    """Return the keys of a record for a message."""
    keys = ", ".join(name[:40] for name in islice(record, SHOWN))
    more = f" and {len(record) - SHOWN} more" if len(record) > SHOWN else ""
    return f"the keys are {keys or 'none'}{more}"


def kind_of(value: object) -> str:
    """Return the JSON type of a value for a message."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def unread_among(record: Mapping[str, object], keys: Sequence[str], turns: Sequence[str | None]) -> list[str]:
    """Return the keys with a text that is not the text of a turn."""
    if not keys:
        return []
    read = {turn.strip() for turn in turns if turn}
    return [key for key in keys if any(text.strip() not in read for text in _texts_in(record[key], 0))]


def _texts_in(value: object, depth: int) -> Iterator[str]:
    """Yield the texts in a value that contain a letter, so numbers, dates and marks are skipped."""
    if isinstance(value, str):
        if any(map(str.isalpha, value)):
            yield value
    elif depth < _DEEP and isinstance(value, list):
        for item in value:
            yield from _texts_in(item, depth + 1)
    elif depth < _DEEP and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item, depth + 1)
    elif isinstance(value, (list, Mapping)) and value:
        yield "…"
