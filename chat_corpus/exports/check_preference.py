"""Verify files of preferences: prompt and chosen answer must be those of the Parquet row with the same id.

The rejected answers are in no Parquet file, so only their form is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from chat_corpus.exports import special_tokens
from chat_corpus.exports.check_rules import Offence, has_records
from chat_corpus.exports.manifest import ExportFile
from chat_corpus.messages import Message, joined, message

_KEYS = ["prompt", "chosen", "rejected", "source", "id"]


def offences(folder: Path, file: ExportFile, data: Sequence[ExportFile]) -> Iterator[Offence]:
    """Yield the offences of a file of preferences; `data` are the Parquet files of its source and split."""
    number = 0
    known = _by_id(folder, file, data)
    with (folder / file.path).open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if fault := _fault(line, known):
                yield Offence(path=file.path, line=number, rule="record", message=fault)
    if number != file.rows:
        fault = message("{found:,} rows found, {expected:,} in the manifest", found=number, expected=file.rows or 0)
        yield Offence(path=file.path, rule="counts", message=fault)


def _by_id(folder: Path, file: ExportFile, data: Sequence[ExportFile]) -> dict[str, list[Any]]:
    """Return the messages of the records with an id that occurs in the file, by id."""
    try:
        with (folder / file.path).open("rb") as stream:
            named = pl.Series("id", [_id(line) for line in stream], dtype=pl.String)
        scans = [pl.scan_parquet(folder / one.path, glob=False) for one in data]
        frames = [scan for scan in scans if has_records(scan)]
        rows = [frame.filter(pl.col("id").is_in(named.unique().implode())).collect() for frame in frames]
    except (OSError, pl.exceptions.PolarsError):
        return {}  # reported for the Parquet file, and for every line of this one
    return {row["id"]: row["messages"] for frame in rows for row in frame.to_dicts()}


def _id(line: bytes) -> str | None:
    try:
        found = json.loads(line)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def _fault(line: bytes, known: dict[str, list[Any]]) -> Message | None:
    try:
        row = json.loads(line)
        rejected = row["rejected"]
        if list(row) != _KEYS or row["prompt"] + row["chosen"] != known.get(row["id"]) or len(row["chosen"]) != 1:
            return message("prompt and chosen are not the record of this id")
        (answer,) = rejected
        text = answer["content"]
        if list(answer.items()) != [("role", "assistant"), ("content", text)] or not text.strip():
            return message("rejected is not one message of the assistant")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return message("not a JSON object with the keys {keys}", keys=joined(", ", _KEYS))
    is_special = special_tokens.holds_special_token(pl.Series([text]))[0]
    return message("rejected holds a special token") if is_special else None
