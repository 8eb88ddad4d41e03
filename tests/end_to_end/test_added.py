"""Corpora that a user adds: one command each, from every layout, in every way in which sources are used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from chat_corpus import api
from chat_corpus.discovery.inventory import DEFAULT_RAW
from chat_corpus.engines import dask_client
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT
from tests.formats.test_chat_exports import QQ
from tests.formats.test_message_tables import TIMED
from tests.formats.test_subtitles import ASS, SRT
from tests.helpers import invoke, put, visible

CHAT = """{"messages": [{"role": "user", "content": "在嗎？？？？"}, {"role": "assistant", "content": "在"}]}
{"坏": 1}
{"messages": [{"role": "user", "content": "几点"}, {"role": "assistant", "content": "五点"}]}
"""
CHAT_PAIRS = "在吗？？？\t在\n几点\t五点\n"
LCCC = '{"train": [["你 好 o k", "在 吗"], ["早", "早 啊"]], "valid": [["好 的", "嗯 嗯"]]}'
BLANK = "在吗\n在\n\n今天吃什么\n火锅吧\n"

#: File, content, layout in the message, and the pairs.
ONE_FILE: Mapping[str, tuple[str, bytes, str, str]] = {
    "json": ("chat.jsonl", CHAT.encode(), "json", CHAT_PAIRS),
    "lccc": ("LCCC-base.json", LCCC.encode(), "json", "你好ok\t在吗\n早\t早啊\n好的\t嗯嗯\n"),
    "table": ("log.csv", TIMED.encode(), "table", '在吗,有事\\n急\t在\n早\t早"\\n啊\n'),
    "utf-16": ("log.tsv", "query\tanswer\n在吗\t在\n坏\n好\t嗯\n".encode("utf-16"), "table", "在吗\t在\n好\t嗯\n"),
    "blank lines": ("chats.txt", BLANK.encode("gb18030"), "blank-lines", "在吗\t在\n今天吃什么\t火锅吧\n"),
    "conv": ("my.conv", "E\nM 在吗\nM 在\n坏\n".encode(), "conv", "在吗\t在\n"),
    "srt": (
        "film.srt",
        SRT.encode("gb18030"),
        "subtitles",
        "在吗\t在\n在\t今天 天气好\n今天 天气好\t你好\n你好\t再见\n",
    ),
    "ass": ("film.ass", ASS.encode("utf-16"), "subtitles", "第一句\t嗯\n嗯\t第二句,对吗\n"),
    "export": ("qq.txt", QQ.encode(), "chat-export", "在吗\t在\\n呢\n新年快乐\t同乐\n"),
}


def run(folder: Path, *args: object, out: str = "out") -> tuple[str, str]:
    """What `run` makes of corpora added as `mine`: its pairs and what it says."""
    raw = put(folder / "raw", {})
    raw.mkdir(exist_ok=True)
    done = invoke("--raw", raw, "--out", folder / out, *args)
    assert done.exit_code == 0, done.stderr
    return (folder / out / "mine.tsv").read_text("utf-8"), done.stderr


@pytest.mark.parametrize("name", ONE_FILE)
def test_one_command_reads_a_file(name: str, tmp_path: Path) -> None:
    file, content, layout, pairs = ONE_FILE[name]
    (tmp_path / file).write_bytes(content)
    made, shown = run(tmp_path, "--add", f"mine={tmp_path / file}")
    assert made == pairs
    assert f"mine: {file}: layout {layout} (" in shown


@pytest.mark.slow
@pytest.mark.parametrize("layout", [(), ("--layout", "mine=json")], ids=["found", "named"])
def test_a_broken_line_changes_neither_the_layout_nor_the_pairs(layout: tuple[str, ...], tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": role, "content": f"{role}{n}-{turn}"} for turn in "12" for role in ("user", "assistant")
                ]
            }
        )
        for n in range(30)
    ]
    (tmp_path / "chat.jsonl").write_text("\n".join([*lines[:2], lines[0][:40], *lines[2:]]), "utf-8")
    made, shown = run(tmp_path, "--add", f"mine={tmp_path / 'chat.jsonl'}", *layout)
    assert made == "".join(f"user{n}-{turn}\tassistant{n}-{turn}\n" for n in range(30) for turn in "12")
    assert "layout json (records with the keys messages); pairs: exchange" in shown


def test_rows_and_records_are_traced_without_a_flag(tmp_path: Path) -> None:
    put(tmp_path, {"data/chat.jsonl": CHAT})
    run(tmp_path, "--add", f"mine={tmp_path / 'data'}")
    (row,) = api.trace(tmp_path / "out" / "mine.tsv", 1)
    assert row.query.at.record == 1
    done = invoke("explain", tmp_path / "data" / "chat.jsonl:2", "--out", tmp_path / "out")
    assert "layout" in done.stdout
    shutil.move(tmp_path / "data", tmp_path / "moved")
    assert "--add mine=PATH" in invoke("trace", tmp_path / "out" / "mine.tsv:1").stderr
    assert invoke("trace", tmp_path / "out" / "mine.tsv:1", "--add", f"mine={tmp_path / 'moved'}").exit_code == 0


def test_files_of_one_name_are_told_apart_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"x/data.csv": "甲,乙\n", "y/data.csv": "丙,丁\n"})
    run(tmp_path, "--add", f"mine={tmp_path / 'x/data.csv'}", "--add", f"yours={tmp_path / 'y/data.csv'}")
    explained = ("explain", "--out", tmp_path / "out", "data.csv:1")
    monkeypatch.chdir(tmp_path / "y")
    assert "丙" in invoke(*explained).stdout
    monkeypatch.chdir(tmp_path)
    done = invoke(*explained)
    assert (done.exit_code, "several sources read a file of this name" in done.stderr) == (2, True)


def test_the_layout_and_the_keys_are_part_of_what_an_output_was_made_with(tmp_path: Path) -> None:
    put(tmp_path, {"qq.txt": QQ, "one.yaml": f"corpora: {{mine: {{path: {tmp_path / 'qq.txt'}, gap: 86400}}}}"})
    run(tmp_path, "--add", f"mine={tmp_path / 'qq.txt'}")
    assert "unchanged" in run(tmp_path, "--add", f"mine={tmp_path / 'qq.txt'}")[1]
    made, shown = run(tmp_path, "--config", tmp_path / "one.yaml")
    assert "unchanged" not in shown
    assert "在\\n呢\t新年快乐" in made
    entry = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["sources"]["mine"]
    assert (entry["definition"]["layout"], entry["definition"]["gap"]) == ("chat-export", 86400)
    run(tmp_path, "--add", f"mine={tmp_path / 'qq.txt'}", out="other")
    assert "different raw files or plugins" in invoke("compare", tmp_path / "other", tmp_path / "out").stdout


def test_settings_hold_patterns_columns_and_facts(tmp_path: Path) -> None:
    put(tmp_path, {f"day{day}.csv": f"甲,在吗{day}\n乙,在\n" for day in (1, 2)})
    config = f"""
corpora:
  mine:
    path: {tmp_path}/day*.csv
    columns: {{speaker: 1, text: 2}}
    pairing: first
    licence: CC0-1.0
    title: 我的群聊
"""
    put(tmp_path, {"my.yaml": config})
    assert run(tmp_path, "--config", tmp_path / "my.yaml")[0] == "在吗1\t在\n在吗2\t在\n"
    listed = json.loads(invoke("list", "--config", tmp_path / "my.yaml", "--raw", tmp_path / "raw", "--json").stdout)
    (mine,) = (one for one in listed if one["name"] == "mine")
    assert (mine["licence"], mine["title"]) == ("CC0-1.0", "我的群聊")


def test_two_parallel_files_are_read_in_the_order_of_their_names_or_of_the_flags(tmp_path: Path) -> None:
    put(tmp_path, {"data/my.tgt": "在\n五点\n", "data/my.src": "在吗\n几点\n"})
    assert run(tmp_path, "--add", f"mine={tmp_path / 'data'}")[0] == "在吗\t在\n几点\t五点\n"
    both = [f"mine={tmp_path / 'data' / name}" for name in ("my.tgt", "my.src")]
    made, _ = run(tmp_path, "--add", both[0], "--add", both[1], "--layout", "mine=parallel", "--fresh", out="other")
    assert made == "在\t在吗\n五点\t几点\n"


def test_a_name_with_the_marks_of_patterns_or_of_a_flag_is_a_path(tmp_path: Path) -> None:
    put(tmp_path, {"a=[1]*.jsonl": CHAT, "a=1x.jsonl": "坏"})
    assert run(tmp_path, "--add", f"mine={tmp_path}/a=[1]*.jsonl")[0] == CHAT_PAIRS


def test_samples_step_aside_and_corpora_of_the_raw_folder_are_known_as_themselves(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n你好\t好\n", "mine.jsonl": CHAT})
    done = invoke("--raw", raw, "--out", tmp_path / "out", "--add", f"mine={raw / 'mine.jsonl'}")
    assert done.exit_code == 0
    assert "not recognised" not in done.stderr
    assert {"tieba.tsv", "mine.tsv"} <= set(visible(tmp_path / "out"))
    shutil.copytree(ROOT / "raw_chat_corpus", tmp_path / "samples")
    sampled = invoke("--raw", tmp_path / "samples", "--out", tmp_path / "own", "--add", f"mine={raw / 'mine.jsonl'}")
    assert sampled.exit_code == 0
    assert [name for name in visible(tmp_path / "own") if name.endswith(".tsv")] == ["mine.tsv"]


@pytest.mark.parametrize("engine", ["local", pytest.param("dask", marks=pytest.mark.slow)])
def test_workers_read_an_added_corpus_to_the_same_bytes(engine: str, tmp_path: Path) -> None:
    if engine == "dask":
        dask_client.dask()
    put(
        tmp_path,
        {
            "log.txt": "".join(
                f"2024-01-{n // 9 % 28 + 1:02d} 08:{n % 9:02d} {'甲乙'[n % 2]}: 第{n}句\n" for n in range(4000)
            )
        },
    )
    put(tmp_path, {"small.yaml": "shard_bytes: 20000"})
    whole = run(tmp_path, "--add", f"mine={tmp_path / 'log.txt'}", "--workers", "1")[0]
    small = ("--config", tmp_path / "small.yaml", "--workers", "2", "--engine", engine)
    assert run(tmp_path, "--add", f"mine={tmp_path / 'log.txt'}", *small, out="other")[0] == whole


REFUSED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "known name": (("--add", "ptt={0}/chat.jsonl"), "ptt: a source of this name exists already"),
    "no name": (("--add", "Mine={0}/chat.jsonl"), "'Mine' cannot be the name of a corpus"),
    "no sign": (("--add", "{0}/chat.jsonl"), "NAME=PATH expected"),
    "no path": (("--layout", "mine=json"), "mine: no path"),
    "no file": (("--add", "mine={0}/[x].jsonl"), "/[x].jsonl: no such file or folder"),
    "no layout": (("--add", "mine={0}/chat.jsonl", "--layout", "mine=jsno"), "did you mean 'json'?"),
    "another layout": (("--add", "mine={0}/chat.jsonl", "--layout", "mine=table"), "it looks like json"),
    "prose": (("--add", "mine={0}/prose.txt"), "no layout fits prose.txt: 1 line of text"),
    "spreadsheet": (("--add", "mine={0}/a.xlsx"), "save it as CSV"),
    "several layouts": (("--add", "mine={0}"), "files of several layouts"),
    "a key of another layout": (("--config", "{0}/gap.yaml"), "corpora.mine.gap: the layout json has no such key"),
    "a key that is none": (("--config", "{0}/key.yaml"), "key.yaml:1: unknown key 'corpora.mine.laout'"),
    "a value that is none": (("--config", "{0}/value.yaml"), "value.yaml:1: corpora.mine.script"),
    "one of two": (("--add", "mine={0}/prose.txt", "--layout", "mine=parallel"), "parallel files are two, 1 found"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_added_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    data = put(tmp_path / "data", {"chat.jsonl": CHAT, "prose.txt": "从前有座山。\n", "b.conv": "E\nM 在吗\nM 在\n"})
    put(tmp_path, {"data/a.xlsx": b"PK\3\4" + b"\0" * 26 + b"xl/workbook.xml", "raw/x": ""})
    keys = {"gap": "gap: 60", "key": "laout: json", "value": "script: Hanz"}
    put(data, {f"{key}.yaml": f"corpora: {{mine: {{path: {data}/chat.jsonl, {one}}}}}" for key, one in keys.items()})
    args, expected = REFUSED[name]
    flags = [arg.format(data) for arg in args]
    done = invoke("--raw", tmp_path / "raw", "--out", tmp_path / "out", *flags)
    assert done.exit_code == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_check_and_normalize_take_added_corpora(tmp_path: Path) -> None:
    put(tmp_path, {"raw/x": "", "lccc.json": LCCC, "film.srt": SRT})
    checked = invoke("check", "--raw", tmp_path / "raw", "--add", f"mine={tmp_path / 'film.srt'}", "--json").stdout
    (mine,) = (one for one in json.loads(checked)["sources"] if one["name"] == "mine")
    assert (mine["state"], mine["records"]) == ("found", SRT.count("\n"))
    done = invoke("normalize", "-s", "mine", "--add", f"mine={tmp_path / 'film.srt'}", stdin=r"{\an8}在嗎".encode())
    assert done.stdout == "在吗\n"


def test_advice_for_a_file_that_cannot_be_read_is_about_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(put(tmp_path, {"chat.jsonl": CHAT + '{"messages": 坏\n' * 9}))
    done = invoke("run", "--add", "mine=chat.jsonl", "--layout", "mine=json", "--out", "out", "--lang", "zh")
    assert done.exit_code == 3
    assert "请检查文件，或用 --layout mine=LAYOUT 指定其格式" in done.stderr
    assert " check --add mine=chat.jsonl --layout mine=json  查看" in done.stderr
    assert done.stderr.splitlines()[-1] == "警告：1 个来源中有 1 个未完成：mine（失败）；详见上文"
    checked = invoke("check", "--add", "mine=chat.jsonl", "--layout", "mine=json").stdout
    assert [line.split()[0] for line in checked.splitlines() if "absent" in line or "unusable" in line] == ["mine"]
    assert "what to do: check the file, or name its layout with --layout mine=LAYOUT" in checked


def test_the_raw_folder_that_need_not_exist_is_the_default() -> None:
    assert Settings().raw == DEFAULT_RAW


def test_a_file_of_another_layout_in_a_folder_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"data/a.jsonl": CHAT, "data/notes.txt": "随手记的\n", "data/README.md": "# 说明\n", "data/b.jsonl": ""},
    )
    done = invoke(
        "--raw", put(tmp_path / "raw", {"x": ""}), "--out", tmp_path / "out", "--add", f"mine={tmp_path}/data"
    )
    assert done.exit_code == 1  # an empty file is a damaged one
    assert "notes.txt: not of the layout json" in done.stderr
    assert "skipped README.md" in done.stderr
    assert (tmp_path / "out" / "mine.tsv").read_text("utf-8") == CHAT_PAIRS


def test_an_output_inside_an_added_folder_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"raw/x": "", "data/chat.jsonl": CHAT})
    done = invoke("--raw", tmp_path / "raw", "--out", tmp_path / "data" / "out", "--add", f"mine={tmp_path / 'data'}")
    assert done.exit_code == 2
    assert "which is added as mine" in done.stderr


def test_an_added_corpus_is_exported_and_its_records_are_traced(tmp_path: Path) -> None:
    put(tmp_path, {"data/chat.jsonl": CHAT})
    run(tmp_path, "--add", f"mine={tmp_path / 'data' / 'chat.jsonl'}", "--store-dialogues")
    made = invoke("export", tmp_path / "records", "--out", tmp_path / "out", "-s", "mine", "--format", "messages")
    assert made.exit_code == 0, made.stderr
    (file,) = (tmp_path / "records" / "messages").rglob("train.jsonl")
    done = invoke("trace", f"{file}:1")
    assert done.exit_code == 0, done.stderr
    assert "chat.jsonl" in done.stdout
    flags = ("--raw", tmp_path / "raw", "--add", f"mine={tmp_path / 'data' / 'chat.jsonl'}")
    again = invoke("export", tmp_path / "other", *flags)
    assert again.exit_code == 0, again.stderr
