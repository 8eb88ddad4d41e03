"""The work of one process: one shard goes through the pipeline, and its results are written as a part.

A part is in the folder of its source. Its name has the number of the shard and a hash of everything that the results
depend on, so that a later run can reuse a finished part.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, attributed
from chat_corpus.exports import tsv
from chat_corpus.files.lines import line_at
from chat_corpus.formats.base import Records
from chat_corpus.json_lines import encode_json_lines
from chat_corpus.messages import message
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.dialogue_store import StoredTurns
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline import output_checks, process, reading
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source
from chat_corpus.statistics.shard import shard_tally


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """One shard, and what to write to `folder`: the named `facts` about its pairs, and a sample of `conversions` turns.

    The part has rows of the dialogue store if the settings request it. With `stored`, the clean turns come from the
    store of an earlier run. `code` is the digest of the source's third-party code, `plugins` has the digests of plugin
    files, and `filter_files` are those plugin files that define filters.
    """

    shard: Shard
    settings: Settings
    folder: Path
    facts: tuple[str, ...] = ()
    code: str = ""
    plugins: tuple[str, ...] = ()
    filter_files: tuple[str, ...] = ()
    conversions: int = 0
    stored: StoredTurns | None = None

    @property
    def source(self) -> tuple[Source, SourceSettings]:
        """The source and its settings. Tasks carry no functions: each process looks them up."""
        name = self.shard.source
        settings = self.settings
        return sources.source(name, settings.plugins, settings.added, self.filter_files), settings.of(name)

    @cached_property
    def part(self) -> Part:
        """The files of the results; a different input, setting or version gives different names."""
        settings = self.settings.of(self.shard.source)
        store = self.settings.store_dialogues
        stem = self._stem(settings, facts=self.facts, conversions=self.conversions, store=store)
        return Part(folder=self.folder, stem=stem)

    @property
    def work(self) -> Callable[[ShardTask], Counts]:
        """The function that does this task."""
        return run_shard

    def _stem(self, settings: SourceSettings, **results: object) -> str:
        """Return the number of the shard, and a hash of everything that its results depend on.

        Files count by name, size and time, not by the path of their folder, which differs between machines.
        """
        shard = msgspec.to_builtins(self.shard, enc_hook=str)
        for piece in shard["pieces"]:
            del piece["file"]["path"]
        inputs = {
            "shard": shard,
            "settings": settings.digest(),
            "plugins": self.plugins,
            "code": versions.code_digest(),
            "source": self.code,
            **results,
        }
        key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.shard.number:06d}-{key}"


def run_shard(task: ShardTask) -> Counts:
    """Process a shard, write its part, and return its counts. Any failure is raised as ChatCorpusError."""
    shard, part, (source, settings) = task.shard, task.part, task.source
    with attributed(shard.extent):
        check_code(task)
        cleaned, raw = _cleaned(task)
        outcome = process.filter_and_pair(cleaned, shard, source, settings, raw)
        columns = _columns(cleaned.breaks, outcome)
        encoded, rejects = tsv.joined(columns), encode_json_lines(outcome.rejects)
        output_checks.check_written(outcome.counts.pairs.written, columns, encoded, shard.label)
        output_checks.check_rejected(output_checks.reject_lines(outcome.counts), rejects, shard.label)
        tally = shard_tally(cleaned, outcome, source, settings)
        contents = {part.pairs: encoded, part.rejects: rejects, part.tally: _arrow_stream(tally)}
        if task.facts:
            contents |= _facts(task, outcome, columns, raw)
        if task.settings.store_dialogues:
            contents[part.turns] = _arrow(
                dialogue_store.rows(cleaned, outcome, shard, source, pairs=settings.relatedness.column)
            )
        if task.conversions:
            contents[part.sample] = _arrow(_sample(outcome.turns, shard, task.conversions))
    with attributed(shard.extent, task.folder.parent):
        part.leave(contents, outcome.counts)
    return outcome.counts


def _columns(breaks: pl.Series | None, outcome: process.ShardResult) -> pl.DataFrame:
    """Return the columns of the TSV file. `breaks`, if known, marks the turns with a line break or a tab."""
    if breaks is None:
        return tsv.columns(outcome.pairs)
    sides = ("query", "answer") if breaks.any() else ()
    return tsv.columns(outcome.pairs, {side: breaks.gather(outcome.links[f"{side}_at"]) for side in sides})


def _facts(
    task: ShardTask, outcome: process.ShardResult, columns: pl.DataFrame, raw: Callable[[], tuple[Records, ...]]
) -> dict[Path, bytes]:
    """Return the files of the facts about the pairs of a shard that the task requests."""
    from chat_corpus.pipeline.pair_passes import facts

    source, settings = task.source
    offsets = reading.line_offsets(raw(), task.shard, source) if task.stored is None else None
    pairs = facts.ShardPairs.of(outcome, task.shard, settings, tsv.byte_offsets(columns), offsets)
    return {task.part.fact(name): _arrow(facts.FACTS[name](pairs)) for name in task.facts}


def check_code(task: ShardTask) -> None:
    """Raise ChatCorpusError if this process has different code of the source than the process that made the task.

    Workers of a cluster outlive runs, and a plugin that was edited in between is not loaded again.
    """
    settings = task.settings
    if plugin_digest.code(task.shard.source, settings.plugins, settings.added, task.filter_files) != task.code:
        fault = message(
            "{shard}: the code of the source changed since the run began, for example after an edit of its plugin; "
            "restart the workers of the cluster, if there is one, and run again",
            shard=task.shard.extent,
        )
        raise ChatCorpusError(fault)


def _cleaned(task: ShardTask) -> tuple[process.CleanTurns, Callable[[], tuple[Records, ...]]]:
    """Return the clean turns of a shard, stored ones if there are any, and a function that returns its raw records."""
    shard, (source, settings) = task.shard, task.source
    if task.stored is not None:
        return task.stored.clean_turns(shard), lambda: reading.records(shard, source)
    raw = reading.records(shard, source)
    return process.clean_turns(shard, source, settings, raw), lambda: raw


def raw_texts(task: ShardTask, rows: pl.DataFrame) -> pl.Series:
    """Return the raw records at addresses in a task's shard (`file, record, raw_begin`), in the same order: `raw: str`.

    The shard is split into records again only if it is not known where they begin.
    """
    pieces = {piece.file.name: piece for piece in task.shard.pieces}
    if not rows["raw_begin"].null_count():
        contents = {name: reading.content(pieces[name]) for name in rows["file"].unique()}
        if all(reading.has_offsets(data, pieces[name].first) for name, data in contents.items()):
            lines = [line_at(contents[name], begin) for name, begin in rows.select("file", "raw_begin").iter_rows()]
            return pl.Series("raw", lines, dtype=pl.String)
    frames = zip(pieces, reading.records(task.shard, task.source[0]), strict=True)
    records = pl.concat(frame.select("record", file=pl.lit(name), raw="text") for name, frame in frames)
    return rows.join(records, on=["file", "record"], how="left", maintain_order="left")["raw"]


def _sample(turns: pl.DataFrame, shard: Shard, size: int) -> pl.DataFrame:
    """Return up to `size` converted turns, drawn by hash, so that samples of shards can be merged.

    Columns: `record, key, file, before, after`; those with the smallest `key` are drawn.
    """
    names = pl.Series("file", [piece.file.name for piece in shard.pieces])
    turns = turns.with_columns(text="before_masking") if "before_masking" in turns.columns else turns
    converted = turns.filter(pl.col("text") != pl.col("before_conversion"))
    return converted.select(
        "record",
        key=pl.struct("file_index", "record", "turn_index", "raw").hash(seed=1),
        file=names.gather(converted["file_index"]),
        before="before_conversion",
        after="text",
    ).bottom_k(size, by="key")


def _arrow(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    return content.getvalue()


def _arrow_stream(frame: pl.DataFrame) -> bytes:
    """Return a frame in Arrow's streaming format, which takes a tenth of the time to read if the frame is small."""
    content = io.BytesIO()
    frame.write_ipc_stream(content)
    return content.getvalue()
