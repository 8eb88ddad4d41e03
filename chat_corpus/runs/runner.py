"""The main job: read every source that was found, shard by shard, and write its files into the output folder.

If a source fails, its earlier output stays in place, and the other sources continue. A source is skipped if its input,
settings, code and output have not changed. An interrupted source resumes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.select import select_engine
from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.atomic import remove_temporary
from chat_corpus.messages import joined, message
from chat_corpus.outputs.layout import WORK
from chat_corpus.outputs.report import FinishedSource, Report, reported_sources
from chat_corpus.pipeline import script
from chat_corpus.runs import completeness, previous
from chat_corpus.runs.dispatch import dispatch
from chat_corpus.runs.lock import lock_output
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import RunReport, SourceReport
from chat_corpus.runs.source_run import SourceRun, forget
from chat_corpus.runs.task import ShardTask
from chat_corpus.settings.model import Settings
from chat_corpus.system_texts import system_text

_log = logging.getLogger(__name__)


def run(
    found: Mapping[str, DiscoveredSource],
    settings: Settings,
    progress: Progress,
    *,
    conversions: int = 0,
    fresh: bool = False,
    replace: bool = True,
    kind: type[SourceRun] = SourceRun,
) -> tuple[dict[str, SourceReport], Report]:
    """Process all sources in `found` and write the report. Return the result of each source, and the report.

    Each result has samples of up to `conversions` converted turns per shard. `fresh` discards the work of earlier runs.
    `kind` decides what is made of the shards of a source.

    Raises UsageError if a different run has locked the output folder, if the run would replace a raw file, or if
    `replace` is False and it would replace files that were made with other settings or by a different program. Raises
    EngineError if the workers are lost, and ChatCorpusError if the output folder cannot be written.
    """
    out = Path(settings.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with lock_output(out):
            previous.check_raw_files(out, found)
            if not replace:
                previous.check_replaceable(out, settings, found)
            remove_temporary(out, out / "rejects", out / "index", *(out / WORK).iterdir(), out / WORK)
            return _Run(found, settings, progress, conversions=conversions, fresh=fresh, kind=kind).result()
    except OSError as error:
        raise ChatCorpusError(
            message("{path}: cannot be written: {why}", path=error.filename or out, why=system_text(error))
        ) from error


class _Run:
    """One run: the sources that it skips, and those that it processes."""

    def __init__(
        self,
        found: Mapping[str, DiscoveredSource],
        settings: Settings,
        progress: Progress,
        *,
        conversions: int,
        fresh: bool,
        kind: type[SourceRun],
    ) -> None:
        self._found, self._settings, self._progress = found, settings, progress
        self._out, self._clock = Path(settings.out), time.perf_counter()
        self._samples = any(source.sample for source in found.values())
        self._report = RunReport(self._out, settings, samples=self._samples)
        reuses = kind is SourceRun and not fresh and not conversions
        self._done = _unchanged(found, settings, progress) if reuses else {}
        for unchanged in self._done.values():
            self._report.add(unchanged)
        work = self._out / WORK
        self._runs = {
            name: kind.of(source, settings, work, conversions=conversions, fresh=fresh)
            for name, source in found.items()
            if name not in self._done
        }

    def result(self) -> tuple[dict[str, SourceReport], Report]:
        """Process the sources, and return what `run` returns."""
        pending = {name: self._found[name] for name in self._runs}
        engine = select_engine(pending, self._settings, self._out / WORK)
        for task, outcome, worked in dispatch(engine, self._tasks()):
            source = self._runs[task.shard.source]
            source.take(task, outcome)
            self._progress(task.shard.source, source.advance(task.shard.bytes), worked)
            if source.finished:
                self._close(source)
        report = self._report.write(self._seconds, last=True)
        from chat_corpus.page.writing import write_page  # imported here, so that it does not delay the first message

        write_page(self._out, report, enabled=self._settings.page)
        return {name: self._done[name] for name in self._found}, report

    def _tasks(self) -> Iterator[ShardTask]:
        """Yield the tasks of all sources. The engine's workers start before the first one is made."""
        _prepare(self._found, self._settings, samples=self._samples)
        for source in self._runs.values():
            yield from source.tasks()
            if source.finished:
                self._close(source)

    def _close(self, source: SourceRun) -> None:
        """Put the files of a finished source in place, and report it."""
        parts_are_spent = source.finish(self._out)
        self._done[source.name] = source.report
        self._report.add(source.report)
        # Written after each source, so that an interrupted run leaves no file that the report does not list.
        self._report.write(self._seconds, last=False)
        if parts_are_spent:
            source.forget()
        self._progress(source.name, source.size - source.reached, False)  # bytes that were not read
        source.log_summary()

    @property
    def _seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._clock


def _prepare(found: Iterable[str], settings: Settings, *, samples: bool) -> None:
    """Load what the run needs, and delete the outputs of bundled samples before a run on real corpora."""
    for name in found:
        script.load(settings.of(name).script)  # raises UsageError if a package of dictionaries is missing
    withdrawn = [] if samples else previous.withdraw_samples(Path(settings.out))
    if withdrawn:
        deleted = message("deleted the earlier output of the bundled samples: {names}", names=joined(", ", withdrawn))
        _log.info("%s", deleted, extra={"event": "samples.deleted"})


def _unchanged(
    found: Mapping[str, DiscoveredSource], settings: Settings, progress: Progress
) -> dict[str, SourceReport]:
    """Return the sources that need no work, and log each."""
    out, done = Path(settings.out), {}
    reported = reported_sources(out)
    for name, source in found.items():
        if entry := previous.reusable(out, source, settings, reported.get(name)):
            forget(out / WORK / name)  # left by a run that was killed after it wrote its report
            done[name] = SourceReport(found=source, counts=entry.counts, unchanged=entry)
            progress(name, sum(file.size for file in source.files), False)
            unchanged = message("{source}: unchanged since {time}", source=name, time=previous.since(entry))
            _log.info("%s", unchanged, extra={"event": "source.unchanged", "source": name})
            _warn_again(source, entry)
    return done


def _warn_again(source: DiscoveredSource, entry: FinishedSource) -> None:
    """Log again the warnings about files from the run that made an output: unreadable records and unread fields."""
    counts, name = entry.records_by_file, source.source.name
    for warning in (*completeness.cautions(source.names, counts), *completeness.passed_over(counts)):
        text = message("{source}: {warning}", source=name, warning=warning)
        _log.warning("%s", text, extra={"event": "source.unreadable", "source": name})
