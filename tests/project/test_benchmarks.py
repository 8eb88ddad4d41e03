"""The benchmark: inputs that are what they should be, and figures for all of them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import inputs
from tests.conftest import ROOT, SAMPLES
from tests.helpers import put

pytestmark = pytest.mark.slow


def _pairs(raw: Path) -> list[tuple[str, ...]]:
    text = (raw / "Gossiping-QA-Dataset.txt").read_text("utf-8")
    return [tuple(line.split("\t")) for line in text.splitlines()]


def test_repetitions_of_a_source_that_tells_pairs_apart_are_distinct(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "".join(f"問{n}\t答{n}\n" for n in "甲乙丙丁戊")})
    size = (raw / "Gossiping-QA-Dataset.txt").stat().st_size
    inputs.build(raw, tmp_path / "five", ["ptt"], 5 * size / 1e6)
    inputs.build(raw, tmp_path / "twelve", ["ptt"], 12 * size / 1e6)
    five, twelve = _pairs(tmp_path / "five"), _pairs(tmp_path / "twelve")
    assert len(set(five)) == len(five) == 25
    assert {query for query, _ in five} == {f"問{n}" for n in "甲乙丙丁戊"}
    assert len(set(twelve)) == len(twelve) == 60
    assert twelve[:25] == five
    assert twelve[-1] == ("問戊二", "答甲")


def test_a_quoted_file_stays_one_and_has_one_header(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset-2_0.csv": 'question,answer\n"問,甲",答甲\n問乙,"答""乙"""\n'})
    inputs.build(raw, tmp_path / "built", ["ptt"], 4 * 55 / 1e6)
    with (tmp_path / "built" / "Gossiping-QA-Dataset-2_0.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["question", "answer"]
    assert rows[:6] == [
        ["問,甲", "答甲"], ["問乙", '答"乙"'],
        ["問,甲", '答"乙"'], ["問乙", "答甲"],
        ["問,甲一", "答甲"], ["問乙一", '答"乙"'],
    ]  # fmt: skip


def test_the_figures_are_shown_and_written(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    options = f"-s ptt --mb 0.05 --workers 1 --cold 1 --profile --raw {SAMPLES} --json {file}".split()
    command = [sys.executable, "-m", "benchmarks", *options, "--against", "cp -r {raw} {out}"]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=ROOT)
    document = json.loads(file.read_text("utf-8"))
    assert set(document["cold_start"]) == {"help_s", "samples_s", "unchanged_s"}
    assert {"python", "polars", "cores", "processor"} <= set(document["machine"])
    (run,) = document["sources"]["ptt"]["runs"]
    assert run["MB_s"] > 0
    assert run["pairs_s"] > 0
    assert [one["stage"] for one in document["sources"]["ptt"]["stages"]][-1] == "all"
    assert document["sources"]["ptt"]["against"]["seconds"] > 0
    assert "1 worker" in done.stdout
