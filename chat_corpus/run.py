"""The main job: every source that was found, shard by shard, into the output folder.

A source that fails leaves its earlier output as it was and the others are done all the same. A source whose input,
settings and code are those of its output is left alone; one that was interrupted goes on where it was.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import filelock

from chat_corpus import earlier, index, report, script
from chat_corpus.drive import drive
from chat_corpus.earlier import WORK
from chat_corpus.engines.choose import choose
from chat_corpus.errors import ChatCorpusError, IncompleteError, UsageError
from chat_corpus.ledger import Counts
from chat_corpus.merge import Merge
from chat_corpus.plan import Plan
from chat_corpus.progress import Progress
from chat_corpus.report import SourceReport
from chat_corpus.schema import Reason
from chat_corpus.settings import Settings
from chat_corpus.survey import Found
from chat_corpus.work import Task, raw_records, sweep

_log = logging.getLogger(__name__)


def run(
    found: Mapping[str, Found], settings: Settings, progress: Progress, *, conversions: int = 0, fresh: bool = False
) -> tuple[dict[str, SourceReport], Any]:
    """Do all sources in `found`, and write the report. Returns what became of each source, and the report.

    What became of a source comes with a sample of up to `conversions` turns of each shard that were converted. `fresh`
    forgets what earlier runs have done. Raises UsageError where another run holds the output folder, EngineError where
    those who should do the work cannot, ChatCorpusError where the output folder cannot be written.
    """
    out = Path(settings.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _held(out):
            sweep(out, out / "rejects", out / "index", *(out / WORK).iterdir(), out / WORK)
            return _run(found, settings, progress, conversions=conversions, fresh=fresh)
    except OSError as error:
        raise ChatCorpusError(f"{error.filename or out}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """Hold the output folder against other runs."""
    folder = out / WORK
    folder.mkdir(exist_ok=True)
    lock, holder = filelock.FileLock(folder / "lock"), folder / "holder"
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        told = holder.read_text("utf-8") if holder.exists() else "another process"
        raise UsageError(f"{out}: {told} is writing here; wait for it, or use another --out") from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}", "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@dataclass(kw_only=True, slots=True)
class _Job:
    """One source on its way: its plan, its tasks so far, how many of them are done, and what is told of it.

    `content` counts bytes of its shards so far, `read` those of shards that are done, `reached` the bytes that these
    are of the files on disk, which may be compressed or in another encoding.
    """

    plan: Plan
    folder: Path
    told: SourceReport
    clock: float
    with_keys: bool
    merge: Merge = field(init=False)
    tasks: list[Task] = field(default_factory=list)
    accounts: dict[int, Counts] = field(default_factory=dict)
    done: int = 0
    planned: bool = False
    content: int = 0
    read: int = 0
    reached: int = 0

    def __post_init__(self) -> None:
        raw_of = (lambda number: raw_records(self.tasks[number])) if self.with_keys else None
        self.merge = Merge(self.plan.found.source.name, self.folder, raw_of)

    @property
    def finished(self) -> bool:
        return self.planned and self.done == len(self.tasks)

    @property
    def size(self) -> int:
        """Bytes of the files on disk."""
        return sum(file.size for file in self.plan.found.files)

    def advance(self, read: int) -> int:
        """Count content that was read; by how many bytes of the files on disk that is further."""
        self.read += read
        stored = sum(fact.stored for fact in self.plan.facts)
        reached = max(self.reached, self.read * stored // max(self.content, 1))
        step, self.reached = reached - self.reached, reached
        return step


def _run(
    found: Mapping[str, Found], settings: Settings, progress: Progress, *, conversions: int, fresh: bool
) -> tuple[dict[str, SourceReport], Any]:
    out, clock = Path(settings.out), time.perf_counter()
    facts: dict[str, Any] = {"started": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    facts["samples"] = any(one.sample for one in found.values())
    done = {} if fresh or conversions else _left_alone(found, settings, progress)
    jobs = {
        name: _job(one, settings, out / WORK / name, fresh=fresh) for name, one in found.items() if name not in done
    }

    def close(job: _Job) -> None:
        spent = _finish(job, out)
        done[job.plan.found.source.name] = job.told
        facts["seconds"] = round(time.perf_counter() - clock, 3)
        # After each source, so that a run that is interrupted leaves no file that the report does not know.
        report.write(out, settings, done, facts)
        if spent:
            shutil.rmtree(job.folder, ignore_errors=True)
        progress(job.plan.found.source.name, job.size - job.reached, False)  # what it failed to read, or need not
        _tell(job.told)

    def tasks() -> Iterator[Task]:
        """The tasks, when the engine's workers are already starting."""
        for name in found:
            script.load(settings.of(name).script)  # a missing dictionary package is said before anything is done
        if not facts["samples"]:
            _withdraw_samples(out)
        yield from _tasks(jobs, settings, conversions, close)

    engine = choose({name: found[name] for name in jobs}, settings, out / WORK)
    for task, outcome, worked in drive(engine, tasks()):
        job = jobs[task.shard.source]
        _account(job, task, outcome)
        progress(task.shard.source, job.advance(task.shard.bytes), worked)
        if job.finished:
            close(job)
    facts["seconds"] = round(time.perf_counter() - clock, 3)
    return {name: done[name] for name in found}, report.write(out, settings, done, facts)


def _withdraw_samples(out: Path) -> None:
    withdrawn = earlier.withdraw_samples(out)
    if withdrawn:
        _log.info("deleted what an earlier run made of the bundled samples: %s", ", ".join(withdrawn))


def _left_alone(found: Mapping[str, Found], settings: Settings, progress: Progress) -> dict[str, SourceReport]:
    """The sources for which nothing is to be done, each of which is told."""
    out, done = Path(settings.out), {}
    for name, one in found.items():
        if told := earlier.unchanged(out, one, settings):
            shutil.rmtree(out / WORK / name, ignore_errors=True)  # of a run killed after its report
            done[name] = SourceReport(found=one, counts=Counts.read(told), unchanged=told)
            progress(name, sum(file.size for file in one.files), False)
            _log.info("%s: unchanged since %s", name, earlier.since(told), extra={"source": name})
    return done


def _job(found: Found, settings: Settings, folder: Path, *, fresh: bool) -> _Job:
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = settings.of(found.source.name).pairs.distinct
    return _Job(
        plan=Plan(found=found, settings=settings),
        folder=folder,
        told=SourceReport(found=found),
        clock=time.perf_counter(),
        with_keys=wanted == "always" or (wanted == "source" and found.source.distinct),
    )


def _tasks(
    jobs: Mapping[str, _Job], settings: Settings, conversions: int, close: Callable[[_Job], None]
) -> Iterator[Task]:
    """The tasks of all sources, planned as they are asked for."""
    for job in jobs.values():
        job.clock = time.perf_counter()
        job.told.files = job.plan.facts
        try:
            for shard in job.plan.shards():
                task = Task(
                    shard=shard,
                    settings=settings,
                    folder=job.folder,
                    with_keys=job.with_keys,
                    conversions=conversions,
                )
                job.tasks.append(task)
                job.content += shard.bytes
                yield task
                if job.told.error:
                    break
        except ChatCorpusError as error:
            _fail(job, error)
        job.planned = True
        if job.finished:
            close(job)


def _account(job: _Job, task: Task, outcome: Counts | ChatCorpusError) -> None:
    job.done += 1
    name = task.shard.source
    if isinstance(outcome, ChatCorpusError):
        _fail(job, outcome)
        return
    job.told.counts.add(outcome)
    job.accounts[task.shard.number] = outcome
    job.merge.add(task.shard.number, task.part)
    job.told.samples.append(task.part.sample)
    _log.debug("%s: shard %d, %d pairs", name, task.shard.number, outcome.written, extra={"source": name})


def _tell(told: SourceReport) -> None:
    if not told.error:
        name, counts = told.found.source.name, told.counts
        line = f"{name}: {counts.records:,} records, {counts.written:,} pairs, {told.seconds:.1f} s"
        _log.info("%s, %.1f MB/s", line, told.megabytes / told.seconds, extra={"source": name})


def _fail(job: _Job, error: ChatCorpusError) -> None:
    if not job.told.error:
        job.told.error, job.told.exit_code = str(error), error.exit_code
        _log.error("error: %s", error, extra={"source": job.plan.found.source.name})


def _check_encoding(job: _Job) -> None:
    """Fail a source most of whose turns do not decode: its files are in another encoding, or no text at all."""
    counts, name = job.told.counts, job.plan.found.source.name
    lost = counts.turns_rejected[Reason.ENCODING]
    if lost * 2 > counts.turns:
        files = "; ".join(f"{fact.file.name} was read as {fact.file.encoding}" for fact in job.told.files)
        told = f"{name}: {lost:,} of {counts.turns:,} turns do not decode: {files}"
        _fail(
            job, IncompleteError(f"{told}; name the right encoding with --encoding {name}=NAME, or get the file again")
        )


def _finish(job: _Job, out: Path) -> bool:
    """Put the files of a source in their place; whether its parts are of no more use.

    One that failed keeps its parts for the next run, unless the parts themselves are at fault.
    """
    faulty = False
    _check_encoding(job)
    if not job.told.error:
        try:
            earlier.announce(out, job.plan.found.source.name, job.plan.settings)
            job.merge.finish(job.told.counts, out)
            counts = [job.accounts[number] for number in range(len(job.tasks))]
            index.write(out, [task.shard for task in job.tasks], counts, job.merge.places, job.plan.found.source.name)
        except ChatCorpusError as error:
            _fail(job, error)
            faulty = True
    job.told.read_samples()
    job.told.seconds = time.perf_counter() - job.clock
    return faulty or not job.told.error
