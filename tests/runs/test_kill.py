"""Killed at any moment, the parent or a worker: files are whole, and the same command resumes the run."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from chat_corpus.cli import main
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings
from tests.conftest import slow_from
from tests.helpers import invoke, visible

#: The sources, and how many shards each is cut into.
PARTS = {"ptt": 10, "tieba": 10}
SHARDS = sum(PARTS.values())
#: Tasks per worker in tests of a pool: few, so that some are not yet handed out when a worker dies.
AHEAD = 6
#: Processes forked from a server that has everything imported: as mortal as others, and there sooner.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.runs.test_kill"])


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of a dozen small shards each, one of which has repeats to find."""
    folder = tmp_path_factory.mktemp("raw")
    threads = (f"這是第{n}個問題 真的嗎\t回答{n}哈哈哈哈哈哈\n回答{n}哈哈哈哈哈哈\t謝謝{n}\n" for n in range(600))
    (folder / "tieba.dialogues").write_text("".join(threads), "utf-8")
    exchanges = (f"第{n % 700}個問題問什麼呢\t第{n % 700}個答案說什麼\n" for n in range(1200))
    (folder / "Gossiping-QA-Dataset.txt").write_text("".join(exchanges), "utf-8")
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Settings for small shards, by the number of workers."""
    folder = tmp_path_factory.mktemp("config")
    files = {workers: folder / f"{workers}.yaml" for workers in (1, 2)}
    for workers, file in files.items():
        file.write_text(f"shard_bytes: 6500\nworkers: {workers}\n", "utf-8")
    return files


@pytest.fixture(scope="module")
def expected(raw: Path, config: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("expected")
    done = invoke("-v", *_arguments(raw, out, config[1]))
    assert (done.exit_code, Counter(re.findall(r"(\w+): shard", done.stderr))) == (0, PARTS)
    return _results(out)


def _arguments(raw: Path, out: Path, config: Path) -> list[str]:
    return ["-s", ",".join(PARTS), "--raw", str(raw), "--out", str(out), "--config", str(config)]


def _results(out: Path) -> dict[str, bytes]:
    """The results, the report aside, which tells the time."""
    return {name: content for name, content in visible(out).items() if name != "report.json"}


def _finished(out: Path) -> set[tuple[str, int]]:
    """Source and number of the shards that have counts, which are written last."""
    parts = _seen(out, f"{WORK}/*/[0-9]*.json")
    return {(part.parent.name, int(part.name.split("-")[0])) for part in parts}


def _seen(out: Path, pattern: str) -> list[Path]:
    """What is there, also where a source is finished and its folder deleted meanwhile."""
    try:
        return list(out.glob(pattern))
    except FileNotFoundError:
        return _seen(out, pattern)


def _slowly(sync: Callable[[Any], None], file: Any) -> None:
    time.sleep(0.02)
    sync(file)


def _program(arguments: list[str], errors: Connection, *, slow_disk: bool) -> None:
    """The program in a session of its own; every process that it starts holds the pipe `errors`, as its stderr."""
    os.setsid()
    os.dup2(errors.fileno(), 2)
    errors.close()
    os.write(2, b"\n")  # now its session can be killed
    sys.stdout = sys.stderr = os.fdopen(2, "w", encoding="utf-8")
    if slow_disk:  # so that moments which pass in no time can be met
        os.fsync = partial(_slowly, os.fsync)
    main.main(arguments)


class _Victim:
    """The program over both sources, to be killed at a moment of one's choice."""

    def __init__(self, arguments: list[str], *, slow_disk: bool = False) -> None:
        self._errors, theirs = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_program, args=(arguments, theirs), kwargs={"slow_disk": slow_disk})
        self._process.start()
        theirs.close()
        assert os.read(self._errors.fileno(), 1) == b"\n", "it did not start"

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert self._process.is_alive(), os.read(self._errors.fileno(), 1 << 16).decode()
            assert time.monotonic() < end, "the moment did not come"
            time.sleep(0.0005)

    def kill(self, *, workers_too: bool = True) -> None:
        """Kill it, and wait until no process of it is left: each holds the pipe open until it ends."""
        if workers_too:
            assert self._process.pid
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        end = time.monotonic() + 60
        while select.select([self._errors], [], [], max(end - time.monotonic(), 0))[0]:
            if not os.read(self._errors.fileno(), 4096):
                break
        else:
            pytest.fail("a process of it lives on")
        self._errors.close()
        self._process.join()


def _goes_on(arguments: list[str], out: Path, expected: dict[str, bytes]) -> None:
    """What is there is whole; the same command does what is missing, and no shard twice; nothing else is left."""
    assert {name: expected[name] for name in _results(out)} == _results(out)
    finished = _finished(out)
    again = invoke("-v", *arguments)
    assert again.exit_code == 0, again.stderr
    assert _results(out) == expected
    taken_up = re.findall(r"(\w+): shard (\d+) was done by an earlier run", again.stderr)
    unchanged = {name for name in PARTS if f"{name}: unchanged since" in again.stderr}
    assert {(name, int(number)) for name, number in taken_up} == {one for one in finished if one[0] not in unchanged}
    done = re.findall(r"(\w+): shard (\d+), \d+ pairs", again.stderr)
    assert len(done) == len(set(done)) == sum(PARTS[name] for name in PARTS if name not in unchanged)
    assert [path for path in out.rglob("*") if path.is_file() and path.stat().st_size and _is_left(path, out)] == []


def _is_left(path: Path, out: Path) -> bool:
    return path.name.startswith(".") or WORK in path.relative_to(out).parts


@pytest.mark.parametrize("seed", slow_from(1, range(8)))
def test_a_run_killed_after_any_shard_goes_on_from_there(
    seed: int, raw: Path, config: dict[int, Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    chance, out = random.Random(seed), tmp_path / "out"
    arguments = _arguments(raw, out, config[1])
    victim = _Victim(arguments, slow_disk=True)
    name = chance.choice(list(PARTS))
    parts = chance.randrange(PARTS[name])
    victim.wait_for(lambda: len([one for one in _finished(out) if one[0] == name]) >= parts)
    time.sleep(chance.uniform(0, 0.01))
    victim.kill()
    _goes_on(arguments, out, expected)


@pytest.mark.parametrize("seed", slow_from(0, range(4)))
def test_a_run_of_several_processes_killed_after_any_shard_goes_on_from_there(
    seed: int, raw: Path, config: dict[int, Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Half of the time the parent alone is killed, and the workers must notice."""
    chance, out = random.Random(seed), tmp_path / "out"
    victim = _Victim(_arguments(raw, out, config[2]))
    parts = chance.randrange(PARTS["ptt"])
    victim.wait_for(lambda: len(_finished(out)) >= parts)
    time.sleep(chance.uniform(0, 0.01))
    victim.kill(workers_too=seed % 2 == 0)
    _goes_on(_arguments(raw, out, config[1]), out, expected)


def _there(pattern: str) -> Callable[[Path], object]:
    return lambda out: _seen(out, pattern)


MOMENTS: dict[str, Callable[[Path], object]] = {
    "parts are joined": _there(f"{WORK}/tieba/00000[4-9]*.json"),
    "the files of the first source are about to appear": _there(f"{WORK}/ptt/settings"),
    "the files of the second source are about to appear": _there(f"{WORK}/tieba/settings"),
    "the pairs of the first source have appeared": _there("ptt.tsv"),
    "the rejects of the first source have appeared, the report knows nothing": _there("rejects/ptt.jsonl"),
    "the report is written": _there(".report.json.*.writing"),
    "the report is there, the second source is not begun": _there("report.json"),
    "the second source has begun": _there(f"{WORK}/tieba/0*"),
    "the pairs of the second source have appeared": _there("tieba.tsv"),
}


@pytest.mark.parametrize("moment", slow_from(2, MOMENTS))
def test_a_run_killed_at_a_moment_between_two_states_goes_on_from_there(
    moment: str, raw: Path, config: dict[int, Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    chance, out = random.Random(moment), tmp_path / "out"
    arguments = _arguments(raw, out, config[1])
    victim = _Victim(arguments, slow_disk=True)
    victim.wait_for(lambda: MOMENTS[moment](out))
    time.sleep(chance.uniform(0, 0.01))
    victim.kill()
    _goes_on(arguments, out, expected)


def test_an_earlier_output_stays_until_the_new_one_is_whole(
    raw: Path, config: dict[int, Path], expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = _arguments(raw, out, config[1])
    assert invoke(*arguments).exit_code == 0
    before = out.joinpath("ptt.tsv").stat().st_ino
    victim = _Victim([*arguments, "--fresh"], slow_disk=True)
    victim.wait_for(lambda: (out / WORK / "ptt" / "settings").exists())
    victim.kill()
    assert out.joinpath("ptt.tsv").stat().st_ino == before
    assert _results(out) == expected
    assert invoke(*arguments).exit_code == 0
    assert _results(out) == expected


@pytest.fixture
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are forked, not spawned, and get few tasks in advance."""
    monkeypatch.setattr("chat_corpus.engines.local.AHEAD", AHEAD)
    monkeypatch.setattr("chat_corpus.engines.local.multiprocessing.get_context", lambda _: FORKS)


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("seed", slow_from(1, range(10)))
def test_a_worker_killed_at_any_moment_costs_no_shard_and_none_is_counted_twice(
    seed: int, raw: Path, expected: dict[str, bytes], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)
    found = discover_sources(raw, {name: sources.load()[name] for name in PARTS})
    moment, messages = chance.randrange(SHARDS - 2 * AHEAD - 1), Counter[str]()  # while there is more to hand out
    before = set(multiprocessing.active_children())  # a test before this one may have messages some to end

    def progress(source: str, _: int, worked: bool) -> None:
        if not worked:
            return
        if messages.total() == moment:
            time.sleep(chance.uniform(0, 0.01))
            victim = chance.choice([*{*multiprocessing.active_children()} - before])
            assert victim.pid
            os.kill(victim.pid, signal.SIGKILL)
        messages[source] += 1

    run(found, Settings(out=str(tmp_path), shard_bytes=6500, workers=2), progress)
    assert _results(tmp_path) == expected
    assert messages.total() == SHARDS
    assert "a worker process died" in caplog.text
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))["sources"]
    assert [report[name]["pairs"]["possible"] for name in PARTS] == [1200, 1200]
