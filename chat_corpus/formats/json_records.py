"""JSON records: one object a line (JSON Lines), or one array of objects, of any layout inside.

What a record says is told by a function of the source, from the decoded value to the texts of a dialogue. Records of an
array are numbered from 1 in their order, since an array may stand on one line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import polars as pl

from chat_corpus.formats.base import NOT_UTF8, Format, Reading, RecordError, Records, mark_empty, turns_frame
from chat_corpus.lines import numbered
from chat_corpus.schema import Reason

#: From a decoded JSON value to the turns of one dialogue, None for a place that nobody fills. Raises RecordError for a
#: value of another layout.
TurnsOf = Callable[[object], Sequence[str | None]]

_MARK = re.compile(rb'["{}]')
_CLOSES = re.compile(rb"\][\s}\]]*\Z")
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
        turns = turns_of(json.loads(text, object_pairs_hook=_object))
        "".join(turn or "" for turn in turns).encode("utf-8")
    except UnicodeEncodeError:
        yield 0, None, str(Reason.ENCODING), "a lone surrogate, which is no character"
    except RecordError as error:
        told = str(error).encode("utf-8", "backslashreplace").decode()  # it may quote a key that is no text
        yield 0, None, str(Reason.LAYOUT), told
    except (ValueError, RecursionError) as error:
        yield 0, None, str(Reason.LAYOUT), f"not a JSON record: {error}"
    else:
        for turn, utterance in enumerate(turns):
            if utterance is None:
                continue
            yield turn, utterance, None, None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object as a dictionary. Raises RecordError for a key that stands twice: one value would be lost."""
    told = dict(pairs)
    if len(told) != len(pairs):
        ((again, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise RecordError(f"a key that stands twice: {again[:40]}")
    return told


def json_lines(turns_of: TurnsOf) -> Format:
    """One JSON value a line."""
    return Format(
        read=partial(_read, turns_of=turns_of),
        accepts=lambda head: not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["),
    )


def json_array(turns_of: TurnsOf) -> Format:
    """One JSON array of objects, in any line layout. Blanks and brackets between the objects are no records."""
    return Format(
        read=partial(_read, turns_of=turns_of),
        cut=_cut,
        split=_split,
        count=lambda data: sum(1 for _ in _elements(data)),
        accepts=lambda head: head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["),
        fault_at_end=_cut_short,
    )


def _cut_short(tail: bytes) -> str:
    """Whether a JSON array does not close: what comes after its last whole object is lost."""
    return (
        "" if _CLOSES.search(tail) else "a JSON array that was cut short, its closing bracket is missing: get it again"
    )


def _elements(data: bytes) -> Iterator[tuple[int, int]]:
    """The spans of the outermost objects of `data`, and of what stands between them but commas and brackets.

    Depth counts braces alone, so that the array's own bracket, present in the first range of a file only, does not
    matter; braces inside strings are passed over with their string. An object that does not close spans to the end.
    """
    depth = start = end = at = 0
    while mark := _MARK.search(data, at):
        at = mark.end()
        if mark[0] == b'"':
            at = _after_string(data, at)
        elif mark[0] == b"{":
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


def _cut(data: bytes) -> int:
    """Cut after the last object that closes but one: the last may not have been read to its end."""
    ends = [end for start, end in _elements(data) if data[start : start + 1] == b"{"]
    return ends[-2] if len(ends) > 1 else 0


def _split(data: bytes, first: int) -> Records:
    return numbered([data[start:end] for start, end in _elements(data)], first)
