"""First step of an export from raw corpora: each shard goes through the pipeline, and at once becomes records.

No pairs and no dialogue store are written. Parts of a killed export are used by the next one, as those of a run are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from chat_corpus import sources
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.parts import Part
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.pipeline.counts import decode
from chat_corpus.pipeline.process import CleanTurns, ShardResult
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.export.assembling import NEEDED, Assembled, RecordsPart, encode_records
from chat_corpus.runs.source_run import SourceRun
from chat_corpus.runs.task import ShardTask
from chat_corpus.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class RecordsTask(ShardTask):
    """A shard of which records are made."""

    def results(self) -> dict[str, object]:
        """The options of the export."""
        return {"records": msgspec.to_builtins(self.settings.export)}

    def encoded(self, cleaned: CleanTurns, outcome: ShardResult) -> dict[Path, bytes]:
        """The files of the records, and what became of the turns."""
        source, settings = self.source
        turns = dialogue_store.rows(cleaned, outcome, self.shard, source).select(NEEDED)
        part = records_part(self.part, self.folder, source.name, self.shard.number)
        made, contents = encode_records(turns, part, settings.pairs.pairing(source.pairing), self.settings.export)
        return {**contents, _summary(self.part): msgspec.json.encode(made)}


class RecordsRun(SourceRun):
    """A source whose parts are records, and are not joined."""

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def _task(self, shard: Shard, code: str) -> ShardTask:
        settings = self.plan.settings
        return RecordsTask(
            shard=shard,
            settings=settings,
            folder=self.folder,
            with_keys=False,
            code=code,
            plugins=sources.digests(settings.plugins),
        )

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
        """Its records, and what became of their turns; later steps write below `folder`."""
        return [
            (records_part(part, folder, self.name, number), decode(_summary(part).read_bytes(), Assembled))
            for number, part in enumerate(self.parts)
        ]


def records_part(part: Part, folder: Path, source: str, number: int) -> RecordsPart:
    """The records in the part of a shard; later steps write below `folder`."""
    return RecordsPart(folder=folder, source=source, number=number, base=part.folder / part.stem)


def _summary(part: Part) -> Path:
    """The file of a part that holds `Assembled`."""
    return part.folder / f"{part.stem}.assembled.json"
