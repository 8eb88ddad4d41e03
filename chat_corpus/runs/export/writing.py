"""Third step of an export: the records of a split in their order as files, in every format, and the index of all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus.errors import DEFECT, LedgerError, attributed
from chat_corpus.exports import splitting
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.records import FORMATS, encode_ids
from chat_corpus.exports.splitting import HELD, SplitLimits
from chat_corpus.files.atomic import write_blocks
from chat_corpus.messages import Message, message
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart
from chat_corpus.runs.export.repeats import dropped_rows, ids_of, repeated_contents

#: Rows of a row group: small ones are read by the viewer of a dataset page.
_ROW_GROUP = 20_000
_KEYS = 1 << 64
#: Ending of the name of a format whose piece holds ids.
IDS = ".ids"
#: Why a record is in no file.
DUPLICATE = "duplicate"
#: Columns of the index: every record that was made, in the order of the store.
#:
#: id            null for a duplicate
#: split         train, validation or test; null for a record that is in none
#: reason        why it is in none: `duplicate` or `held` (its split has reached its cap); else null
#: same_as       of a duplicate, the id of the record that it equals
#: dialogue_id, file, record  its dialogue in the dialogue store, and the address of its first turn
INDEX = pl.Schema(
    {
        "id": pl.String(),
        "split": pl.String(),
        "reason": pl.String(),
        "same_as": pl.String(),
        "dialogue_id": pl.String(),
        "file": pl.String(),
        "record": pl.UInt32(),
    }
)


@dataclass(frozen=True, kw_only=True)
class WriteTask:
    """The `number`th of `files` files of a split of a source, each of which has an equal range of the order.

    Parquet goes below `folder`, pieces of other `formats` below `pieces`.
    """

    source: str
    split: str
    number: int
    files: int
    parts: tuple[RecordsPart, ...]
    limits: SplitLimits
    formats: tuple[str, ...]
    folder: Path
    pieces: Path

    def __str__(self) -> Message:
        return message("{source}: file {number} of {split}", source=self.source, number=self.number, split=self.split)

    @property
    def parquet(self) -> str:
        """The path of the Parquet file below the folder of the export."""
        return f"data/{self.source}/{self.split}-{self.number:05d}.parquet"

    def piece(self, format_: str) -> Path:
        """Where the rows in another format are, or in `format + IDS` their ids."""
        return self.pieces / f"{self.source}-{self.split}-{self.number:05d}.{format_}"


@dataclass(frozen=True, kw_only=True)
class Written:
    """Records of a file, size and SHA-256 of the Parquet file, and rows of the pieces by format."""

    rows: int
    bytes: int
    sha256: str
    pieces: dict[str, int]


def write_records(task: WriteTask) -> Written:
    """Write the records of a range. Raises ChatCorpusError, whatever goes wrong."""
    with attributed(str(task)):
        frames = list(_selected(task)) or [DIALOGUES.to_frame().with_columns(order=pl.lit(0, pl.UInt64))]
        frame = pl.concat(frames).sort("order", "id").drop("order")
    with attributed(str(task), task.folder):
        path = task.folder / task.parquet
        if frame.is_empty():
            return Written(rows=0, bytes=0, sha256="", pieces={})
        columns = frame.select("messages", "source", "id")
        columns.write_parquet(path, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP)
        rows = {name: _write_piece(task, name, frame) for name in task.formats}
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Written(rows=len(frame), bytes=path.stat().st_size, sha256=digest, pieces=rows)


def _selected(task: WriteTask) -> Iterator[pl.DataFrame]:
    """The records of the range in each part: `DIALOGUES` and `order`."""
    begin, end = (number * _KEYS // task.files for number in (task.number, task.number + 1))
    for part in task.parts:
        keys = exact.read(part.records, "row", "order", "group").with_row_index("at")
        repeated = repeated_contents(part)
        if len(repeated):  # their ids are not those of their contents, nor is their place in the order
            keys = keys.update(repeated.select("row", "order"), on="row")
        inside = keys["order"] >= begin
        inside &= keys["order"] < end if end < _KEYS else inside
        keys = keys.filter(inside)
        chosen = splitting.assign_split(keys["group"], task.limits) == task.split
        keys = keys.filter(chosen & ~keys["row"].is_in(dropped_rows(part).implode()))
        if keys.is_empty():
            continue
        yield _records(part, keys)


def _records(part: RecordsPart, keys: pl.DataFrame) -> pl.DataFrame:
    """Records of a part as `DIALOGUES` and `order`; `keys` has `at`, `row` and `order` of each."""
    first, last = keys["at"].min(), keys["at"].max()
    assert isinstance(first, int) and isinstance(last, int)  # noqa: S101, PT018 of a column of integers
    scan = pl.scan_ipc(part.records, glob=False).slice(first, last + 1 - first)
    frame = scan.select("messages", "content").collect()[keys["at"] - first]
    ids = ids_of(part, keys["row"], frame["content"])
    return frame.select("messages", id=ids, source=pl.lit(part.source), order=keys["order"]).select(*DIALOGUES, "order")


def _write_piece(task: WriteTask, name: str, frame: pl.DataFrame) -> int:
    """Write rows in a format, and their ids where they cannot carry them; returns how many rows there are."""
    format_ = FORMATS[name]
    data, rows = format_.encode(frame), format_.rows(frame)
    lines = data.count(b"\n")
    if lines != rows and format_.suffix != "csv":  # which may have line breaks in quotes
        fault = message(
            "{task}: rows expected in format {format}: {rows:,}, lines found: {lines:,}; {defect}",
            task=str(task),
            rows=rows,
            format=name,
            lines=lines,
            defect=DEFECT,
        )
        raise LedgerError(fault)
    write_blocks(task.piece(name), data)
    if not format_.carries_id:
        write_blocks(task.piece(name + IDS), encode_ids(frame, format_))
    return rows


@dataclass(frozen=True, kw_only=True)
class IndexTask:
    """The index of a part, to be written beside it."""

    part: RecordsPart
    limits: SplitLimits

    def __str__(self) -> Message:
        return message("{source}: index of part {number}", source=self.part.source, number=self.part.number)


def write_index(task: IndexTask) -> Counter[str]:
    """Write the index of a part. Returns how many of its records are in each split, held, and duplicates."""
    with attributed(str(task), task.part.folder):
        part = task.part
        columns = ("row", "content", "group", "dialogue_id", "file", "record")
        frame = pl.scan_ipc(part.records, glob=False).select(columns).collect().sort("row")
        split = splitting.assign_split(frame["group"], task.limits).cast(pl.String)
        frame = frame.with_columns(split=split, id=ids_of(part, frame["row"], frame["content"]))
        none = pl.DataFrame(schema={"row": pl.UInt32, "same_as": pl.String})
        duplicates = exact.read(part.duplicates) if part.duplicates.exists() else none
        frame = frame.join(duplicates, on="row", how="left", maintain_order="left")
        is_duplicate, is_held = pl.col("same_as").is_not_null(), pl.col("split") == HELD
        reason = pl.when(is_duplicate).then(pl.lit(DUPLICATE)).when(is_held).then(pl.lit(HELD))
        frame = frame.with_columns(reason=reason)
        counts = frame.select(pl.coalesce("reason", "split").value_counts()).unnest("reason")
        totals = Counter(dict(counts.iter_rows()))
        unused = pl.col("reason").is_not_null()
        index = frame.with_columns(
            split=pl.when(~unused).then("split"), id=pl.when(pl.col("same_as").is_null()).then("id")
        )
        index.select(pl.col(name).cast(dtype) for name, dtype in INDEX.items()).write_ipc(
            part.index, compression="uncompressed"
        )
    return totals
