"""Libraries load an export as it is, and get the rows that were written."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.exports.records import FORMATS
from tests.exports.made import invented, write_export

SOURCES = {"ptt": invented("ptt", 60), "tieba": invented("tieba", 40)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportSummary]:
    folder = tmp_path_factory.mktemp("export")
    return folder, write_export(folder, SOURCES, formats=list(FORMATS), shard_rows=30)


@pytest.fixture
def export(made: tuple[Path, ExportSummary]) -> Path:
    return made[0]


@pytest.fixture
def summary(made: tuple[Path, ExportSummary]) -> ExportSummary:
    return made[1]


def _rows(export: Path, pattern: str) -> list[dict[str, Any]]:
    """Rows of Parquet files, in the order of the files."""
    files = sorted(export.glob(pattern))
    return [row for file in files for row in pl.read_parquet(file).to_dicts()]


def test_datasets_loads_the_folder(export: Path, summary: ExportSummary, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    whole = datasets.load_dataset(str(export), cache_dir=str(tmp_path))
    assert {name: part.num_rows for name, part in whole.items()} == summary.splits()
    assert whole["train"].to_list() == _rows(export, "data/*/train-*.parquet")


@pytest.mark.slow  # six loads of `datasets`
def test_datasets_loads_each_source_and_each_format(export: Path, summary: ExportSummary, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    ptt = datasets.load_dataset(str(export), "ptt", cache_dir=str(tmp_path))
    assert {name: part.num_rows for name, part in ptt.items()} == summary.splits("ptt")
    for name in ("messages", "alpaca", "prompt-completion", "query-response", "sharegpt"):
        path = str(export / name / "ptt" / "train.jsonl")
        loaded = datasets.load_dataset("json", data_files=path, split="train", cache_dir=str(tmp_path))
        assert loaded.num_rows == summary.splits("ptt")["train"]
        assert loaded["id"] == ptt["train"]["id"]


def test_pandas_pyarrow_polars_and_duckdb_read_the_parquet_files(export: Path, summary: ExportSummary) -> None:
    pandas, duckdb = pytest.importorskip("pandas"), pytest.importorskip("duckdb")
    parquet = pytest.importorskip("pyarrow.parquet")
    expected = _rows(export, "data/ptt/train-*.parquet")
    frame = pandas.concat(pandas.read_parquet(path) for path in sorted((export / "data/ptt").glob("train-*")))
    assert [list(messages) for messages in frame["messages"]] == [row["messages"] for row in expected]
    files = [str(path) for path in sorted((export / "data/ptt").glob("train-*"))]
    assert [row for path in files for row in parquet.read_table(path).to_pylist()] == expected
    counts = duckdb.read_parquet(f"{export}/data/*/*.parquet").aggregate(
        "source, count(*), max(len(messages))", "source"
    )
    assert sorted(counts.fetchall()) == [(name, sum(summary.splits(name).values()), 6) for name in sorted(SOURCES)]
    assert len(pl.read_parquet(export / "data/*/train-*.parquet")) == summary.splits()["train"]


@pytest.mark.slow  # imports of seconds
def test_pandas_and_duckdb_read_the_tables(export: Path) -> None:
    pandas, duckdb = pytest.importorskip("pandas"), pytest.importorskip("duckdb")
    dialogues = [row["messages"] for row in _rows(export, "data/ptt/train-*.parquet")]
    pairs = [
        [one["content"] for one in messages[at : at + 2]] for messages in dialogues for at in range(0, len(messages), 2)
    ]
    table = pandas.read_csv(export / "csv/ptt/train.csv", keep_default_na=False, dtype=str, lineterminator="\n")
    assert list(table.columns) == ["query", "answer", "source", "id"]
    assert table[["query", "answer"]].to_numpy().tolist() == pairs
    lines = pandas.read_csv(
        export / "tsv/ptt/train.tsv", sep="\t", names=["query", "answer"], quoting=3, keep_default_na=False, dtype=str
    )
    ids = (export / "tsv/ptt/train.tsv.ids.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == len(pairs) == len(ids)
    assert [json.loads(line)["id"] for line in ids] == table["id"].tolist()
    assert len(duckdb.sql(f"from read_json('{export}/messages/ptt/train.jsonl')").fetchall()) == len(dialogues)


@pytest.mark.slow  # mlcroissant takes seconds to import
def test_mlcroissant_validates_the_description_and_reads_the_records(export: Path, summary: ExportSummary) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    dataset = mlcroissant.Dataset(str(export / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    for source in SOURCES:
        names = [one.id for one in dataset.metadata.record_sets if one.id.startswith(f"{source}_train")]
        records = [record for name in names for record in dataset.records(name)]
        assert len(records) == summary.splits(source)["train"]
        ids = [record[f"{name}/id"].decode() for name in names for record in dataset.records(name)]
        assert ids == [row["id"] for row in _rows(export, f"data/{source}/train-*.parquet")]


def test_the_card_says_what_there_is(export: Path, summary: ExportSummary) -> None:
    text = (export / "README.md").read_text("utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert list(front)[:2] == ["pretty_name", "language"]
    assert front["configs"][0]["config_name"] == "default"
    assert front["configs"][0]["default"] is True
    assert [one["config_name"] for one in front["configs"]] == ["default", "ptt", "tieba"]
    splits = {
        one["config_name"]: {part["name"]: part["num_examples"] for part in one["splits"]}
        for one in front["dataset_info"]
    }
    assert splits == {"default": summary.splits(), "ptt": summary.splits("ptt"), "tieba": summary.splits("tieba")}
    assert front["size_categories"] == ["n<1K"]
    assert front["license"] == "cc0-1.0"
    for words in ("## 中文", "## English", "chat-corpus check-export", "hf upload", "https://example.org/corpus"):
        assert words in text
    assert "{" not in text.split("---\n", 2)[2].replace("return {", "")


def test_the_card_names_datasets_that_llamafactory_finds(export: Path) -> None:
    text = (export / "README.md").read_text("utf-8")
    entries = json.loads((export / "dataset_info.json").read_bytes())
    named = set(re.findall(r"`(chat_?\w*)`", text)) | set(re.findall(r"^(?:eval_)?dataset: (\w+)", text, re.MULTILINE))
    assert {"chat", "chat_validation", "chat_ptt", "chat_ptt_alpaca"} <= named <= set(entries)


def test_dataset_info_is_ascii_and_names_files_that_are_there(export: Path) -> None:
    entries = json.loads((export / "dataset_info.json").read_bytes().decode("ascii"))
    assert {"chat", "chat_validation", "chat_ptt", "chat_ptt_messages", "chat_tieba_alpaca_test"} <= set(entries)
    for entry in entries.values():
        assert (export / entry.get("file_name", ".")).exists()
        assert "formatting" not in entry or entry["formatting"] == "sharegpt"
