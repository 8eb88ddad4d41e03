"""The main job: every source that was found, shard by shard, into the output folder.

A source that fails leaves its earlier output as it was and the others are done all the same. A source whose input,
settings and code are those of its output is left alone; one that was interrupted goes on where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.select import select_engine
from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.atomic import remove_temporary
from chat_corpus.outputs.layout import WORK
from chat_corpus.outputs.report import Report, RunFacts
from chat_corpus.pipeline import script
from chat_corpus.runs import completeness, previous, report_builder
from chat_corpus.runs.dispatch import dispatch
from chat_corpus.runs.lock import held
from chat_corpus.runs.progress import Progress
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.runs.source_run import SourceRun, forget
from chat_corpus.runs.task import ShardTask
from chat_corpus.settings.model import Settings

_log = logging.getLogger(__name__)


def run(
    found: Mapping[str, DiscoveredSource],
    settings: Settings,
    progress: Progress,
    *,
    conversions: int = 0,
    fresh: bool = False,
    replace: bool = True,
) -> tuple[dict[str, SourceReport], Report]:
    """Do all sources in `found`, and write the report. Returns what became of each source, and the report.

    What became of a source comes with a sample of up to `conversions` turns of each shard that were converted. `fresh`
    forgets what earlier runs have done. Unless it may `replace` them, files that were made with other settings, or by
    something else, are refused. Raises UsageError then, and where another run holds the output folder, EngineError
    where those who should do the work cannot, ChatCorpusError where the output folder cannot be written.
    """
    out = Path(settings.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with held(out):
            if not replace:
                previous.check_replaceable(out, settings, found)
            remove_temporary(out, out / "rejects", out / "index", *(out / WORK).iterdir(), out / WORK)
            return _run(found, settings, progress, conversions=conversions, fresh=fresh)
    except OSError as error:
        raise ChatCorpusError(f"{error.filename or out}: cannot be written: {error.strerror or error}") from error


def _run(
    found: Mapping[str, DiscoveredSource], settings: Settings, progress: Progress, *, conversions: int, fresh: bool
) -> tuple[dict[str, SourceReport], Report]:
    out, clock = Path(settings.out), time.perf_counter()
    started, samples = datetime.now(UTC).isoformat(timespec="seconds"), any(one.sample for one in found.values())
    done = {} if fresh or conversions else _left_alone(found, settings, progress)
    left = {name: one for name, one in found.items() if name not in done}
    jobs = {
        name: SourceRun.of(one, settings, out / WORK, conversions=conversions, fresh=fresh)
        for name, one in left.items()
    }

    def tell(*, last: bool) -> Report:
        seconds = round(time.perf_counter() - clock, 3)
        return report_builder.write(
            out, settings, done, RunFacts(started=started, samples=samples, seconds=seconds), last=last
        )

    def close(job: SourceRun) -> None:
        spent = job.finish(out)
        done[job.name] = job.told
        # After each source, so that a run that is interrupted leaves no file that the report does not know.
        tell(last=False)
        if spent:
            job.forget()
        progress(job.name, job.size - job.reached, False)  # what it failed to read, or need not
        job.tell()

    def tasks() -> Iterator[ShardTask]:
        """The tasks, when the engine's workers are already starting."""
        _prepare(found, settings, samples=samples)
        for job in jobs.values():
            yield from job.tasks()
            if job.finished:
                close(job)

    for task, outcome, worked in dispatch(select_engine(left, settings, out / WORK), tasks()):
        job = jobs[task.shard.source]
        job.account(task, outcome)
        progress(task.shard.source, job.advance(task.shard.bytes), worked)
        if job.finished:
            close(job)
    written = tell(last=True)
    return {name: done[name] for name in found}, written


def _prepare(found: Iterable[str], settings: Settings, *, samples: bool) -> None:
    """Say what is missing before anything is done, and make room: what was made of samples is no corpus."""
    for name in found:
        script.load(settings.of(name).script)  # raises UsageError where a package of dictionaries is not there
    withdrawn = [] if samples else previous.withdraw_samples(Path(settings.out))
    if withdrawn:
        names = ", ".join(withdrawn)
        _log.info(
            "deleted what an earlier run made of the bundled samples: %s", names, extra={"event": "samples.deleted"}
        )


def _left_alone(
    found: Mapping[str, DiscoveredSource], settings: Settings, progress: Progress
) -> dict[str, SourceReport]:
    """The sources for which nothing is to be done, each of which is told."""
    out, done = Path(settings.out), {}
    for name, one in found.items():
        if told := previous.reusable(out, one, settings):
            forget(out / WORK / name)  # of a run killed after its report
            done[name] = SourceReport(found=one, counts=told.counts, unchanged=told)
            progress(name, sum(file.size for file in one.files), False)
            about = {"event": "source.unchanged", "source": name}
            _log.info("%s: unchanged since %s", name, previous.since(told), extra=about)
            counts = told.records_by_file
            for caution in (*completeness.cautions(one.names, counts), *completeness.passed_over(counts)):
                _log.warning("%s: %s", name, caution, extra={"event": "source.unreadable", "source": name})
    return done
