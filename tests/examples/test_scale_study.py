"""The scale study: sizes from the export, evaluation by source or by kind, a curve, and more data that help."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner

from benchmarks.quality.figures import Figure
from benchmarks.quality.intervals import Interval
from examples.scale_study import scale_study
from examples.scale_study.curve import curve
from tests.helpers import invoke, put
from tests.quality.made import grammar


def _figure(source: str, name: str, value: float) -> Figure:
    interval = Interval(value=value, low=value - 0.1, high=value + 0.2)
    return Figure(figure="ngram", source=source, input=name, value=interval, seeds=(value,), difference=None)


def test_the_curve_has_a_point_and_a_bar_for_each_size_and_source() -> None:
    rows = [_figure(source, name, value) for source in ("all", "<b>") for name, value in (("n10", 8.0), ("n100", 6.5))]
    root = ET.fromstring(curve(rows, {"n10": 10, "n100": 100}))  # noqa: S314
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert names.count("circle") == 4
    texts = [element.text for element in root.iter() if element.text]
    assert {"10", "100", "<b>", "6.40", "8.20"} <= set(texts)
    left, right = [float(element.get("cx", "")) for element in root.iter() if element.tag.endswith("circle")][:2]
    assert left < right


def test_an_evaluation_file_has_kinds_of_tasks(tmp_path: Path) -> None:
    rows = [
        {"question": "写诗", "class": "generation", "std_answer": "春\n眠"},
        {"query": "1+1", "kind": "math", "answer": "2"},
    ]
    file = put(tmp_path, {"eval.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}) / "eval.jsonl"
    assert scale_study.read_evaluation(file).drop("address").rows() == [
        ("generation", "写诗", "春\\n眠"), ("math", "1+1", "2"),
    ]  # fmt: skip
    put(tmp_path, {"eval.jsonl": '{"question": "写诗", "std_answer": ""}\n'})
    with pytest.raises(click.UsageError, match=r"eval\.jsonl:1: expected a question, an answer and a class"):
        scale_study.read_evaluation(file)


@pytest.mark.parametrize(
    ("content", "fault"),
    [("", "no rows"), ("{\n", ":1: not JSON"), ("[1]\n", ":1: expected a question"), (b"\xff\n", "not UTF-8")],
)
def test_a_wrong_evaluation_file_is_refused(content: str | bytes, fault: str, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=fault):
        scale_study.read_evaluation(put(tmp_path, {"eval.jsonl": content}) / "eval.jsonl")


def test_a_line_separator_within_a_text_ends_no_row(tmp_path: Path) -> None:
    row = {"question": "写\u2028诗", "class": "generation", "std_answer": "春"}
    file = put(tmp_path, {"eval.jsonl": json.dumps(row, ensure_ascii=False) + "\n"}) / "eval.jsonl"
    assert scale_study.read_evaluation(file)["query"].to_list() == ["写\u2028诗"]


def test_an_export_without_subsets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="no subsets"):
        scale_study.read_sizes(put(tmp_path, {"manifest.json": '{"mix": null, "turns": "pairs", "files": []}'}))
    for content, fault in (("{", "not JSON"), ("[]", "not the manifest of an export")):
        with pytest.raises(click.UsageError, match=fault):
            scale_study.read_sizes(put(tmp_path, {"manifest.json": content}))


@pytest.mark.slow
def test_more_data_help_on_the_export_of_an_invented_corpus(tmp_path: Path) -> None:
    lines = "".join(f"{query}\t{answer}\n" for query, answer in grammar(900, 1))
    raw = put(tmp_path / "raw", {"chat.tsv": lines})
    export = tmp_path / "export"
    done = invoke(
        "export", export, "--add", f"made={raw / 'chat.tsv'}", "-s", "made", "--raw", raw, "--turns", "pairs",
        "--split", "test=0.2", "--subset", "50,200,all", "--workers", 1, "-q",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    out = tmp_path / "study"
    run = CliRunner().invoke(scale_study.main, [str(export), "--out", str(out), "--workers", "1"])
    assert run.exit_code == 0, run.output
    study = json.loads((out / "study.json").read_text("utf-8"))
    sizes = list(study["sizes"].values())
    assert sizes[:2] == [50, 200]
    assert sizes[2] > 500
    values = [row["value"] for row in study["figures"] if row["source"] == "all"]
    assert values[0]["low"] > values[1]["high"] > values[2]["high"]
    assert (out / "ngram.svg").read_text("utf-8").startswith("<svg")
    assert "a doubling" in run.output
