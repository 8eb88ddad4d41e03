"""The comparison as a whole: what it reads, what it refuses, and that better data win."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import polars as pl
import pytest

from benchmarks.quality.held_out import cut, find_twins, read_held_out, refuse_twins, without_twins
from benchmarks.quality.pairs import read_pairs
from tests.conftest import ROOT
from tests.helpers import put
from tests.quality.made import folder, frame, grammar, noise


def _compare(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.quality", *map(str, arguments)]
    return subprocess.run(
        command, check=False, capture_output=True, encoding="utf-8", cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"}
    )


def _read(path: Path, split: str = "train") -> list[tuple[str, ...]]:
    return [row for pairs in read_pairs(path, split) for row in pairs.drop("address").iter_rows()]


def test_outputs_files_of_others_and_tables_are_read(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "礼貌"}, *({"role": "user", "content": text} for text in "问答又复")]
    records = [{"messages": messages, "source": "ptt"}, {"query": "甲\n乙", "answer": "丙"}]
    put(tmp_path, {"a.jsonl": "".join(json.dumps(record) + "\n" for record in records), "b.tsv": "问\t答 \n"})
    pl.DataFrame({"source": ["x"], "query": ["问"], "answer": ["答"]}).write_parquet(tmp_path / "c.parquet")
    assert _read(tmp_path / "a.jsonl") == [("ptt", "问", "答"), ("ptt", "又", "复"), ("a", "甲\\n乙", "丙")]
    assert _read(tmp_path) == [("b", "问", "答 ")]
    assert _read(tmp_path / "c.parquet") == [("x", "问", "答")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "问\t答\n没有\n", r"a\.tsv:2: expected a query, a tab and an answer"),
        ("a.jsonl", '{"text": "问"}\n', r"a\.jsonl:1: expected an object"),
        ("a.tsv", b"\xff\t\xfe\n", r"a\.tsv: cannot be read"),
        ("a.parquet", "", r"a\.parquet: cannot be read"),
        ("a.doc", "问\t答\n", r"a\.doc: no pairs"),
    ],
)
def test_what_is_not_read_is_named_by_its_row(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(click.UsageError, match=message):
        _read(put(tmp_path, {name: content}) / name)


def test_twins_of_held_out_rows_are_refused_with_their_number_and_rows(tmp_path: Path) -> None:
    held_out = grammar(30, 1)
    seen = [("今天天气很好我们去公园吧", "好的我马上出门去"), ("今天天气很好我们去公园吧", "好的我马上出门去了")]
    path = folder(
        tmp_path / "input", one=[*noise(30, 2), seen[0], ("今天天气很好，我们去公园吧！", "好的我马上出门去")]
    )
    pairs = read_held_out(folder(tmp_path / "held", two=[*held_out, *seen]))
    with pytest.raises(click.ClickException, match=r"(?s)2 rows of the inputs resemble 1 held-out rows.*one\.tsv:31"):
        refuse_twins(find_twins(pairs, path))
    checked = without_twins(pairs, [path])
    assert checked.pairs["query"].to_list() == [query for query, _ in held_out]
    assert {row.rpartition(":")[2] for row in checked.dropped["held_out"]} == {"31", "32"}
    assert {row.rpartition(":")[2] for row in checked.dropped["input"]} == {"31", "32"}


def test_a_cut_takes_as_many_rows_of_each_source() -> None:
    pairs = pl.concat([frame(grammar(50, 1), "large"), frame(grammar(10, 2), "small")])
    counts = dict(cut(pairs, 30)["source"].value_counts().iter_rows())
    assert counts == {"large": 20, "small": 10}
    assert cut(pairs, 30).equals(cut(pairs.sample(fraction=1, shuffle=True, seed=1), 30))


class _Balanced(HTMLParser):
    """Collects tags that name something outside of the page, and what is executed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [str(value) for name, value in attrs if name in ("src", "href")]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quality")
    folder(path / "good", one=grammar(600, 1))
    folder(path / "noise", one=noise(600, 3))
    folder(path / "held", one=grammar(150, 7), two=grammar(150, 8))
    return path


def _figures(file: Path, source: str = "all") -> dict[tuple[str, str], dict[str, Any]]:
    rows = json.loads(file.read_text("utf-8"))["figures"]
    return {(row["figure"], row["input"]): row for row in rows if row["source"] == source}


@pytest.mark.slow
def test_better_data_win_with_the_same_figures_for_any_workers_and_a_gate_fails(inputs: Path, tmp_path: Path) -> None:
    path = inputs
    options = ["--held-out", path / "held", "--no-neural", "--drop-twins", "--quick"]
    names = [f"<good>={path / 'good'}", f"noise={path / 'noise'}"]
    for workers in (1, 2):
        files = [f"--json={tmp_path / f'{workers}.json'}", f"--page={tmp_path / f'{workers}.html'}"]
        done = _compare(*names, *options, "--workers", workers, *files)
        assert done.returncode == 0, done.stderr
    for kind in ("json", "html"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()
    rows = _figures(tmp_path / "1.json")
    assert rows["ngram", "noise"]["difference"]["low"] > 0.1
    assert rows["tfidf MRR of 10", "noise"]["difference"]["high"] < 0
    assert {source for source in ("one", "two") if _figures(tmp_path / "1.json", source)} == {"one", "two"}
    page = _Balanced()
    page.feed((tmp_path / "1.html").read_text("utf-8"))
    assert page.references == []
    assert "script" not in page.tags
    assert "good" not in page.tags  # a name of an input is text
    assert f"{rows['ngram', 'noise']['value']['value']:.3f}" in (tmp_path / "1.html").read_text("utf-8")
    gate = _compare(*names, *options, "--gate", 0.01)
    assert gate.returncode == 4
    assert "noise: worse than <good>" in gate.stderr
    assert _compare(*reversed(names), *options, "--gate", 0.01).returncode == 0


@pytest.mark.slow
def test_small_neural_models_prefer_better_data_too(inputs: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = _compare(
        f"good={inputs / 'good'}", f"noise={inputs / 'noise'}", "--held-out", inputs / "held", "--drop-twins",
        "--rows", 100, "--steps", 20, "--seeds", 1, "--measure", "transformer", "--measure", "dual", "--workers", 2,
        f"--json={tmp_path / 'figures.json'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = _figures(tmp_path / "figures.json")
    assert {figure.split()[0] for figure, _ in rows} == {"transformer", "dual"}
    assert rows["transformer", "noise"]["difference"]["low"] > 0
    assert rows["dual MRR of 10", "noise"]["difference"]["high"] < 0


@pytest.mark.slow
def test_small_neural_models_are_the_same_for_the_same_seed() -> None:
    pytest.importorskip("torch")
    from benchmarks.quality import neural, selection, tokens

    pairs, held_out = frame(grammar(80, 1)), frame(grammar(20, 2))
    shared = tokens.vocabulary([pairs])
    chosen = selection.candidates(held_out, 10, 0)
    bits, scores = [], []
    for seed in (0, 0, 1):
        job = neural.Job(pairs=pairs, held_out=held_out, steps=2, seed=seed)
        transformer, encoder = neural.train_transformer(job, shared), neural.train_dual_encoder(job)
        assert 1e6 < neural.parameters(encoder) < 3e6
        bits.append(neural.bits(transformer, held_out, shared).tolist())
        scores.append(neural.scores(encoder, held_out, chosen).tolist())
    assert bits[0] == bits[1] != bits[2]
    assert scores[0] == scores[1] != scores[2]
