"""Files of text formats must hold, byte for byte, what the Parquet rows of their source and split give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from chat_corpus.exports.check_rules import PARQUET, Offence, wrong_rows
from chat_corpus.exports.manifest import MANIFEST, ExportFile, ExportSummary
from chat_corpus.exports.records import FORMATS, RecordFormat, encode_ids
from chat_corpus.messages import Message, message

#: The format of `<file>.ids.jsonl` in the manifest.
IDS = "ids"
_BATCH = 50_000


def offences(folder: Path, files: list[ExportFile], summary: ExportSummary) -> Iterator[Offence]:
    """Yield the offences of files of text formats, and the text files that are missing."""
    for file in files:
        format_ = FORMATS.get(file.path.partition("/")[0])
        if format_ is None:
            text = message("no format is named '{format}'", format=file.format)
            yield Offence(path=file.path, rule="files", message=text)
        else:
            data = [entry for entry in summary.data_files(file.source) if entry.split == file.split]
            yield from _file(folder, file, format_, data)
    listed = {file.path for file in summary.files}
    for path in sorted(_expected(summary) - listed):
        yield Offence(path=path, rule="files", message=message("missing, and not in {manifest}", manifest=MANIFEST))


def _expected(summary: ExportSummary) -> set[str]:
    """The paths of all files of text formats that an export has."""
    paths = set()
    for name in summary.formats:
        for source in summary.written_sources:
            for split in summary.splits(source.name):
                path = f"{name}/{source.name}/{split}.{FORMATS[name].suffix}"
                paths |= {path} if FORMATS[name].carries_id else {path, f"{path}.ids.jsonl"}
    return paths


def _file(folder: Path, file: ExportFile, format_: RecordFormat, data: list[ExportFile]) -> Iterator[Offence]:
    is_ids = file.format == IDS
    line, rows = 1, 0
    with (folder / file.path).open("rb") as stream:
        for expected, count in _content(folder, data, format_, is_ids=is_ids):
            actual = stream.read(len(expected))
            if actual != expected:
                # The rest of the last line, so that whole lines are compared.
                actual += stream.readline() if not actual.endswith(b"\n") else b""
                yield from _differences(file, line, actual, expected)
                return
            line += expected.count(b"\n")
            rows += count
        if stream.read(1):
            text = message("more lines than records")
            yield Offence(path=file.path, line=line, rule="counts", message=text)
    if rows != file.rows:
        yield Offence(path=file.path, rule="counts", message=wrong_rows(rows, file))


def _content(
    folder: Path, data: list[ExportFile], format_: RecordFormat, *, is_ids: bool
) -> Iterator[tuple[bytes, int]]:
    """The expected bytes of a file, piece by piece, and the number of rows of each piece."""
    if format_.header and not is_ids:
        yield format_.header, 0
    for file in data:
        try:
            if pl.read_parquet_schema(folder / file.path) != PARQUET:
                return
            lazy, start = pl.scan_parquet(folder / file.path, glob=False), 0
            while len(frame := lazy.slice(start, _BATCH).collect()):
                yield (encode_ids(frame, format_) if is_ids else format_.encode(frame)), format_.rows(frame)
                start += len(frame)
        except (OSError, pl.exceptions.PolarsError):
            return  # this is an offence of the Parquet file


def _differences(file: ExportFile, first: int, actual: bytes, expected: bytes) -> Iterator[Offence]:
    """Each line that differs from the expected one; after a missing line, all differ."""
    expected_lines, lines = expected.split(b"\n"), actual.split(b"\n")
    for number, (right, line) in enumerate(zip(expected_lines, lines, strict=False), first):
        if right != line:
            yield Offence(path=file.path, line=number, rule=_rule(line), message=_fault(line, right))
    if len(lines) < len(expected_lines):
        text = message("the file ends here, but there are more records")
        yield Offence(path=file.path, line=first + len(lines) - 1, rule="counts", message=text)


def _rule(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "R6"
    return "R6" if text.startswith("\N{BYTE ORDER MARK}") or text.endswith("\r") else "record"


def _fault(line: bytes, expected: bytes) -> Message:
    try:
        right, value = json.loads(expected), json.loads(line)
    except ValueError:
        return message("differs from its Parquet row, or is not in this format")
    if isinstance(value, dict) and list(value) != list(right):
        return message("keys found: {found}; expected: {expected}", found=", ".join(value), expected=", ".join(right))
    return message("differs from its Parquet row")
