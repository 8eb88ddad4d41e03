"""Benchmarks and earlier test splits: files of pairs that the training data must not resemble.

The files may be JSON Lines, JSON arrays, TSV, CSV and Parquet. Readable are the field names that are known from corpora
(`formats.instructions`, `formats.field_names`), and all formats that an export writes as JSON.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import polars as pl

from chat_corpus.errors import UsageError
from chat_corpus.exports.near_twins import PAIR_SEPARATOR
from chat_corpus.exports.splitting import canonical
from chat_corpus.exports.twin_index import EVALUATION
from chat_corpus.formats.base import RecordError
from chat_corpus.formats.field_names import columns
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.messages import joined, message

#: Pairs in one frame, and rows of a Parquet file that are read at once.
BATCH_ROWS = 20_000
_SUFFIXES = (".jsonl", ".ndjson", ".json", ".tsv", ".csv", ".parquet")


def evaluation_pairs(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the pairs of a file in frames with the columns `EVALUATION`; ids are `<file name>:<row>`, rows are from 1.

    Raises UsageError if a file cannot be read or has no rows, or if a row has no pair of texts.
    """
    rows = ((f"{path.name}:{number}", *pair) for number, pair in _pairs(path))
    while batch := list(islice(rows, BATCH_ROWS)):
        frame = pl.DataFrame(batch, {"id": pl.String, "query": pl.String, "answer": pl.String}, orient="row")
        text = canonical(frame["query"]) + PAIR_SEPARATOR + canonical(frame["answer"])
        yield frame.select("id", text=text).select(*EVALUATION)


def check_files(paths: Iterable[str]) -> None:
    """Raise UsageError for a file that is missing, has an unknown suffix, cannot be read or has no rows.

    Also raises UsageError for a file that has a row without a pair of texts.
    """
    for path in map(Path, paths):
        if not path.is_file():
            raise UsageError(message("--decontaminate {path}: no such file", path=path))
        if path.suffix.lower() not in _SUFFIXES:
            raise UsageError(
                message(
                    "--decontaminate {path}: cannot tell the format; a suffix of {suffixes} is needed",
                    path=path, suffixes=joined(", ", _SUFFIXES),
                )
            )  # fmt: skip
        for _ in _pairs(path):
            pass


def _pairs(path: Path) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield the number of the row, from 1, and the texts of each pair. Raises the errors of `evaluation_pairs`."""
    number = 0
    try:
        for number, record in enumerate(_records(path), 1):
            pairs = list(_pairs_of(record))
            if not pairs:
                raise RecordError("no question with an answer")
            for pair in pairs:
                yield number, pair
    except RecordError as error:
        raise UsageError(
            message("--decontaminate {path}: row {number}: {fault}", path=path, number=number, fault=str(error))
        ) from error
    except (OSError, ValueError, RecursionError, csv.Error, pl.exceptions.PolarsError) as error:
        fault = str(error).splitlines()[0]
        raise UsageError(
            message(
                "--decontaminate {path}: after row {number}: cannot be read: {fault}",
                path=path, number=number, fault=fault,
            )
        ) from error  # fmt: skip
    if not number:
        raise UsageError(message("--decontaminate {path}: no rows", path=path))


def _records(path: Path) -> Iterator[object]:
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        for start in range(0, pl.scan_parquet(path, glob=False).select(pl.len()).collect().item(), BATCH_ROWS):
            yield from pl.scan_parquet(path, glob=False).slice(start, BATCH_ROWS).collect().iter_rows(named=True)
        return
    with path.open(encoding="utf-8-sig", newline="" if suffix == ".csv" else "\n") as stream:
        if suffix == ".json" and stream.read(1) == "[":
            stream.seek(0)
            yield from json.load(stream)
            return
        stream.seek(0)
        if suffix == ".csv":
            yield from csv.DictReader(stream)
        elif suffix == ".tsv":
            yield from _lines_of_fields(stream)
        else:
            yield from (json.loads(line) for line in stream if line.strip())


def _lines_of_fields(lines: Iterable[str]) -> Iterator[object]:
    """Yield the fields of each line: a dict if the first line is a header with question and answer, else a list."""
    head: list[str] | None = None
    for number, line in enumerate(lines):
        fields = line.rstrip("\r\n").split("\t")
        if not number and columns(fields):
            head = fields
        elif head is not None:
            row: dict[str | None, object] = {**dict(zip(head, fields, strict=False))}
            if len(fields) > len(head):
                row[None] = fields[len(head) :]
            yield row
        else:
            yield fields


def _pairs_of(record: object) -> Iterator[tuple[str, str]]:
    turns = _turns(record)
    for query, answer in zip(turns[::2], turns[1::2], strict=False):
        if query and answer and query.strip() and answer.strip():
            yield query, answer


def _turns(record: object) -> list[str | None]:
    """Return the questions and answers of a record, alternately. Raises RecordError if it cannot be read."""
    if isinstance(record, list) and len(record) == 2 and all(isinstance(one, str) for one in record):
        return list(record)
    if isinstance(record, Mapping):
        if None in record:  # fields without a column: `csv` puts them under None
            raise RecordError("more fields than the first line has")
        prompt, completion = record.get("prompt"), record.get("completion")
        if isinstance(prompt, list) and isinstance(completion, list):  # TRL
            return _turns({"messages": [*prompt, *completion]})
        dialog, conversation = record.get("dialog"), record.get("conversation")
        if isinstance(dialog, list) and dialog and isinstance(dialog[0], list):  # ParlAI
            return [_text(act, "text") for pair in dialog for act in pair]
        if isinstance(conversation, list) and all(isinstance(one, Mapping) and "human" in one for one in conversation):
            return [_text(one, key) for one in conversation for key in ("human", "assistant")]  # Firefly
    try:
        return list(instruction_turns(record))
    except RecordError:
        names = list(map(str, record)) if isinstance(record, Mapping) else []
        found = columns(names)  # names of columns in tables
        if not isinstance(record, Mapping) or not found or not all(isinstance(record[names[at]], str) for at in found):
            raise
        return [record[names[at]] for at in found]


def _text(record: object, key: str) -> str:
    """Return the text under a key. Raises RecordError if there is none."""
    text = record.get(key) if isinstance(record, Mapping) else None
    if not isinstance(text, str):
        raise RecordError(f"a text under '{key}' expected")
    return text
