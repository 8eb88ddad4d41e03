"""Comparison of two outputs: each row that differs is counted once, and its cause is the change made, or none."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import versions
from chat_corpus.exports import tsv
from chat_corpus.lineage.compare import compare
from chat_corpus.lineage.comparison_model import Compared
from chat_corpus.lineage.trace import trace
from chat_corpus.lineage.trace_model import Address
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.filters.table import Filter
from chat_corpus.schema import Reason
from tests.conftest import slow_from
from tests.helpers import HARD, invoke, put
from tests.lineage.made import CAUSES, Made, made

#: Causes similar to others; slow.
SIMILAR = {"a limit of a step", "a filter and a step that it does not need"}


def compared(tmp_path: Path, max_shards: int = 0) -> Compared:
    (result,) = compare(tmp_path / "old", tmp_path / "new", examples=9, max_shards=max_shards)
    return result


@pytest.mark.parametrize("both_ways", slow_from(1, [False, True]), ids=["one way", "both ways"])
@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        pytest.param(*case, id=label, marks=[pytest.mark.slow] if label in SIMILAR else [])
        for label, case in CAUSES.items()
    ],
)
def test_the_setting_that_was_changed_is_the_cause(
    name: str, flags: dict[str, Any], expected: set[tuple[str, str, tuple[str, ...]]], both_ways: bool, tmp_path: Path
) -> None:
    raw = HARD / name / "raw"
    old, new = made(raw, tmp_path / "old", name), made(raw, tmp_path / "new", name, **flags)
    result = compared(tmp_path)
    assert {(str(cause.cause), cause.kind, cause.settings) for cause in result.causes} == expected
    assert (result.aligned, result.traced, result.same) == ("address", result.shards, False)
    kinds = Counter({"appeared": result.appeared, "vanished": result.vanished, "changed": result.changed})
    assert sum(kinds.values()) == sum(cause.rows for cause in result.causes) > 0
    assert new.run.rows - old.run.rows == result.appeared - result.vanished
    assert result.unlike is not None
    assert result.unlike.only() == "settings"
    lines = [made.run.tsv.read_bytes().split(b"\n") for made in (old, new)]
    for row in result.examples:
        for side, number, text in ((0, row.old_row, row.old), (1, row.new_row, row.new)):
            assert number is None or lines[side][number - 1].decode() == text
    if not both_ways:
        return
    # In the other direction, appeared rows have vanished.
    (back,) = compare(tmp_path / "new", tmp_path / "old", examples=0, max_shards=0)
    assert (back.appeared, back.vanished, back.changed) == (result.vanished, result.appeared, result.changed)
    assert {cause.cause for cause in back.causes} == {cause.cause for cause in result.causes}


def test_text_is_not_the_cause_of_a_pair_that_is_not_possible(tmp_path: Path) -> None:
    """Nor is the mode, which is the same, if a limit removed the turn between."""
    lines = "".join(f"{number} +++$+++ 甲 +++$+++ 第{number}句\u200b。\n" for number in (1, 2, 3))
    lists = "1 +++$+++ [1, 3, 2]\n2 +++$+++ [3, 1]\n"
    raw = put(tmp_path / "raw", {"egret_wenda_lines.txt": lines, "egret_wenda_conversations.txt": lists})
    made(raw, tmp_path / "old", "egret", pairs={"mode": "first"})
    made(raw, tmp_path / "new", "egret", text={"invisible": False}, pairs={"mode": "adjacent"})
    assert {(row.kind, row.cause) for row in compared(tmp_path).examples} == {
        ("changed", "step invisible"),
        ("vanished", "pairing"),
        ("appeared", "pairing"),
    }
    made(raw, tmp_path / "old", "egret", read={"limit": 2})
    assert {row.cause for row in compared(tmp_path).examples} == {"limit"}


def test_text_is_not_the_only_cause_of_a_repeat_whose_text_differs(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙！！！\n丙\t丁\n甲\t乙！！！\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"punctuation": {"limit": 1}}, dedup={"exact": "always"})
    result = [(row.kind, row.query, row.cause) for row in compared(tmp_path).examples]
    assert result == [
        ("changed", "tieba.dialogues:1", "step punctuation"),
        ("vanished", "tieba.dialogues:3", "repeat + step punctuation"),
        ("vanished", "tieba.dialogues:4", "repeat"),
    ]


def addressed(made: Made) -> dict[tuple[Address, Address], str]:
    """Return the rows by the addresses of their turns, each traced alone."""
    rows = (trace(made.run, row) for row in range(1, made.run.rows + 1))
    return {(row.query.at, row.answer.at): row.line for row in rows}


@pytest.mark.parametrize("name", slow_from(1, ["tieba", "ptt"]))
def test_the_counts_agree_with_tracing_each_row(name: str, tmp_path: Path) -> None:
    raw, flags = HARD / name / "raw", {"text": {"links": "remove", "width": False}, "filters": {"max_chars": 12}}
    old, new = (
        addressed(made(raw, tmp_path / out, name, **settings)) for out, settings in (("old", {}), ("new", flags))
    )
    result = compared(tmp_path)
    assert result.vanished == len(old.keys() - new.keys()) > 0
    assert result.appeared == len(new.keys() - old.keys())
    assert result.changed == sum(old[at] != new[at] for at in old.keys() & new.keys()) > 0
    changed = {(row.old, row.new) for row in result.examples if row.kind == "changed"}
    assert changed <= {(old[at], new[at]) for at in old.keys() & new.keys()}


def test_a_step_is_the_cause_of_a_text_that_it_empties(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\thttp://a.cn/b\n好\t看 www.a.cn\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    result = compared(tmp_path)
    assert [(row.kind, row.cause, row.reason) for row in result.examples] == [
        ("vanished", "step links", "empty"),
        ("changed", "step links", None),
    ]


def test_a_cause_occurs_once_and_a_sufficient_filter_is_the_only_one(tmp_path: Path) -> None:
    """The filter alone rejects 好; it rejects ！！！！ only after the step."""
    raw = put(
        tmp_path / "raw", {"tieba.dialogues": "好\t！！！！\n\n早安啊\t！！！！\n\n！！！！\t？？？？\n\n好\t啊\n"}
    )
    made(raw, tmp_path / "old", "tieba", text={"punctuation": {"limit": 3}})
    made(raw, tmp_path / "new", "tieba", text={"punctuation": {"limit": 1}}, filters={"min_chars": 2})
    assert [(row.query, row.cause) for row in compared(tmp_path).examples] == [
        ("tieba.dialogues:1", "filter min_chars"),
        ("tieba.dialogues:7", "filter min_chars"),
        ("tieba.dialogues:3", "step punctuation + filter min_chars"),
        ("tieba.dialogues:5", "step punctuation + filter min_chars"),
    ]
    (back,) = compare(tmp_path / "new", tmp_path / "old", examples=9, max_shards=0)
    causes = {row.query: str(row.cause) for row in back.examples}
    assert set(causes["tieba.dialogues:1"].split(" + ")) == {"filter min_chars", "step punctuation"}
    assert all(len(set(cause.split(" + "))) == len(cause.split(" + ")) for cause in causes.values())


def test_the_same_settings_give_the_same_rows(tmp_path: Path) -> None:
    for out in ("old", "new"):
        made(HARD / "tieba" / "raw", tmp_path / out, "tieba")
    assert compared(tmp_path).same
    assert invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new").exit_code == 0


@pytest.mark.slow
def test_causes_come_from_a_sample_of_shards_and_counts_from_all_rows(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"问{n}\t答{n} www.a{n}.cn\n" for n in range(90))})
    made(raw, tmp_path / "old", "tieba", shard_bytes=100)
    made(raw, tmp_path / "new", "tieba", shard_bytes=100, text={"links": "remove"})
    result = compared(tmp_path, max_shards=3)
    assert (result.changed, result.traced, result.aligned) == (90, 3, "text")
    assert result.shards is not None
    assert result.shards > 3
    assert [(cause.cause, cause.rows < 90) for cause in result.causes] == [("step links", True)]
    printed = invoke("compare", "--shards", "3", tmp_path / "old", tmp_path / "new").stdout
    assert f"causes, counted in 3 of the {result.shards} shards that differ:" in printed


def changed_input(tmp_path: Path) -> Path:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    put(raw, {"tieba.dialogues": "甲\t乙\n丙\t戊\n己\t庚\n"})
    return raw


def test_another_input_is_the_cause_if_it_is_the_only_difference(tmp_path: Path) -> None:
    made(changed_input(tmp_path), tmp_path / "new", "tieba")
    result = compared(tmp_path)
    assert (result.appeared, result.vanished, result.changed) == (1, 0, 1)
    assert {cause.cause for cause in result.causes} == {"input (the only difference)"}
    assert result.remarks == ("not traced: the two runs used different raw files or plugins",)


def test_of_two_differences_neither_is_the_cause(tmp_path: Path) -> None:
    made(changed_input(tmp_path), tmp_path / "new", "tieba", text={"links": "remove"})
    result = compared(tmp_path)
    assert {cause.cause for cause in result.causes} == {None}
    assert "cause not determined" in invoke("compare", tmp_path / "old", tmp_path / "new").stdout


def test_an_edited_output_has_no_known_cause(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    (tmp_path / "new" / "tieba.tsv").write_text("甲\t乙\n丙\t戊\n", "utf-8")
    result = compared(tmp_path)
    assert result.unlike is not None
    assert result.unlike.edited == (str(tmp_path / "new" / "tieba.tsv"),)
    assert {cause.cause for cause in result.causes} == {None}
    assert "found '丙\\t戊', but the raw data give '丙\\t丁'" in result.remarks[0]


def test_other_code_is_the_cause_if_it_cannot_be_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If other code gives the same rows, the setting is the cause; otherwise the code is, if nothing else differs."""
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙 www.a.cn\n丙\t丁\n"})
    made(raw, tmp_path / "new", "tieba")
    with monkeypatch.context() as patch:
        patch.setattr(versions, "code_digest", lambda: "other")
        made(raw, tmp_path / "old", "tieba", text={"links": "remove"})
        assert {cause.cause for cause in compared(tmp_path).causes} == {"step links"}
        shutil.rmtree(tmp_path / "old")
        columns = tsv.columns
        patch.setattr(tsv, "columns", lambda *given: columns(*given).select(pl.all().str.replace_all(" ", "_")))
        made(raw, tmp_path / "old", "tieba")
    result = compared(tmp_path)
    assert {cause.cause for cause in result.causes} == {"code (the only difference)"}
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    assert {cause.cause for cause in compared(tmp_path).causes} == {None}


def test_files_of_any_tool_are_compared_without_causes(tmp_path: Path) -> None:
    put(tmp_path / "old", {"a.tsv": "甲\t乙\n丙\t丁\n戊\t己\n", "b.tsv": "x\ty\n", "same.tsv": "x\ty\n"})
    put(tmp_path / "new", {"a.tsv": "甲\t乙\n丙\t庚\n辛\t壬\n", "c.tsv": "x\ty\nz\tz\n", "same.tsv": "x\ty\n"})
    done = invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new")
    assert done.exit_code == 4
    assert done.stderr == f"error: {tmp_path / 'new'}: the rows are not the same as in {tmp_path / 'old'}\n"
    assert done.stdout.splitlines()[0].startswith("a: 3 rows, now 3: 1 appeared, 1 vanished, 1 changed")
    assert "    - 2: 丙\\t丁\n    + 2: 丙\\t庚\n" in done.stdout
    assert done.stdout.count("cause not determined") == 6
    last = done.stdout.splitlines()[-3:]
    assert last == ["b: only in the old folder, 1 row", "c: only in the new folder, 2 rows", "same: the same 1 row"]


def test_settings_are_no_cause_if_the_old_output_cannot_be_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else made it, whatever its report says, in the same shards or others."""
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"问{n}\t答 {n} www.a.cn\n" for n in range(9))})
    with monkeypatch.context() as patch:
        columns = tsv.columns
        patch.setattr(tsv, "columns", lambda *given: columns(*given).select(pl.all().str.replace_all(" ", "_")))
        made(raw, tmp_path / "old", "tieba", text={"links": "remove"})
    for size in (1000, 100):
        made(raw, tmp_path / "new", "tieba", shard_bytes=size)
        result = compared(tmp_path)
        assert result.unlike is not None
        assert (result.unlike.only(), result.by_report, {cause.cause for cause in result.causes}) == (
            "settings",
            False,
            {None},
        )
        assert "but the raw data give" in result.remarks[-1]
        shutil.rmtree(tmp_path / "new")


def test_another_encoding_is_the_cause_of_other_texts(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "tieba.dialogues").write_bytes("".join(f"中文{n}\t回答\n" for n in range(60)).encode("gb18030"))
    made(raw, tmp_path / "old", "tieba", read={"encoding": "gb18030"})
    made(raw, tmp_path / "new", "tieba", read={"encoding": "big5"}, filters={"max_damaged": 1})
    result = compared(tmp_path)
    assert {(cause.cause, cause.settings) for cause in result.causes} == {("reading", ("read.encoding",))}
    assert (result.aligned, result.changed) == ("address", 60)


def test_shard_size_is_not_the_cause_of_shards_that_differ_by_encoding(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"中文{n}\t回答\n" for n in range(60))})
    for out, encoding in (("old", "utf-8"), ("new", "gb18030")):
        made(raw, tmp_path / out, "tieba", read={"encoding": encoding}, shard_bytes=200)
    (remark,) = compared(tmp_path).remarks
    assert remark == (
        "not traced: the two runs read raw files in different encodings, so the shards differ: "
        "tieba.dialogues (utf-8, now gb18030)"
    )
    made(raw, tmp_path / "new", "tieba", shard_bytes=300, text={"width": False}, filters={"min_chars": 4})
    assert compared(tmp_path).remarks == (
        "not traced: the two runs cut the raw files into different shards (shard_bytes)",
    )


def test_a_report_without_counts_of_the_steps_is_of_an_earlier_version(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙 ——来自 iPhone 6\n"})
    for out in ("old", "new"):
        made(raw, tmp_path / out, "tieba")
    report = tmp_path / "old" / "report.json"
    result = json.loads(report.read_text("utf-8"))
    assert result["sources"]["tieba"]["turns"].pop("changed_by_step") == {"signatures": 1}
    report.write_text(json.dumps(result), "utf-8")
    assert invoke("compare", tmp_path / "old", tmp_path / "new").stdout == "tieba: the same 1 row\n"


@pytest.mark.parametrize("reported", [True, False])
def test_equal_rows_in_different_bytes_are_reported(reported: bool, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    for out in ("old", "new"):
        made(raw, tmp_path / out, "tieba")
        if not reported:
            (tmp_path / out / "report.json").unlink()
    tsv = tmp_path / "new" / "tieba.tsv"
    tsv.write_bytes(tsv.read_bytes().removesuffix(b"\n"))
    done = invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new")
    assert done.exit_code == 0
    assert done.stdout.startswith("tieba: the same 2 rows, but not the same bytes:\n")
    assert (f"  changed since the run wrote it: {tsv}\n" in done.stdout) == reported


def test_a_filter_on_any_column_can_be_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Filter(
        name="max_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: (
            (pl.col("dialogue_id") == 1) & (pl.col("file_index") == 0) & (options.max_chars > 0)
        ),
        message=pl.format("dialogue {}", "dialogue_id"),
    )
    others = (one for one in filter_table.FILTERS if one.name != added.name)
    monkeypatch.setattr(filter_table, "FILTERS", (*others, added))
    raw = put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n好\t不\n"})
    (tmp_path / "less.yaml").write_text("filters: {max_chars: 100}\n")
    flags = {"old": (), "new": ("--config", tmp_path / "less.yaml")}
    for name, more in flags.items():
        assert invoke("-q", "--raw", raw, "--out", tmp_path / name, *more).exit_code == 0
    done = invoke("compare", tmp_path / "old", tmp_path / "new")
    assert (done.exit_code, "1 vanished: filter max_chars" in done.stdout) == (0, True), done.stdout + done.stderr
