"""The step of an export that holds back records of train that resemble an evaluation pair.

Evaluation pairs are those of validation and test, and of files that the user names. They are divided among several
indices, and each part of the records is compared with every index. The division does not affect which records are held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from chat_corpus.errors import attributed
from chat_corpus.exports import near_twins
from chat_corpus.exports.ordering import Counts, bucket_counts
from chat_corpus.exports.splits import SplitLimits
from chat_corpus.exports.twin_index import EVALUATION, TwinIndex, build_index
from chat_corpus.exports.twin_search import TWINS
from chat_corpus.files.atomic import write_blocks
from chat_corpus.json_lines import encode_json_lines
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.export.assembling import RecordsPart, leave
from chat_corpus.runs.export.evaluation_files import evaluation_pairs
from chat_corpus.runs.export.selection import load, selected, twin_rows
from chat_corpus.runs.export.workers import Workers

#: Records that are compared together.
_RECORDS = 20_000


@dataclass(frozen=True, kw_only=True)
class TwinTask:
    """A part: its records of train are compared with evaluation pairs, or its evaluation pairs are collected."""

    part: RecordsPart
    limits: SplitLimits
    indices: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return f"{self.part.source}: near twins in part {self.part.number}"


@dataclass(frozen=True, kw_only=True)
class TrainRecords:
    """Numbers of records of train in a part.

    held     records that resemble an evaluation pair
    rows     the remaining records
    buckets  the remaining records in each bucket of the order
    """

    held: int
    rows: int
    buckets: Counts


def hold_twins(
    workers: Workers, parts: Sequence[tuple[RecordsPart, SplitLimits]], files: Sequence[Path], folder: Path
) -> list[TrainRecords]:
    """Write for each part which of its records are held, and return what each part has left for train.

    `files` have further evaluation pairs. Indices are written below `folder`. Raises UsageError for a file that cannot
    be read.
    """
    tasks = [TwinTask(part=part, limits=limits) for part, limits in parts]
    workers.map(collect_evaluation, tasks)
    indices = tuple(_write_indices(_evaluation_frames([part for part, _ in parts], files), folder))
    return workers.map(hold_in_part, [TwinTask(part=part, limits=limits, indices=indices) for part, limits in parts])


def collect_evaluation(task: TwinTask) -> None:
    """Write the evaluation pairs of a part to a file of the part."""
    with attributed(str(task), task.part.folder):
        frames = [EVALUATION.to_frame()]
        for split in ("validation", "test"):
            if len(keys := selected(task.part, task.limits, split)):
                records = load(task.part, keys)
                pairs = near_twins.pair_texts(records["messages"])
                frames.append(pairs.select(id=records["id"][pairs["row"]], text="text"))
        leave(task.part.evaluation, pl.concat(frames))


def _evaluation_frames(parts: Sequence[RecordsPart], files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    for part in parts:
        yield exact.read(part.evaluation)
    for file in files:
        yield from evaluation_pairs(file)


def _write_indices(frames: Iterator[pl.DataFrame], folder: Path) -> Iterator[Path]:
    """Yield the paths of indices of evaluation pairs; each but the last has `near_twins.INDEX_PAIRS` pairs."""
    waiting: list[pl.DataFrame] = []
    for frame in frames:
        waiting.append(frame)
        while sum(map(len, waiting)) >= near_twins.INDEX_PAIRS:
            whole = pl.concat(waiting)
            yield _write_index(whole[: near_twins.INDEX_PAIRS], folder)
            waiting = [whole[near_twins.INDEX_PAIRS :]]
    if rest := [frame for frame in waiting if len(frame)]:
        yield _write_index(pl.concat(rest), folder)


def _write_index(evaluation: pl.DataFrame, folder: Path) -> Path:
    data = build_index(evaluation).encode()
    # The name is a hash of the content, so that a process that has cached an index by its path has the right one.
    path = folder / f"twins-{hashlib.sha256(data).hexdigest()}.npz"
    write_blocks(path, data)
    return path


@lru_cache(maxsize=1)
def _index(path: Path) -> TwinIndex:
    return TwinIndex.decode(path.read_bytes())


def hold_in_part(task: TwinTask) -> TrainRecords:
    """Write for a part which of its records of train are held, and return what is left."""
    with attributed(str(task), task.part.folder):
        keys = selected(task.part, task.limits, "train")
        found = [TWINS.to_frame()]
        for start in range(0, len(keys) if task.indices else 0, _RECORDS):
            some = keys[start : start + _RECORDS]
            pairs = near_twins.pair_texts(load(task.part, some)["messages"])
            twins = near_twins.best_twins([near_twins.find_in_pairs(_index(path), pairs) for path in task.indices])
            found.append(twins.with_columns(row=some["row"][twins["row"]]))
        held = pl.concat(found).sort("row")
        if len(held):
            leave(task.part.twins, held)
        left = keys["order"].filter(~keys["row"].is_in(held["row"].implode())).to_numpy().astype(np.uint64)
        return TrainRecords(held=len(held), rows=len(left), buckets=bucket_counts(left))


def held_records(part: RecordsPart) -> tuple[bytes, int]:
    """Return the held records of a part as JSON Lines, in the order of the store, and their number."""
    if not part.twins.exists():
        return b"", 0
    twins = twin_rows(part)
    keys = exact.read(part.records, "row", "order").with_row_index("at")
    keys = twins.join(keys, on="row", how="left", maintain_order="left")
    records = load(part, keys)
    frame = records.select("messages", "source", "id", resembles=keys["id"], similarity=keys["similarity"].round(4))
    return encode_json_lines(frame), len(frame)
