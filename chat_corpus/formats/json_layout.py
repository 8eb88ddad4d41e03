"""Detect the layout of records in a JSON file from its first bytes.

The layout is JSON Lines, an array, consecutive objects over several lines, a list under the keys of an object (or
several lists, such as ``{"train": […], "test": […]}``), an object of records by number, or columns instead of rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats.field_names import ANSWERS, NO_TURN, PROMPTS, is_row_number, normal
from chat_corpus.formats.json_values import MARKS, decode_container, skip_blanks, value_at
from chat_corpus.formats.line_values import are_values, mostly_lines, next_value, spans_lines

#: Maps a decoded JSON value to the turns of a dialogue, None for a missing turn. Raises RecordError for a value in a
#: different layout.
TurnsOf = Callable[[object], Sequence["str | None"]]

_KEY = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
_SCALAR = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+)(?=\s*[,}])', re.DOTALL)
_COMMA = re.compile(r"[\s,]*")
#: The beginning of the first column in a table by columns: a list of scalars, or an object from rows to scalars.
_COLUMN = re.compile(r'(?:\[\s*(?=["\d\-nNtf])|\{\s*"[^"\\]*"\s*:\s*(?=["\d\-nNtf]))')
#: Number of values of a list that are checked for a record.
_TRIED = 20
#: Maximum depth of a list in objects.
_DEEP = 6
#: Maximum length of the text before the records, in characters.
_PREFIX = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """Records that begin with the bracket `opening`, of an object or an array, in a file that begins with `prefix`.

    If `columns` is true, the file is a single object of columns.
    """

    opening: str = "{"
    prefix: str = ""
    columns: bool = False

    def dialect(self) -> str:
        """Return the layout as text for `read_dialect`."""
        return json.dumps(asdict(self))


def read_dialect(dialect: str) -> Nested:
    """Return the layout of a dialect; an empty dialect is a plain array."""
    return Nested(**json.loads(dialect)) if dialect else Nested()


@lru_cache(maxsize=8)
def layout(head: bytes, turns_of: TurnsOf) -> Nested | None:
    """Return the layout of the file with these first bytes; None for JSON Lines, or for files that are not JSON."""
    text = head.decode("utf-8", "surrogateescape")
    start = skip_blanks(text, 0)
    if text[start : start + 1] not in ("{", "["):
        return None
    whole = len(head) < HEAD_BYTES
    lines = [line for line in (text if whole else text.rpartition("\n")[0]).split("\n") if line.strip(f"{MARKS} \t\r")]
    if not lines:
        return _nested(text, start, turns_of, whole=whole) if not _is_record(text, start) else None
    first = decode_container(lines[0].strip(f"{MARKS} \t\r"))
    if first is None and lines[0].strip(f"{MARKS} \t\r") != "[" and are_values(lines[1:]):
        return Nested() if spans_lines(lines) else None
    if first is None:
        nested = _nested(text, start, turns_of, whole=whole)
        several = _follow(text, start) or (len(lines) > 1 and (not mostly_lines(lines) or spans_lines(lines)))
        return nested if nested.prefix or nested.columns or several else None
    if len(lines) > 1 or not whole:
        is_array = text[start] == "[" and lines[1:] and not lines[1].lstrip().startswith("[")
        is_array = is_array and not are_values(lines[1:])  # the second line may be broken
        return Nested(prefix=text[: start + 1]) if is_array else (Nested() if spans_lines(lines) else None)
    return None if _accepted(first, turns_of) or _is_exchange(first) else _inside(text, start, turns_of)


def is_json(head: bytes) -> bool:
    """Return whether a file with these first bytes begins as JSON, or has JSON Lines after a broken first line."""
    text = head.decode("utf-8", "surrogateescape")
    start = skip_blanks(text, 0)
    return text[start : start + 1] in ("{", "[") or are_values([line for line in text.split("\n") if line.strip()])


def has_record(head: bytes, turns_of: TurnsOf, *, may_be_long: bool = True) -> bool:
    """Return whether one of the first values of a file with these first bytes is a record.

    Broken lines of JSON Lines are skipped. If `may_be_long`, a value that continues after the head is a record if its
    keys show it.
    """
    text = head.decode("utf-8", "surrogateescape")
    at = skip_blanks(text, 0)
    if text[at : at + 1] == "[" and _first_record(text, at, turns_of, 0) is not None:
        return True
    if text[at : at + 1] not in ("{", "["):
        at = next_value(text, at) if is_json(head) else -1
    tried = 0
    while at >= 0 and tried < _TRIED:
        is_value = text[at : at + 1] in ("{", "[")
        if is_value and _first_record(text, at, turns_of, 0) is not None:
            return True
        end = value_at(text, at)[1] if is_value else 0
        match = _COMMA.match(text, end) if end else None
        following = match.end() if match else next_value(text, at)
        if following < 0:
            return may_be_long and is_value and _is_record(text, at)
        tried += bool(end)
        at = following
    return False


def _is_exchange(value: object) -> bool:
    """Return whether a value has texts as question and answer.

    Such a value is a record, perhaps a faulty one, and contains no other records.
    """
    if not isinstance(value, Mapping):
        return False
    texts = {normal(name) for name, item in value.items() if isinstance(item, str)}
    return bool(texts & PROMPTS) and bool(texts & ANSWERS)


def _inside(text: str, start: int, turns_of: TurnsOf) -> Nested | None:
    """Return the layout of a file with a single value on one line that is not a record; None if no record is in it."""
    nested = _nested(text, start, turns_of, whole=True)
    return nested if nested.prefix or nested.columns else None


def _nested(text: str, start: int, turns_of: TurnsOf, *, whole: bool) -> Nested:
    if text[start] == "{" and _is_columns(text, start, whole=whole):
        return Nested(columns=True)
    first = _first_record(text, start, turns_of, 0)
    if first is not None and first <= _PREFIX:
        return Nested(opening=text[first], prefix=text[:first] if first > start else "")
    if text[start] == "[":
        inside = skip_blanks(text, start + 1)
        return Nested(opening="[" if text[inside : inside + 1] == "[" else "{", prefix=text[: start + 1])
    return Nested()


def _first_record(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:
    """Return the offset of the first record in the value at `at`: the value itself, an element, or a value of a key."""
    value, end = value_at(text, at)
    if end and (depth == 0 or _is_element(value)) and _accepted(value, turns_of):
        return at
    if depth >= _DEEP:
        return None
    return (_in_list if text[at] == "[" else _in_object)(text, at, turns_of, depth)


def _in_list(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:  # noqa: ARG001 as `_in_object`
    """Return the offset of the first element of the list at `at`, if one of the first elements is a record."""
    first = position = skip_blanks(text, at + 1)
    for _ in range(_TRIED):
        if text[position : position + 1] not in ("{", "["):
            return None
        value, end = value_at(text, position)
        if end and _accepted(value, turns_of):
            return first
        if not end:
            return None
        match = _COMMA.match(text, end)
        position = match.end() if match else end
    return None


def _in_object(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:
    """Return the offset of the first record under a key of the object at `at`."""
    position = at + 1
    while key := _KEY.match(text, position):
        position = key.end()
        if text[position : position + 1] in ("{", "["):
            first = _first_record(text, position, turns_of, depth + 1)
            _, end = value_at(text, position)
            if first is not None or not end:
                return first
            position = end
        elif scalar := _SCALAR.match(text, position):
            position = scalar.end()
        else:
            return None
    return None


def _is_element(value: object) -> bool:
    """Return whether a value under a key may be a record: an object or a list of objects.

    A list of texts is no evidence of a record.
    """
    return isinstance(value, Mapping) or (isinstance(value, list) and all(isinstance(item, Mapping) for item in value))


def _is_columns(text: str, start: int, *, whole: bool) -> bool:
    """Return whether the object at `start` is a table by columns."""
    value, end = value_at(text, start)
    if end and isinstance(value, Mapping):
        return len(list(rows_of(value))) > 0 and not text[end:].strip(" \t\r\n,")
    key = None if whole else _KEY.match(text, start + 1)
    if key is None or not _COLUMN.match(text, key.end()):
        return False
    name = normal(key[1])
    return name in PROMPTS | ANSWERS | NO_TURN or name == "columns" or is_row_number(name)


def rows_of(table: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a table by columns; nothing for any other object.

    Columns are lists, or objects from rows to values, as pandas writes them; `columns` and `data` are the keys of the
    layout "split" of pandas.
    """
    names, data = table.get("columns"), table.get("data")
    if isinstance(names, list) and isinstance(data, list) and all(isinstance(row, list) for row in data):
        if {normal(str(name)) for name in names} & (PROMPTS | ANSWERS):
            for row in data:
                yield {str(name): value for name, value in zip(names, row, strict=False)}
        return
    columns = {name: _by_row(value) for name, value in table.items()}
    tall = {name: column for name, column in columns.items() if column is not None}
    if {normal(name) for name in tall} & PROMPTS and {normal(name) for name in tall} & ANSWERS:
        for row in dict.fromkeys(row for column in tall.values() for row in column):
            yield {name: column[row] for name, column in tall.items() if row in column}


def _by_row(value: object) -> Mapping[object, object] | None:
    """Return a column as a mapping from row number or label to value; None if it is not a column of scalars."""
    if isinstance(value, list) and value:
        column: Mapping[object, object] = dict(enumerate(value))
    elif isinstance(value, Mapping) and value:
        column = dict(value)
    else:
        return None
    return None if any(isinstance(item, (list, Mapping)) for item in column.values()) else column


def _accepted(value: object, turns_of: TurnsOf) -> bool:
    try:
        turns = turns_of(value)
    except Exception:  # noqa: BLE001 any exception of a plugin's function means that the value is not a record
        return False
    return isinstance(turns, list | tuple) and all(turn is None or isinstance(turn, str) for turn in turns)


def _is_record(text: str, start: int) -> bool:
    """Return whether the keys of an incomplete value show a long record, not an object with a list of records."""
    keys = []
    at = start + 1
    while text[start] == "{" and (key := _KEY.match(text, at)):
        keys.append(normal(key[1]))
        scalar = _SCALAR.match(text, key.end())
        end = scalar.end() if scalar else value_at(text, key.end())[1]
        if not end:
            at = key.end()
            break
        at = end
    strings = text[at : at + 1] == '"'
    return bool(keys) and (strings or keys[-1] in {"conversations", "conversation", "messages", "history", "instances"})


def _follow(text: str, start: int) -> bool:
    """Return whether the first line has a complete value and the beginning of a second one."""
    _, end = value_at(text, start)
    match = _COMMA.match(text, end) if end else None
    return match is not None and text[match.end() : match.end() + 1] == text[start] and "\n" not in text[:end]
