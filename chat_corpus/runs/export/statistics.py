"""Write statistics.json of an export: statistics by source and split, and the full statistics of each source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus.exports import manifest, tsv
from chat_corpus.exports.manifest import ExportFile, ExportSummary
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.runs.export.job import ExportJob
from chat_corpus.runs.export.workers import Workers
from chat_corpus.statistics import tally
from chat_corpus.statistics.conversions import ConversionTally
from chat_corpus.statistics.full import full_statistics_of
from chat_corpus.statistics.schema import STATISTICS_VERSION, ExportStatistics, encode
from chat_corpus.statistics.summary import summarize
from chat_corpus.statistics.texts import count_texts, tally_of_lengths

#: Records that are read at once.
_ROWS = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class TallyTask:
    """A Parquet file of an export with records to count."""

    path: Path


def add_statistics(
    job: ExportJob, workers: Workers, summary: ExportSummary, conversions: ConversionTally
) -> ExportFile:
    """Write statistics.json below the files of an export, and return its entry for the manifest.

    `conversions` are those of the turns that records were made from. Raises OSError, and ChatCorpusError if a worker
    fails.
    """
    files = [file for file in summary.files if file.format == "hf"]
    counted = workers.map(tally_records, [TallyTask(path=job.files / file.path) for file in files])
    sums: dict[str, dict[str, tally.Sum]] = {}
    for file, tallies in zip(files, counted, strict=True):
        for source, frame in tallies.items():
            sums.setdefault(source, {}).setdefault(str(file.split), tally.Sum()).add(frame)
    scratch = job.parts / "statistics"
    scratch.mkdir()
    sources = {name: _SourceFiles(job, files, name) for name in sums}
    full = full_statistics_of(sources, sum(one.ledger.turns for one in summary.sources), scratch)
    statistics = ExportStatistics(
        version=STATISTICS_VERSION,
        sources={
            source: {split: summarize(splits[split].total) for split in SPLITS if split in splits}
            for source, splits in sorted(sums.items())
        },
        full=full,
        conversions=conversions.summary(),
    )
    data = encode(statistics)
    (job.files / manifest.STATISTICS_FILE).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return ExportFile(path=manifest.STATISTICS_FILE, format=manifest.STATISTICS, bytes=len(data), sha256=digest)


def tally_records(task: TallyTask) -> dict[str, pl.DataFrame]:
    """Return the tally of each source in a file of records. Raises OSError."""
    sums: dict[str, tally.Sum] = {}
    for frame in _records(task.path):
        for (source,), rows in frame.partition_by("source", as_dict=True).items():
            turns = _turns(rows)
            found, lengths = count_texts(turns["content"])
            sides = (lengths.filter(turns["role"] == role) for role in ("user", "assistant"))
            sizes = turns.group_by("record").len()["len"]
            for part in (found, tally_of_lengths(*sides), tally.tally_of_values(tally.DIALOGUE_TURNS, sizes)):
                sums.setdefault(str(source), tally.Sum()).add(part)
    return {source: total.total for source, total in sums.items()}


class _SourceFiles:
    """A function that yields the pairs of a source of an export in frames: `query, answer`."""

    def __init__(self, job: ExportJob, files: Sequence[ExportFile], source: str) -> None:
        self._source = source
        self._paths = [job.files / file.path for file in files if file.source in (source, manifest.MIXED)]

    def __call__(self) -> Iterator[pl.DataFrame]:
        for path in self._paths:
            for frame in _records(path):
                yield tsv.texts(_pairs(_turns(frame.filter(pl.col("source") == self._source))))


def _records(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the records of a Parquet file in frames: `messages, source`."""
    lazy = pl.scan_parquet(path, glob=False).select("messages", "source")
    rows = lazy.select(pl.len()).collect().item()
    for begin in range(0, rows, _ROWS):
        yield lazy.slice(begin, _ROWS).collect()


def _turns(records: pl.DataFrame) -> pl.DataFrame:
    """Return the turns of records without system messages: `record, role, content`."""
    messages = records.select("messages").with_row_index("record").explode("messages").unnest("messages")
    return messages.filter(pl.col("role") != "system")


def _pairs(turns: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of turns in which user and assistant alternate: `query, answer`, as in a TSV file."""
    sides = {"query": "user", "answer": "assistant"}
    return tsv.columns(
        pl.DataFrame({side: turns.filter(pl.col("role") == role)["content"] for side, role in sides.items()})
    )
