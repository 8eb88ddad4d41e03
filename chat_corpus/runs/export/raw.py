"""First step of an export from raw corpora: each shard goes through the pipeline, and its turns become records at once.

No pairs and no dialogue store are written. The next export reuses the parts of a killed export, as runs do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from chat_corpus.errors import attributed
from chat_corpus.json_lines import encode_json_lines
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.parts import Part
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.pipeline import output_checks, process, reading
from chat_corpus.pipeline.counts import Counts, decode
from chat_corpus.runs.export.assembling import (
    NEEDED,
    Assembled,
    Records,
    RecordsPart,
    assemble_turns,
    encode_frames,
    part_frames,
)
from chat_corpus.runs.source_run import SourceRun
from chat_corpus.runs.task import ShardTask, check_code
from chat_corpus.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class RecordsTask(ShardTask):
    """A shard that records are made from."""

    @cached_property
    def part(self) -> Part:
        """The files of the records, which also depend on the options of the export."""
        options = msgspec.to_builtins(self.settings.export)
        return Part(folder=self.folder, stem=self._stem(self.settings.of(self.shard.source), records=options))

    @property
    def work(self) -> Callable[[ShardTask], Counts]:
        """The function that does this task."""
        return make_records


def make_records(task: ShardTask) -> Counts:
    """Process a shard, write its records, and return its counts. Any failure is raised as ChatCorpusError."""
    shard = task.shard
    with attributed(shard.extent):
        check_code(task)
        place = records_part(task.part, task.folder, shard.source, shard.number)
        frames, contents, counts = _frames(task, place)
        contents |= encode_frames(frames, place)
    with attributed(shard.extent, task.folder.parent):
        task.part.leave(contents, counts)
    return counts


# Each step calls the one before it, so that the frames of that step are freed when it returns.


def _frames(task: ShardTask, place: RecordsPart) -> tuple[dict[Path, pl.DataFrame], dict[Path, bytes], Counts]:
    """Return the frames of the records of a shard, the contents of its other files, and its counts."""
    records, rejects, counts = _records(task)
    contents = {_summary(task.part): msgspec.json.encode(records.assembled), task.part.rejects: rejects}
    return part_frames(records, place, task.settings.export), contents, counts


def _records(task: ShardTask) -> tuple[Records, bytes, Counts]:
    """Return the records of a shard, its rejects as JSON Lines, and its counts."""
    source, settings = task.source
    turns, rejects, counts = _turns(task)
    return assemble_turns(turns, settings.pairs.pairing(source.pairing), task.settings.export), rejects, counts


def _turns(task: ShardTask) -> tuple[pl.DataFrame, bytes, Counts]:
    """Return the turns that records are made from, the rejects of the shard as JSON Lines, and its counts."""
    cleaned, outcome = _processed(task)
    rejects = encode_json_lines(outcome.rejects)
    output_checks.check_rejected(output_checks.reject_lines(outcome.counts), rejects, task.shard.label)
    turns = dialogue_store.rows(cleaned, outcome, task.shard, task.source[0]).select(NEEDED)
    return turns, rejects, outcome.counts


def _processed(task: ShardTask) -> tuple[process.CleanTurns, process.ShardResult]:
    """Return the turns of a shard before and after the filters."""
    shard, (source, settings) = task.shard, task.source
    raw = reading.records(shard, source)
    cleaned = process.clean_turns(shard, source, settings, raw)
    return cleaned, process.filter_and_pair(cleaned, shard, source, settings, lambda: raw)


class RecordsRun(SourceRun):
    """The run of a source with parts that contain records. Parts are not joined."""

    task_type = RecordsTask

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def _add(self, task: ShardTask) -> None:
        """Do nothing: parts are not joined."""

    def _publish(self, _out: Path) -> None:
        self.report.counts.check(self.name)
        self.report.parts = tuple(task.part for task in self.made)


@dataclass(frozen=True, kw_only=True, slots=True)
class RawSource:
    """A source that was read from raw corpora: the entry that a report would have, its turns, and its parts."""

    source: Source
    entry: FinishedSource
    rows: int
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    def records(self, folder: Path) -> list[tuple[RecordsPart, Assembled]]:
        """Return the records of each part, and the counts of its turns; later steps write below `folder`."""
        return [
            (records_part(part, folder, self.name, number), decode(_summary(part).read_bytes(), Assembled))
            for number, part in enumerate(self.parts)
        ]


def records_part(part: Part, folder: Path, source: str, number: int) -> RecordsPart:
    """Return the files with the records of a shard's part; later steps write below `folder`."""
    return RecordsPart(folder=folder, source=source, number=number, base=part.folder / part.stem)


def _summary(part: Part) -> Path:
    """Return the path of the file of a part that contains `Assembled`."""
    return part.folder / f"{part.stem}.assembled.json"
