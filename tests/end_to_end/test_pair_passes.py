"""Passes over all pairs in whole runs: the same bytes in any shards, and a line and a count for what is dropped."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import api
from tests.conftest import ROOT, slow_from
from tests.helpers import invoke, visible
from tests.pipeline.pair_passes.made import invented

PASSES: dict[str, Any] = {
    "dedup": {"exact": "always", "dialogues": True, "near": 0.6, "answers_per_query": 2, "queries_per_answer": 2},
    "relatedness": {"drop_lowest": 0.25, "column": True},
    "store_dialogues": True,
}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dialogues of two pairs, some of which are repeated, in a file of a source."""
    folder = tmp_path_factory.mktemp("raw")
    pairs = invented(150, seed=5)
    blocks = [f"E\nM {query}\nM {answer}\nM {pairs[at - 1][0]}\n" for at, (query, answer) in enumerate(pairs)]
    blocks += [f"E\nM 什么\nM {answer}\n" for _, answer in pairs[:20]] + blocks[:10]
    (folder / "subtitle").mkdir()
    (folder / "subtitle" / "dgk_shooter_min.conv").write_text("".join(blocks), "utf-8")
    return folder


def run(raw: Path, out: Path, **settings: object) -> dict[str, bytes]:
    config = out.parent / f"{out.name}.yaml"
    config.write_text(json.dumps({**PASSES, **settings}), "utf-8")
    done = invoke("-s", "subtitle", "--raw", raw, "--out", out, "--config", config)
    assert done.exit_code == 0, done.output
    return {name: data for name, data in visible(out).items() if name not in ("report.json", "index/subtitle.jsonl")}


def rejects(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rejects" / "subtitle.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def out(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passes") / "out"
    run(raw, folder, shard_bytes=4000, workers=1)
    return folder


@pytest.mark.parametrize(("size", "workers"), slow_from(1, [(6_000_000, 1), (700, 1), (4000, 2), (700, 2)]))
def test_bytes_do_not_depend_on_shards_or_workers(
    size: int, workers: int, raw: Path, out: Path, tmp_path: Path
) -> None:
    names = ("report.json", "index/subtitle.jsonl")
    expected = {name: data for name, data in visible(out).items() if name not in names}
    assert run(raw, tmp_path / "out", shard_bytes=size, workers=workers) == expected


def test_each_dropped_pair_has_a_line_and_is_counted_by_its_reason(out: Path) -> None:
    source = json.loads((out / "report.json").read_bytes())["sources"]["subtitle"]
    pairs, turns = source["pairs"], source["turns"]["rejected"]
    lines = Counter(reject["reason"] for reject in rejects(out))
    assert lines == Counter({**pairs["rejected"], "duplicate": pairs["duplicates"]}) + Counter(turns)
    assert pairs["possible"] == pairs["written"] + sum(pairs["rejected"].values()) + pairs["duplicates"]
    assert pairs["written"] == (out / "subtitle.tsv").read_bytes().count(b"\n")
    assert {*lines} >= {"duplicate_dialogue", "near_duplicate", "answers_per_query", "unrelated"}
    assert all((reject["same_as"] is None) == (reject["reason"] == "unrelated") for reject in rejects(out))
    assert all(reject["raw"] for reject in rejects(out)[:5])


def test_explain_names_the_pass_as_the_rejects_do(out: Path) -> None:
    some = {reject["reason"]: reject for reject in rejects(out)}
    for reject in some.values():
        (record,) = api.explain(reject["file"], reject["record"], out=out)
        outcomes = [pair for turn in record.turns for pair in turn.pairs if pair.side == "query"]
        assert (reject["reason"], reject["message"]) in {(pair.reason, pair.message) for pair in outcomes}


@pytest.mark.slow
def test_the_pairs_that_load_returns_are_those_of_the_run(raw: Path, out: Path) -> None:
    settings = {name: PASSES[name] for name in ("dedup", "relatedness")}
    rows = api.load("subtitle", raw, settings={**settings, "shard_bytes": 4000})
    lines = (out / "subtitle.tsv").read_text("utf-8").splitlines()
    assert [f"{query}\t{answer}" for query, answer in rows.select("query", "answer").rows()] == lines


def test_an_answer_in_the_store_has_the_relatedness_to_its_query(out: Path, tmp_path: Path) -> None:
    store = pl.read_parquet(out / "dialogues" / "subtitle.parquet")
    assert store.columns[-1] == "relatedness"
    assert store.filter(pl.col("turn_index") == 0)["relatedness"].null_count() == (store["turn_index"] == 0).sum()
    scored = store.filter(pl.col("turn_index") > 0)
    assert scored["relatedness"].null_count() < len(scored) / 10
    scores = dict(store.select(pl.col("record").shift(1), "relatedness").rows())
    unrelated = [reject for reject in rejects(out) if reject["reason"] == "unrelated"]
    for reject in unrelated:
        assert reject["message"].startswith(
            f"relatedness {round(scores[reject['record']], 4)}; dropped are the lowest 25%"
        )
    config = out.parent / "out.yaml"
    assert invoke("export", tmp_path / "export", "--out", out, "--config", config).exit_code == 0


@pytest.mark.slow
def test_a_column_without_a_store_is_warned_of(raw: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("relatedness: {column: true}\n", "utf-8")
    done = invoke("-s", "subtitle", "--raw", raw, "--out", tmp_path / "out", "--config", config)
    assert "relatedness.column has no effect" in done.stderr


def test_a_source_without_pairs_after_the_passes_is_warned_of(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("dedup: {exact: always}\nrelatedness: {min: 99}\n", "utf-8")
    put = tmp_path / "raw" / "tieba.dialogues"
    put.parent.mkdir()
    put.write_text("今天下雨\t带伞\n今天下雨\t带伞\n", "utf-8")
    done = invoke("--raw", tmp_path / "raw", "--out", tmp_path / "out", "--config", config)
    assert done.exit_code == 0
    assert "no pair is left (rejected: duplicate 1, unrelated 1); check the settings" in done.stderr


@pytest.mark.slow
def test_a_run_killed_at_any_moment_is_finished_by_the_next(raw: Path, out: Path, tmp_path: Path) -> None:
    expected = {name: data for name, data in visible(out).items() if name != "report.json"}
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({**PASSES, "shard_bytes": 4000, "workers": 1}), "utf-8")
    arguments = ["-s", "subtitle", "--raw", str(raw), "--out", str(tmp_path / "out"), "--config", str(config)]
    began = time.monotonic()
    subprocess.run(
        [sys.executable, ROOT / "main.py", *arguments[:-3], str(tmp_path / "other"), *arguments[-2:]], check=True
    )
    lasts = time.monotonic() - began
    for moment in random.Random(7).choices(range(30, 100), k=8):
        process = subprocess.Popen([sys.executable, ROOT / "main.py", *arguments, "--force"])
        time.sleep(lasts * moment / 100)
        process.kill()
        process.wait()
        assert invoke(*arguments, "--force").exit_code == 0
        assert {name: data for name, data in visible(tmp_path / "out").items() if name != "report.json"} == expected
        for file in visible(tmp_path / "out"):
            (tmp_path / "out" / file).unlink()
