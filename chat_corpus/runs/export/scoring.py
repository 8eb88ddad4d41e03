"""A step of an export with `relatedness`: score each record with a table that is learned from all pairs of its source.

The characters of pairs are counted when records are assembled (`assembling.count_pairs`). The pairs are those of the
usable turns, before filters of pairs and passes over pairs, so that a store and the raw corpora give the same scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from chat_corpus.errors import attributed
from chat_corpus.exports.exchanges import exchanges
from chat_corpus.exports.relatedness import RELATEDNESS, RELATEDNESS_TYPE
from chat_corpus.exports.splitting import canonical
from chat_corpus.files.atomic import write_blocks
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes import relatedness
from chat_corpus.runs.export.assembling import RecordsPart
from chat_corpus.runs.export.selection import PartRows
from chat_corpus.runs.export.workers import Workers


@dataclass(frozen=True, kw_only=True)
class ScoreTask:
    """A part with records to score by the PMI values in the file `table`."""

    part: RecordsPart
    table: Path

    def __str__(self) -> str:
        return f"{self.part.source}: relatedness of part {self.part.number}"


def score_source(parts: Sequence[RecordsPart], folder: Path, workers: Workers) -> None:
    """Write the scores of the records of a source for each part. `folder` is for a temporary file of 56 MB."""
    if not parts:
        return
    table = folder / f"{parts[0].source}.pmi"
    relatedness.pmi_table([part.characters for part in parts]).tofile(table)
    workers.map(write_scores, [ScoreTask(part=part, table=table) for part in parts])
    table.unlink()


def write_scores(task: ScoreTask) -> None:
    """Write the score of each record of a part: 32-bit floats, in the order of its records, NaN for none."""
    with attributed(str(task), task.part.folder):
        table = np.fromfile(task.table, np.int32)
        rows = exchanges(exact.read(task.part.records, "messages"))
        records = exact.read(task.part.records, "row").height
        answers = relatedness.scores(table, canonical(rows["query"]), canonical(rows["answer"]))
        is_scored = ~np.isnan(answers)
        record = rows["at"].to_numpy()[is_scored]
        counts = np.bincount(record, minlength=records)
        sums = np.bincount(record, answers[is_scored].astype(np.float64), minlength=records)
        means = np.full(records, np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        write_blocks(task.part.scores, means.astype(np.float32).tobytes())


def read_scores(rows: PartRows) -> pl.Series:
    """Return the scores of some records of a part, null for those without a score."""
    size = np.dtype(np.float32).itemsize
    scores = np.fromfile(rows.part.scores, np.float32, rows.count, offset=rows.first * size)
    return pl.Series(RELATEDNESS, scores, dtype=RELATEDNESS_TYPE).fill_nan(None)
