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
_OUTER = re.compile(rb"[\s\xef\xbb\xbf]*\[")
_BACKSLASH = ord("\\")
_BETWEEN = re.compile(rb"[\s,\[\]\xef\xbb\xbf]*")


def _read(parts: Sequence[Records], *, turns_of: TurnsOf) -> Reading:
    (records,) = parts
    blank = pl.col("text").str.strip_chars() == ""
    columns: dict[str, list[object]] = {name: [] for name in ("line", "dialogue", "turn", "text", "reason", "detail")}
    filled = records.filter(~blank | pl.col("text").is_null())
    for dialogue, (line, text) in enumerate(filled.select("line", "text").iter_rows()):
        for row in _rows(text, turns_of):
            for name, value in zip(columns, (line, dialogue, *row), strict=True):
                columns[name].append(value)
    schema = {"line": pl.UInt32, "dialogue": pl.UInt32, "turn": pl.UInt32, "text": pl.String, "reason": pl.String}
    rows = pl.DataFrame(columns, schema={**schema, "detail": pl.String})
    return Reading(rows=mark_empty(turns_frame(rows)), structural=(records.filter(blank)["line"],))


def _rows(text: str | None, turns_of: TurnsOf) -> Iterator[tuple[int, str | None, str | None, str | None]]:
    """The rows (turn, text, reason, detail) of one record."""
    if text is None:
        yield 0, None, str(Reason.ENCODING), NOT_UTF8
        return
    try:
        value = _value(text)
        turns = _checked(turns_of(value))
        "".join(turn or "" for turn in turns).encode("utf-8")
    except UnicodeEncodeError:
        yield 0, None, str(Reason.ENCODING), "a lone surrogate, which is no character"
    except RecordError as error:
        told = str(error).encode("utf-8", "backslashreplace").decode()  # it may quote a key that is no text
        yield 0, None, str(Reason.LAYOUT), told
    except Exception as error:  # noqa: BLE001 whatever a plugin's function raises costs the record and no other
        yield 0, None, str(Reason.LAYOUT), _fault(error, turns_of)
    else:
        if not any(turn is not None for turn in turns):
            yield 0, None, str(Reason.EMPTY), "a dialogue without turns"
        for turn, utterance in enumerate(turns):
            if utterance is not None:
                yield turn, utterance, None, None


def _value(text: str) -> object:
    """The JSON value of a record. Raises RecordError."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not a JSON record: {error}") from error


def _checked(turns: object) -> Sequence[str | None]:
    """What a function gave as turns. Raises RecordError for anything but a list of texts, None among them."""
    if not isinstance(turns, list | tuple):
        raise RecordError(f"a list of texts expected of the function that reads a record, {type(turns).__name__} met")
    for turn in turns:
        if not (turn is None or isinstance(turn, str)):
            raise RecordError(
                f"a list of texts expected of the function that reads a record, {type(turn).__name__} in it"
            )
    return turns


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


def json_lines(turns_of: TurnsOf, *, arrays: bool = False) -> Format:
    """One JSON value a line: an object, or with `arrays` an array."""
    return Format(
        read=partial(_read, turns_of=turns_of),
        accepts=lambda head: _first_line_is_array(head) if arrays else not _begins(head, b"["),
    )


def json_array(turns_of: TurnsOf, *, arrays: bool = False) -> Format:
    """One JSON array of objects, or with `arrays` of arrays, in any line layout.

    Blanks and brackets between the records are no records.
    """
    elements = _arrays if arrays else _objects
    return Format(
        read=partial(_read, turns_of=turns_of),
        cut=partial(_cut, elements=elements),
        split=partial(_split, elements=elements),
        count=lambda data: sum(1 for _ in elements(data)),
        accepts=lambda head: _begins(head, b"[") and (not arrays or _begins(_content(head)[1:], b"[")),
    )


def _content(head: bytes) -> bytes:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")


def _begins(head: bytes, mark: bytes) -> bool:
    return _content(head).startswith(mark)


def _first_line_is_array(head: bytes) -> bool:
    """Whether the first line is an array by itself, and not the beginning of an array over several lines."""
    line = _content(head).split(b"\n", 1)[0]
    try:
        return isinstance(json.loads(line), list)
    except (ValueError, RecursionError):
        return False


#: The spans of the records of a range of an array, and of what is between them but commas and brackets.
_Elements = Callable[[bytes], Iterator[tuple[int, int]]]


def _objects(data: bytes) -> Iterator[tuple[int, int]]:
    """Spans of the outermost objects of a range.

    Depth counts braces alone, so that the array's own bracket, present in the first range of a file only, does not
    matter.
    """
    return _spans(data, 0, _BRACES, b"{")


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
