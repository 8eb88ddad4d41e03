"""The unit of work as a process does it: one shard through the pipeline, its results in files beside each other.

A part lies in a folder of its source, under the number of its shard and a key of all that it depends on; whoever finds
it finished need not do it again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, attributed
from chat_corpus.exports import tsv
from chat_corpus.formats.base import Records
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.dialogue_store import StoredTurns
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline import ledger, process, reading
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One shard to do, and what to leave in `folder`: keys, and a sample of so many `conversions`.

    The part has rows of the dialogue store if the settings ask for one. With `stored`, the clean turns are taken from
    the store of an earlier run. `code` is the digest of a third party's code that the source is made of, `plugins` are
    those of the files named for sources.
    """

    shard: Shard
    settings: Settings
    folder: Path
    with_keys: bool
    code: str = ""
    plugins: tuple[str, ...] = ()
    conversions: int = 0
    stored: StoredTurns | None = None

    @property
    def source(self) -> tuple[Source, SourceSettings]:
        """The shard's source and its settings; a source's functions are found again wherever the task arrives."""
        name = self.shard.source
        return sources.source(name, self.settings.plugins, self.settings.added), self.settings.of(name)

    @cached_property
    def part(self) -> Part:
        """Where the results of this task lie; another input, setting or version has another place."""
        settings = self.settings.of(self.shard.source)
        store = self.settings.store_dialogues
        stem = self._stem(settings, keys=self.with_keys, conversions=self.conversions, store=store)
        return Part(folder=self.folder, stem=stem)

    def _stem(self, settings: SourceSettings, **wanted: object) -> str:
        """The number of the shard, and a key of all that its results depend on.

        Files are known by name, size and time, not by where their folder is mounted.
        """
        shard = asdict(self.shard)
        for piece in shard["pieces"]:
            del piece["file"]["path"]
        told = {
            "shard": shard,
            "settings": settings.digest(),
            "plugins": self.plugins,
            "code": versions.code_digest(),
            "source": self.code,
            **wanted,
        }
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.shard.number:06d}-{key}"


def run_shard(task: ShardTask) -> Counts:
    """Process a shard, leave its part, and return its accounts.

    Raises ChatCorpusError, whatever goes wrong.
    """
    shard, part = task.shard, task.part
    with attributed(shard.extent):
        _check_code(task)
        cleaned, raw = _cleaned(task)
        outcome = process.filter_and_pair(cleaned, shard, *task.source, raw)
        columns = tsv.columns(outcome.pairs)
        encoded, rejects = tsv.joined(columns), outcome.rejects.write_ndjson().encode()
        ledger.check_written(outcome.counts.pairs.written, columns, encoded, shard.label)
        ledger.check_rejected(outcome.counts.turns.rejected.total(), rejects, shard.label)
        contents = {part.pairs: encoded, part.rejects: rejects}
        if task.with_keys:
            names = [piece.file.name for piece in shard.pieces]
            contents[part.keys] = _arrow(dedup.pair_keys(outcome.pairs, names, tsv.byte_offsets(columns)))
        if task.settings.store_dialogues:
            contents[part.turns] = _arrow(dialogue_store.rows(cleaned, outcome, shard, task.source[0]))
        if task.conversions:
            contents[part.sample] = _arrow(_sample(outcome.turns, shard, task.conversions))
    with attributed(shard.extent, task.folder.parent):
        part.leave(contents, outcome.counts)
    return outcome.counts


def _check_code(task: ShardTask) -> None:
    """Raise ChatCorpusError where this process holds other code of the source than the one that hands out the work.

    Workers of a cluster outlive runs, and a plugin that was edited in between is not loaded again.
    """
    if plugin_digest.code(task.shard.source, task.settings.plugins, task.settings.added) != task.code:
        raise ChatCorpusError(
            f"{task.shard.extent}: a worker holds other code of this source than was there when the run began, as "
            "after an edit of its plugin: run again, and restart the workers of a cluster before"
        )


def _cleaned(task: ShardTask) -> tuple[process.CleanTurns, Callable[[], tuple[Records, ...]]]:
    """The clean turns of a shard, stored ones if there are any, and what gives its raw records."""
    shard, (source, own) = task.shard, task.source
    if task.stored is not None:
        return task.stored.clean_turns(shard), lambda: reading.records(shard, source)
    raw = reading.records(shard, source)
    return process.clean_turns(shard, source, own, raw), lambda: raw


def raw_records(task: ShardTask) -> pl.DataFrame:
    """The raw records of a task's shard again: `file, line, raw`."""
    frames = reading.records(task.shard, task.source[0])
    named = zip(task.shard.pieces, frames, strict=True)
    return pl.concat(frame.select("record", file=pl.lit(piece.file.name), raw="text") for piece, frame in named)


def _sample(turns: pl.DataFrame, shard: Shard, size: int) -> pl.DataFrame:
    """Conversions (`key, file, line, before, after`) drawn by hash, so that samples of shards make one of a source."""
    names = pl.Series("file", [piece.file.name for piece in shard.pieces])
    found = turns.filter(pl.col("text") != pl.col("before_conversion"))
    return found.select(
        "record",
        key=pl.struct("file_index", "record", "turn_index", "raw").hash(seed=1),
        file=names.gather(found["file_index"]),
        before="before_conversion",
        after="text",
    ).bottom_k(size, by="key")


def _arrow(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    return content.getvalue()
