"""From a row or an id of an export to the raw records that its messages were made of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.helpers import invoke
from tests.runs.export.invented import corpora, export, records


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpora(tmp_path_factory.mktemp("raw"), size=20)


@pytest.fixture(scope="module")
def exported(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export without stores, of which nothing but the manifest and the index says where records came from."""
    folder = tmp_path_factory.mktemp("exports") / "export"
    formats = "messages,sharegpt,alpaca,prompt-completion,query-response,tsv,csv"
    export(folder, "--raw", raw, "--split", "test=0.2", "--format", formats, "--keep-duplicates")
    return folder


def _traced(*arguments: object) -> list[dict[str, Any]]:
    done = invoke("trace", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def test_every_message_leads_to_the_raw_records_that_hold_its_text(raw: Path, exported: Path) -> None:
    rows = records(exported).group_by("source", maintain_order=True).head(4)
    ids = [argument for one in rows["id"] for argument in ("--id", one)]
    for told, row in zip(_traced(exported, *ids), rows.iter_rows(named=True), strict=True):
        assert (told["id"], told["source"], told["split"]) == (row["id"], row["source"], row["split"])
        assert [(one["role"], one["content"]) for one in told["messages"]] == [
            (one["role"], one["content"]) for one in row["messages"]
        ]
        for message in told["messages"]:
            (turn,) = message["turns"]
            line = (raw / turn["file"]).read_text("utf-8").split("\n")[turn["record"] - 1]
            assert turn["raw"] == line
            assert turn["read"] in line


@pytest.mark.parametrize("format_", ["messages", "sharegpt", "alpaca", "prompt-completion", "query-response", "csv"])
def test_a_row_of_every_format_leads_to_its_record(format_: str, exported: Path) -> None:
    suffix = "csv" if format_ == "csv" else "jsonl"
    ids = pl.read_parquet(exported / "data" / "ptt" / "train-00000.parquet")["id"]
    (told,) = _traced(f"{exported}/{format_}/ptt/train.{suffix}:3")
    assert told["id"] == ids[2]


def test_a_row_of_a_format_without_ids_leads_to_its_record_too(exported: Path) -> None:
    ids = (exported / "tsv" / "tieba" / "train.tsv.ids.jsonl").read_text("utf-8").splitlines()
    first, second = _traced(f"{exported}/tsv/tieba/train.tsv:2-3")
    assert [first["id"], second["id"]] == [json.loads(line)["id"] for line in ids[1:3]]
    (parquet,) = _traced(f"{exported}/data/tieba/test-00000.parquet:1")
    assert parquet["split"] == "test"


def test_masked_records_are_found(exported: Path) -> None:
    rows = records(exported)
    opener = rows["messages"].list.get(0).struct.field("content")
    (masked,) = rows.filter(opener == "我的QQ：<QQ>")["id"]
    (told,) = _traced(exported, "--id", masked)
    assert told["messages"][0]["turns"][0]["read"] == "我的QQ：123456789"
    text = [line for line in invoke("trace", exported, "--id", masked).stdout.splitlines() if "123456789" in line]
    assert text


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [
        ("{}/data/ptt/train-00000.parquet:9999", 2, "no such row"),
        ("{}/README.md:1", 2, "not a data file"),
        ("{}/data/ptt/none.parquet:1", 2, "not a data file"),
        ("{} --id ptt-0000000000000000", 2, "no record of that id"),
        ("{} --id nonsense", 2, "no record of that id"),
        ("{}/data --id ptt-0000000000000000", 2, "no manifest.json there"),
    ],
)
def test_what_is_not_there_is_named(place: str, code: int, message: str, exported: Path) -> None:
    done = invoke("trace", *place.format(exported).split(" "))
    assert (done.exit_code, message in done.stderr) == (code, True), done.stderr


def test_nothing_is_traced_to_a_raw_file_that_changed(raw: Path, exported: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(raw, tmp_path / "raw")
    row = f"{exported}/data/ptt/train-00000.parquet:1"
    assert invoke("trace", row, "--raw", mine).exit_code == 0
    with (mine / "Gossiping-QA-Dataset.txt").open("a") as stream:
        stream.write("新\t舊\n")
    done = invoke("trace", row, "--raw", mine)
    assert (done.exit_code, "changed since" in done.stderr) == (1, True), done.stderr
    assert invoke("trace", row, "--raw", tmp_path / "none").exit_code == 2


def test_an_edited_manifest_is_not_believed(exported: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported, tmp_path / "export")
    told = json.loads((copy / "manifest.json").read_bytes())
    for change, code in (("code", 1), ("settings", 1)):
        edited = json.loads(json.dumps(told))
        for source in edited["sources"]:
            source["fingerprint"][change] = "0" * 16
        (copy / "manifest.json").write_text(json.dumps(edited))
        assert invoke("trace", f"{copy}/data/ptt/train-00000.parquet:1").exit_code == code
    (copy / "manifest.json").write_text("{")
    assert invoke("trace", f"{copy}/data/ptt/train-00000.parquet:1").exit_code == 1
