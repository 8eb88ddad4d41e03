"""Third step of an export: write the index of all records, and the records of each split in order, in every format."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from chat_corpus.errors import DEFECT, LedgerError, attributed
from chat_corpus.exports import splits, splitting
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.mixing import MixPlan
from chat_corpus.exports.ordering import KEYS
from chat_corpus.exports.preference import REJECTED, REJECTED_TYPE
from chat_corpus.exports.records import FORMATS, PARQUET_COLUMNS, encode_ids
from chat_corpus.exports.relatedness import RELATEDNESS, RELATEDNESS_TYPE
from chat_corpus.exports.splits import SplitLimits
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.files.atomic import write_blocks
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart, compacted, leave
from chat_corpus.runs.export.scoring import read_scores
from chat_corpus.runs.export.selection import PartRows, twin_rows

#: Columns of records that are loaded: `rejected` are texts of responses that the source labels as wrong.
LOADED = pl.Schema(
    {"messages": DIALOGUES["messages"], REJECTED: REJECTED_TYPE, "order": pl.UInt64(), "source": pl.String()}
)
SCORED = pl.Schema({**LOADED, RELATEDNESS: RELATEDNESS_TYPE})
#: Rows of a row group, few enough for the viewer of a dataset page.
_ROW_GROUP = 20_000
#: Suffix of the name of a format, for the piece with the ids of its rows.
IDS = ".ids"
#: Why a record is in no split: it equals an earlier record, its split has reached its cap, it resembles an evaluation
#: pair, or it does not fit the mix.
DROPPED = DUPLICATE, HELD_CAP, HELD_TWIN, HELD_MIX = "duplicate", "held_cap", "held_twin", "held_mix"
#: Columns of the index: every record that was made, in the order of the store.
#:
#: id            null for a duplicate
#: split         train, validation or test; null for a record that is in none
#: reason        why it is in none: `duplicate`, `held_cap`, `held_twin` or `held_mix`; else null
#: same_as       for a duplicate, the id of the record that it equals
#: resembles     for a record that is held as a near twin, the id of the evaluation record, or `<file>:<row>`
#: dialogue_id, file, record  its dialogue in the dialogue store, and the address of its first turn
INDEX = pl.Schema(
    {
        "id": pl.String(),
        "split": pl.String(),
        "reason": pl.String(),
        "same_as": pl.String(),
        "resembles": pl.String(),
        "dialogue_id": pl.String(),
        "file": pl.String(),
        "record": pl.UInt32(),
    }
)


@dataclass(frozen=True, kw_only=True)
class WriteTask:
    """The `number`th file of a split of a source, or of all sources together (`mixed`).

    Its records are those of the split in some `rows` of parts. They are sorted by their keys, or, if there is a `plan`,
    they are the records from row `first` up to `last` of a mix. Parquet goes below `folder`, pieces of other `formats`
    below `pieces`. `relatedness` is whether Parquet has this column.
    """

    name: str
    split: str
    number: int
    rows: tuple[PartRows, ...]
    formats: tuple[str, ...]
    relatedness: bool
    folder: Path
    pieces: Path
    plan: MixPlan | None = None
    first: int = 0
    last: int = 0

    def __str__(self) -> str:
        return f"{self.name}: file {self.number} of {self.split}"

    @property
    def schema(self) -> pl.Schema:
        """The columns of records that are loaded."""
        return SCORED if self.relatedness else LOADED

    @property
    def scores(self) -> tuple[str, ...]:
        """The name of the column of scores, or nothing without scores."""
        return (RELATEDNESS,) if self.relatedness else ()

    @property
    def parquet(self) -> str:
        """The path of the Parquet file below the folder of the export."""
        return f"data/{self.name}/{self.split}-{self.number:05d}.parquet"

    def piece(self, format_: str) -> Path:
        """Return the path of the piece with the rows in a format, or with their ids if `format_` ends with `IDS`."""
        return self.pieces / f"{self.name}-{self.split}-{self.number:05d}.{format_}"


@dataclass(frozen=True, kw_only=True)
class Written:
    """Records of a file by source, size and SHA-256 of the Parquet file, and rows of the pieces by format."""

    sources: dict[str, int]
    bytes: int
    sha256: str
    pieces: dict[str, int]

    @property
    def rows(self) -> int:
        """Records of all sources."""
        return sum(self.sources.values())


def write_records(task: WriteTask) -> Written:
    """Write the files of a task, or nothing if it has no records. Raises ChatCorpusError for any failure."""
    with attributed(str(task)):
        frame = _arranged(task, pl.concat([task.schema.to_frame(), *_loaded(task)], rechunk=True))
    with attributed(str(task), task.folder):
        path = task.folder / task.parquet
        if frame.is_empty():
            return Written(sources={}, bytes=0, sha256="", pieces={})
        columns = frame.select(*PARQUET_COLUMNS, *task.scores)
        columns.write_parquet(path, compression="zstd", compression_level=1, row_group_size=_ROW_GROUP)
        rows = {name: _write_piece(task, name, frame) for name in task.formats}
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        sources = dict(frame["source"].value_counts().iter_rows())
        return Written(sources=sources, bytes=path.stat().st_size, sha256=digest, pieces=rows)


def _loaded(task: WriteTask) -> Iterator[pl.DataFrame]:
    """Yield the records of the split in each of the parts: the columns of `task.schema`."""
    number = SPLITS.index(task.split)
    for rows in task.rows:
        splits = np.fromfile(rows.part.splits, np.uint8, rows.count, offset=rows.first)
        chosen = splits == number
        if chosen.any():
            frame = rows.read("messages", REJECTED, "order")
            frame = frame.with_columns(read_scores(rows)) if task.relatedness else frame
            frame = frame if chosen.all() else frame.filter(pl.Series(chosen))
            frame = compacted(frame) if 2 * len(frame) < rows.count else frame  # as for validation and test
            yield frame.with_columns(source=pl.lit(rows.part.source)).select(*task.schema)


def _arranged(task: WriteTask, frame: pl.DataFrame) -> pl.DataFrame:
    """Return records in the order of their file, with ids. Raises LedgerError if they are not those of the plan."""
    # Only keys are sorted and joined: messages are copied once.
    keys = frame.select("source", "order").with_row_index("at").sort("order", maintain_order=True)
    if (keys["order"] == keys["order"].shift(1)).any():  # the same contents in several sources
        keys = keys.with_columns(id=splitting.record_ids(keys["source"], keys["order"])).sort("order", "id").drop("id")
    if task.plan is not None:
        rank = pl.int_range(pl.len(), dtype=pl.UInt32).over("source").alias("rank")
        places = pl.DataFrame({"source": task.plan.sources(task.first, task.last)}, schema={"source": pl.String})
        found = places.with_columns(rank).join(
            keys.with_columns(rank), on=("source", "rank"), how="inner", maintain_order="left"
        )
        if not len(found) == len(frame) == len(places):
            raise LedgerError(f"{task}: {len(places)} records planned, {len(frame)} found; {DEFECT}")
        keys = found
    ids = splitting.record_ids(keys["source"], keys["order"])
    return frame.select("messages", REJECTED, *task.scores)[keys["at"]].with_columns(keys["source"], ids.alias("id"))


def _write_piece(task: WriteTask, name: str, frame: pl.DataFrame) -> int:
    """Write rows in a format, and their ids to a separate piece if the format has no ids. Return the number of rows.

    Raises LedgerError if the format gives a different number of rows.
    """
    format_ = FORMATS[name]
    data, rows = format_.encode(frame), format_.rows(frame)
    made = format_.rows_in(data)
    if made not in (rows, None):
        raise LedgerError(f"{task}: {rows} rows to write as {name}, {made} made; {DEFECT}")
    write_blocks(task.piece(name), data)
    if not format_.carries_id:
        write_blocks(task.piece(name + IDS), encode_ids(frame, format_))
    return rows


@dataclass(frozen=True, kw_only=True)
class IndexTask:
    """A part with an index to write.

    Records of train with an order key of `train_end` or higher do not fit the mix.
    """

    part: RecordsPart
    limits: SplitLimits
    train_end: int = KEYS

    def __str__(self) -> str:
        return f"{self.part.source}: index of part {self.part.number}"


def write_index(task: IndexTask) -> Counter[str]:
    """Write the index of a part, and the splits of its records to a separate file.

    Return the number of records by split, and by the reason for which records are in no split.
    """
    with attributed(str(task), task.part.folder):
        part = task.part
        frame = exact.read(part.records, "row", "order", "group", "dialogue_id", "file", "record")
        frame = frame.with_columns(split=splits.assign_split(frame["group"], task.limits))
        none = pl.DataFrame(schema={"row": pl.UInt32, "same_as": pl.String})
        duplicates = exact.read(part.duplicates) if part.duplicates.exists() else none
        frame = frame.join(duplicates, on="row", how="left", maintain_order="left")
        twins = twin_rows(part).select("row", resembles="id")
        frame = frame.join(twins, on="row", how="left", maintain_order="left")
        frame = frame.with_columns(reason=_reason(frame, task.train_end))
        counts = frame.select(pl.coalesce("reason", "split").value_counts()).unnest("reason")
        found = Counter(dict(counts.iter_rows()))
        unused = pl.col("reason").is_not_null()
        frame = frame.with_columns(split=pl.when(~unused).then("split"))
        write_blocks(part.splits, _split_numbers(frame["split"]))
        frame = frame.sort("row")
        frame = frame.with_columns(id=splitting.record_ids(part.source, frame["order"]))
        index = frame.with_columns(id=pl.when(pl.col("same_as").is_null()).then("id"))
        leave(part.index, index.select(pl.col(name).cast(dtype) for name, dtype in INDEX.items()))
    return found


def _split_numbers(splits: pl.Series) -> bytes:
    """Return a byte for each record: the number of its split in `SPLITS`, or 255 for none."""
    numbers = {name: number for number, name in enumerate(SPLITS)}
    of_rows = splits.replace_strict(numbers, default=255, return_dtype=pl.UInt8)
    return of_rows.fill_null(255).to_numpy().tobytes()


def _reason(frame: pl.DataFrame, train_end: int) -> pl.Series:
    """Return why each record is in no split; null if it is in a split."""
    beyond = (frame["order"] >= train_end) & (frame["split"] == "train") if train_end < KEYS else pl.lit(value=False)
    marks = (
        (DUPLICATE, pl.col("same_as").is_not_null()),
        (HELD_CAP, pl.col("split") == splits.HELD),
        (HELD_TWIN, pl.col("resembles").is_not_null()),
        (HELD_MIX, beyond),
    )
    reason = pl.coalesce(*(pl.when(mark).then(pl.lit(name)) for name, mark in marks))
    return frame.select(reason.alias("reason")).to_series()
