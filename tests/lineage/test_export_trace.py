"""From a row or an id of an export to the raw records that its messages were made of."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus.exports.records import FORMATS
from tests.conftest import slow_from
from tests.helpers import invoke, put
from tests.runs.export.invented import corpora, export, index, records


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpora(tmp_path_factory.mktemp("raw"), size=20)


@pytest.fixture(scope="module")
def exported(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export without stores, of which nothing but the manifest and the index says where records came from."""
    folder = tmp_path_factory.mktemp("exports") / "export"
    export(folder, "--raw", raw, "--split", "test=0.2", "--format", ",".join(FORMATS), "--keep-duplicates")
    return folder


def _traced(*arguments: object) -> list[dict[str, Any]]:
    done = invoke("trace", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    document: list[dict[str, Any]] = json.loads(done.stdout)
    return document


def test_every_message_leads_to_the_raw_records_that_hold_its_text(raw: Path, exported: Path) -> None:
    rows = records(exported).group_by("source", maintain_order=True).head(4)
    ids = [argument for one in rows["id"] for argument in ("--id", one)]
    for record, row in zip(_traced(exported, *ids), rows.iter_rows(named=True), strict=True):
        assert (record["id"], record["source"], record["split"]) == (row["id"], row["source"], row["split"])
        assert [(one["role"], one["content"]) for one in record["messages"]] == [
            (one["role"], one["content"]) for one in row["messages"]
        ]
        for message in record["messages"]:
            (turn,) = message["turns"]
            line = (raw / turn["file"]).read_text("utf-8").split("\n")[turn["record"] - 1]
            assert turn["raw"] == line
            assert turn["read"] in line


@pytest.mark.parametrize("format_", ["messages", "sharegpt", "alpaca", "prompt-completion", "query-response", "csv"])
def test_a_row_of_every_format_leads_to_its_record(format_: str, exported: Path) -> None:
    suffix = "csv" if format_ == "csv" else "jsonl"
    ids = pl.read_parquet(exported / "data" / "ptt" / "train-00000.parquet")["id"]
    (traced,) = _traced(f"{exported}/{format_}/ptt/train.{suffix}:3")
    assert traced["id"] == ids[2]


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
    (traced,) = _traced(exported, "--id", masked)
    assert traced["messages"][0]["turns"][0]["read"] == "我的QQ：123456789"
    text = [line for line in invoke("trace", exported, "--id", masked).stdout.splitlines() if "123456789" in line]
    assert text


#: The suffix of each format.
EDITS = {name: format_.suffix for name, format_ in FORMATS.items()}


@pytest.mark.parametrize("format_", slow_from(2, ["tsv", "preference", *sorted(EDITS)]))
def test_an_edited_row_is_not_what_was_exported(format_: str, raw: Path, exported: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported, tmp_path / "export")
    path = copy / format_ / "douban" / f"train.{EDITS[format_]}"
    end = "\n\n" if format_ == "gpt2-chitchat" else "\n"
    rows = path.read_bytes().decode().split(end)
    at = 4 if format_ == "csv" else 3  # row 4, below a header in one format
    han = re.search(r"[\u4e00-\u9fff]|\\u[4-9][0-9a-f]{3}", rows[at])
    assert han
    rows[at] = f"{rows[at][: han.start()]}新{rows[at][han.end() :]}"
    path.write_bytes(end.join(rows).encode())
    for row, code in ((3, 0), (4, 1)):
        done = invoke("trace", f"{path}:{row}", "--raw", raw)
        assert (done.exit_code, "was exported" in done.stderr) == (code, code == 1), done.stderr


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [
        ("{}/data/ptt/train-00000.parquet:9999", 2, "no such row"),
        ("{}/README.md:1", 2, "not a data file"),
        ("{}/data/ptt/none.parquet:1", 2, "not a data file"),
        ("{} --id ptt-0000000000000000", 2, "has no record with this id"),
        ("{} --id nonsense", 2, "has no record with this id"),
        ("{}/data --id ptt-0000000000000000", 2, "has no manifest.json"),
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
    assert (done.exit_code, "not the file that" in done.stderr) == (1, True), done.stderr
    assert invoke("trace", row, "--raw", tmp_path / "none").exit_code == 2


def test_an_edited_manifest_is_not_believed(exported: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported, tmp_path / "export")
    document = json.loads((copy / "manifest.json").read_bytes())
    for change, code in (("code", 1), ("settings", 1)):
        edited = json.loads(json.dumps(document))
        for source in edited["sources"]:
            source["fingerprint"][change] = "0" * 16
        (copy / "manifest.json").write_text(json.dumps(edited))
        assert invoke("trace", f"{copy}/data/ptt/train-00000.parquet:1").exit_code == code
    (copy / "manifest.json").write_text("{")
    assert invoke("trace", f"{copy}/data/ptt/train-00000.parquet:1").exit_code == 1


#: Each dialogue of douban is one record: only the place in it tells its turns apart.
_REPETITIVE = "1\t好\t在吗\t好\t走了\t好\t在吗\t再说\n1\t好\t对\t好\t对\t好\t对\t好\t对\n"


@pytest.fixture(scope="module")
def repetitive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chain = "在吗\t在\n在\t吃了吗\n在\t走了\n吃了吗\t在\n在\t走了\n"
    return put(tmp_path_factory.mktemp("raw"), {"douban/train.txt": _REPETITIVE * 2, "tieba.dialogues": chain})


@pytest.mark.parametrize(
    "options",
    [
        ("--turns", "pairs"),
        ("--max-turns", "2"),
        ("--max-turns", "2", "--keep-duplicates", "--system", "你是助手。"),
        ("--turns", "pairs", "--keep-duplicates"),
        ("--keep-duplicates",),
    ],
)
def test_a_repeated_text_is_traced_to_the_turn_at_its_place(
    repetitive: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    export(tmp_path / "out", "--raw", repetitive, *options)
    listed = index(tmp_path / "out").filter(pl.col("id").is_not_null())
    traced = _traced(tmp_path / "out", *(argument for one in listed["id"] for argument in ("--id", one)))
    places: dict[str, list[list[int]]] = {}
    for one in traced:
        turns = [message["turns"] for message in one["messages"] if message["role"] != "system"]
        assert all(len(own) == 1 for own in turns)
        spoken = [message["content"] for message in one["messages"] if message["role"] != "system"]
        assert [own[0]["text"] for own in turns] == spoken
        indexes = [own[0]["turn_index"] for own in turns]
        assert indexes == list(range(indexes[0], indexes[0] + len(indexes)))
        places.setdefault(one["dialogue_id"], []).append(indexes)
    for dialogue, found in places.items():
        # Records of a dialogue are in its order, and no two are of the same turns but for alternative answers.
        assert found == sorted(found)
        assert dialogue.startswith("tieba") or len({tuple(one) for one in found}) == len(found)


def test_the_second_place_of_a_text_is_not_traced_to_the_first(repetitive: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", "--raw", repetitive, "-s", "douban", "--max-turns", "2", code=3)
    messages = [{"role": "user", "content": "好"}, {"role": "assistant", "content": "走了"}]
    (found,) = (row["id"] for row in records(tmp_path / "out").to_dicts() if row["messages"] == messages)
    (traced,) = _traced(tmp_path / "out", "--id", found)
    assert [message["turns"][0]["turn_index"] for message in traced["messages"]] == [2, 3]


def test_any_number_of_equal_records_can_be_traced(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n\n" * 1100})
    export(tmp_path / "out", "--raw", raw, "--keep-duplicates")
    listed = index(tmp_path / "out")
    assert len(listed) == 1100
    (traced,) = _traced(tmp_path / "out", "--id", listed["id"][-1])
    assert traced["messages"][0]["turns"][0]["record"] == listed["record"][-1] > 1000


def test_a_place_of_no_added_corpus_is_refused(exported: Path) -> None:
    done = invoke("trace", exported, "--id", "ptt-0123456789abcdef", "--add", "mine=x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--add mine: no corpus of this name was added to the export" in done.stderr
