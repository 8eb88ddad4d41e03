"""A source is done if rows came of it: what is unreadable is counted by file, and too much of it fails the source."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.pipeline.counts import Example, FileCounts, builtins, decode, encode
from chat_corpus.runs import completeness
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings
from tests.conftest import examples, slow_from
from tests.helpers import invoke, put, visible

GOOD = "".join(f"问题{n}\t回答{n}\n" for n in range(20))


def source(out: Path, name: str) -> Any:
    return json.loads((out / "report.json").read_text("utf-8"))["sources"][name]


#: Files in which nothing, or half, can be read: each with the reason and the number of the first such record.
UNREADABLE: dict[str, tuple[str, str | bytes, str, int]] = {
    "fields": ("tieba.dialogues", "".join(f"第{n}\t问\t答\n" for n in range(9)), "fields", 1),
    "half of the fields": ("tieba.dialogues", "问\t答\n一栏\n" * 5, "fields", 2),
    "layout": ("belle/train_2M_CN.json", '{"foo": "早", "bar": "早"}\n' * 5, "layout", 1),
    "no JSON": ("belle/train_2M_CN.json", '{"instruction": "早", "output": "早"\n' * 5, "layout", 1),
    "encoding": ("tieba.dialogues", b"\xe5\x9c\xa8\t\xff\xfe\x80\n" * 30, "encoding", 1),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_source_that_mostly_cannot_be_read_fails_and_keeps_its_earlier_output(kind: str, tmp_path: Path) -> None:
    name, bad, reason, line = UNREADABLE[kind]
    owner = "belle" if "belle" in name else "tieba"
    good = GOOD if owner == "tieba" else '{"instruction": "早", "output": "早"}\n' * 3
    raw, out = put(tmp_path / "raw", {name: good}), tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    before = (out / f"{owner}.tsv").read_bytes()
    (raw / name).write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    for _ in range(2):  # nor is it unchanged the next time
        done = invoke("-q", "--raw", raw, "--out", out, "--encoding", f"{owner}=utf-8", "--force")
        assert done.exit_code == 3
        assert f"error: {owner}: {name}: " in done.stderr
        assert f"cannot be read: {reason} " in done.stderr
        assert f"; the first is {name}:{line}, " in done.stderr
        assert (out / f"{owner}.tsv").read_bytes() == before
    entry = source(out, owner)
    assert entry["state"] == "failed"
    assert entry["last_failure"]["records_by_file"][name]["unreadable"].keys() == {reason}
    assert entry["last_failure"]["files"][0]["unreadable_share"] >= 0.5
    assert entry["records_by_file"][name]["unreadable"] == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tieba.dialogues", "\n \n\n"),
        ("dgk_shooter_min.conv", "E\nE\n\nE\n"),
        ("smsCorpus_zh_2015.03.09.xml", "<smsCorpus>\n</smsCorpus>\n"),
        ("Gossiping-QA-Dataset-2_0.csv", "question,answer\n"),
    ],
)
def test_a_file_without_any_record_fails_its_source(name: str, content: str, tmp_path: Path) -> None:
    done = invoke("-q", "--raw", put(tmp_path / "raw", {name: content}), "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert f"{name}: no records, or only lines" in done.stderr or "cannot be read" in done.stderr
    assert [file for file in visible(tmp_path / "out") if file.endswith(".tsv")] == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("tieba.dialogues", "问题\t\n \t回答\n", id="empty turns"),
        pytest.param("dgk_shooter_min.conv", "E\nM 一句\nE\nM 另一句\n", id="dialogues of one turn"),
        pytest.param("Gossiping-QA-Dataset.txt", "问题\t沒有資料\n", id="no answers"),
        pytest.param("douban/train.txt", "0\t在 吗\t不 在\n", id="no turn that is right"),
    ],
)
def test_a_source_without_a_pair_is_not_done(name: str, content: str, tmp_path: Path) -> None:
    done = invoke("-q", "--raw", put(tmp_path / "raw", {name: content}), "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "but no pair" in done.stderr
    assert [file for file in visible(tmp_path / "out") if file.endswith(".tsv")] == []


def test_one_way_messages_are_done_if_they_give_turns(tmp_path: Path) -> None:
    message = '<message id="{}"><text>{}</text><messageProfile language="zh"/></message>'
    for text, code in (("你好", 0), (" ", 3)):
        body = "".join(message.format(n, text) for n in range(5))
        raw = put(tmp_path / "raw", {"smsCorpus_zh_2015.03.09.xml": f"<smsCorpus>{body}</smsCorpus>"})
        assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == code
    assert visible(tmp_path / "out")["sms.tsv"] == b""


def test_one_bad_file_fails_its_source_and_no_other(tmp_path: Path) -> None:
    raw = put(
        tmp_path / "raw",
        {"a/tieba.dialogues": GOOD * 9, "b/tieba.dialogues": "一栏\n" * 9, "lost.conv": "E\nM 一\nM 二\n"},
    )
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "tieba: b/tieba.dialogues: 9 of 9 records (100 %) cannot be read" in done.stderr
    assert [file for file in visible(tmp_path / "out") if file.endswith(".tsv")] == ["subtitle.tsv"]


@pytest.mark.parametrize(("bad", "warned"), [(0, False), (1, False), (2, True), (9, True)])
def test_much_that_cannot_be_read_is_a_warning_even_to_the_quiet(bad: int, warned: bool, tmp_path: Path) -> None:
    rows = "问\t答\n" * (19 - bad) + "一栏\n" * bad
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": rows}), tmp_path / "out"
    for _ in range(2):  # a run that changes nothing says so again
        done = invoke("-q", "--raw", raw, "--out", out)
        assert done.exit_code == 0
        expected = f"warning: tieba: tieba.dialogues: {bad} of 19 records ({bad * 1000 // 19 / 10:g} %) cannot be read"
        assert (expected in done.stderr) == warned
    assert source(out, "tieba")["files"][0]["unreadable_share"] == round(bad / 19, 4)


def test_the_share_is_that_within_the_limit(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n" * 10 + "一栏\n" * 90})
    assert invoke("-q", "--limit", "10", "--raw", raw, "--out", tmp_path / "a").exit_code == 0
    assert invoke("-q", "--limit", "20", "--raw", raw, "--out", tmp_path / "b").exit_code == 3
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "c").exit_code == 3


def test_lines_that_hold_no_turn_count_neither_way(tmp_path: Path) -> None:
    rows = "问\t答\n\n\n\n\n" * 5 + "一栏\n" * 4
    raw = put(tmp_path / "raw", {"tieba.dialogues": rows})
    done = invoke("-q", "--raw", raw, "--out", tmp_path / "out")
    assert (done.exit_code, "4 of 9 records (44.4 %)" in done.stderr) == (0, True)


def test_files_that_are_read_together_have_one_share(tmp_path: Path) -> None:
    """The good lines of Egret's conversations hold no turn: alone, one bad line would be all of them."""
    mark = " +++$+++ "
    lines = "".join(f"{n}{mark}甲{mark}第{n}句\n" for n in range(40))
    lists = "".join(f"{n}{mark}甲{mark}乙{mark}t{mark}u{mark}[{2 * n}, {2 * n + 1}]\n" for n in range(20))
    for bad, code in (("没有列表\n", 0), ("没有列表\n" * 40, 3)):
        raw = put(tmp_path / "raw", {"egret_wenda_lines.txt": lines, "egret_wenda_conversations.txt": lists + bad})
        assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == code


@pytest.mark.parametrize(
    ("size", "workers"), slow_from(3, [(30, 1), (200, 1), (1 << 20, 1), (200, 2), (30, 2), (1 << 20, 2)])
)
def test_the_figures_of_files_are_the_same_for_any_shards(size: int, workers: int, tmp_path: Path) -> None:
    rows = "".join(f"问{n}\t答{n}\n" if n % 5 else f"第{n}行只有一栏\n" for n in range(1, 60))
    raw = put(tmp_path / "raw", {"a/tieba.dialogues": rows, "b/tieba.dialogues": rows.replace("第", "又")})
    chosen = Settings(raw=str(raw), out=str(tmp_path / "out"), shard_bytes=size, workers=workers)
    done, report = run(discover_sources(raw, {"tieba": sources.load()["tieba"]}), chosen, silent)
    assert done["tieba"].error == ""
    assert {name: builtins(counts) for name, counts in report.sources["tieba"].records_by_file.items()} == {
        f"{folder}/tieba.dialogues": {
            "used": 48,
            "rejected": 11,
            "unreadable": {"fields": 11},
            "example": {
                "record": 5,
                "reason": "fields",
                "message": "2 fields separated by '\\t' expected, 1 met",
            },
            "unread_fields": {},
        }
        for folder in ("a", "b")
    }


FIGURES = st.builds(
    lambda used, rejected, lost, line: FileCounts(
        used=used,
        rejected=rejected + lost,
        unreadable=+Counter(layout=lost),
        example=Example(record=line, reason="layout", message=f"d{line}") if lost else None,
        unread_fields=Counter(),
    ),
    *[st.integers(0, 9)] * 4,
)


@given(st.lists(FIGURES, max_size=6), st.randoms())
@settings(max_examples=examples(50), deadline=None)
def test_shards_may_be_added_in_any_order(shards: list[FileCounts], order: Any) -> None:
    totals = []
    for _ in range(2):
        total = FileCounts.zero()
        for shard in shards:
            total.add(shard)
        totals.append(total)
        order.shuffle(shards)
    assert totals[0] == totals[1]
    assert decode(encode(totals[0]), FileCounts) == totals[0]
    assert json.loads(encode(totals[0])) == builtins(totals[0])
    assert 0 <= totals[0].share <= 1


def test_a_share_just_below_a_half_is_not_shown_as_one() -> None:
    file = replace(FileCounts.zero(), used=5001, rejected=4999, unreadable=Counter(layout=4999))
    assert list(completeness.failures([["a"]], {"a": file})) == []
    assert "(49.9 %)" in next(completeness.cautions([["a"]], {"a": file}))


@pytest.mark.parametrize(
    ("filters", "cause"),
    [
        ("min_chars: 9", "0 turns, but no pair (rejected: length 2)"),
        ("min_turns: 3", "0 turns, but no pair (rejected: turns 2)"),
        ("min_answer_chars: 2", "2 turns, but no pair (rejected: pair_length 1)"),
        ("deny: [words.txt]", "1 turn, but no pair (rejected: denied 1)"),
    ],
)
def test_a_rule_of_the_users_own_may_leave_nothing_with_a_warning(
    filters: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    raw, config = put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n"}), tmp_path / "my.yaml"
    put(tmp_path, {"words.txt": "问\n"})
    config.write_text(f"filters: {{{filters}}}\n", "utf-8")
    done = invoke("-q", "--raw", raw, "--out", tmp_path / "out", "--config", config)
    assert done.exit_code == 0
    assert f"warning: tieba: 1 record, {cause}; check the filters" in done.stderr


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x80\t\x81\n" * 30, "甲\n".encode() * 30, b"\n\n"], ids=["noise", "fields", "blank"]
)
def test_check_says_what_a_run_would_fail_for(content: bytes, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "", "a/Gossiping-QA-Dataset.txt": "问\t答\n" * 8 + "一栏\n"})
    (raw / "tieba.dialogues").write_bytes(content)
    entries = {row["name"]: row for row in json.loads(invoke("check", "--json", "--raw", raw).stdout)["sources"]}
    assert (entries["tieba"]["state"], entries["ptt"]["state"]) == ("unusable", "found")
    assert entries["ptt"]["remarks"][0].endswith("1 met: 一栏 (in the first 64 kB)")
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 3


def test_an_example_steers_no_terminal(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "甲\x1b[2J\u202e乙\r\x00\n" * 3}), tmp_path / "out"
    done = invoke("-q", "--raw", raw, "--out", out)
    checked = invoke("check", "--raw", raw).stdout
    for text in (done.stderr, checked):
        assert "甲" in text
        assert all(character.isprintable() or character == "\n" for character in text)
    assert "甲" not in (out / "report.json").read_text("utf-8")


def test_a_run_that_takes_up_the_shards_of_another_quotes_the_same_record(tmp_path: Path) -> None:
    """The text of a record is in no report: it is found among the rejects of the shard."""
    rows = "问\t答\n" * 9 + "第一栏 \u200b 甲\n第二栏\n" + "一栏\n" * 9
    flags = ("--raw", put(tmp_path / "raw", {"tieba.dialogues": rows}), "--out", tmp_path / "out")
    config = put(tmp_path, {"small.yaml": "shard_bytes: 30\n"}) / "small.yaml"
    results = [invoke("-v", *flags, "--config", config) for _ in range(2)]
    errors = [[line for line in done.stderr.splitlines() if line.startswith("error: ")] for done in results]
    assert errors[0] == errors[1]
    assert "the first is tieba.dialogues:10, 2 fields separated by '\\t' expected, 1 met: 第一栏" in errors[0][0]
    assert ["was done by an earlier run" in done.stderr for done in results] == [False, True]
    assert "第一栏" not in (tmp_path / "out" / "report.json").read_text("utf-8")


def test_figures_survive_with_turns_that_are_kept(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "问题\t回答\n" * 8 + "一栏\n" * 2}), tmp_path / "out"
    filters = tmp_path / "my.yaml"
    filters.write_text("filters: {max_chars: 9}\n", "utf-8")
    figures = []
    for more in ([], ["--config", filters, "--force"]):
        done = invoke("-q", "--raw", raw, "--out", out, "--store-dialogues", *more)
        assert "2 of 10 records (20 %) cannot be read: fields 2" in done.stderr
        figures.append(source(out, "tieba")["records_by_file"])
    assert figures[0] == figures[1] != {}
