"""JSON records: one object a line (JSON Lines), or one array of objects, of any layout inside.

What a record says is told by a function of the source, from the decoded value to the texts of a dialogue. Records of an
array are numbered from 1 in their order, since an array may stand on one line.
"""

from __future__ import annotations

import inspect
import json
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from chat_corpus.formats.base import NOT_UTF8, Format, Reading, RecordError, Records, mark_empty, turns_frame
from chat_corpus.lines import numbered
from chat_corpus.schema import Reason

#: From a decoded JSON value to the turns of one dialogue, None for a place that nobody fills. Raises RecordError for a
#: value of another layout.
TurnsOf = Callable[[object], Sequence[str | None]]

#: Characters of an exception's text that a reject shows.
_LONGEST = 200
_BRACES, _BRACKETS = re.compile(rb'["{}]'), re.compile(rb'["\[\]]')
#: Keys under which a file keeps the list of its records.
_WRAPPERS = rb"data|dataset|train|training|test|valid|validation|dev|examples|records|rows|results"
#: How a file begins whose records are in an array.
_OUTER = re.compile(rb'[\s\xef\xbb\xbf]*(?:\{\s*"(?:' + _WRAPPERS + rb')"\s*:\s*)?\[(?=\s*[\[{])')
#: How a file ends whose array closes.
_CLOSES = re.compile(rb"\][\s}\]]*\Z")
_BACKSLASH = ord("\\")
_BETWEEN = re.compile(rb'(?:[\s,\[\]{}\xef\xbb\xbf]|"[^"\\]{1,40}"\s*:)*')


def _read(parts: Sequence[Records], *, turns_of: TurnsOf, keys: frozenset[str] | None) -> Reading:
    (records,) = parts
    blank = pl.col("text").str.strip_chars() == ""
    columns: dict[str, list[object]] = {name: [] for name in ("line", "dialogue", "turn", "text", "reason", "detail")}
    filled = records.filter(~blank | pl.col("text").is_null())
    unread: list[tuple[int, str]] = []
    for dialogue, (line, text) in enumerate(filled.select("line", "text").iter_rows()):
        odd: list[str] = []
        for row in _rows(text, turns_of, keys, odd):
            for name, value in zip(columns, (line, dialogue, *row), strict=True):
                columns[name].append(value)
        unread += [(line, key) for key in odd]
    schema = {"line": pl.UInt32, "dialogue": pl.UInt32, "turn": pl.UInt32, "text": pl.String, "reason": pl.String}
    rows = pl.DataFrame(columns, schema={**schema, "detail": pl.String})
    structural = (records.filter(blank)["line"],)
    return Reading(rows=mark_empty(turns_frame(rows)), structural=structural, unread=tuple(unread))


def _rows(
    text: str | None, turns_of: TurnsOf, keys: frozenset[str] | None, unread: list[str]
) -> Iterator[tuple[int, str | None, str | None, str | None]]:
    """The rows (turn, text, reason, detail) of one record; unknown keys that hold text are added to `unread`."""
    if text is None:
        yield 0, None, str(Reason.ENCODING), NOT_UTF8
        return
    try:
        value = _value(text)
        turns = _checked(turns_of(value), turns_of)
        "".join(turn or "" for turn in turns).encode("utf-8")
    except UnicodeEncodeError:
        yield 0, None, str(Reason.ENCODING), "a lone surrogate, which is no character"
    except RecordError as error:
        told = str(error).encode("utf-8", "backslashreplace").decode()  # it may quote a key that is no text
        yield 0, None, str(Reason.LAYOUT), told
    except MemoryError:  # which says nothing of the record
        raise
    except Exception as error:  # noqa: BLE001 whatever a plugin's function raises costs the record and no other
        yield 0, None, str(Reason.LAYOUT), _fault(error, turns_of)
    else:
        if not any(turn is not None for turn in turns):
            yield 0, None, str(Reason.EMPTY), "a dialogue without turns"
        for turn, utterance in enumerate(turns):
            if utterance is not None:
                yield turn, utterance, None, None
        if keys is not None and isinstance(value, dict):
            unread += [key for key in value if key not in keys and _holds_text(value[key])]


def _holds_text(value: object) -> bool:
    """Whether there is any text in a value, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and one.strip():
            return True
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return False


def _value(text: str) -> object:
    """The JSON value of a record. Raises RecordError."""
    # A comma behind the record is left of an array without its brackets, and a raw tab or line break inside a text is
    # what people write by hand: every reader means the same by them.
    record = text.rstrip()
    try:
        return json.loads(record.removesuffix(","), object_pairs_hook=_object, strict=False)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not a JSON record: {error}") from error


def _checked(turns: object, function: TurnsOf) -> Sequence[str | None]:
    """What a function gave as turns. Raises RecordError for anything but a list of texts, None among them."""
    wrong = None if isinstance(turns, list | tuple) else turns
    if wrong is None and isinstance(turns, list | tuple):
        odd = [turn for turn in turns if not (turn is None or isinstance(turn, str))]
        if not odd:
            return turns
        wrong = odd[0]
    code = getattr(inspect.unwrap(function), "__code__", None)
    at = f" ({Path(code.co_filename).name}:{code.co_firstlineno}, {code.co_name})" if code is not None else ""
    raise RecordError(f"{type(wrong).__name__} given{at}, a list of texts expected of the function that reads a record")


def _fault(error: Exception, function: TurnsOf) -> str:
    """An exception of a function as a line: which it is, and where in the function's own file it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    file = getattr(inspect.unwrap(function), "__code__", None)
    own = [frame for frame in frames if file is not None and frame.filename == file.co_filename] or list(frames)[-1:]
    at = f" ({Path(own[-1].filename).name}:{own[-1].lineno}, in {own[-1].name})"
    text = " ".join(str(error).split())[:_LONGEST].encode("utf-8", "backslashreplace").decode()
    return f"{type(error).__name__}{': ' if text else ''}{text}{at}"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object as a dictionary. Raises RecordError for a key that stands twice: one value would be lost."""
    told = dict(pairs)
    if len(told) != len(pairs):
        ((again, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise RecordError(f"a key that stands twice: {again[:40]}")
    return told


#: The spans of the records of a range of an array, and of what is between them but commas and brackets.
_Elements = Callable[[bytes], Iterator[tuple[int, int]]]


def json_lines(turns_of: TurnsOf, *, arrays: bool = False, keys: frozenset[str] | None = None) -> Format:
    """One JSON value a line: an object, or with `arrays` an array.

    `keys` are those of a record that are read, or known to hold no turn; any other that holds text is told.
    """
    return Format(
        read=partial(_read, turns_of=turns_of, keys=keys),
        accepts=_begins_with_array_line if arrays else _begins_with_object_line,
    )


def json_array(turns_of: TurnsOf, *, arrays: bool = False, keys: frozenset[str] | None = None) -> Format:
    """JSON records in any line layout: objects, or with `arrays` arrays; `keys` as for `json_lines`.

    They may be in an array, which may be in an object under one of `_WRAPPERS`. Brackets, blanks and keys between the
    records are no records. A file that ends within the array was cut short.
    """
    elements = _arrays if arrays else _objects
    return Format(
        read=partial(_read, turns_of=turns_of, keys=keys),
        cut=partial(_cut, elements=elements),
        split=partial(_split, elements=elements),
        count=lambda data: sum(1 for _ in elements(data)),
        accepts=_begins_with_arrays if arrays else _begins_with_objects,
        fault_at_end=_cut_short,
    )


def _cut_short(begin: bytes, end: bytes) -> str:
    """Whether an array that the beginning of a file opens does not close: what was behind its last record is lost."""
    if _OUTER.match(begin) is None or _CLOSES.search(end):
        return ""
    return "a JSON array that was cut short, its closing bracket is missing: get it again"


def _begins_with_object_line(head: bytes) -> bool:
    """Whether a file holds an object a line, as far as its first lines tell; so it does where nothing tells."""
    if not _begins(head, b"{"):
        return not _begins(head, b"[")
    wrapped = _OUTER.match(head) is not None
    return _second_line(head).startswith(b"{") or not (wrapped or _goes_on(head))


def _begins_with_array_line(head: bytes) -> bool:
    """Whether the first line is an array of texts or messages by itself, and not the beginning of one of records."""
    return isinstance(_first_line(head), list) and _second_line(head).startswith(b"[")


def _begins_with_objects(head: bytes) -> bool:
    """Whether a file begins with an object in an array or a wrapper, or with one over several lines."""
    outer = _OUTER.match(head)
    if outer is None:
        return (_begins(head, b"[") or _goes_on(head)) and not _begins_with_array_line(head)
    return _begins(head[outer.end() :], b"{") and not (_begins_with_array_line(head) or _begins_with_object_line(head))


def _begins_with_arrays(head: bytes) -> bool:
    """Whether a file begins with an array in an array or a wrapper."""
    outer = _OUTER.match(head)
    return outer is not None and _begins(head[outer.end() :], b"[") and not _begins_with_array_line(head)


def _goes_on(head: bytes) -> bool:
    """Whether the first line begins an object that goes on in the next."""
    following = _second_line(head)
    return _begins(head, b"{") and following != b"" and not following.startswith(b"{") and _first_line(head) is None


def _second_line(head: bytes) -> bytes:
    """The second line that is not blank, without blanks before it."""
    return _content(_content(head).partition(b"\n")[2]).partition(b"\n")[0]


def _first_line(head: bytes) -> object:
    try:
        return json.loads(_content(head).split(b"\n", 1)[0].rstrip(b", \t\r"))
    except (ValueError, RecursionError):
        return None


def _content(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")


def _begins(head: bytes, mark: bytes) -> bool:
    return _content(head).startswith(mark)


def _objects(data: bytes) -> Iterator[tuple[int, int]]:
    """Spans of the outermost objects of a range.

    Depth counts braces alone, so that the array's own bracket, present in the first range of a file only, does not
    matter.
    """
    outer = _OUTER.match(data)
    return _spans(data, outer.end() if outer else 0, _BRACES, b"{")


def _arrays(data: bytes) -> Iterator[tuple[int, int]]:
    """Spans of the arrays within the outermost one of a range.

    A range that does not begin a file begins between two records, with a comma or the end: one that begins with a
    bracket is the first, and the bracket the outermost one.
    """
    outer = _OUTER.match(data)
    return _spans(data, outer.end() if outer else 0, _BRACKETS, b"[")


def _spans(data: bytes, at: int, marks: re.Pattern[bytes], opener: bytes) -> Iterator[tuple[int, int]]:
    """Spans of what is between an opener and its closer, counted from depth 0 at `at`, and of odd bytes between.

    Marks inside strings are passed over with their string. A record that does not close spans to the end.
    """
    depth, start, end = 0, at, at
    while mark := marks.search(data, at):
        at = mark.end()
        if mark[0] == b'"':
            at = _after_string(data, at)
        elif mark[0] == opener:
            if depth == 0:
                start = mark.start()
                if not _BETWEEN.fullmatch(data, end, start):
                    yield end, start
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                end = at
                yield start, end
    if depth:
        yield start, len(data)
    elif not _BETWEEN.fullmatch(data, end):
        yield end, len(data)


def _after_string(data: bytes, at: int) -> int:
    """The offset after the quote that ends the string whose text begins at `at`; of one without end, that of all."""
    while (at := data.find(b'"', at) + 1) and _escaped(data, at - 1):
        pass
    return at or len(data)


def _escaped(data: bytes, at: int) -> bool:
    begin = at
    while data[begin - 1] == _BACKSLASH:
        begin -= 1
    return (at - begin) % 2 == 1


def _cut(data: bytes, *, elements: _Elements) -> int:
    """Cut after the last record that closes but one: the last may not have been read to its end."""
    ends = [end for start, end in elements(data) if data[start : start + 1] in (b"{", b"[")]
    return ends[-2] if len(ends) > 1 else 0


def _split(data: bytes, first: int, *, elements: _Elements) -> Records:
    return numbered([data[start:end] for start, end in elements(data)], first)
