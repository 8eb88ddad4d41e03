"""How the records of a JSON file are laid out, seen from its first bytes.

JSON Lines, an array, objects one after the other over several lines, a list under the keys of an object (or several
lists, as ``{"train": […], "test": […]}``), an object of records by number, or columns instead of rows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats.base import RecordError
from chat_corpus.formats.field_names import ANSWERS, NO_TURN, PROMPTS, is_row_number, normal

#: From a decoded JSON value to the turns of one dialogue, None for a place that nobody fills. Raises RecordError for a
#: value of another layout.
TurnsOf = Callable[[object], Sequence["str | None"]]

#: What stands before values besides blanks: byte order marks, and the record separator of RFC 7464.
_MARKS = "\ufeff\x1e"
_BLANKS = re.compile(rf"[\s{_MARKS}]*")
#: So many commas after the last value of an object or array, which Python refuses, are passed over in a record.
_MOST_COMMAS = 100
_KEY = re.compile(r'[\s,]*"((?:[^"\\]|\\.)*)"\s*:\s*')
_SCALAR = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+)(?=\s*[,}])', re.DOTALL)
_COMMA = re.compile(r"[\s,]*")
#: The first column of a table by columns: a list of scalars, or an object of them by row.
_COLUMN = re.compile(r'(?:\[\s*(?=["\d\-nNtf])|\{\s*"[^"\\]*"\s*:\s*(?=["\d\-nNtf]))')
#: So many values of a list are tried for a record.
_TRIED = 20
#: A list may lie so deep in objects.
_DEEP = 6
#: What is before the records is no longer than this.
_PREFIX = 4096
#: A record of several lines has so many at most, where its neighbours are lines.
_REACH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """Records that begin with `opening`, an object's or an array's bracket, in a file that begins with `prefix`.

    `columns` says that the file is one object, which holds columns.
    """

    opening: str = "{"
    prefix: str = ""
    columns: bool = False

    def dialect(self) -> str:
        """This as the text that `read_dialect` reads."""
        return json.dumps(asdict(self))


def read_dialect(dialect: str) -> Nested:
    """The layout that a dialect names; an empty one is a plain array's."""
    return Nested(**json.loads(dialect)) if dialect else Nested()


def decode(text: str) -> object:
    """A JSON value as every reader takes it: with raw tabs and line breaks in texts, and commas after the last values.

    NaN, which exporters write for a missing value, is null.

    Raises ValueError, RecursionError, and RecordError for a key that is there twice: one value would be lost.
    """
    bare = text.strip(f"{_MARKS} \t\r\n").removesuffix(",")
    for _ in range(_MOST_COMMAS):
        try:
            return _DECODER.decode(bare)
        except json.JSONDecodeError as error:
            comma = _last_comma(bare, error.pos)
            if comma < 0:
                raise
            bare = f"{bare[:comma]} {bare[comma + 1 :]}"
    return _DECODER.decode(bare)


def _last_comma(text: str, at: int) -> int:
    """Where the comma before a closing bracket is that Python refuses, `at` it or at the bracket; -1 for no such."""
    bracket = at if text[at : at + 1] in ("}", "]") else _blanks(text, at + 1) if text[at : at + 1] == "," else -1
    comma = len(text[:bracket].rstrip()) - 1
    return comma if bracket > 0 and text[bracket : bracket + 1] in ("}", "]") and text[comma] == "," else -1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        ((again, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise RecordError(f"a key that stands twice: {again[:40]}")
    return record


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object, parse_constant=lambda name: None)  # noqa: ARG005


@lru_cache(maxsize=8)
def layout(head: bytes, turns_of: TurnsOf) -> Nested | None:
    """How the records of the file with these first bytes are laid out; None for JSON Lines, or no JSON at all."""
    text = head.decode("utf-8", "surrogateescape")
    start = _blanks(text, 0)
    if text[start : start + 1] not in ("{", "["):
        return None
    whole = len(head) < HEAD_BYTES
    lines = [line for line in (text if whole else text.rpartition("\n")[0]).split("\n") if line.strip(f"{_MARKS} \t\r")]
    if not lines:
        return _nested(text, start, turns_of, whole=whole) if not _is_record(text, start) else None
    first = _decoded(lines[0].strip(f"{_MARKS} \t\r"))
    if first is None:
        found = _nested(text, start, turns_of, whole=whole)
        several = _follow(text, start) or (len(lines) > 1 and (not _mostly_lines(lines) or _spans_lines(lines)))
        return found if found.prefix or found.columns or several else None
    if len(lines) > 1 or not whole:
        is_array = text[start] == "[" and lines[1:] and not lines[1].lstrip().startswith("[")
        return Nested(prefix=text[: start + 1]) if is_array else (Nested() if _spans_lines(lines) else None)
    return None if _accepted(first, turns_of) or _is_exchange(first) else _inside(text, start, turns_of)


def has_record(head: bytes, turns_of: TurnsOf) -> bool:
    """Whether one of the first values of a file with these first bytes is a record."""
    text = head.decode("utf-8", "surrogateescape")
    place = _blanks(text, 0)
    if text[place : place + 1] == "[" and _first_record(text, place, turns_of, 0) is not None:
        return True
    for _ in range(_TRIED):
        if text[place : place + 1] not in ("{", "["):
            return False
        if _first_record(text, place, turns_of, 0) is not None:
            return True
        _, end = _value(text, place)
        match = _COMMA.match(text, end) if end else None
        if match is None:
            return _is_record(text, place)
        place = match.end()
    return False


def _is_exchange(value: object) -> bool:
    """Whether a value has texts as question and answer: whatever is wrong with it, it is a record and holds none."""
    if not isinstance(value, Mapping):
        return False
    texts = {normal(name) for name, one in value.items() if isinstance(one, str)}
    return bool(texts & PROMPTS) and bool(texts & ANSWERS)


def _inside(text: str, start: int, turns_of: TurnsOf) -> Nested | None:
    """The layout of a file that is one value on one line, and no record."""
    found = _nested(text, start, turns_of, whole=True)
    return found if found.prefix or found.columns else None


def _nested(text: str, start: int, turns_of: TurnsOf, *, whole: bool) -> Nested:
    if text[start] == "{" and _is_columns(text, start, whole=whole):
        return Nested(columns=True)
    found = _first_record(text, start, turns_of, 0)
    if found is not None and found <= _PREFIX:
        return Nested(opening=text[found], prefix=text[:found] if found > start else "")
    if text[start] == "[":
        inside = _blanks(text, start + 1)
        return Nested(opening="[" if text[inside : inside + 1] == "[" else "{", prefix=text[: start + 1])
    return Nested()


def _first_record(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:
    """Where the first record begins in the value at `at`: that value, an element of it, or one under its keys."""
    value, end = _value(text, at)
    if end and (depth == 0 or _is_element(value)) and _accepted(value, turns_of):
        return at
    if depth >= _DEEP:
        return None
    return (_in_list if text[at] == "[" else _in_object)(text, at, turns_of, depth)


def _in_list(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:  # noqa: ARG001 as `_in_object`
    """Where the elements of the list at `at` begin, if one of the first is a record."""
    first = place = _blanks(text, at + 1)
    for _ in range(_TRIED):
        if text[place : place + 1] not in ("{", "["):
            return None
        value, end = _value(text, place)
        if end and _accepted(value, turns_of):
            return first
        if not end:
            return None
        match = _COMMA.match(text, end)
        place = match.end() if match else end
    return None


def _in_object(text: str, at: int, turns_of: TurnsOf, depth: int) -> int | None:
    """Where the first record under a key of the object at `at` begins."""
    place = at + 1
    while key := _KEY.match(text, place):
        place = key.end()
        if text[place : place + 1] in ("{", "["):
            found = _first_record(text, place, turns_of, depth + 1)
            _, end = _value(text, place)
            if found is not None or not end:
                return found
            place = end
        elif scalar := _SCALAR.match(text, place):
            place = scalar.end()
        else:
            return None
    return None


def _is_element(value: object) -> bool:
    """Whether a value under a key may be a record itself: an object, or messages; a list of texts may be anything."""
    return isinstance(value, Mapping) or (isinstance(value, list) and all(isinstance(one, Mapping) for one in value))


def _is_columns(text: str, start: int, *, whole: bool) -> bool:
    """Whether the object at `start` is a table by columns."""
    value, end = _value(text, start)
    if end and isinstance(value, Mapping):
        return len(list(rows_of(value))) > 0 and not text[end:].strip(" \t\r\n,")
    key = None if whole else _KEY.match(text, start + 1)
    if key is None or not _COLUMN.match(text, key.end()):
        return False
    name = normal(key[1])
    return name in PROMPTS | ANSWERS | NO_TURN or name == "columns" or is_row_number(name)


def rows_of(table: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """The rows of a table by columns; none where it is no such table.

    Columns are lists, or objects by row, as pandas writes them; `columns` and `data` are its layout "split".
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
    """A column by the numbers or labels of its rows; None for what is no column of scalars."""
    if isinstance(value, list) and value:
        column: Mapping[object, object] = dict(enumerate(value))
    elif isinstance(value, Mapping) and value:
        column = dict(value)
    else:
        return None
    return None if any(isinstance(one, (list, Mapping)) for one in column.values()) else column


def _accepted(value: object, turns_of: TurnsOf) -> bool:
    try:
        turns = turns_of(value)
    except Exception:  # noqa: BLE001 whatever a plugin's function raises says that it is no record of its own
        return False
    return isinstance(turns, list | tuple) and all(turn is None or isinstance(turn, str) for turn in turns)


def _decoded(text: str) -> object:
    """The value of a text that is one value and no scalar; None for any other."""
    try:
        value = decode(text)
    except RecordError:
        return {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (list, Mapping)) else None


def _value(text: str, at: int) -> tuple[object, int]:
    """The value that begins at `at` and where it ends; 0 where it does not, or is no JSON."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, 0


def _blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _is_record(text: str, start: int) -> bool:
    """Whether a value that does not end is a long record by its keys, and no list of records in an object."""
    keys = []
    place = start + 1
    while text[start] == "{" and (key := _KEY.match(text, place)):
        keys.append(normal(key[1]))
        scalar = _SCALAR.match(text, key.end())
        end = scalar.end() if scalar else _value(text, key.end())[1]
        if not end:
            place = key.end()
            break
        place = end
    strings = text[place : place + 1] == '"'
    return bool(keys) and (strings or keys[-1] in {"conversations", "conversation", "messages", "history", "instances"})


def _follow(text: str, start: int) -> bool:
    """Whether the first line holds a value and the beginning of another."""
    _, end = _value(text, start)
    match = _COMMA.match(text, end) if end else None
    return match is not None and text[match.end() : match.end() + 1] == text[start] and "\n" not in text[:end]


def _mostly_lines(lines: Sequence[str]) -> bool:
    """Whether lines are JSON Lines, the first of them damaged."""
    closed = sum(_decoded(line.strip()) is not None for line in lines[1:])
    return 2 * closed > len(lines) - 1


def _spans_lines(lines: Sequence[str]) -> bool:
    """Whether there is a record that goes on in the lines after it, since a text in it has line breaks."""
    for number, line in enumerate(lines):
        bare = line.lstrip()
        if bare.startswith("{") and _decoded(bare.rstrip()) is None:
            following = lines[number + 1 : number + _REACH]
            more = next((n for n, one in enumerate(following) if one.lstrip().startswith("{")), len(following))
            if more and _decoded("\n".join([bare, *following[:more]]).rstrip()) is not None:
                return True
    return False
