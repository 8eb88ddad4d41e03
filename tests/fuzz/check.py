"""What must hold for every mutant: no traceback, no hang, nothing lost, the same wherever the files are cut."""

from __future__ import annotations

import faulthandler
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import polars as pl

from chat_corpus import sources
from chat_corpus.discovery.model import DiscoveredSource, FileGroup
from chat_corpus.errors import ChatCorpusError, LedgerError
from chat_corpus.exports import tsv
from chat_corpus.files.raw_file import RawFile
from chat_corpus.pipeline import process
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source
from tests.fuzz.mutants import Mutant

#: Seconds that no mutant needs.
SECONDS = 60
WHOLE = 1 << 24
_TURNS = ["file_index", "record", "turn_index", "text", "raw", "reason", "message"]


class HangError(Exception):
    """A mutant takes longer than `SECONDS`."""


@dataclass(kw_only=True, slots=True)
class Read:
    """All that was made of some files at one shard size; `error` where that is a message, `seconds` of CPU."""

    shards: int
    turns: list[tuple[object, ...]]
    pairs: list[tuple[object, ...]]
    rejects: list[tuple[object, ...]]
    counts: Counts
    error: str = ""
    seconds: float = 0.0


def check(mutant: Mutant, folder: Path) -> Read:
    """Read a mutant, written into `folder`, in one shard and in many; whatever is wrong is raised.

    Returns what was made of it in one shard.
    """
    files = _written(mutant, folder)
    with _bounded():
        begun = time.process_time()
        whole = _read(mutant, files, WHOLE)
        whole.seconds = time.process_time() - begun
        small = _read(mutant, files, mutant.shard_bytes)
    for name in ("error", "turns", "pairs", "rejects", "counts"):
        one, many = getattr(whole, name), getattr(small, name)
        assert one == many, f"{name} of {whole.shards} and of {small.shards} shards differ:\n{one}\n{many}"
    return whole


@contextmanager
def _bounded() -> Iterator[None]:
    """Raise HangError after `SECONDS`; where the interpreter itself hangs, end with its traceback."""
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
    before = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


def _hangs(_number: int, _frame: FrameType | None) -> None:
    raise HangError


def _written(mutant: Mutant, folder: Path) -> tuple[RawFile, ...]:
    files = []
    for name, content in zip(mutant.sample.names, mutant.contents, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        facts = path.stat()
        files.append(RawFile(path=str(path), name=name, size=facts.st_size, modified=facts.st_mtime_ns))
    return tuple(files)


def _input(source: Source, mutant: Mutant) -> int | None:
    """Return the input that discovery would choose for these files; None if no format accepts them any more."""
    first = zip(mutant.sample.names, mutant.contents, strict=True)
    name, content = next(iter(first))
    for number, input_ in enumerate(source.inputs):
        if input_.part_of(name) is not None and input_.format.accepts(content[:4096]):
            return number
    return None


def _read(mutant: Mutant, files: tuple[RawFile, ...], shard_bytes: int) -> Read:
    source = sources.load()[mutant.sample.source]
    settings = load((), {**mutant.options, "shard_bytes": shard_bytes})
    outcomes: list[process.ShardResult] = []
    read = Read(shards=0, turns=[], pairs=[], rejects=[], counts=Counts.zero())
    number = _input(source, mutant)
    if number is None:
        return read
    plan = ShardPlanner(
        found=DiscoveredSource(source=source, groups=[FileGroup(input=number, files=files)]), settings=settings
    )
    try:
        outcomes.extend(process.process_shard(shard, source, settings.of(source.name)) for shard in plan.shards())
    except LedgerError:
        raise
    except ChatCorpusError as error:
        read.error = str(error)
        return read
    _account(read, outcomes)
    _check_sums(read, plan, settings)
    return read


def _account(read: Read, outcomes: list[process.ShardResult]) -> None:
    read.shards = len(outcomes)
    for outcome in outcomes:
        read.counts.add(outcome.counts)
        read.turns.extend(outcome.turns.select(_TURNS).rows())
        read.pairs.extend(outcome.pairs.rows())
        read.rejects.extend(outcome.rejects.rows())
        _check_lines(outcome.pairs)
    read.turns.sort(key=repr)


def _check_lines(pairs: pl.DataFrame) -> None:
    """Each pair is one line of two columns, whatever reads it."""
    lines = tsv.encode(pairs).decode("utf-8").splitlines()
    assert len(lines) == len(pairs)
    assert all(line.count("\t") == 1 for line in lines)


def _check_sums(read: Read, plan: ShardPlanner, settings: Settings) -> None:
    """Every record of the files is non_turns, used or rejected; every reject and pair is there."""
    counts, limit = read.counts, settings.read.limit
    counts.check("all shards")
    assert counts.records.read == sum(min(fact.records, limit or fact.records) for fact in plan.summaries)
    assert counts.turns.read == len(read.turns)
    assert counts.pairs.written == len(read.pairs)
    assert counts.turns.rejected.total() == len(read.rejects)
    shown = {(file, line) for _, file, line, _, _, raw in read.rejects if raw is not None}
    assert {(file, line) for _, file, line, *_ in read.rejects} == shown
