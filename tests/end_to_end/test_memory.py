"""Memory is bounded by shards and workers, whatever the size of the input."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

from benchmarks import measure
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

#: Megabytes of the whole program, and of each worker beside it.
PROGRAM, WORKER = 250, 250
SIZES = (36, 90)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """A file of short dialogues in two sizes, in megabytes, each of several shards.

    Its texts do not resemble each other, since the search for near twins in exports takes long where all do.
    """
    choices, han = Random(1).choices, [chr(code) for code in range(0x4E00, 0x9F00, 9)]
    folder = tmp_path_factory.mktemp("memory")
    for size in SIZES:
        path = folder / str(size) / "subtitle" / "dgk_shooter_min.conv"
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            while file.tell() <= size * 1_000_000:
                query, answer = ("".join(choices(han, k=12)) for _turn in range(2))
                file.write(f"E\nM {query}\nM {answer}\n".encode())
    return {size: folder / str(size) for size in SIZES}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="/proc tells the memory of processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_more_than_twice_as_much_input_needs_no_more_memory(
    workers: int, raw: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    peaks = []
    for size in SIZES:
        out = tmp_path / str(size)
        run = [sys.executable, str(ROOT / "main.py"), "--raw", str(raw[size]), "--out", str(out)]
        peaks.append(measure.command([*run, "-q", "--workers", str(workers)]).peak_mb)
        assert (out / "subtitle.tsv").stat().st_size > size * 900_000
    assert peaks[0] > 50
    assert max(peaks) < PROGRAM + WORKER * workers
    assert peaks[1] < peaks[0] + WORKER / 2


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="/proc tells the memory of processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_an_export_needs_no_more_memory_than_a_run(
    workers: int, raw: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    peaks = []
    for size in SIZES:
        export = [sys.executable, str(ROOT / "main.py"), "export", str(tmp_path / str(size)), "--raw", str(raw[size])]
        options = ["--split", "test=0.01", "--mix", "equal", "--workers", str(workers), "-q"]
        peaks.append(measure.command([*export, *options, "--out", str(tmp_path / "none")]).peak_mb)
    assert max(peaks) < PROGRAM + WORKER * workers
    assert peaks[1] < peaks[0] + WORKER / 2
