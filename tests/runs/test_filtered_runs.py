"""Runs with filters of each scope: rejects, counts, the store, lineage, profiles, and filters of plugins."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from chat_corpus.pipeline.filters import word_lists
from chat_corpus.settings import profiles
from chat_corpus.settings.loading import load
from chat_corpus.sources import plugin_digest
from tests.conftest import slow_from
from tests.helpers import invoke, put, visible

LINES = {
    "tieba.dialogues": "在吗\t在\n你好\t你好！\n加我QQ：123456789\t打13812345678\n■\t好的\n看广告\t不看广告\n",
    "lost.conv": "E\nM 一\nE\nM 甲甲\nM 乙乙\nM 丙丙\n",
}
FILTERS = "filters: {qq: drop, phone: mask, no_marks: true, echo: loose, min_turns: 2}\n"
PLUGIN = """
import polars as pl

from chat_corpus.plugins import Filter, Scope

FILTERS = (
    Filter(name="ads", reason="advertisement", rejects=lambda options, source: pl.col("text").str.contains("广告"),
           message=pl.format("an ad: {}", "text")),
    Filter(name="same_end", reason="pair_same_end", scope=Scope.PAIR, message=pl.lit("both end alike"),
           rejects=lambda options, source: pl.col("query").str.slice(-1) == pl.col("answer").str.slice(-1)),
)
"""


def config(folder: Path, text: str, name: str = "c.yaml") -> Path:
    return put(folder, {name: text}) / name


def rejects(out: Path, source: str) -> list[dict[str, Any]]:
    lines = (out / "rejects" / f"{source}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_each_scope_has_its_rejects_and_counts(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", LINES), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out, "-q", "--config", config(tmp_path, FILTERS)).exit_code == 0
    assert [(line["record"], line["reason"], line["raw"]) for line in rejects(out, "tieba")] == [
        (2, "pair_echo", "你好\t你好！"),
        (3, "qq", "加我QQ：123456789\t打13812345678"),
        (4, "mark", "■\t好的"),
    ]
    assert (out / "tieba.tsv").read_text("utf-8") == "在吗\t在\n看广告\t不看广告\n"
    assert [line["reason"] for line in rejects(out, "subtitle")] == ["turns"]
    counts = json.loads((out / "report.json").read_text("utf-8"))["sources"]["tieba"]
    assert counts["pairs"]["rejected"] == {"mark": 1, "pair_echo": 1, "qq": 1}
    assert counts["turns"]["rejected"] == {"mark": 1, "qq": 1}
    assert counts["turns"]["changed_by_step"]["mask_phone"] == 1
    shown = invoke("explain", f"{raw}/tieba.dialogues:3", "--out", out).stdout
    assert "a QQ number: QQ：123456789" in shown
    assert "打<PHONE>" in shown
    assert "the answer repeats the query" in invoke("explain", f"{raw}/tieba.dialogues:2", "--out", out).stdout


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_store_or_on_shards(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", LINES), tmp_path / "out"
    first = config(tmp_path, "filters: {phone: mask, qq: drop}\n", "first.yaml")
    assert invoke("--raw", raw, "--out", out, "-q", "--config", first, "--store-dialogues").exit_code == 0
    flags = ("--raw", raw, "-q", "--store-dialogues", "--config", config(tmp_path, FILTERS))
    assert invoke(*flags, "--out", out, "--force").exit_code == 0
    small = config(tmp_path, "shard_bytes: 20\n", "small.yaml")
    assert invoke(*flags, "--config", small, "--out", tmp_path / "other").exit_code == 0
    ours, others = visible(out), visible(tmp_path / "other")
    same = [name for name in ours if name.startswith(("rejects", "dialogues")) or name.endswith(".tsv")]
    assert len(same) == 6
    assert [ours[name] for name in same] == [others[name] for name in same]


CAUSES = {
    "a mask": ("filters: {phone: mask}\n", "1 changed: masking"),
    "a filter of pairs": ("filters: {echo: loose}\n", "1 vanished: filter echo"),
    "a filter of turns": ("filters: {qq: drop}\n", "1 vanished: filter qq"),
    "a word list": ("filters: {{deny: [{folder}/deny.txt]}}\n", "1 vanished: filter deny"),
}


@pytest.mark.parametrize("name", slow_from(2, CAUSES))
def test_compare_names_the_filter(name: str, tmp_path: Path) -> None:
    text, expected = CAUSES[name]
    put(tmp_path, {"deny.txt": "在吗\n"})
    raw = put(tmp_path / "raw", {"tieba.dialogues": LINES["tieba.dialogues"]})
    for out, settings in (("old", ""), ("new", text.format(folder=tmp_path) if "{{" in text else text)):
        flags = ("--raw", raw, "--out", tmp_path / out, "-q", "--config", config(tmp_path, settings))
        assert invoke(*flags).exit_code == 0
    assert expected in invoke("compare", tmp_path / "old", tmp_path / "new").stdout


def test_compare_names_a_filter_of_dialogues(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"lost.conv": LINES["lost.conv"] + "E\nM 好\nM 好的\n"})
    for out, text in (("old", ""), ("new", "filters: {max_turns: 2}\n")):
        flags = ("--raw", raw, "--out", tmp_path / out, "-q", "--config", config(tmp_path, text))
        assert invoke(*flags).exit_code == 0
    assert "2 vanished: filter max_turns" in invoke("compare", tmp_path / "old", tmp_path / "new").stdout


def test_a_changed_word_list_processes_the_source_again(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": LINES["tieba.dialogues"]}), tmp_path / "out"
    settings = config(tmp_path, f"filters: {{deny: [{tmp_path}/deny.txt]}}\n")
    rows = []
    for words in ("在吗\n", "广告\n"):
        put(tmp_path, {"deny.txt": words})
        assert invoke("--raw", raw, "--out", out, "-q", "--config", settings, "--force").exit_code == 0
        rows.append((out / "tieba.tsv").read_text("utf-8"))
    assert rows[0] != rows[1]
    put(tmp_path, {"deny.txt": "其他\n"})
    word_lists.load.cache_clear()  # as in a new process
    done = invoke("trace", f"{out / 'tieba.tsv'}:1")
    assert (done.exit_code, "the word list changed" in done.stderr) == (1, True)


def test_a_file_may_define_filters(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": LINES["tieba.dialogues"]}), tmp_path / "out"
    plugin = put(tmp_path, {"ours.py": PLUGIN}) / "ours.py"
    assert invoke("--raw", raw, "--out", out, "-q", "--plugin", plugin).exit_code == 0
    assert [(line["record"], line["reason"]) for line in rejects(out, "tieba")] == [
        (5, "advertisement"), (5, "advertisement")
    ]  # fmt: skip
    done = invoke("explain", f"{raw}/tieba.dialogues:5", "--out", out, "--plugin", plugin).stdout
    assert "filter ads" in done
    assert invoke("explain", f"{raw}/tieba.dialogues:5", "--out", out).exit_code == 2, "a report permits no code"
    off = config(tmp_path, "filters: {custom: {ads: false}}\n")
    shown = json.loads(invoke("preview", "--raw", raw, "--plugin", plugin, "--config", off, "-q", "--json").stdout)
    assert [entry["name"] for entry in shown["filters"]][-1] == "same_end"
    assert "ads" not in [entry["name"] for entry in shown["filters"]]


@pytest.mark.slow
def test_filters_of_plugins_are_processed_in_worker_processes(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"问{n}\t{'广告' * (n % 5 > 0)}答\n" for n in range(500))})
    plugin = put(tmp_path, {"ours.py": PLUGIN}) / "ours.py"
    small = config(tmp_path, "shard_bytes: 1000\n")
    flags = ("--raw", raw, "--out", tmp_path / "out", "-q", "--plugin", plugin, "--config", small, "--workers", 2)
    assert invoke(*flags).exit_code == 0
    assert len(rejects(tmp_path / "out", "tieba")) == 400


FAULTS = [
    ("FILTER = 3\n", "FILTER or FILTERS is not of type chat_corpus.plugins.Filter"),
    ("{}FILTER = Filter(name='a b', reason='x', rejects=None)\n", "use a-z, 0-9 and '_' for both"),
    ("{}FILTER = Filter(name='a', reason='pair_x', rejects=None)\n", "the reason of a pair begins with pair_"),
    ("{}FILTER = Filter(name='echo', reason='x', rejects=None)\n", "chat-corpus has a filter of this name"),
    ("{0}F = Filter(name='a', reason='x', rejects=None)\nFILTERS = (F, F)\n", "a filter named 'a' already exists"),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_a_faulty_filter_of_a_plugin_is_named(text: str, expected: str, tmp_path: Path) -> None:
    plugin = put(tmp_path, {"ours.py": text.format("from chat_corpus.plugins import Filter\n")}) / "ours.py"
    done = invoke("check", "--raw", put(tmp_path / "raw", LINES), "--plugin", plugin)
    assert (done.exit_code, expected in done.stderr) == (2, True), done.stderr


def test_a_filter_that_no_plugin_defines_is_wrong_usage(tmp_path: Path) -> None:
    settings = config(tmp_path, "sources: {tieba: {filters: {custom: {ads: true}}}}\n")
    done = invoke("check", "--raw", put(tmp_path / "raw", LINES), "--config", settings)
    assert (done.exit_code, "sources.tieba.filters.custom.ads: no plugin defines" in done.stderr) == (2, True)


def test_a_filter_of_an_installed_package_is_off_until_the_settings_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"installed_filters.py": PLUGIN})
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint(name="ads", value="installed_filters", group=sources.FILTER_ENTRY_POINT_GROUP)
    monkeypatch.setattr(sources, "entry_points", lambda group: [point] if group == point.group else [])
    for cache in (sources.declared, plugin_digest.code):
        cache.cache_clear()
    try:
        raw = put(tmp_path / "raw", {"tieba.dialogues": LINES["tieba.dialogues"]})
        kept = []
        for number, text in enumerate(("", "filters: {custom: {ads: true}}\n")):
            out = tmp_path / str(number)
            assert invoke("--raw", raw, "--out", out, "-q", "--config", config(tmp_path, text)).exit_code == 0
            kept.append((out / "tieba.tsv").read_text("utf-8").count("广告"))
        assert kept == [2, 0]
    finally:
        for cache in (sources.declared, plugin_digest.code):
            cache.cache_clear()


def test_a_profile_lies_under_config_and_flags(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": LINES["tieba.dialogues"]}), tmp_path / "out"
    settings = config(tmp_path, "filters: {echo: keep}\n")
    flags = ("--raw", raw, "--out", out, "-q", "--profile", "strict", "--config", settings, "--pairs", "first")
    assert invoke(*flags).exit_code == 0
    made = json.loads((out / "report.json").read_text("utf-8"))["settings"]
    assert (made["filters"]["echo"], made["filters"]["qq"], made["pairs"]["mode"]) == ("keep", "drop", "first")
    assert made["dedup"]["exact"] == "always"
    own = config(tmp_path, "filters: {min_chars: 2}\n", "own.yaml")
    assert invoke("check", "--raw", raw, "--profile", own).exit_code == 0
    for name in ("run", "export", "preview", "check", "normalize"):
        arguments = (tmp_path / "x",) if name == "export" else ()
        done = invoke(name, *arguments, "--profile", "stric")
        assert (done.exit_code, "did you mean 'strict'?" in done.stderr) == (2, True), name


def test_every_profile_loads_and_says_why() -> None:
    assert profiles.names() == ["lccc", "retrieval", "strict"]
    for name in profiles.names():
        path = profiles.find(name)
        assert load([path]) != load()
        text = path.read_text("utf-8")
        assert " of 20 " in text, "it has the share that was rightly removed"
        assert profiles.description(path).endswith(".")
    listed = json.loads(invoke("list", "--profiles", "--json").stdout)
    assert [row["name"] for row in listed] == profiles.names()
    assert "max_repetition: 0.7" in invoke("list", "--profiles").stdout
