"""One source in a run: plan its shards, take their results, put its files in place, and report on it."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from chat_corpus import sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import STOPS, ChatCorpusError, IncompleteError, attributed, unexpected
from chat_corpus.messages import Message, amount, beginning, count_noun, joined, message
from chat_corpus.outputs import shard_index
from chat_corpus.outputs.dialogue_store import StoredTurns
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pair_passes.table import PairPass
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs import completeness, previous
from chat_corpus.runs.dropped_pairs import Selection
from chat_corpus.runs.merge import Merge
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.runs.stored_turns import stored_turns
from chat_corpus.runs.task import ShardTask, raw_texts
from chat_corpus.schema import Reason
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.terms import reason_counts

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class SourceRun:
    """One source in a run: its plan, its tasks so far (`made`), how many of them are `done`, and its report.

    `folder` has its parts, `counts` those of finished shards by number, `stored` the turns of an earlier run by shard.
    `content` is the bytes of the shards planned so far, `read` those of finished ones, `reached` as many on the disk.
    """

    task_type: ClassVar[type[ShardTask]] = ShardTask
    plan: ShardPlanner
    folder: Path
    report: SourceReport
    clock: float
    passes: tuple[PairPass, ...]
    conversions: int
    fresh: bool = False
    stored: Mapping[int, StoredTurns] = field(default_factory=dict)
    merge: Merge = field(init=False)
    made: list[ShardTask] = field(default_factory=list)
    counts: dict[int, Counts] = field(default_factory=dict)
    done: int = 0
    planned: bool = False
    content: int = 0
    read: int = 0
    reached: int = 0

    @classmethod
    def of(cls, found: DiscoveredSource, settings: Settings, work: Path, *, conversions: int, fresh: bool) -> SourceRun:
        """Return the run of a source with its folder in `work`; if `fresh`, delete the parts of earlier runs."""
        name = found.source.name
        folder = work / name
        if fresh:
            forget(folder)
        return cls(
            plan=ShardPlanner(found=found, settings=settings),
            folder=folder,
            report=SourceReport(found=found),
            clock=time.perf_counter(),
            passes=table.enabled(settings.of(name), found.source),
            conversions=conversions,
            fresh=fresh,
        )

    @property
    def name(self) -> str:
        """The source's name."""
        return self.plan.found.source.name

    @property
    def finished(self) -> bool:
        """Whether all tasks are planned and finished."""
        return self.planned and self.done == len(self.made)

    @property
    def size(self) -> int:
        """Bytes of the files on disk."""
        return sum(file.size for file in self.plan.found.files)

    def tasks(self) -> Iterator[ShardTask]:
        """Plan and yield the tasks one by one, until the source has failed."""
        self.clock = time.perf_counter()
        settings = self.plan.settings
        try:
            where = message("{source}: before its files were read", source=self.name)
            with attributed(where, self.folder.parent):
                self._begin()
            code = plugin_digest.code(self.name, settings.plugins, settings.added)
            for shard in self.plan.shards():
                task = self.task_type(
                    shard=shard,
                    settings=settings,
                    folder=self.folder,
                    facts=table.needed_facts(self.passes),
                    code=code,
                    plugins=sources.digests(settings.plugins),
                    filter_files=sources.filter_files(settings.plugins),
                    conversions=self.conversions,
                    stored=self._stored(shard),
                )
                self.made.append(task)
                self.content += shard.bytes
                yield task
                if self.report.error:
                    break
        except STOPS:
            raise
        except BaseException as error:  # noqa: BLE001 any exception fails this source, and no other
            where = message("{source}: while its files were cut into shards", source=self.name)
            self.fail(unexpected(where, error))
        self.planned = True

    def _begin(self) -> None:
        """Create the folder of the parts and the files that they are joined into, and find stored turns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.fresh:
            self.stored = stored_turns(self.plan.found, self.plan.settings)
        settings = self.plan.settings
        if settings.of(self.name).relatedness.column and not settings.store_dialogues:
            text = message("relatedness.column has no effect without a dialogue store; add --store-dialogues")
            self._warn(text, "relatedness.unused")
        selection = Selection(
            passes=self.passes,
            settings=settings.of(self.name),
            raw_of=lambda number, rows: raw_texts(self.made[number], rows),
        )
        self.merge = Merge(self.name, self.folder, selection if self.passes else None, store=settings.store_dialogues)

    def _stored(self, shard: Shard) -> StoredTurns | None:
        """Return the turns of a shard from an earlier run if the shard is the same, else None."""
        stored = self.stored.get(shard.number)
        return stored if stored is not None and stored.entry.is_of(shard) else None

    def take(self, task: ShardTask, outcome: Counts | ChatCorpusError) -> None:
        """Add the counts and the part of a finished task, or record its failure."""
        self.done += 1
        if isinstance(outcome, ChatCorpusError):
            self.fail(outcome)
            return
        self.report.counts.add(outcome)
        self.counts[task.shard.number] = outcome
        try:
            with attributed(self._joining(), self.folder.parent):
                self._add(task)
        except ChatCorpusError as error:
            self.fail(error)
            return
        self.report.samples.append(task.part.sample)
        text = message(
            "{source}: shard {number}, {pairs}",
            source=self.name,
            number=task.shard.number,
            pairs=count_noun(outcome.pairs.written, "pair"),
        )
        _log.debug("%s", text, extra={"event": "shard.done", "source": self.name})

    def _add(self, task: ShardTask) -> None:
        """Take the part of a finished task."""
        self.merge.add(task.shard.number, task.part)

    def _joining(self) -> Message:
        return message("{source}: while its shards were joined", source=self.name)

    def advance(self, read: int) -> int:
        """Add bytes of finished shards, and return how many more bytes of the files on disk are done."""
        self.read += read
        stored = sum(fact.stored for fact in self.plan.summaries)
        reached = max(self.reached, self.read * stored // max(self.content, 1))
        step, self.reached = reached - self.reached, reached
        return step

    def fail(self, error: ChatCorpusError, text: str = "") -> None:
        """Record the first failure, and log it; `text`, if any, is logged instead of the error's message."""
        if not self.report.error:
            self.report.error, self.report.exit_code = str(error), error.exit_code
            trace = getattr(error, "trace", "")
            about = {"event": "source.failed", "source": self.name}
            _log.error("%s", text or error.message, extra={**about, "traceback": trace} if trace else about)
            if trace:
                _log.debug("%s", trace, extra={"event": "source.traceback", "source": self.name})

    def finish(self, out: Path) -> bool:
        """Publish the files of the source, and return whether its parts can be deleted.

        A failed source leaves its parts to the next run, unless this method could not join or publish them.
        """
        faulty = False
        self.report.files = tuple(map(replace, self.plan.summaries))
        if not self.report.error:
            try:
                with attributed(message("{source}: while its records were counted", source=self.name)):
                    self._check_usable()
            except ChatCorpusError as error:
                self.fail(error)
        if not self.report.error:
            try:
                with attributed(self._joining(), out):
                    self._publish(out)
            except ChatCorpusError as error:
                self.fail(error)
                faulty = True
        self.report.seconds = time.perf_counter() - self.clock
        return faulty or not (self.report.error or self.report.parts)

    def _publish(self, out: Path) -> None:
        """Join the parts, and put the files in place. Raises LedgerError and OSError."""
        self.report.counts = self.merge.finish(self.report.counts)
        self._warn_if_all_dropped()
        self.report.statistics = self.merge.statistics()
        self.report.store = self.merge.join_turns(self.report.counts)
        counts = [self.counts[number] for number in range(len(self.made))]
        shard_index.write(self.merge.index, [task.shard for task in self.made], counts, self.merge.places)
        self.report.read_samples()
        self.merge.publish(out, lambda: previous.write_intent(out, self.name, self.plan.settings))

    def _quotes(self) -> completeness.Quotes:
        """Return the beginning of the first unreadable record of each file, for messages; report.json omits it."""
        return {
            name: beginning(task.part.raw_of(name, file.example.record))
            for name, file in self.report.counts.records_by_file.items()
            for task in self.made
            if file.example is not None and task.shard.holds(name, file.example.record)
        }

    def forget(self) -> None:
        """Delete the parts."""
        forget(self.folder)

    def log_summary(self) -> None:
        """Log a line with the counts and the speed of a source, unless it failed."""
        if not self.report.error:
            counts, seconds = self.report.counts, self.report.seconds
            text = message(
                "{source}: {records}, {pairs}, {seconds:.1f} s, {rate}/s",
                source=self.name,
                records=count_noun(counts.records.read, "record"),
                pairs=count_noun(counts.pairs.written, "pair"),
                seconds=seconds,
                rate=amount(self.report.megabytes * 1e6 / seconds),
            )
            _log.info("%s", text, extra={"event": "source.done", "source": self.name, "seconds": round(seconds, 3)})

    def _check_usable(self) -> None:
        """Fail if a file is mostly unreadable, or if its faults leave no output; warn about other losses."""
        counts, source = self.report.counts, self.plan.found.source
        groups, files = self.plan.found.names, self.report.counts.records_by_file
        failures, cautions = list(completeness.failures(groups, files)), list(completeness.cautions(groups, files))
        quotes = self._quotes() if failures or cautions else {}
        if failures:
            advice = completeness.advice(source, groups, files, self.report.files)
            quoted = completeness.failures(groups, files, quotes)
            self.fail(IncompleteError(self._failure(failures, advice)), self._failure(quoted, advice))
        elif barren := completeness.barren(source, self.plan.settings.of(self.name), counts):
            if completeness.is_wanted(counts):
                self._warn(barren, "source.empty")
            else:
                self.fail(IncompleteError(message("{source}: {warning}", source=self.name, warning=barren)))
        for warning in completeness.cautions(groups, files, quotes):
            self._warn(warning, "source.unreadable")
        for warning in completeness.passed_over(files):
            self._warn(warning, "source.unread_field")

    def _warn_if_all_dropped(self) -> None:
        """Warn if passes over all pairs dropped all of them."""
        pairs = self.report.counts.pairs
        if pairs.possible and not pairs.written:
            reasons = {**pairs.rejected, Reason.DUPLICATE: pairs.duplicates}
            text = reason_counts({reason: number for reason, number in reasons.items() if number})
            self._warn(
                message("no pair is left (rejected: {reasons}); check the settings", reasons=text), "source.empty"
            )

    def _failure(self, faults: Iterable[Message], advice: Message) -> Message:
        return message("{source}: {faults}; {advice}", source=self.name, faults=joined("; ", faults), advice=advice)

    def _warn(self, text: str, event: str) -> None:
        warning = message("{source}: {warning}", source=self.name, warning=text)
        _log.warning("%s", warning, extra={"event": event, "source": self.name})


def forget(*folders: Path) -> None:
    """Delete folders of unfinished work."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
