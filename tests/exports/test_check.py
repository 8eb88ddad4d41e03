"""`check-export` finds nothing wrong with an export, and whatever is changed in one."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from chat_corpus.exports import manifest_file
from chat_corpus.exports.check import check_export
from chat_corpus.exports.check_rules import PARQUET
from chat_corpus.exports.dialogues import DialogueOptions
from chat_corpus.exports.documents import documents
from chat_corpus.exports.manifest import MANIFEST
from chat_corpus.exports.records import FORMATS, encode_parquet
from tests.exports.made import invented, write_export
from tests.helpers import invoke

SOURCES = {"ptt": invented("ptt", 60), "tieba": invented("tieba", 40)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_export(folder, SOURCES, formats=["messages", "tsv", "csv"], shard_rows=40)
    return folder


@pytest.fixture
def export(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "out")


def _rules(folder: Path) -> set[str]:
    return {offence.rule for offence in check_export(folder)}


@pytest.mark.parametrize(
    "options",
    [
        DialogueOptions(),
        DialogueOptions(turns="pairs"),
        DialogueOptions(system="你是助手。", max_turns=2),
        DialogueOptions(max_chars=60),
    ],
)
def test_an_export_has_no_offences(tmp_path: Path, options: DialogueOptions) -> None:
    write_export(tmp_path, SOURCES, formats=list(FORMATS), options=options, shard_rows=20)
    assert list(check_export(tmp_path)) == []


def test_the_command_exits_0_for_a_sound_export_and_1_with_the_offences(export: Path) -> None:
    assert invoke("check-export", export).exit_code == 0
    path = export / "messages" / "ptt" / "train.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"user"', b'"human"'))
    result = invoke("check-export", export)
    assert result.exit_code == 1
    assert len([line for line in result.stdout.splitlines() if line.startswith("messages/ptt/train.jsonl")]) == 20
    assert "messages/ptt/train.jsonl:1: " in result.stdout
    assert len(json.loads(invoke("check-export", export, "--json").stdout)) == 20


def test_a_folder_that_is_no_export_is_wrong_usage(tmp_path: Path) -> None:
    assert invoke("check-export", tmp_path).exit_code == 2
    (tmp_path / MANIFEST).write_text("{}")
    assert invoke("check-export", tmp_path).exit_code == 1


TEXT_CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a line is missing": lambda data: data.split(b"\n", 1)[1],
    "a line too many": lambda data: data + data.split(b"\n", 1)[0] + b"\n",
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "keys in another order": lambda data: data.replace(
        b'{"role":"user","content":', b'{"content":"","role":"user","c":', 1
    ),
    "no last line break": lambda data: data[:-1],
    "not UTF-8": lambda data: data.replace("问".encode(), b"\xce\xca", 1),
    "empty": lambda _data: b"",
}


@pytest.mark.parametrize("change", TEXT_CHANGES)
def test_a_changed_text_file_is_found_by_its_content_too(export: Path, change: str) -> None:
    path = export / "messages" / "ptt" / "train.jsonl"
    path.write_bytes(TEXT_CHANGES[change](path.read_bytes()))
    offences = [one for one in check_export(export) if one.path == "messages/ptt/train.jsonl"]
    assert offences[0].rule == "sha256"
    assert len(offences) > 1
    assert all(one.line for one in offences[1:])


def _user(text: str = "问题在这里呢") -> dict[str, str | None]:
    return {"role": "user", "content": text}


def _assistant(text: str = "答") -> dict[str, str | None]:
    return {"role": "assistant", "content": text}


BROKEN: dict[str, tuple[str, list[dict[str, str | None]] | None]] = {
    "a null content": ("R1", [_user(), {"role": "assistant", "content": None}]),
    "a null role": ("R1", [{"role": None, "content": "好"}, _assistant()]),
    "a blank content": ("R2", [_user(), _assistant(" \n\u3000")]),
    "an assistant first": ("R3", [_assistant(), _user()]),
    "two users": ("R3", [_user(), _user(), _assistant(), _assistant()]),
    "an odd number": ("R3", [_user(), _assistant(), _user()]),
    "a system message inside": ("R3", [_user(), {"role": "system", "content": "你是"}, _user(), _assistant()]),
    "a system message alone": ("R3", [{"role": "system", "content": "你是"}]),
    "an unknown role": ("R3", [{"role": "human", "content": "好"}, _assistant()]),
    "a special token": ("R8", [_user("<|im_start|>好"), _assistant()]),
    "no messages": ("R9", []),
    "null messages": ("R9", None),
}


def _replace_first(export: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> str:
    """Change the first Parquet file of train, and have the manifest list it as it is then; its path."""
    summary = manifest_file.decode((export / MANIFEST).read_bytes())
    name = "data/ptt/train-00000.parquet"
    content = encode_parquet(change(pl.read_parquet(export / name)))
    (export / name).write_bytes(content)
    files = tuple(
        msgspec.structs.replace(one, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        if one.path == name
        else one
        for one in summary.files
    )
    for path, data in documents(msgspec.structs.replace(summary, files=files)).items():
        (export / path).write_bytes(data)
    return name


@pytest.mark.parametrize("case", BROKEN)
def test_a_record_that_breaks_a_rule_is_found_with_its_row(export: Path, case: str) -> None:
    rule, messages = BROKEN[case]

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        wrong = pl.DataFrame({"messages": [messages], "source": ["ptt"], "id": [frame["id"][1]]}, schema=PARQUET)
        return pl.concat([frame[:1], wrong, frame[2:]])

    name = _replace_first(export, change)
    found = {(one.path, one.line, one.rule) for one in check_export(export) if one.path == name}
    assert found == {(name, 2, rule)}


def test_ids_order_sources_and_rows_are_looked_at(export: Path) -> None:
    name = _replace_first(export, lambda frame: pl.concat([frame[1:2], frame[1:2], frame[2:]]))
    assert {(one.line, one.rule) for one in check_export(export) if one.path == name} == {(1, "id"), (2, "id")}
    _replace_first(export, lambda frame: frame.reverse())
    assert "R10" in _rules(export)
    _replace_first(export, lambda frame: frame.with_columns(source=pl.lit("tieba")))
    assert "R5" in _rules(export)
    _replace_first(export, lambda frame: frame[:-1])
    assert "counts" in _rules(export)


def test_a_group_in_two_splits_is_found(export: Path) -> None:
    test = pl.read_parquet(export / "data/ptt/test-00000.parquet")
    name = _replace_first(
        export, lambda frame: frame.with_columns(messages=pl.Series([test["messages"][0], *frame["messages"][1:]]))
    )
    found = [one for one in check_export(export) if one.rule == "split"]
    assert [(one.path, one.line) for one in found] == [(name, 1)]


def test_files_that_are_missing_added_or_changed_are_found(export: Path) -> None:
    (export / "data/ptt/train-00001.parquet").unlink()
    (export / "notes.jsonl").write_text("{}\n")
    (export / "README.md").write_text("mine")
    (export / "data/tieba/train-00000.parquet").write_bytes(b"PAR1")
    found = {(one.path, one.rule) for one in check_export(export)}
    assert {
        ("data/ptt/train-00001.parquet", "files"),
        ("notes.jsonl", "files"),
        ("README.md", "sha256"),
        ("README.md", "documents"),
        ("data/tieba/train-00000.parquet", "sha256"),
        ("data/tieba/train-00000.parquet", "R4"),
    } <= found


def test_counts_that_do_not_balance_are_found(export: Path) -> None:
    summary = manifest_file.decode((export / MANIFEST).read_bytes())
    first = summary.sources[0]
    ledger = msgspec.structs.replace(first.ledger, turns=first.ledger.turns + 1)
    changed = (msgspec.structs.replace(first, ledger=ledger), *summary.sources[1:])
    for path, data in documents(msgspec.structs.replace(summary, sources=changed)).items():
        (export / path).write_bytes(data)
    assert _rules(export) == {"counts"}


def _edit(export: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads((export / MANIFEST).read_bytes())
    change(document)
    (export / MANIFEST).write_text(json.dumps(document), "utf-8")


MANIFEST_CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "an unknown format": lambda document: document["formats"].append("mine"),
    "an unknown format of a file": lambda document: document["files"][0].update(format="mine"),
    "an unknown split": lambda document: document["files"][0].update(split="mine"),
    "a source is missing": lambda document: document["sources"].pop(),
    "a source is there twice": lambda document: document["sources"].append(document["sources"][0]),
    "a file without a source": lambda document: document["files"][0].update(source=None),
}


@pytest.mark.parametrize("change", MANIFEST_CHANGES)
def test_names_that_no_manifest_has_are_offences(export: Path, change: str) -> None:
    _edit(export, MANIFEST_CHANGES[change])
    result = invoke("check-export", export)
    assert (result.exit_code, "manifest.json: manifest: " in result.stdout) == (1, True), result.stderr


def test_a_last_id_that_is_none_is_an_offence(export: Path) -> None:
    ids = pl.when(pl.int_range(pl.len()) == pl.len() - 1).then(pl.lit("ptt-nothing")).otherwise("id").alias("id")
    _replace_first(export, lambda frame: frame.with_columns(ids))
    assert "id" in _rules(export)


def test_deeply_nested_lines_are_offences(tmp_path: Path) -> None:
    write_export(tmp_path, SOURCES, formats=["messages"])
    path = tmp_path / "messages" / "ptt" / "train.jsonl"
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000 + b"\n" + path.read_bytes())
    assert ("messages/ptt/train.jsonl", 1) in {(one.path, one.line) for one in check_export(tmp_path)}


@pytest.mark.slow
def test_the_name_of_a_folder_is_not_a_pattern(written: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(written, tmp_path / "x [a]*?")
    assert list(check_export(folder)) == []
    path = folder / "messages" / "ptt" / "train.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert {one.path for one in check_export(folder)} == {"messages/ptt/train.jsonl"}


def test_symbolic_links_are_offences(export: Path, tmp_path: Path) -> None:
    (export / "data" / "ptt").rename(tmp_path / "ptt")
    (export / "data" / "ptt").symlink_to(tmp_path / "ptt")
    assert [(one.path, one.rule) for one in check_export(export)] == [("data/ptt", "files")]


def test_a_text_that_is_not_that_of_its_id_is_found(export: Path) -> None:
    changed = [_user("一个全新的问题"), _assistant("新的回答")]
    name = _replace_first(
        export, lambda frame: frame.with_columns(messages=pl.Series([changed, *frame["messages"][1:]]))
    )
    assert (name, 1, "id") in {(one.path, one.line, one.rule) for one in check_export(export)}
