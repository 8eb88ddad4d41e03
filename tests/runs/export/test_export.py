"""Exports of invented corpora: nothing lost, the same bytes whatever did it, and whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.exports import splitting
from chat_corpus.exports.check import check_export
from chat_corpus.exports.dialogues import MOST
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.export import chunks, flow, run
from chat_corpus.runs.export import folder as folders
from tests.conftest import ROOT, examples, slow_from
from tests.helpers import invoke, plugin, put, visible
from tests.runs.export.invented import corpora, export, index, manifest, records

SPLIT = ("--split", "test=0.1,validation=0.1")
FORMATS = ("--format", "messages,sharegpt,alpaca,prompt-completion,query-response,tsv,csv")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpora(tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="module")
def stored(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run over the corpora, with dialogue stores."""
    out = tmp_path_factory.mktemp("stored")
    assert invoke("-q", "--raw", raw, "--out", out, "--store-dialogues").exit_code == 0
    return out


@pytest.fixture(scope="module")
def exported(stored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of the stores in every format."""
    folder = tmp_path_factory.mktemp("exports") / "export"
    export(folder, "--out", stored, *SPLIT, *FORMATS)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks of a store, and several files of a split."""
    monkeypatch.setattr(chunks, "CHUNK", 4000)
    monkeypatch.setattr(flow, "FILE_BYTES", 1500)


@pytest.fixture(scope="module")
def whole(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an export from the raw corpora writes."""
    folder = tmp_path_factory.mktemp("whole") / "export"
    export(folder, "--raw", raw, *SPLIT)
    return visible(folder)


def _data(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in visible(folder).items() if name != "manifest.json"}


def test_an_export_passes_its_own_check(exported: Path) -> None:
    done = invoke("check-export", exported)
    assert (done.exit_code, done.stderr) == (0, "")


def test_json_alone_is_on_stdout_when_the_export_is_checked_too(stored: Path, tmp_path: Path) -> None:
    done = invoke("export", tmp_path / "export", "-q", "--out", stored, "-s", "ptt", "--json", "--check")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)
    assert "every record" in done.stderr


@pytest.mark.parametrize(
    "change",
    [
        pl.when(pl.col("split") == "test").then(pl.col("id")).alias("id"),
        pl.col("file").replace("tieba.dialogues", "none.dialogues"),
        pl.lit(0, pl.UInt32).alias("record"),
        pl.lit(None, pl.String).alias("dialogue_id"),
        pl.col("id").str.replace(r"...$", "000"),
    ],
)
def test_an_edited_index_is_found(exported: Path, tmp_path: Path, change: pl.Expr) -> None:
    copy = shutil.copytree(exported, tmp_path / "export")
    path = copy / "index" / "tieba.parquet"
    pl.read_parquet(path).with_columns(change).write_parquet(path)
    assert {(one.path, one.rule) for one in check_export(copy)} == {
        ("index/tieba.parquet", "sha256"),
        ("index/tieba.parquet", "index"),
    }


def test_the_ledger_is_what_store_index_and_files_hold(exported: Path, stored: Path) -> None:
    rows, indexed = records(exported), index(exported)
    for source in manifest(exported)["sources"]:
        name, ledger = source["name"], source["ledger"]
        store = pl.read_parquet(stored / "dialogues" / f"{name}.parquet")
        own, entries = rows.filter(pl.col("source") == name), indexed.filter(pl.col("source") == name)
        assert ledger["turns"] == len(store)
        assert ledger["turns"] == ledger["turns_exported"] + sum(ledger["turns_dropped"].values())
        assert ledger["dialogues"] == store["dialogue_id"].drop_nulls().n_unique()
        assert ledger["records"] == len(entries)
        assert ledger["written"] == dict(own["split"].value_counts().iter_rows())
        dropped = entries.filter(pl.col("split").is_null())
        assert ledger["records_dropped"] == dict(dropped["reason"].value_counts().iter_rows())
        rejected = Counter(store["reason"].drop_nulls().to_list())
        assert rejected.items() <= Counter(ledger["turns_dropped"]).items() or name == "tieba"


def test_every_message_is_a_turn_of_the_store_as_far_as_nothing_was_masked(exported: Path, stored: Path) -> None:
    for name in ("ptt", "douban", "weibo"):
        store = pl.read_parquet(stored / "dialogues" / f"{name}.parquet").filter(pl.col("reason").is_null())
        contents = records(exported).filter(pl.col("source") == name)["messages"].explode().struct.field("content")
        assert set(contents) <= set(store["text"])


def test_each_record_is_in_the_index_and_each_duplicate_leads_to_the_one_that_stays(exported: Path) -> None:
    rows, indexed = records(exported), index(exported)
    there = indexed.drop_nulls("split").select("id", "split")
    assert there.sort("id").equals(rows.select("id", "split").sort("id"))
    duplicates = indexed.filter(pl.col("reason") == "duplicate")
    assert duplicates.select("source", "same_as").rows() == [
        ("ptt", duplicates["same_as"][0]), ("tieba", duplicates["same_as"][0]),
    ]  # fmt: skip
    (kept,) = rows.filter(pl.col("id") == duplicates["same_as"][0])["messages"].to_list()
    assert [one["content"] for one in kept] == ["相同的问题", "相同的回答！"]


def test_ids_are_unique_and_do_not_depend_on_other_data(raw: Path, exported: Path, tmp_path: Path) -> None:
    before = records(exported).select("id", "messages", "split")
    assert before["id"].n_unique() == len(before)
    more = shutil.copytree(raw, tmp_path / "raw")
    (more / "douban" / "train.txt").unlink()
    with (more / "tieba.dialogues").open("a") as stream:
        stream.write("新来的话\t欢迎你来\n")
    export(tmp_path / "export", "--raw", more, *SPLIT)
    after = records(tmp_path / "export").select("id", "messages", "split")
    both = before.join(after, on="id", how="inner", suffix="_after")
    assert len(both) == len(before.filter(~pl.col("id").str.starts_with("douban")))
    assert both.filter(pl.col("messages") != pl.col("messages_after")).is_empty()
    assert both["split"].equals(both["split_after"])
    assert len(after) == len(both) + 1


def test_no_content_group_is_in_two_splits(exported: Path) -> None:
    rows = records(exported)
    first, second = (rows["messages"].list.get(at).struct.field("content") for at in (0, 1))
    groups = rows.select("split", group=splitting.group_hashes(first, second)).group_by("group")
    assert groups.agg(pl.col("split").n_unique()).filter(pl.col("split") > 1).is_empty()


@pytest.mark.parametrize("workers", slow_from(1, ["1", "2"]))
@pytest.mark.usefixtures("small")
def test_bytes_do_not_depend_on_who_does_the_work(
    workers: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = put(tmp_path, {"small.yaml": "shard_bytes: 2500\n"}) / "small.yaml"
    export(tmp_path / "one", "--raw", raw, *SPLIT, "--format", "messages,tsv", "--workers", "1")
    assert len(list((tmp_path / "one" / "data" / "tieba").glob("train-*"))) > 1
    monkeypatch.setattr(run, "ROWS_PER_TASK", 1)
    flags = (*SPLIT, "--format", "messages,tsv", "--workers", workers, "--config", config)
    export(tmp_path / "two", "--raw", raw, *flags)
    assert visible(tmp_path / "one") == visible(tmp_path / "two")


def test_a_store_gives_the_data_that_the_raw_corpora_give(
    stored: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    export(tmp_path / "stored", "--out", stored, *SPLIT)
    assert visible(tmp_path / "stored").keys() == whole.keys()
    assert _data(tmp_path / "stored").items() <= whole.items()


def test_an_export_is_the_same_twice_and_dates_come_from_the_environment(
    stored: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(tmp_path / "twice", "--out", stored, *SPLIT, *FORMATS)
    assert visible(tmp_path / "twice") == visible(exported)
    assert manifest(exported)["date"] is None
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    export(tmp_path / "dated", "--out", stored)
    assert manifest(tmp_path / "dated")["date"] == "1970-01-02"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert "SOURCE_DATE_EPOCH" in export(tmp_path / "soon", "--out", stored, code=2)


def test_chunks_end_between_dialogues_however_long_these_are(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored / "dialogues" / "tieba.parquet"
    names = pl.read_parquet(path)["dialogue_id"]
    monkeypatch.setattr(chunks, "CHUNK", 900)
    found = list(chunks.chunks(path, len(names)))
    assert len(found) > 5
    assert [one.first for one in found] == [0, *(one.first + one.rows for one in found)][:-1]
    assert sum(one.rows for one in found) == len(names)
    assert all(names[one.first] is None or names[one.first] != names[one.first - 1] for one in found[1:])
    monkeypatch.setattr(chunks, "CHUNK", 20)
    found = list(chunks.chunks(path, len(names)))
    assert sum(one.rows for one in found) == len(names)
    assert all(names[one.first] is None or names[one.first] != names[one.first - 1] for one in found[1:])


def test_a_long_dialogue_is_exported_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 200)
    monkeypatch.setattr(dialogue_store, "ROW_GROUP", 32)  # the dialogue is in many row groups
    lines = "".join(f"楼里的第{turn}句\t楼里的第{turn + 1}句\n" for turn in range(299))
    raw = put(tmp_path / "raw", {"tieba.dialogues": f"{lines}你好\t好\n"})
    export(tmp_path / "out", "--raw", raw, "--max-turns", "50", "--check", "--workers", "1")
    (source,) = manifest(tmp_path / "out")["sources"]
    assert source["ledger"]["dialogues"] == 2
    found = index(tmp_path / "out")
    assert len(found) == 7
    for one in found["id"]:
        assert invoke("trace", tmp_path / "out", "--id", one).exit_code == 0


_KILL = """
import os, signal, sys
from pathlib import Path
from chat_corpus.cli.main import main
moves, replace = int(sys.argv[1]), Path.replace
def counted(self, target):
    global moves
    if {stage!r} in self.as_posix():
        moves -= 1
        if moves < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = counted
main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("stage", "moves"),
    slow_from(2, [("/files/", 5), ("/run/", 3), ("/parts/", 1), ("/files/", 0), ("/files/README", 0)]),
)
def test_a_killed_export_is_made_by_the_same_command_again(
    stage: str, moves: int, raw: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    arguments = ["export", str(tmp_path / "killed"), "-q", "--raw", str(raw), *SPLIT]
    command = [sys.executable, "-c", _KILL.format(stage=stage), str(moves), *arguments]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "manifest.json").exists()
    assert invoke(*arguments).exit_code == 0
    assert visible(tmp_path / "killed") == whole
    assert not (tmp_path / "killed" / WORK).exists()


def test_a_file_that_the_user_writes_after_a_kill_is_refused_and_stays(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, move = tmp_path / "killed", Path.replace

    def killed(self: Path, target: Path) -> Path:
        if self.suffix == ".md":
            raise KeyboardInterrupt
        return move(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    assert invoke("export", folder, "-q", "--out", stored, "-s", "ptt").exit_code != 0
    monkeypatch.undo()
    assert (folder / WORK / "publishing.json").is_file()
    (folder / "README.md").write_text("mine")
    assert "not empty (README.md)" in export(folder, "--out", stored, "-s", "ptt", code=2)
    assert (folder / "README.md").read_text() == "mine"
    (folder / "README.md").unlink()
    export(folder, "--out", stored, "-s", "ptt", "--check")


def test_a_file_that_the_user_writes_during_an_export_is_refused_and_stays(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = folders.publish

    def late(folder: Path, made: Path, summary: ExportSummary, *, force: bool) -> None:
        (folder / "README.md").write_text("mine")
        write(folder, made, summary, force=force)

    monkeypatch.setattr(folders, "publish", late)
    stderr = export(tmp_path / "export", "--out", stored, "-s", "ptt", code=2)
    assert "files were written there during the export (README.md)" in stderr
    assert visible(tmp_path / "export") == {"README.md": b"mine"}


@pytest.mark.slow
def test_a_manifest_does_not_depend_on_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, where in (("a/raw", "a/export"), ("b/c/raw", "d/export")):
        put(tmp_path / place, {"tieba.dialogues": "在吗\t在\n你好\t好\n"})
        put(tmp_path / place / "own", {"mine.tsv": "吃了吗\t吃了\n"})
        monkeypatch.chdir((tmp_path / place).parent)
        raw = "raw" if place == "a/raw" else tmp_path / place
        added = ("--add", f"mine={tmp_path / place}/own/mine.tsv")
        export(tmp_path / where, "--raw", raw, *added, "--out", tmp_path / "out")
    assert visible(tmp_path / "a/export") == visible(tmp_path / "d/export")
    assert str(tmp_path) not in (tmp_path / "d/export/manifest.json").read_text()
    monkeypatch.chdir(tmp_path)
    for source, flags in (("tieba", ("--raw", "a/raw")), ("mine", ("--add", "mine=a/raw/own/mine.tsv"))):
        row = f"d/export/data/{source}/train-00000.parquet:1"
        done = invoke("trace", row)
        assert (done.exit_code, "not found, but" in done.stderr) == (2, True), done.stderr
        assert invoke("trace", row, *flags).exit_code == 0


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (b"caf\xe9", "not a name in UTF-8"),
        (b"", "the name is empty"),
        (b"dangling", "a link to nothing"),
        (b"loop", "cannot be used"),
        (b"file/below", "cannot be used"),
        (b"n" * 300, "cannot be used"),
    ],
    ids=["latin-1", "empty", "dangling", "loop", "below a file", "long"],
)
def test_a_folder_that_cannot_be_is_wrong_usage(
    name: bytes, fault: str, stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("x")
    done = invoke("export", os.fsdecode(name), "-q", "--out", stored, "-s", "ptt")
    assert (done.exit_code, fault in done.stderr) == (2, True), done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file", "loop"]


def test_force_replaces_an_export_and_leaves_nothing_of_it(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "export", "--out", stored, *SPLIT, *FORMATS)
    (tmp_path / "export" / "notes.txt").write_text("mine")
    assert "notes.txt" not in export(tmp_path / "export", "--out", stored, "-s", "ptt", code=2)
    export(tmp_path / "export", "--out", stored, "-s", "ptt", "--force")
    left = visible(tmp_path / "export")
    assert left.pop("notes.txt") == b"mine"
    export(tmp_path / "new", "--out", stored, "-s", "ptt")
    assert left == visible(tmp_path / "new")


@pytest.mark.parametrize(
    ("place", "code", "message"),
    [
        ("raw/export", 2, "inside the folder of raw corpora"),
        ("stored/export", 2, "is inside the output folder"),
        (".", 2, "contains the output folder"),
        ("full", 2, "not empty (a.txt)"),
        ("full/a.txt", 2, "a file"),
    ],
)
def test_a_folder_that_is_no_place_for_an_export_is_refused_and_left_alone(
    place: str, code: int, message: str, raw: Path, stored: Path, tmp_path: Path
) -> None:
    (tmp_path / "raw").symlink_to(raw)
    (tmp_path / "stored").symlink_to(stored)
    put(tmp_path / "full", {"a.txt": "x"})
    base = raw.parent.parent if place == "." else tmp_path
    before = sorted(path for folder in (raw, stored) for path in folder.rglob("*"))
    stderr = export(base / place, "--raw", raw, "--out", stored, code=code)
    assert message in stderr
    assert sorted(path for folder in (raw, stored) for path in folder.rglob("*")) == before


def test_a_file_that_is_added_singly_is_never_replaced_and_its_folder_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"texts/d.tsv": "在吗\t在\n你好\t好\n", "texts/more/e.tsv": "早\t早\n晚\t安\n"})
    monkeypatch.chdir(tmp_path / "texts")
    added = ("--add", "m=d.tsv")
    assert invoke("-q", *added, "--out", "../store", "--store-dialogues").exit_code == 0
    done = invoke("-q", "--add", "m=../texts/more", "--out", "../of_folder", "--store-dialogues")
    assert done.exit_code == 0, done.stderr
    before = visible(tmp_path)
    export(Path("from_store"), "--out", "../store")
    export(Path("from_file"), *added)
    assert visible(tmp_path).items() >= before.items()
    for flags in (("--out", "../store"), (*added, "--out", "../none")):
        assert "contains the added file" in export(Path("../texts"), *flags, "--force", code=2)
    assert "inside the folder of raw corpora" in export(Path("more/export"), "--out", "../of_folder", code=2)
    assert "a raw file of m" in invoke("report", "../store", "--output", "d.tsv").stderr
    assert visible(tmp_path).items() >= before.items()


def test_a_source_whose_store_is_stale_is_named_and_the_others_are_exported(raw: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(raw, tmp_path / "raw")
    out = tmp_path / "out"
    assert invoke("-q", "--raw", mine, "--out", out, "--store-dialogues").exit_code == 0
    (mine / "tieba.dialogues").write_text("新\t旧\n")
    with (out / "dialogues" / "weibo.parquet").open("ab") as stream:
        stream.write(b"x")
    stderr = export(tmp_path / "export", "--out", out, code=3)
    assert "tieba: its dialogue store is out of date: raw files changed (tieba.dialogues)" in stderr
    assert "weibo: the outputs changed since they were written" in stderr
    assert [one["name"] for one in manifest(tmp_path / "export")["sources"]] == ["douban", "ptt"]
    stderr = export(tmp_path / "none", "--out", out, "--limit", "3", code=3)
    assert "other settings (read.limit)" in stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("change", "code", "fault"),
    [
        (lambda out: (out / "report.json").write_text("{"), 2, "not a report"),
        (lambda out: (out / "report.json").unlink(), 3, "not in "),
        (lambda out: (out / "dialogues" / "tieba.parquet").unlink(), 3, "there is no dialogue store"),
        (lambda out: shutil.rmtree(out / "dialogues"), 3, "there is no dialogue store"),
    ],
)
def test_raw_corpora_never_take_the_place_of_stores_that_are_unusable(
    change: Callable[[Path], object], code: int, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "raw_chat_corpus", {"tieba.dialogues": "在吗\t在\n你好\t好\n"})
    assert invoke("-q", "--store-dialogues").exit_code == 0
    change(tmp_path / "clean_chat_corpus")
    assert fault in export(tmp_path / "export", code=code)
    assert not (tmp_path / "export").exists()
    export(tmp_path / "export", "--raw", "raw_chat_corpus")


def test_an_output_folder_without_stores_does_not_mean_the_raw_corpora(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"raw_chat_corpus/tieba.dialogues": "在吗\t在\n"})
    monkeypatch.chdir(tmp_path)
    assert "--out none: no such folder" in export(tmp_path / "export", "--out", "none", code=2)
    assert not (tmp_path / "export").exists()
    export(tmp_path / "export")


@pytest.mark.slow
def test_a_store_of_a_plugin_needs_the_plugin(tmp_path: Path) -> None:
    put(tmp_path / "raw", {"ours.txt": "在吗|在\n"})
    flags = ("--plugin", plugin(tmp_path))
    out = tmp_path / "out"
    assert invoke("-q", "--raw", tmp_path / "raw", "--out", out, "--store-dialogues", *flags).exit_code == 0
    assert "made with plugins; repeat --plugin for " in export(tmp_path / "export", "--out", out, code=3)
    export(tmp_path / "export", "--out", out, *flags)


@pytest.mark.slow
def test_an_added_corpus_is_exported_from_its_store_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"one.tsv": "在吗\t在\n你好\t好\n", "two.tsv": "早\t早安\n"})
    monkeypatch.chdir(tmp_path)
    assert invoke("-q", "--add", "one=one.tsv", "--out", "out", "--store-dialogues").exit_code == 0
    export(Path("same"), "--out", "out", "--add", "one=one.tsv")  # beside the file, which is no folder of raw corpora
    assert "two: not in out/report.json" in export(Path("more"), "--out", "out", "--add", "two=two.tsv", code=3)
    assert [one["name"] for one in manifest(tmp_path / "more")["sources"]] == ["one"]


@pytest.mark.slow
def test_options_without_effect_are_named(stored: Path, raw: Path, tmp_path: Path) -> None:
    flags = ("--turns", "pairs", "--max-turns", "4", "--max-groups", "7", "-s", "ptt", "--format", "preference")
    stderr = export(tmp_path / "export", "--out", stored, *flags, code=3)
    assert "max_turns has no effect" in stderr
    assert "max_groups has no effect" in stderr
    assert "no file of preferences" in stderr
    assert "its dialogue stores are not read" in export(
        tmp_path / "raw", "--out", stored, "--raw", raw, "-s", "ptt", "--dry-run"
    )


@pytest.mark.parametrize("origin", ["--out", "--raw"])
def test_a_dry_run_refuses_what_the_export_refuses(origin: str, stored: Path, raw: Path, tmp_path: Path) -> None:
    place = stored if origin == "--out" else raw
    stderr = export(tmp_path / "export", origin, place, "--dry-run", "--mix", "sms=2", code=2)
    assert "sms is not among the exported sources" in stderr
    assert "omit --check" in export(tmp_path / "export", origin, place, "--dry-run", "--check", code=2)


def test_a_new_raw_file_makes_a_store_stale(raw: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(raw, tmp_path / "raw")
    assert invoke("-q", "--raw", mine, "--out", tmp_path / "out", "--store-dialogues").exit_code == 0
    (mine / "douban" / "dev.txt").write_text("1\t新的问题在这里\t新的回答\n0\t新的问题在这里\t别的回答\n", "utf-8")
    stderr = export(tmp_path / "export", "--out", tmp_path / "out", code=3)
    assert "raw files were added (douban/dev.txt)" in stderr
    assert "douban" not in [one["name"] for one in manifest(tmp_path / "export")["sources"]]


def test_a_relative_raw_folder_is_found_from_any_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n你好\t好\n"})
    monkeypatch.chdir(tmp_path)
    assert invoke("-q", "--raw", "raw", "--out", "out", "--store-dialogues").exit_code == 0
    export(Path("export"), "--out", "out")
    assert manifest(tmp_path / "export")["sources"][0]["raw_folder"] == "raw"
    monkeypatch.chdir(tmp_path / "other")
    assert invoke("trace", tmp_path / "out" / "tieba.tsv:1").exit_code == 0
    assert invoke("trace", tmp_path / "export/data/tieba/train-00000.parquet:1").exit_code == 0
    assert "folder of raw corpora" in export(tmp_path / "raw" / "mine", "--out", tmp_path / "out", code=2)
    put(tmp_path / "raw", {"tieba.dialogues": "新\t旧\n"})
    assert "raw files changed" in export(tmp_path / "again", "--out", tmp_path / "out", code=3)


def test_a_source_in_which_nobody_answers_is_named(tmp_path: Path) -> None:
    sms = "<smsCorpus><message id='1'><text>你好</text></message></smsCorpus>"
    raw = put(tmp_path / "raw", {"smsCorpus_zh_xml_2015.03.09.xml": sms, "tieba.dialogues": "在吗\t在\n"})
    stderr = export(tmp_path / "both", "--raw", raw)
    assert "sms: no records" in stderr
    assert records(tmp_path / "both")["source"].to_list() == ["tieba"]
    assert "nothing to export" in export(tmp_path / "sms", "--raw", raw, "-s", "sms", code=3)
    assert visible(tmp_path / "sms") == {}


def test_an_export_without_records_says_why(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n"})
    stderr = export(tmp_path / "out", "--raw", raw, "--max-chars", "2", code=3)
    assert "every query with its answer has more than 2 characters" in stderr


@pytest.mark.parametrize("option", ["max_turns", "max_chars"])
def test_huge_limits_are_wrong_usage(option: str, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n"})
    flag = f"--{option.replace('_', '-')}"
    assert flag in export(tmp_path / "out", "--raw", raw, flag, 1 << 63, code=2)
    config = put(tmp_path, {"a.yaml": f"export: {{{option}: {1 << 70}}}\n"}) / "a.yaml"
    assert f"export.{option}" in export(tmp_path / "out", "--raw", raw, "--config", config, code=2)
    export(tmp_path / "out", "--raw", raw, flag, MOST)


def test_a_format_that_is_named_twice_is_wrong_usage(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n"})
    config = put(tmp_path, {"a.yaml": "export: {formats: [tsv, messages, messages]}\n"}) / "a.yaml"
    assert "messages is there more than once" in export(tmp_path / "out", "--raw", raw, "--config", config, code=2)


def test_a_requested_split_without_records_is_a_warning(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "第一个问题\t好\n第二个问题\t好\n第三个问题\t好\n"})
    stderr = export(tmp_path / "out", "--raw", raw, "--split", "test=0.001,validation=0.998")
    assert [line.split(";")[0] for line in stderr.splitlines()[-2:]] == [
        "warning: train has no records: test, validation and records held back leave none of 3 groups of dialogues",
        "warning: test has no records: a share of 0.001 of 3 groups of dialogues (3 records)",
    ]
    assert {split for (split,) in records(tmp_path / "out").select("split").rows()} == {"validation"}


def test_groups_above_the_cap_are_held_and_in_no_split(stored: Path, tmp_path: Path) -> None:
    config = put(tmp_path, {"cap.yaml": "export: {split: {test: 0.5, max_groups: 3}}\n"}) / "cap.yaml"
    export(tmp_path / "export", "--out", stored, "--config", config)
    free = put(tmp_path, {"free.yaml": "export: {split: {test: 0.5, max_groups: 0}}\n"}) / "free.yaml"
    export(tmp_path / "free", "--out", stored, "--config", free)
    capped, whole = index(tmp_path / "export"), index(tmp_path / "free")
    is_train = (pl.col("split") == "train") | (pl.col("reason") == "held_twin")  # fewer in test have fewer twins
    assert set(capped.filter(is_train)["id"]) == set(whole.filter(is_train)["id"])
    held = capped.filter(pl.col("reason") == "held_cap")
    gone = set(whole.filter(pl.col("split") == "test")["id"]) - set(capped.filter(pl.col("split") == "test")["id"])
    assert gone == set(held["id"])
    assert len(gone) > 3


@pytest.mark.slow
def test_duplicates_can_be_kept_and_then_have_ids_of_their_own(raw: Path, tmp_path: Path) -> None:
    more = shutil.copytree(raw, tmp_path / "raw")
    with (more / "tieba.dialogues").open("a") as stream:
        stream.write("再说一次\t好的\n" * 3)
    export(tmp_path / "kept", "--raw", more, "--keep-duplicates", "--check", *SPLIT)
    export(tmp_path / "once", "--raw", more, *SPLIT)
    kept, once = records(tmp_path / "kept"), records(tmp_path / "once")
    assert kept["id"].n_unique() == len(kept) == len(once) + 4
    assert set(once["id"]) <= set(kept["id"])


def test_what_is_masked_is_counted_and_can_be_kept(stored: Path, tmp_path: Path) -> None:
    def opener(folder: Path) -> list[str]:
        texts = records(folder)["messages"].list.get(0).struct.field("content")
        return texts.filter(texts.str.contains("QQ")).to_list()

    export(tmp_path / "masked", "--out", stored, "-s", "tieba")
    export(tmp_path / "plain", "--out", stored, "-s", "tieba", "--keep-personal")
    assert (opener(tmp_path / "masked"), opener(tmp_path / "plain")) == (["我的QQ：<QQ>"], ["我的QQ：123456789"])
    ledgers = [manifest(tmp_path / name)["sources"][0]["ledger"]["masked"] for name in ("masked", "plain")]
    assert ledgers == [{"qq": 1}, {}]


def test_options_decide_what_a_record_is(stored: Path, tmp_path: Path) -> None:
    export(tmp_path / "pairs", "--out", stored, "--turns", "pairs", "--system", "你是助手")
    rows = records(tmp_path / "pairs")
    assert rows["messages"].list.len().unique().to_list() == [3]
    assert set(rows["messages"].list.get(0).struct.field("content")) == {"你是助手"}
    export(tmp_path / "windows", "--out", stored, "--max-turns", "2", "--alternatives", "first")
    rows = records(tmp_path / "windows")
    assert rows["messages"].list.len().unique().to_list() == [2]
    dropped = {one["name"]: one["ledger"]["turns_dropped"] for one in manifest(tmp_path / "windows")["sources"]}
    assert dropped["douban"]["alternative"] > 0


@pytest.mark.slow
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), size=st.integers(1, 40), chunk=st.sampled_from([700, 2500, 4_000_000]))
def test_any_corpora_balance_and_pass_the_check(
    seed: int, size: int, chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK", chunk)
        patch.setattr(flow, "FILE_BYTES", 1500)
        raw = corpora(folder / "raw", seed=seed, size=size)
        export(folder / "export", "--raw", raw, *SPLIT, "--format", "messages,tsv", "--check")
    for source in manifest(folder / "export")["sources"]:
        ledger = source["ledger"]
        assert ledger["records"] == sum(ledger["written"].values()) + sum(ledger["records_dropped"].values())
    assert index(folder / "export")["dialogue_id"].null_count() == 0


@pytest.mark.parametrize("page", [True, False])
def test_the_last_line_counts_every_file_of_the_export(stored: Path, tmp_path: Path, *, page: bool) -> None:
    config = put(tmp_path, {"page.yaml": f"page: {str(page).lower()}\n"}) / "page.yaml"
    put(tmp_path / "export", {"notes.txt": "not of the export"})
    done = invoke("export", tmp_path / "export", "--out", stored, "-s", "ptt", "--config", config, "--force")
    assert (tmp_path / "export" / "report.html").exists() == page
    files = sum(path.is_file() for path in (tmp_path / "export").rglob("*")) - 1
    assert f" records in {files} files (" in done.stderr.splitlines()[-1]


def test_digests_and_sizes_of_the_manifest_are_those_of_the_files(exported: Path) -> None:
    listed = {one["path"]: (one["bytes"], one["sha256"]) for one in manifest(exported)["files"]}
    made = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in _data(exported).items()}
    assert listed == made


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--format", "mesages"), "did you mean 'messages'?"),
        (("--split", "test=0.6,validation=0.4"), "leave nothing for train"),
        (("--split", "eval=0.1"), "test=SHARE or validation=SHARE expected"),
        (("-s", "pttt"), "did you mean 'ptt'?"),
        (("--system", " "), "only whitespace"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_made(
    flags: tuple[str, ...], message: str, stored: Path, tmp_path: Path
) -> None:
    assert message in export(tmp_path / "export", "--out", stored, *flags, code=2)
    assert not (tmp_path / "export").exists()


def test_a_dry_run_lists_what_an_export_writes_and_writes_nothing(stored: Path, tmp_path: Path) -> None:
    done = invoke("export", tmp_path / "export", "--out", stored, "-s", "ptt", "--format", "tsv", "--dry-run")
    assert done.exit_code == 0
    assert "write  " in done.stdout
    assert f"{tmp_path}/export/tsv/ptt/train.tsv" in done.stdout
    assert not (tmp_path / "export").exists()
    export(tmp_path / "export", "--out", stored, "-s", "ptt", "--format", "tsv")
    lines = done.stdout.replace("train-*", "train-00000").splitlines()
    planned = {line.split()[1] for line in lines if line.startswith("write ")}
    assert planned == {str(tmp_path / "export" / name) for name in (*visible(tmp_path / "export"), "report.html")}
