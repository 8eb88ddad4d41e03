"""What a run says at its end and before: each thing once, nothing that is not so, and whatever was not done."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from shlex import quote
from typing import Any

import pytest

from tests.conftest import SAMPLES
from tests.helpers import TIEBA, UNEQUAL, invoke, put, visible

BROKEN = gzip.compress(b"E\nM a\nM b\n" * 99)[:30]


def damaged(raw: Path) -> Path:
    """A folder with a corpus, a damaged file of another one, and a damaged archive that is nobody's."""
    put(raw, TIEBA)
    (raw / "lost.conv.gz").write_bytes(BROKEN)
    (raw / "all.tgz").write_bytes(BROKEN)
    return raw


@pytest.mark.parametrize(
    ("files", "expected"),
    [({}, "weibo (absent)"), ({"stc_weibo_train_post": ""}, "weibo (damaged)")],
    ids=["absent", "damaged"],
)
def test_other_corpora_are_not_reported_as_missing(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, **files})
    done = invoke("-s", "weibo", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code in (1, 3)
    assert "no corpus" not in done.stderr
    assert f"warning: none of the requested sources can be read from {raw}: {expected}; " in done.stderr


def test_nothing_but_half_a_corpus_is_not_called_no_corpus(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"stc_weibo_train_post": "a\n"})
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert f"warning: no corpus in {raw} can be read: weibo (partial); " in done.stderr


def test_outputs_of_corpora_that_are_gone_are_named(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {**TIEBA, "lost.conv": "E\nM 一\nM 二\n"}), tmp_path / "out"
    assert "left from earlier runs" not in invoke("--raw", raw, "--out", out).stderr
    (raw / "tieba.dialogues").unlink()
    expected = "left from earlier runs: tieba.tsv (their corpora were not found, or cannot be read)\n"
    assert expected in invoke("--raw", raw, "--out", out).stderr
    assert "left from" not in invoke("--raw", raw, "--out", out, "-s", "subtitle").stderr
    (out / "tieba.tsv").unlink()
    assert "left from" not in invoke("--raw", raw, "--out", out).stderr


def test_a_damaged_source_has_a_line_in_the_table_and_in_the_last_word(tmp_path: Path) -> None:
    done = invoke("--raw", damaged(tmp_path / "raw"), "--out", tmp_path / "out")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("DAMAGED, see above")] == ["subtitle"]
    assert lines[-1] == "warning: not completed, 1 of 2 sources: subtitle (damaged); see above"


def test_failed_and_missing_sources_are_named_at_the_end_even_quietly(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, **UNEQUAL})
    done = invoke("-q", "-s", "ptt,tieba,weibo", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    last = "warning: not completed, 2 of 3 sources: ptt (absent), weibo (failed); see above"
    assert done.stderr.splitlines()[-1] == last


def test_the_files_written_are_named(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", UNEQUAL), tmp_path / "out"
    assert f"written to {out}: only report.json\n" in invoke("--raw", raw, "--out", out).stderr
    put(raw, TIEBA)
    some = f"written to {out}: tieba.tsv, with rejects and index; report.json\n"
    assert some in invoke("--raw", raw, "--out", out).stderr
    whole = tmp_path / "whole"
    assert f"written to {whole}: 1 source, " in invoke("--raw", SAMPLES, "--out", whole, "-s", "ptt").stderr


@pytest.mark.parametrize(("args", "times"), [((), 1), (("-s", "subtitle"), 1), (("-s", "tieba"), 0)], ids=str)
def test_a_damaged_file_is_reported_once_and_only_with_its_source(
    args: tuple[str, ...], times: int, tmp_path: Path
) -> None:
    raw = damaged(tmp_path / "raw")
    done = invoke(*args, "--raw", raw, "--out", tmp_path / "out")
    assert done.stderr.count("lost.conv.gz") == times
    assert done.stderr.count("all.tgz") == 1  # which may hold any corpus
    assert f"{raw}/lost.conv.gz" not in done.stderr
    assert "not recognised: 1 file in" in done.stderr


def test_check_lists_a_damaged_file_under_its_source_alone(tmp_path: Path) -> None:
    raw = damaged(tmp_path / "raw")
    table = invoke("check", "--raw", raw)
    assert table.stderr == ""
    expected = [line for line in table.stdout.splitlines() if "lost.conv.gz" in line]
    assert [
        line.startswith("subtitle: damaged: lost.conv.gz: damaged: Compressed file ended") for line in expected
    ] == [True]
    assert f"\nsubtitle: to download it: chat-corpus fetch subtitle --raw {quote(str(raw))}\n" in table.stdout
    listed = json.loads(invoke("check", "--json", "--raw", raw).stdout)
    assert [entry["file"] for entry in listed["unrecognised"]] == ["all.tgz"]


def refused(out: Path, raw: Path, change: Any, *args: str) -> str:
    """The message of a run after the report of the last run was changed."""
    expected = json.loads((out / "report.json").read_text("utf-8"))
    change(expected["sources"]["tieba"])
    (out / "report.json").write_text(json.dumps(expected), "utf-8")
    done = invoke("--raw", raw, "--out", out, *args)
    assert done.exit_code == 2
    return done.stderr


def test_output_of_another_version_is_refused_in_few_words(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    end = ". Use --force to replace it, or another --out\n"

    def older(expected: dict[str, Any]) -> None:
        expected["fingerprint"]["settings"] = "0" * 16
        del expected["settings"]["read"]["reposts"]

    both = refused(out, raw, older, "--pairs", "first")
    assert "made by another version of chat-corpus, with other settings (pairs.mode was " in both
    assert both.endswith(', is now "first")' + end)
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"more": deep}
    for settings in ({}, {"text": 3, "filters": [1], "pairs": None}, {"text": {"links": {"keep": True}}}, {"a": deep}):
        unknown = refused(out, raw, lambda expected, held=settings: expected.update(settings=held))
        assert unknown == f"error: {out}/tieba.tsv: made by another version of chat-corpus{end}"


def test_a_run_never_replaces_a_file_that_it_reads(tmp_path: Path) -> None:
    raw = put(tmp_path, {"rejects/m.jsonl": '[{"from": "user", "value": "在吗"}, {"from": "gpt", "value": "在"}]\n'})
    before = visible(raw)
    for flags in ((), ("--force",), ("--dry-run",)):
        done = invoke("--add", f"m={raw / 'rejects' / 'm.jsonl'}", "--out", raw, *flags)
        assert (done.exit_code, "a raw file of m" in done.stderr) == (2, True), done.stderr
        assert visible(raw) == before


def test_of_many_settings_that_differ_five_are_named(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    keys = ("links", "mentions", "hashtags", "emoticons", "replies", "link_words")
    config = put(tmp_path, {"x.yaml": "text:\n" + "".join(f"  {key}: placeholder\n" for key in keys)}) / "x.yaml"
    done = invoke("--raw", raw, "--out", out, "--config", config)
    assert (done.exit_code, done.stderr.count('is now "placeholder"')) == (2, 5)
    assert "; and 1 more). Use --force" in done.stderr


@pytest.mark.parametrize(("raw", "out"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "c/../a/b")])
def test_output_among_raw_files_is_wrong_usage(
    raw: str, out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / raw, TIEBA)
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = invoke("--raw", tmp_path / raw, "--out", out)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"error: --out {out}: " in done.stderr
    assert "use another folder for --out" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_output_among_raw_files_is_refused_behind_a_link_too(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", TIEBA)
    (tmp_path / "link").symlink_to(raw)
    assert invoke("--raw", raw, "--out", tmp_path / "link" / "out").exit_code == 2
    shutil.copytree(raw, tmp_path / "raw2")
    assert invoke("--raw", raw, "--out", tmp_path / "raw2").exit_code == 0  # a name that begins alike
