"""Progress is honest: never more than all of it, and no faster for what an earlier run has done."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.cli.progress import Pace
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.pipeline.settings import ReadOptions
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings
from tests.conftest import slow_from
from tests.helpers import UNEQUAL, invoke, put

CONTENT = "".join(f"第{n}个问题\t第{n * 7919 % 10007}个回答\n" for n in range(4000)).encode()
PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, "": lambda content: content,
}  # fmt: skip


def test_what_an_earlier_run_has_done_makes_this_one_no_faster() -> None:
    now = [100.0]
    pace = Pace(50_000_000, lambda: now[0])
    pace.add(20_000_000, worked=False)
    assert (pace.described, pace.left) == ("20 of 50 MB", None)
    now[0] += 4
    pace.add(2_000_000, worked=True)
    assert pace.described == "22 of 50 MB, 500 kB/s, 56 s left"


@pytest.mark.parametrize(
    ("total", "done", "shown"),
    [
        (700, 70, "0.1 of 0.7 kB, 0.0 kB/s, 36 s left"),
        (2_400_000, 40_000, "40 kB of 2.4 MB, 10 kB/s, 236 s left"),
        (5_000_000_000, 4_200_000_000, "4,200 of 5,000 MB, 1,050 MB/s, 1 s left"),
    ],
)
def test_small_amounts_are_shown_in_a_unit_that_says_something(total: int, done: int, shown: str) -> None:
    now = [100.0]
    pace = Pace(total, lambda: now[0])
    now[0] += 4
    pace.add(done, worked=True)
    assert pace.described == shown


def test_there_is_never_more_done_than_there_is() -> None:
    pace = Pace(10)
    pace.add(8, worked=True)
    pace.add(8, worked=True)
    assert (pace.done, pace.worked, pace.left) == (10, 10, 0)


@pytest.mark.parametrize("ending", slow_from(2, PACKED))
def test_a_compressed_file_is_done_when_all_of_it_is(ending: str, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    (raw / f"tieba.dialogues{ending}").write_bytes(PACKED[ending](CONTENT))
    found = discover_sources(raw, {"tieba": sources.load()["tieba"]})
    steps: list[int] = []
    run(found, Settings(out=str(out), shard_bytes=9000, workers=1), lambda _, done, __: steps.append(done))
    assert len(steps) > 10
    assert min(steps) >= 0
    assert sum(steps) == found["tieba"].files[0].size


def test_progress_knows_the_shards_of_an_earlier_run(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": CONTENT.decode()})
    found = discover_sources(raw, {"tieba": sources.load()["tieba"]})
    settings = Settings(out=str(tmp_path / "out"), shard_bytes=9000, workers=1)
    steps: list[bool] = []

    def interrupted(_source: str, _done: int, worked: bool) -> None:
        steps.append(worked)
        if len(steps) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(found, settings, interrupted)
    assert steps == [True] * 5
    steps.clear()
    run(found, settings, lambda _, done, worked: steps.append(worked) if done else None)
    assert steps[:5] == [False] * 5
    assert all(steps[5:])
    steps.clear()
    run(found, settings, lambda _, __, worked: steps.append(worked))
    assert steps == [False]


@pytest.mark.parametrize("limit", [0, 10], ids=["failed", "limited"])
def test_what_is_not_read_is_done_with_when_its_source_is(limit: int, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**UNEQUAL, "tieba.dialogues": CONTENT.decode()})
    found = {name: one for name, one in discover_sources(raw, sources.load()).items() if one.groups}
    steps: list[int] = []
    settings = Settings(out=str(tmp_path / "out"), workers=1, shard_bytes=9000, read=ReadOptions(limit=limit))
    run(found, settings, lambda _, done, __: steps.append(done))
    assert sum(steps) == sum(file.size for one in found.values() for file in one.files)


def test_each_source_has_a_line_when_done_and_when_unchanged(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n你好\t好\n"}), tmp_path / "out"
    first = invoke("--raw", raw, "--out", out).stderr
    assert re.search(r"^tieba: 2 records, 2 pairs, \d+\.\d s, [\d.]+ kB/s$", first, re.MULTILINE)
    again = invoke("--raw", raw, "--out", out).stderr
    assert re.search(r"^tieba: unchanged since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", again, re.MULTILINE)


def test_a_source_that_failed_is_not_reported_as_done(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", UNEQUAL)
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert "weibo: 2 records" not in done.stderr
    assert "different lengths" in done.stderr
