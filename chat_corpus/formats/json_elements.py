"""Find the records in the bytes of a JSON file by their brackets, without decoding, to cut and split the file there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import polars as pl

from chat_corpus.files.lines import numbered
from chat_corpus.formats.base import Records
from chat_corpus.formats.json_layout import Nested
from chat_corpus.messages import message

_MARKS = {"{": re.compile(rb'["{}]'), "[": re.compile(rb'["\[\]]')}
#: The closing bracket of each opening bracket.
CLOSING = {"[": "]", "{": "}"}
_BACKSLASH = ord("\\")
_BETWEEN = re.compile(rb"[\s,\[\]\xef\xbb\xbf]*")
#: Between lists in an object there are also keys.
_GLUE = re.compile(rb'(?:[\s,\[\]{}\xef\xbb\xbf]|"(?:[^"\\]|\\.)*"\s*:)*', re.DOTALL)
#: An optional last line that is not JSON; only this line is rejected.
_REMARK = rb"(?:\n[^\[\]{}\"\n]*\s*)?\Z"


def fault_at_end(tail: bytes, *, closing: str) -> str:
    """Return a message if a JSON array, or the object around it, is not closed; otherwise empty."""
    if re.search((rb"[\]}][\s,;]*" if closing == "}" else rb"\][\s,;}\]]*") + _REMARK, tail):
        return ""
    if closing == "}":
        return message("a truncated object with lists of records, without closing bracket; download the file again")
    return message("a truncated JSON array, without closing bracket; download the file again")


def elements(data: bytes, nested: Nested) -> Iterator[tuple[int, int, bool]]:
    """Yield `(start, end, is_record)` of the outermost records, and of other text between them.

    Commas, brackets and keys between records are skipped. Depth counts only brackets of the records' kind, so that a
    missing or extra bracket of the other kind damages only its record; brackets in strings are skipped. A record that
    is not closed extends to the end. The prefix of the file, the text before its first record, is not yielded.
    """
    opening, marks, between = nested.opening.encode(), _MARKS[nested.opening], _between(nested)
    listed = nested.opening == "[" and nested.prefix.rstrip().endswith("[")
    start = end = at = _start(data, nested)
    depth = 0
    if end and not between.fullmatch(data, 0, end):
        yield 0, end, False
    while mark := marks.search(data, at):
        at = mark.end()
        if mark[0] == b'"':
            at = _after_string(data, at)
        elif mark[0] == opening:
            if not depth and listed and data[end : mark.start()].rstrip().endswith(b":"):
                continue  # a list of records
            if depth == 0:
                start = mark.start()
                if not between.fullmatch(data, end, start):
                    yield end, start, False
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                end = at
                yield start, end, True
    if depth:
        yield start, len(data), True
    elif not between.fullmatch(data, end):
        yield end, len(data), False


def _start(data: bytes, nested: Nested) -> int:
    """Return the length of the prefix of the file if `data` begins with it, otherwise 0."""
    prefix = nested.prefix.encode("utf-8", "surrogateescape")
    return len(prefix) if data.startswith(prefix) else 0


def _between(nested: Nested) -> re.Pattern[bytes]:
    return _GLUE if "{" in nested.prefix else _BETWEEN


def _after_string(data: bytes, at: int) -> int:
    """Return the offset after the closing quote of the string that begins at `at`; the end of data if it is missing."""
    while (at := data.find(b'"', at) + 1) and _escaped(data, at - 1):
        pass
    return at or len(data)


def _escaped(data: bytes, at: int) -> bool:
    begin = at
    while data[begin - 1] == _BACKSLASH:
        begin -= 1
    return (at - begin) % 2 == 1


def cut(data: bytes, nested: Nested) -> int:
    """Return the offset after the second last closed record, because the last may be incomplete; 0 if there is none.

    What follows the cut must not look like the beginning of the file, otherwise an earlier record is taken.
    """
    ends = [end for _, end, is_record in elements(data, nested) if is_record]
    return next((end for end in reversed(ends[:-1]) if not nested.prefix or not _start(data[end:], nested)), 0)


def split(data: bytes, first: int, nested: Nested) -> Records:
    """Return the records of data and the text between them, numbered from `first`."""
    return records_at(data, list(elements(data, nested)), first)


def records_at(data: bytes, spans: Sequence[tuple[int, int, bool]], first: int) -> Records:
    """Return records at the spans of `elements`, numbered from `first`; `beside` marks text between records."""
    beside = pl.Series("beside", [not is_record for *_, is_record in spans], dtype=pl.Boolean)
    return numbered([data[start:end] for start, end, _ in spans], first).with_columns(beside)
