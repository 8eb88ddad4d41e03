"""Preview what a run would remove: read and clean shards as a run does, and evaluate filters and passes."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chat_corpus import sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.select import select_engine
from chat_corpus.errors import STOPS, ChatCorpusError, attributed, unexpected
from chat_corpus.messages import message
from chat_corpus.pipeline import process, reading, script
from chat_corpus.pipeline.filters.preview import FilterPreview, Sampling, preview_filters
from chat_corpus.pipeline.filters.table import active_filters
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pairing import pair
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.export.workers import Workers
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.preview_passes import add_passes, leave_facts, looked_at
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.task import ShardTask, check_code
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewTask:
    """One shard to preview: the task of a run, whether to try all filters and passes, and how to draw examples."""

    task: ShardTask
    everything: bool
    sampling: Sampling

    def __str__(self) -> str:
        return str(self.task.shard.extent)


@dataclass(kw_only=True, slots=True)
class SourcePreview:
    """What filters and passes would remove from a source; `error` is the reason if the source failed, else empty."""

    preview: FilterPreview = field(default_factory=FilterPreview)
    error: str = ""
    exit_code: int = 0


def preview_shard(look: PreviewTask) -> FilterPreview | ChatCorpusError:
    """Return the preview of one shard. A failure is returned too, so that only its source fails."""
    shard = look.task.shard
    try:
        with attributed(shard.extent):
            check_code(look.task)
            return _previewed(look, shard)
    except ChatCorpusError as error:
        return error


def _previewed(look: PreviewTask, shard: Shard) -> FilterPreview:
    source, settings = look.task.source
    raw = reading.records(shard, source)
    cleaned = process.clean_turns(shard, source, settings, raw)
    looked = looked_at(settings, everything=look.everything)
    if passes := table.enabled(looked, source):
        unquoted = tuple(records.clear() for records in raw)  # the texts in rejects are not used
        result = process.filter_and_pair(cleaned, shard, source, settings, lambda: unquoted)
        leave_facts(result, shard, looked, passes, look.task.folder)
    turns = cleaned.turns.with_row_index("at")
    turns = turns if cleaned.damaged is None else turns.with_columns(damaged=cleaned.damaged)
    pairs = pair(turns, settings.pairs.pairing(source.pairing))
    preview = preview_filters(
        turns,
        pairs,
        [piece.file.name for piece in shard.pieces],
        source,
        looked.filters,
        on=[item.name for item in active_filters(settings.filters, source)],
        sampling=look.sampling,
    )
    steps = cleaned.counts.turns.changed_by_step
    preview.masked.update({name.removeprefix("mask_"): steps[name] for name in steps if name.startswith("mask_")})
    return preview


def preview(
    found: Mapping[str, DiscoveredSource],
    settings: Settings,
    progress: Progress,
    *,
    everything: bool,
    sampling: Sampling,
) -> dict[str, SourcePreview]:
    """Return what filters and passes, with `everything` also those that are off, would remove from each source.

    Raises UsageError if the settings cannot be used, EngineError if the workers are lost.
    """
    for name in found:
        script.load(settings.of(name).script)  # raises UsageError if a package of dictionaries is missing
    results = {name: SourcePreview() for name in found}
    known = sources.load(settings.plugins, settings.added)
    # Workers of a cluster see the folder that contains the output folder, not the temporary folder of this machine.
    shared = Path(settings.out).absolute().parent if settings.scheduler else None
    with tempfile.TemporaryDirectory(prefix=".chat-corpus-preview-", dir=shared) as folder:
        engine = select_engine(found, settings, Path(folder))
        looks: list[PreviewTask] = []
        with Workers(engine, Path(folder)) as workers:
            tasks = _tasks(found, settings, Path(folder), results, progress, everything=everything, sampling=sampling)
            outcomes = workers.map(preview_shard, _remembered(tasks, looks))
        for look, outcome in zip(looks, outcomes, strict=True):
            _take(results[look.task.shard.source], outcome, sampling)
        for name, result in results.items():
            shards = sum(look.task.shard.source == name for look in looks)
            if not result.error:
                with attributed(message("{source}: while its pairs were compared", source=name)):
                    add_passes(
                        result.preview,
                        known[name],
                        settings.of(name),
                        everything=everything,
                        folder=Path(folder) / name,
                        shards=shards,
                        sampling=sampling,
                    )
    return results


def _remembered(tasks: Iterator[PreviewTask], looks: list[PreviewTask]) -> Iterator[PreviewTask]:
    for task in tasks:
        looks.append(task)
        yield task


def _tasks(
    found: Mapping[str, DiscoveredSource],
    settings: Settings,
    folder: Path,
    results: Mapping[str, SourcePreview],
    progress: Progress,
    *,
    everything: bool,
    sampling: Sampling,
) -> Iterator[PreviewTask]:
    """Yield the tasks of all sources. If the files of a source cannot be cut, its result gets the error."""
    filter_files = sources.filter_files(settings.plugins)
    for name, source in found.items():
        code = plugin_digest.code(name, settings.plugins, settings.added)
        try:
            for shard in ShardPlanner(found=source, settings=settings).shards():
                task = ShardTask(
                    shard=shard,
                    settings=settings,
                    folder=folder / name,
                    code=code,
                    filter_files=filter_files,
                )
                progress(name, shard.bytes, True)
                yield PreviewTask(task=task, everything=everything, sampling=sampling)
        except STOPS:
            raise
        except BaseException as error:  # noqa: BLE001 any exception fails this source, and no other
            where = message("{source}: while its files were cut into shards", source=name)
            _fail(results[name], unexpected(where, error))


def _take(result: SourcePreview, outcome: FilterPreview | ChatCorpusError, sampling: Sampling) -> None:
    if isinstance(outcome, ChatCorpusError):
        _fail(result, outcome)
    else:
        result.preview.add(outcome, sampling.examples)


def _fail(result: SourcePreview, error: ChatCorpusError) -> None:
    """Record the first failure of a source, and log it."""
    if not result.error:
        result.error, result.exit_code = str(error), error.exit_code
        _log.error("%s", error.message, extra={"event": "source.failed"})
