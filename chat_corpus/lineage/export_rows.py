"""Rows of export files: read a row and its id, and check that it was not changed after the export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.manifest import ExportFile
from chat_corpus.exports.preference import PREFERENCE, REJECTED, REJECTED_TYPE
from chat_corpus.exports.records import FORMATS, RecordFormat
from chat_corpus.lineage.export_trace import TracedRecord
from chat_corpus.lineage.open_export import AGAIN, OpenExport
from chat_corpus.messages import beginning, error_text, message

_CSV = "csv"
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedRow:
    """A row of a data file of an export.

    row      number of the row in the file, from 1
    id       id of the record that the row belongs to
    content  the row as bytes: fields of a CSV file as a JSON list, a Parquet row as a line of the format `messages`
    number   index of the row among the rows of its record, from 0; always 0 for formats with ids in their records
    """

    path: Path
    row: int
    format: str
    id: str
    content: bytes
    number: int


def read_row(export: OpenExport, path: Path, row: int) -> ExportedRow:
    """Return a row of a data file by its number, from 1; a header is not counted.

    Raises UsageError if the file is not a data file of the export, or has no such row. Raises ChatCorpusError if the
    row cannot be read.
    """
    name = path.absolute().relative_to(export.folder.absolute()).as_posix()
    file = next((one for one in export.summary.files if one.path == name and one.split), None)
    if file is None:
        raise UsageError(message("{file}: not a data file of the export in {folder}", file=path, folder=export.folder))
    if not 1 <= row <= (file.rows or 0):
        raise UsageError(
            message("{file}:{row}: no such row; there are {rows:,}", file=path, row=row, rows=file.rows or 0)
        )
    try:
        content, ids = _content(path, file, row)
        return ExportedRow(path=path, row=row, format=file.format, id=ids[-1], content=content, number=len(ids) - 1)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, csv.Error, pl.exceptions.PolarsError) as error:
        fault = message(
            "{file}:{row}: cannot be read: {error}; {advice}", file=path, row=row, error=error_text(error), advice=AGAIN
        )
        raise ChatCorpusError(fault) from error


def check_row(row: ExportedRow, traced: TracedRecord) -> None:
    """Raise ChatCorpusError if a row differs from what its record gives.

    A row of the format `preference` may equal any row of its record, because its index among them is not known.
    """
    expected = _rows_of(traced, row.format)
    at = expected[row.number : row.number + 1]
    if row.content in (expected if row.format == PREFERENCE else at):
        return
    raise ChatCorpusError(
        message(
            "{file}:{row}: found {found}, but {expected} was exported; the file was edited after the export: run "
            "chat-corpus check-export, and export again",
            file=row.path,
            row=row.row,
            found=beginning(row.content.decode("utf-8", "replace")),
            expected=beginning((at or expected or [b""])[0].decode()),
        )
    )


def _content(path: Path, file: ExportFile, row: int) -> tuple[bytes, list[str]]:
    """Return the content of a row, in the form of `_rows_of`, and the ids of the rows of its record up to this row.

    Formats with ids in their records give only the id of this row.
    """
    if file.format == "hf":
        frame = pl.scan_parquet(path, glob=False).slice(row - 1, 1).collect()
        return _as_messages(frame), [str(frame["id"].item())]
    if file.format == _CSV:
        return _csv_row(path, row)
    with path.open("rb") as stream:
        if file.format == "ids":
            line = _line(stream, row)
            return line, [str(json.loads(line)["id"])]
        format_ = FORMATS[file.format]
        content = _line(stream, row) if format_.row_end == b"\n" else _part(stream, format_.row_end or b"", row)
    if format_.carries_id:
        record = json.loads(content)
        return content, [str(record["id"] if "id" in record else record["conversation_id"])]  # name in Firefly
    with path.with_name(f"{path.name}.ids.jsonl").open("rb") as beside:
        return content, _ids_up_to(beside, row)


def _line(stream: BinaryIO, row: int) -> bytes:
    return next(islice(stream, row - 1, None)).removesuffix(b"\n")


def _part(stream: BinaryIO, end: bytes, row: int) -> bytes:
    """Return a row by its number, from 1, in a stream of rows that `end` separates. Raises IndexError if missing."""
    rest = b""
    for block in iter(lambda: stream.read(_BLOCK), b""):
        parts = (rest + block).split(end)
        if row < len(parts):
            return parts[row - 1]
        row, rest = row - len(parts) + 1, parts[-1]
    return [rest][row - 1]


def _ids_up_to(stream: BinaryIO, row: int) -> list[str]:
    """Return the ids of the rows up to row `row` that are of the same record; the rows of a record are consecutive."""
    ids: list[str] = []
    for line in islice(stream, row):
        name = str(json.loads(line)["id"])
        ids = [*ids, name] if ids[-1:] == [name] else [name]
    return ids


def _csv_row(path: Path, row: int) -> tuple[bytes, list[str]]:
    ids: list[str] = []
    fields: list[str] = []
    with path.open(encoding="utf-8", newline="") as stream:
        for fields in islice(csv.reader(stream), 1, row + 1):
            ids = [*ids, fields[3]] if ids[-1:] == [fields[3]] else [fields[3]]
    return json.dumps(fields, ensure_ascii=False).encode(), ids


def _rows_of(traced: TracedRecord, name: str) -> list[bytes]:
    """Return the rows of a record in a format, as `ExportedRow.content`."""
    messages = [{"role": one.role, "content": one.content} for one in traced.messages]
    frame = pl.DataFrame(
        {"messages": [messages], "source": [traced.source], "id": [traced.id], REJECTED: [list(traced.rejected)]},
        schema={**{key: DIALOGUES[key] for key in ("messages", "source", "id")}, REJECTED: REJECTED_TYPE},
    )
    if name == "hf":
        return [_as_messages(frame)]
    if name == "ids":
        return [json.dumps({"id": traced.id, "source": traced.source}, separators=(",", ":")).encode()]
    return list(_split(FORMATS[name], FORMATS[name].encode(frame)))


def _split(format_: RecordFormat, data: bytes) -> Iterator[bytes]:
    if format_.name == _CSV:
        for fields in csv.reader(io.StringIO(data.decode(), newline="")):
            yield json.dumps(fields, ensure_ascii=False).encode()
    elif format_.separator:
        yield data
    else:
        yield from data.removesuffix(b"\n").split(b"\n")


def _as_messages(frame: pl.DataFrame) -> bytes:
    return FORMATS["messages"].encode(frame).removesuffix(b"\n")
