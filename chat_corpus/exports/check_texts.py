"""Verify files of text formats: they must have exactly the bytes that the Parquet rows of their split give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from chat_corpus.exports import check_preference
from chat_corpus.exports.check_rules import Offence, has_records
from chat_corpus.exports.manifest import ExportFile, ExportSummary
from chat_corpus.exports.preference import PREFERENCE
from chat_corpus.exports.records import FORMATS, RecordFormat, encode_ids
from chat_corpus.messages import Message, joined, message

#: The format of `<file>.ids.jsonl` in the manifest.
IDS = "ids"
_BATCH = 50_000


def offences(folder: Path, files: list[ExportFile], summary: ExportSummary) -> Iterator[Offence]:
    """Yield the offences of files of text formats, and one for each file that is missing from the manifest."""
    for file in files:
        format_ = FORMATS.get(file.path.partition("/")[0])
        if file.format == PREFERENCE:
            data = [one for one in summary.data_files(file.source) if one.split == file.split]
            yield from check_preference.offences(folder, file, data)
        elif format_ is None:
            fault = message("no format is called '{name}'", name=file.format)
            yield Offence(path=file.path, rule="files", message=fault)
        else:
            data = [one for one in summary.data_files(file.source) if one.split == file.split]
            yield from _file(folder, file, format_, data)
    there = {one.path for one in summary.files}
    for path in sorted(_expected(summary) - there):
        yield Offence(path=path, rule="files", message=message("missing, and not in the manifest"))


def _expected(summary: ExportSummary) -> set[str]:
    """Return the paths of all files of text formats that an export must have."""
    found = set()
    for name in (one for one in summary.formats if one != PREFERENCE):  # sources without wrong answers have none
        for folder in summary.folders:
            for split in summary.splits(folder):
                path = f"{name}/{folder}/{split}.{FORMATS[name].suffix}"
                found |= {path} if FORMATS[name].carries_id else {path, f"{path}.ids.jsonl"}
    return found


def _file(folder: Path, file: ExportFile, format_: RecordFormat, data: list[ExportFile]) -> Iterator[Offence]:
    is_ids = file.format == IDS
    line, rows = 1, 0
    with (folder / file.path).open("rb") as stream:
        for expected, count in _content(folder, data, format_, is_ids=is_ids):
            found = stream.read(len(expected))
            if found != expected:
                # Read the rest of the last line, so that whole lines are compared.
                found += stream.readline() if not found.endswith(b"\n") else b""
                yield from _differences(file, line, found, expected)
                return
            line += expected.count(b"\n")
            rows += count
        if stream.read(1):
            fault = message("more lines than there are records")
            yield Offence(path=file.path, line=line, rule="counts", message=fault)
    if rows != file.rows:
        fault = message("{found:,} rows found, {expected:,} in the manifest", found=rows, expected=file.rows or 0)
        yield Offence(path=file.path, rule="counts", message=fault)


def _content(
    folder: Path, data: list[ExportFile], format_: RecordFormat, *, is_ids: bool
) -> Iterator[tuple[bytes, int]]:
    """Yield the expected content of a file in pieces, each with its number of rows."""
    if format_.header and not is_ids:
        yield format_.header, 0
    between = b""
    for file in data:
        try:
            lazy, start = pl.scan_parquet(folder / file.path, glob=False), 0
            if not has_records(lazy):
                return
            while len(frame := lazy.slice(start, _BATCH).collect()):
                made = encode_ids(frame, format_) if is_ids else between + format_.encode(frame)
                yield made, format_.rows(frame)
                between = format_.separator
                start += len(frame)
        except (OSError, pl.exceptions.PolarsError):
            return  # reported for the Parquet file


def _differences(file: ExportFile, first: int, found: bytes, expected: bytes) -> Iterator[Offence]:
    """Yield an offence for each line that differs from the expected one, which all lines after a missing one do too."""
    ours, theirs = expected.split(b"\n"), found.split(b"\n")
    for number, (right, line) in enumerate(zip(ours, theirs, strict=False), first):
        if right != line:
            yield Offence(path=file.path, line=number, rule=_rule(line), message=_message(line, right))
    if len(theirs) < len(ours):
        fault = message("the file ends here, but there are more records")
        yield Offence(path=file.path, line=first + len(theirs) - 1, rule="counts", message=fault)


def _rule(line: bytes) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "R6"
    return "R6" if text.startswith("\N{BYTE ORDER MARK}") or text.endswith("\r") else "record"


def _message(found: bytes, expected: bytes) -> Message:
    try:
        expected_row, found_row = json.loads(expected), json.loads(found)
    except (ValueError, RecursionError):
        return message("not what its Parquet row gives, or not in this format")
    if isinstance(found_row, dict) and list(found_row) != list(expected_row):
        return message(
            "keys {found} found, {expected} expected",
            found=joined(", ", found_row),
            expected=joined(", ", expected_row),
        )
    return message("not what its Parquet row gives")
