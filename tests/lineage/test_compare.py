"""Two outputs compared: each row that is not the same is counted once, and its cause is what was changed, or none."""

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
from chat_corpus.lineage.trace import Address, trace
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.filters.table import Filter
from chat_corpus.schema import Reason
from tests.conftest import slow_from
from tests.helpers import HARD, invoke, put
from tests.lineage.made import CAUSES, Made, made

#: Causes that are others' relatives.
RELATIVES = {"a bound", "a rule and a step that it does not need"}


def compared(tmp_path: Path, most: int = 0) -> Compared:
    (one,) = compare(tmp_path / "old", tmp_path / "new", examples=9, most=most)
    return one


@pytest.mark.parametrize("both_ways", slow_from(1, [False, True]), ids=["one way", "both ways"])
@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        pytest.param(*told, id=label, marks=[pytest.mark.slow] if label in RELATIVES else [])
        for label, told in CAUSES.items()
    ],
)
def test_the_setting_that_was_changed_is_the_cause(
    name: str, flags: dict[str, Any], expected: set[tuple[str, str, tuple[str, ...]]], both_ways: bool, tmp_path: Path
) -> None:
    raw = HARD / name / "raw"
    old, new = made(raw, tmp_path / "old", name), made(raw, tmp_path / "new", name, **flags)
    told = compared(tmp_path)
    assert {(str(one.cause), one.kind, one.settings) for one in told.causes} == expected
    assert (told.aligned, told.traced, told.same) == ("address", told.shards, False)
    kinds = Counter({"appeared": told.appeared, "vanished": told.vanished, "changed": told.changed})
    assert sum(kinds.values()) == sum(one.rows for one in told.causes) > 0
    assert new.written.rows - old.written.rows == told.appeared - told.vanished
    assert told.unlike is not None
    assert told.unlike.only() == "settings"
    lines = [made.written.tsv.read_bytes().split(b"\n") for made in (old, new)]
    for row in told.examples:
        for side, number, text in ((0, row.old_row, row.old), (1, row.new_row, row.new)):
            assert number is None or lines[side][number - 1].decode() == text
    if not both_ways:
        return
    # The other way round, what appeared has vanished.
    (back,) = compare(tmp_path / "new", tmp_path / "old", examples=0, most=0)
    assert (back.appeared, back.vanished, back.changed) == (told.vanished, told.appeared, told.changed)
    assert {one.cause for one in back.causes} == {one.cause for one in told.causes}


def test_a_pair_that_is_not_possible_is_not_put_down_to_its_text(tmp_path: Path) -> None:
    """Nor, where a limit took the turn between, to a mode that is the same."""
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


def test_a_repeat_whose_text_differs_too_is_not_put_down_to_its_text(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙！！！\n丙\t丁\n甲\t乙！！！\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"punctuation": {"limit": 1}}, dedup={"exact": "always"})
    told = [(row.kind, row.query, row.cause) for row in compared(tmp_path).examples]
    assert told == [
        ("changed", "tieba.dialogues:1", "step punctuation"),
        ("vanished", "tieba.dialogues:3", "repeat + step punctuation"),
        ("vanished", "tieba.dialogues:4", "repeat"),
    ]


def addressed(made: Made) -> dict[tuple[Address, Address], str]:
    """The rows by the addresses of their turns, each traced by itself."""
    rows = (trace(made.written, row) for row in range(1, made.written.rows + 1))
    return {(row.query.at, row.answer.at): row.line for row in rows}


@pytest.mark.parametrize("name", slow_from(1, ["tieba", "ptt"]))
def test_what_is_counted_is_what_tracing_each_row_tells(name: str, tmp_path: Path) -> None:
    raw, flags = HARD / name / "raw", {"text": {"links": "remove", "width": False}, "filters": {"max_chars": 12}}
    old, new = (addressed(made(raw, tmp_path / out, name, **told)) for out, told in (("old", {}), ("new", flags)))
    told = compared(tmp_path)
    assert told.vanished == len(old.keys() - new.keys()) > 0
    assert told.appeared == len(new.keys() - old.keys())
    assert told.changed == sum(old[at] != new[at] for at in old.keys() & new.keys()) > 0
    changed = {(row.old, row.new) for row in told.examples if row.kind == "changed"}
    assert changed <= {(old[at], new[at]) for at in old.keys() & new.keys()}


def test_a_text_that_a_step_empties_is_that_steps_doing(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\thttp://a.cn/b\n好\t看 www.a.cn\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    told = compared(tmp_path)
    assert [(row.kind, row.cause, row.reason) for row in told.examples] == [
        ("vanished", "step links", "empty"),
        ("changed", "step links", None),
    ]


def test_a_cause_is_told_once_and_a_rule_that_is_enough_alone(tmp_path: Path) -> None:
    """With the rule alone 好 falls; ！！！！ needs the step too, or falls only with it."""
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
    (back,) = compare(tmp_path / "new", tmp_path / "old", examples=9, most=0)
    causes = {row.query: str(row.cause) for row in back.examples}
    assert set(causes["tieba.dialogues:1"].split(" + ")) == {"filter min_chars", "step punctuation"}
    assert all(len(set(cause.split(" + "))) == len(cause.split(" + ")) for cause in causes.values())


def test_the_same_settings_give_the_same_rows(tmp_path: Path) -> None:
    for out in ("old", "new"):
        made(HARD / "tieba" / "raw", tmp_path / out, "tieba")
    assert compared(tmp_path).same
    assert invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new").exit_code == 0


@pytest.mark.slow
def test_few_shards_are_a_sample_and_the_counts_are_of_all_rows(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"问{n}\t答{n} www.a{n}.cn\n" for n in range(90))})
    made(raw, tmp_path / "old", "tieba", shard_bytes=100)
    made(raw, tmp_path / "new", "tieba", shard_bytes=100, text={"links": "remove"})
    told = compared(tmp_path, most=3)
    assert (told.changed, told.traced, told.aligned) == (90, 3, "text")
    assert told.shards is not None
    assert told.shards > 3
    assert [(one.cause, one.rows < 90) for one in told.causes] == [("step links", True)]
    printed = invoke("compare", "--shards", "3", tmp_path / "old", tmp_path / "new").stdout
    assert f"causes, counted over 3 of the {told.shards} shards that are not the same:" in printed


def changed_input(tmp_path: Path) -> Path:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    put(raw, {"tieba.dialogues": "甲\t乙\n丙\t戊\n己\t庚\n"})
    return raw


def test_another_input_is_the_cause_where_nothing_else_is_unlike(tmp_path: Path) -> None:
    made(changed_input(tmp_path), tmp_path / "new", "tieba")
    told = compared(tmp_path)
    assert (told.appeared, told.vanished, told.changed) == (1, 0, 1)
    assert {one.cause for one in told.causes} == {"input, since nothing else is unlike"}
    assert told.remarks == ("not traced: the raw files or the plugins are not the same",)


def test_of_two_things_that_are_unlike_neither_is_named(tmp_path: Path) -> None:
    made(changed_input(tmp_path), tmp_path / "new", "tieba", text={"links": "remove"})
    told = compared(tmp_path)
    assert {one.cause for one in told.causes} == {None}
    assert "cause not determined" in invoke("compare", tmp_path / "old", tmp_path / "new").stdout


def test_an_edited_output_has_no_known_cause(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    made(raw, tmp_path / "old", "tieba")
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    (tmp_path / "new" / "tieba.tsv").write_text("甲\t乙\n丙\t戊\n", "utf-8")
    told = compared(tmp_path)
    assert told.unlike is not None
    assert told.unlike.edited == (str(tmp_path / "new" / "tieba.tsv"),)
    assert {one.cause for one in told.causes} == {None}
    assert "is '丙\\t戊', where the raw data give '丙\\t丁'" in told.remarks[0]


def test_other_code_is_the_cause_where_it_cannot_be_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that does as this does leaves the setting; code that does not is named where it is all; else neither is."""
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙 www.a.cn\n丙\t丁\n"})
    made(raw, tmp_path / "new", "tieba")
    with monkeypatch.context() as patch:
        patch.setattr(versions, "code_digest", lambda: "other")
        made(raw, tmp_path / "old", "tieba", text={"links": "remove"})
        assert {one.cause for one in compared(tmp_path).causes} == {"step links"}
        shutil.rmtree(tmp_path / "old")
        columns = tsv.columns
        patch.setattr(tsv, "columns", lambda pairs: columns(pairs).select(pl.all().str.replace_all(" ", "_")))
        made(raw, tmp_path / "old", "tieba")
    told = compared(tmp_path)
    assert {one.cause for one in told.causes} == {"code, since nothing else is unlike"}
    made(raw, tmp_path / "new", "tieba", text={"links": "remove"})
    assert {one.cause for one in compared(tmp_path).causes} == {None}


def test_files_of_any_tool_are_compared_without_causes(tmp_path: Path) -> None:
    put(tmp_path / "old", {"a.tsv": "甲\t乙\n丙\t丁\n戊\t己\n", "b.tsv": "x\ty\n", "same.tsv": "x\ty\n"})
    put(tmp_path / "new", {"a.tsv": "甲\t乙\n丙\t庚\n辛\t壬\n", "c.tsv": "x\ty\nz\tz\n", "same.tsv": "x\ty\n"})
    done = invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new")
    assert done.exit_code == 4
    assert done.stderr == f"error: {tmp_path / 'new'}: not the same rows as in {tmp_path / 'old'}\n"
    assert done.stdout.splitlines()[0].startswith("a: 3 rows, now 3: 1 appeared, 1 vanished, 1 changed")
    assert "    - 2: 丙\\t丁\n    + 2: 丙\\t庚\n" in done.stdout
    assert done.stdout.count("cause not determined") == 6
    last = done.stdout.splitlines()[-3:]
    assert last == ["b: only in the old folder, 1 rows", "c: only in the new folder, 2 rows", "same: the same 1 rows"]


def test_settings_are_no_cause_where_the_old_output_does_not_come_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else made it, whatever its report says: in the same shards or others."""
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"问{n}\t答 {n} www.a.cn\n" for n in range(9))})
    with monkeypatch.context() as patch:
        columns = tsv.columns
        patch.setattr(tsv, "columns", lambda pairs: columns(pairs).select(pl.all().str.replace_all(" ", "_")))
        made(raw, tmp_path / "old", "tieba", text={"links": "remove"})
    for size in (1000, 100):
        made(raw, tmp_path / "new", "tieba", shard_bytes=size)
        told = compared(tmp_path)
        assert told.unlike is not None
        assert (told.unlike.only(), told.by_report, {one.cause for one in told.causes}) == ("settings", False, {None})
        assert "where the raw data give" in told.remarks[-1]
        shutil.rmtree(tmp_path / "new")


def test_another_encoding_is_the_cause_of_other_texts(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "tieba.dialogues").write_bytes("".join(f"中文{n}\t回答\n" for n in range(60)).encode("gb18030"))
    made(raw, tmp_path / "old", "tieba", read={"encoding": "gb18030"})
    made(raw, tmp_path / "new", "tieba", read={"encoding": "big5"}, filters={"max_damaged": 1})
    told = compared(tmp_path)
    assert {(one.cause, one.settings) for one in told.causes} == {("reading", ("read.encoding",))}
    assert (told.aligned, told.changed) == ("address", 60)


def test_shards_that_lie_elsewhere_for_their_encoding_are_not_put_down_to_their_size(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"中文{n}\t回答\n" for n in range(60))})
    for out, encoding in (("old", "utf-8"), ("new", "gb18030")):
        made(raw, tmp_path / out, "tieba", read={"encoding": encoding}, shard_bytes=200)
    (remark,) = compared(tmp_path).remarks
    assert "read in another encoding, and so cut at other places: tieba.dialogues as utf-8, now gb18030" in remark
    made(raw, tmp_path / "new", "tieba", shard_bytes=300, text={"width": False}, filters={"min_chars": 4})
    assert compared(tmp_path).remarks == ("not traced: the raw files were cut at other places (shard_bytes)",)


def test_a_report_without_counts_of_the_steps_is_of_an_earlier_version(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙 ——来自 iPhone 6\n"})
    for out in ("old", "new"):
        made(raw, tmp_path / out, "tieba")
    report = tmp_path / "old" / "report.json"
    told = json.loads(report.read_text("utf-8"))
    assert told["sources"]["tieba"]["turns"].pop("changed_by_step") == {"signatures": 1}
    report.write_text(json.dumps(told), "utf-8")
    assert invoke("compare", tmp_path / "old", tmp_path / "new").stdout == "tieba: the same 1 rows\n"


@pytest.mark.parametrize("reported", [True, False])
def test_the_same_rows_in_other_bytes_are_told(reported: bool, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n"})
    for out in ("old", "new"):
        made(raw, tmp_path / out, "tieba")
        if not reported:
            (tmp_path / out / "report.json").unlink()
    tsv = tmp_path / "new" / "tieba.tsv"
    tsv.write_bytes(tsv.read_bytes().removesuffix(b"\n"))
    done = invoke("compare", "--fail-on-change", tmp_path / "old", tmp_path / "new")
    assert done.exit_code == 0
    assert done.stdout.startswith("tieba: the same 2 rows, in other bytes:\n")
    assert (f"  not as its run left it: {tsv}\n" in done.stdout) == reported


def test_a_rule_that_asks_of_any_column_is_a_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Filter(
        name="max_chars",
        reason=Reason.LENGTH,
        rejects=lambda options, _source: (
            (pl.col("dialogue_id") == 1) & (pl.col("file_index") == 0) & (options.max_chars > 0)
        ),
        message=pl.format("dialogue {}", "dialogue_id"),
    )
    monkeypatch.setattr(filter_table, "FILTERS", (*filter_table.FILTERS[:-1], added))
    raw = put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n好\t不\n"})
    (tmp_path / "less.yaml").write_text("filters: {max_chars: 100}\n")
    flags = {"old": (), "new": ("--config", tmp_path / "less.yaml")}
    for name, more in flags.items():
        assert invoke("-q", "--raw", raw, "--out", tmp_path / name, *more).exit_code == 0
    done = invoke("compare", tmp_path / "old", tmp_path / "new")
    assert (done.exit_code, "1 vanished: filter max_chars" in done.stdout) == (0, True), done.stdout + done.stderr
