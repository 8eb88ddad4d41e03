"""JSON records: one object per line (JSON Lines), or an array or object of records in any line layout.

A function of the source maps a decoded value to the texts of a dialogue. Records of an array are numbered from 1 in
their order, because an array may be on a single line. Common deviations from JSON are accepted: a comma after a record,
raw tabs and line breaks in texts, NaN.
"""

from __future__ import annotations

import inspect
import json
import re
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from chat_corpus.errors import exception_text, place_of
from chat_corpus.files.lines import numbered
from chat_corpus.formats import json_elements
from chat_corpus.formats.base import (
    NOT_UTF8,
    SPEAKER,
    Format,
    Reading,
    RecordError,
    Records,
    Turns,
    mark_empty,
    turns_frame,
)
from chat_corpus.formats.field_names import NO_TURN, normal
from chat_corpus.formats.json_layout import Nested, TurnsOf, has_record, layout, read_dialect, rows_of
from chat_corpus.formats.json_values import decode
from chat_corpus.schema import Reason

#: Maximum length of an exception's text in a reject, in characters.
_LONGEST = 200
#: Texts, marks and scalars. No match backtracks into the token before, since that would take quadratic time.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},:]|[^\s"\[\]{},:\ufeff]+', re.DOTALL)
_BRACKETS = frozenset("[]{},")
#: Keys of an object around the records with values that describe the file.
_OF_THE_FILE = NO_TURN | {"description", "title", "info", "homepage", "citation", "next", "previous", "status", "msg"}
#: A line of an array without a record: a bracket, a comma, or blanks.
_BRACKET = r"^\s*[\[\]]?\s*,?\s*$"
_BESIDE = "text between or around the records, which is no record"
#: Maximum number of unread fields that are named in a shard.
_MOST_FIELDS = 1000


def _read(parts: Sequence[Records], *, turns_of: TurnsOf) -> Reading:
    (records,) = parts
    beside = "beside" in records.columns
    empty = of_the_file(records) if beside else records.select(pl.col("text").str.contains(_BRACKET)).to_series()
    records = records.with_columns(non_turns=empty.fill_null(value=False))
    filled = records.filter(~pl.col("non_turns"))
    columns: dict[str, list[object]] = {
        name: [] for name in ("record", "dialogue_id", "turn_index", "text", "reason", "message", SPEAKER)
    }
    unread: list[tuple[int, str]] = []
    names: set[str] = set()
    loose = filled["beside"].to_list() if beside else [False] * len(filled)
    for dialogue, (line, record) in enumerate(filled.select("record", "text").iter_rows()):
        turns = _turns(record, turns_of) if record is None or not loose[dialogue] else (Reason.LAYOUT, _BESIDE)
        fields = map(_printable, turns.unread) if isinstance(turns, Turns) else ()
        for field in fields:
            if field in names or len(names) < _MOST_FIELDS:
                names.add(field)
                unread.append((line, field))
        for row in _rows(turns):
            for name, value in zip(columns, (line, dialogue, *row), strict=True):
                columns[name].append(value)
    schema = {
        "record": pl.UInt32,
        "dialogue_id": pl.UInt32,
        "turn_index": pl.UInt32,
        "text": pl.String,
        "reason": pl.String,
    }
    rows = pl.DataFrame(columns, schema={**schema, "message": pl.String, SPEAKER: pl.String})
    non_turns = records.filter("non_turns")["record"]
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(non_turns,), unread=unread)


def of_the_file(records: Records) -> pl.Series:
    """Return a mask of the pieces that are beside the records and only describe the file."""
    rows = records.select("text", "beside").iter_rows()
    return pl.Series([beside and text is not None and _is_of_the_file(text) for text, beside in rows], dtype=pl.Boolean)


def _is_of_the_file(text: str) -> bool:
    """Return whether a piece has only keys with scalars, or lists of scalars, that are not turns."""
    tokens = _TOKENS.findall(text)
    index = 0
    while index < len(tokens):
        key = tokens[index]
        if key in _BRACKETS:
            index += 1
            continue
        if not key.startswith('"') or tokens[index + 1 : index + 2] != [":"]:
            return False
        values, index = _scalars(tokens, index + 2)
        letters = any(map(str.isalpha, "".join(value for value in values if value.startswith('"'))))
        if letters and normal(key) not in _OF_THE_FILE:
            return False
    return True


def _scalars(tokens: Sequence[str], at: int) -> tuple[list[str], int]:
    """Return the scalar at an index, or the scalars of a list there, and the index of the next token."""
    if tokens[at : at + 1] != ["["]:
        scalar = [token for token in tokens[at : at + 1] if token not in _BRACKETS and tokens[at + 1 : at + 2] != [":"]]
        return scalar, at + len(scalar)
    end = at + 1
    while end < len(tokens) and (tokens[end] == "," or tokens[end] not in _BRACKETS):
        end += 1
    if tokens[end : end + 1] != ["]"]:
        return [], at
    return [scalar for scalar in tokens[at + 1 : end] if scalar != ","], end + 1


def _turns(text: str | None, turns_of: TurnsOf) -> Sequence[str | None] | tuple[Reason, str]:
    """Return the turns of one record, or the reason and message of its rejection."""
    if text is None:
        return Reason.ENCODING, NOT_UTF8
    try:
        turns = _checked(turns_of(_value(text)), turns_of)
        "".join(turn or "" for turn in turns).encode("utf-8")
    except UnicodeEncodeError:
        return Reason.ENCODING, "a lone surrogate, which is no character"
    except RecordError as error:
        return Reason.LAYOUT, _printable(exception_text(error))  # it may quote a key with a lone surrogate
    except MemoryError:  # a failure of the process, not of the record
        raise
    except Exception as error:  # noqa: BLE001 any exception of a plugin's function rejects its record only
        return Reason.LAYOUT, _fault(error, turns_of)
    if not any(turn is not None for turn in turns):
        return Reason.EMPTY, "a dialogue without turns"
    return turns


def _value(text: str) -> object:
    """Return the JSON value of a record. Raises RecordError for invalid JSON."""
    try:
        return decode(text)
    except RecordError:
        raise
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not a JSON record: {error}") from error


def _checked(turns: object, function: TurnsOf) -> Sequence[str | None]:
    """Return the result of a function as turns. Raises RecordError unless it is a list of texts and None."""
    wrong = None if isinstance(turns, list | tuple) else turns
    if isinstance(turns, list | tuple):
        odd = [turn for turn in turns if not (turn is None or isinstance(turn, str))]
        if not odd:
            return turns if isinstance(turns, list) else list(turns)
        wrong = odd[0]
    raise RecordError(
        f"{type(wrong).__name__} given ({place_of(function)}), a list of texts expected of the function that reads a "
        "record"
    )


def _fault(error: Exception, function: TurnsOf) -> str:
    """Return an exception of a function as one line, with the line of the function's file that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(inspect.unwrap(function), "__code__", None)
    in_file = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    last = (in_file or list(frames))[-1]
    at = f" ({Path(last.filename).name}:{last.lineno}, in {last.name})"
    text = _printable(" ".join(exception_text(error).split())[:_LONGEST])
    return f"{type(error).__name__}{': ' if text else ''}{text}{at}"


def _rows(turns: Sequence[str | None] | tuple[Reason, str]) -> Iterator[tuple[int, *tuple[str | None, ...]]]:
    """Yield the rows (turn, text, reason, message, speaker) of one record."""
    if isinstance(turns, tuple):
        reason, fault = turns
        yield 0, None, str(reason), fault, None
        return
    speakers = turns.speakers if isinstance(turns, Turns) else ()
    for turn, utterance in enumerate(turns):
        if utterance is not None:
            yield turn, utterance, None, None, speakers[turn] if turn < len(speakers) else None


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def json_lines(turns_of: TurnsOf, *, certain: bool = False) -> Format:
    """Return the format with one JSON value per line; if `certain`, it accepts only files with a readable record."""
    return Format(
        read=partial(_read, turns_of=turns_of),
        accepts=lambda head: layout(head, turns_of) is None and (not certain or has_record(head, turns_of)),
    )


def json_array(turns_of: TurnsOf, *, certain: bool = False) -> Format:
    """Return the format of JSON in any layout except one record per line; `certain` is as in `json_lines`.

    The layout is an array, consecutive objects, lists under the keys of an object, or columns. Text between the records
    counts as a record; it is rejected unless it only describes the file. A file of columns is read as a whole, and its
    rows are numbered.
    """

    def dialect_of(head: bytes) -> str:
        return (layout(head, turns_of) or Nested(prefix="[")).dialect()

    def in_dialect(dialect: str) -> Format:
        nested = read_dialect(dialect)
        if nested.columns:
            return replace(plain, cut=None, split=_split_columns, count=lambda data: len(_rows_of_columns(data)))
        spans = partial(json_elements.elements, nested=nested)
        # Invisible characters may precede the bracket.
        root = next((mark for mark in nested.prefix if mark in json_elements.CLOSING), "")
        return replace(
            plain,
            cut=partial(json_elements.cut, nested=nested),
            split=partial(json_elements.split, nested=nested),
            count=lambda data: sum(1 for _ in spans(data)),
            fault_at_end=partial(json_elements.fault_at_end, closing=json_elements.CLOSING[root]) if root else None,
        )

    def accepts(head: bytes) -> bool:
        nested = layout(head, turns_of)
        return nested is not None and (not certain or nested.columns or has_record(head, turns_of))

    plain = Format(
        read=partial(_read, turns_of=turns_of),
        accepts=accepts,
        dialect_of=dialect_of,
        in_dialect=in_dialect,
    )
    return in_dialect(Nested(prefix="[").dialect())


def _rows_of_columns(data: bytes) -> list[bytes]:
    """Return the rows of a table by columns as JSON objects; an unreadable table is one record."""
    try:
        table = decode(data.decode("utf-8").removeprefix("\ufeff"))
        rows = list(rows_of(table)) if isinstance(table, dict) else []
        texts = [json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") for row in rows]
    except (ValueError, RecursionError):  # includes RecordError and errors of encoding
        texts = []
    return texts or [data][: len(data)]


def _split_columns(data: bytes, first: int) -> Records:
    return numbered(_rows_of_columns(data), first)
