"""Several processes, dead workers, interruptions: the same bytes, nothing done twice, nobody left behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.files.atomic import atomic_path
from chat_corpus.outputs.layout import WORK
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.runs.task import ShardTask, run_shard
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT, slow_from

#: A source of one query and answer a line, with a reader that kills its process on request.
DEADLY = """
import os, signal
from pathlib import Path
from chat_corpus.formats.base import Format
from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.sources.base import Input, Source

plain = delimited("\\t")

def read(parts):
    times = Path(__file__).with_name("times")
    if parts[0]["text"].str.contains("致命").any() and (left := int(times.read_text())):
        times.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
    return plain.read(parts)

SOURCE = Source(
    name="deadly",
    title="",
    url="",
    licence="",
    obtain="",
    inputs=(Input(files=("deadly.txt",), format=Format(read=read)),),
)
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of some dozens of small shards each."""
    folder = tmp_path_factory.mktemp("raw")
    threads = (f"這是第{n}個問題 真的嗎\t回答{n}哈哈哈哈哈哈\n回答{n}哈哈哈哈哈哈\t謝謝{n}\n" for n in range(500))
    (folder / "tieba.dialogues").write_text("".join(threads), "utf-8")
    exchanges = (f"問題{n % 230}\t答案{n % 230}\n" for n in range(1000))
    (folder / "Gossiping-QA-Dataset.txt").write_text("".join(exchanges), "utf-8")
    return folder


def files(out: Path) -> dict[str, bytes]:
    """The results, the report aside, which tells the time."""
    found = sorted(path for path in out.rglob("*") if path.suffix in (".tsv", ".jsonl") and WORK not in path.parts)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def settings(out: Path, **how: int) -> Settings:
    return Settings(out=str(out), **{"shard_bytes": 3500, "workers": 1, **how})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def expected(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("expected")
    run(discover_sources(raw, {name: sources.load()[name] for name in ("ptt", "tieba")}), settings(out), silent)
    return files(out)


def program(raw: Path, out: Path, *arguments: str) -> subprocess.Popen[str]:
    """The program over small shards in two processes, in a session of its own."""
    config = out.with_suffix(".yaml")
    config.write_text("shard_bytes: 3500\nworkers: 2\n", "utf-8")
    command = [sys.executable, str(ROOT / "main.py"), "-s", "ptt,tieba", "--raw", raw, "--out", out, "--config", config]
    return subprocess.Popen(
        [*map(str, command), *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(condition: object, seconds: float = 60) -> None:
    """Wait for a condition to hold."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@pytest.mark.parametrize("workers", slow_from(1, [2, 3]))
def test_the_output_does_not_depend_on_the_number_of_processes(
    workers: int, raw: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    found = discover_sources(raw, {name: sources.load()[name] for name in ("ptt", "tieba")})
    run(found, settings(tmp_path, workers=workers), silent)
    assert files(tmp_path) == expected


@pytest.mark.parametrize("size", slow_from(1, [1_000_000, 1000]))
def test_the_output_does_not_depend_on_the_size_of_shards(
    size: int, raw: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    found = discover_sources(raw, {name: sources.load()[name] for name in ("ptt", "tieba")})
    run(found, settings(tmp_path, shard_bytes=size), silent)
    made, cut = files(tmp_path), [f"index/{name}.jsonl" for name in found]  # which tells of the shards
    assert [made.pop(name) != expected[name] for name in cut] == [True, True]
    assert made == {name: content for name, content in expected.items() if name not in cut}


def test_an_interrupted_run_goes_on_and_does_no_shard_twice(
    raw: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = discover_sources(raw, {name: sources.load()[name] for name in ("ptt", "tieba")})
    done: list[tuple[str, int]] = []

    def counted(task: ShardTask) -> Counts:
        if len(done) == 9:
            raise KeyboardInterrupt
        done.append((task.shard.source, task.shard.number))
        return run_shard(task)

    monkeypatch.setattr("chat_corpus.runs.task.run_shard", counted)
    with pytest.raises(KeyboardInterrupt):
        run(found, settings(tmp_path), silent)
    interrupted = [*done]
    done.append(("the tenth", 0))  # no further interruption
    run(found, settings(tmp_path), silent)
    assert files(tmp_path) == expected
    assert len(set(done)) == len(done) > len(interrupted) + 5


def test_a_run_with_nothing_changed_does_nothing_and_fresh_does_it_again(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = discover_sources(raw, {"tieba": sources.load()["tieba"]})
    run(found, settings(tmp_path), silent)
    before = (tmp_path / "tieba.tsv").stat().st_mtime_ns
    report, _ = run(found, settings(tmp_path), silent)
    assert report["tieba"].unchanged is not None
    assert (tmp_path / "tieba.tsv").stat().st_mtime_ns == before
    run(found, settings(tmp_path), silent, fresh=True)
    assert (tmp_path / "tieba.tsv").stat().st_mtime_ns > before
    (tmp_path / "tieba.tsv").write_bytes(b"changed by hand\n")
    report, _ = run(found, settings(tmp_path), silent)
    assert report["tieba"].unchanged is None
    monkeypatch.setattr("chat_corpus.runs.task.run_shard", None)  # nothing may be done
    run(found, settings(tmp_path), silent)


@pytest.mark.slow
def test_it_stops_at_once_when_asked_to_and_says_how_to_go_on(
    raw: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = program(raw, out)
    until(lambda: list(out.rglob("0*.json")))
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 143
    assert errors.endswith("stopped; the same command resumes from here\n")
    assert "Traceback" not in errors
    again = program(raw, out)
    again.communicate()
    assert files(out) == expected


@pytest.mark.slow
def test_a_second_run_into_the_same_folder_says_who_holds_it(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = program(raw, out)
    until(lambda: (out / WORK / ".holder").exists())
    second = program(raw, out)
    errors = second.communicate()[1]
    first.communicate()
    assert (second.returncode, first.returncode) == (2, 0)
    assert f"process {first.pid} on " in errors


@pytest.mark.slow
@pytest.mark.parametrize(("times", "code"), [(1, 0), (2, 1)])
def test_a_worker_that_dies_is_tried_again_and_then_named(times: int, code: int, raw: Path, tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text(DEADLY, "utf-8")
    (tmp_path / "times").write_text(str(times), "utf-8")
    lines = [f"第{n}問\t第{n}答\n" for n in range(1000)]
    lines[500] = "致命\t的一行\n"
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "deadly.txt").write_text("".join(lines), "utf-8")
    (folder / "tieba.dialogues").write_bytes((raw / "tieba.dialogues").read_bytes())
    out = tmp_path / "out"
    process = program(folder, out, "--plugin", str(tmp_path / "plugin.py"), "-s", "deadly")
    errors = process.communicate(timeout=60)[1]
    assert "a worker process died (killed, or out of memory); trying again: " in errors
    assert (out / "tieba.tsv").exists()
    assert (out / "deadly.tsv").exists() == (code == 0)
    if code:
        assert process.returncode == code
        assert re.search(
            r"deadly: shard \d+ \(deadly\.txt from record \d+\): its worker process died each time", errors
        )


def test_what_killed_processes_left_half_written_is_swept(tmp_path: Path) -> None:
    found = discover_sources(put_small(tmp_path), {"tieba": sources.load()["tieba"]})
    out = tmp_path / "out"
    folder = out / WORK / "ptt"
    folder.mkdir(parents=True)
    orphans = [place / f".000001.tsv.{'0' * 32}.writing" for place in (out, out / WORK, folder)]
    others = [out / ".mine.writing", folder / "000001.tsv"]
    for path in (*orphans, *others):
        path.touch()
    run(found, settings(out), silent)
    assert [path for path in orphans if path.exists()] == []
    assert all(path.exists() for path in others)


def put_small(folder: Path) -> Path:
    (folder / "tieba.dialogues").write_text("問\t答\n", "utf-8")
    return folder


def test_two_processes_never_write_under_the_same_name(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a") as one, atomic_path(tmp_path / "a") as other:
        assert one != other
        one.touch()
        other.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
