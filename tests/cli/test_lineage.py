"""`trace`, `explain` and `compare` as typed: what they print, what they refuse to tell, and their exit codes."""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from chat_corpus import versions
from chat_corpus.lineage import trace
from tests.conftest import slow_from
from tests.helpers import invoke, plugin, put
from tests.lineage.made import made

#: A repeat across two releases, a line of one field, and a row with other script and blanks than its record.
PTT = {
    "ptt/Gossiping-QA-Dataset-2_0.csv": "question,answer\n問,答\n",
    "ptt/Gossiping-QA-Dataset.txt": "看著  書\t好\n問\t答\n只有一欄\n誰\t沒有資料\n",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with `raw` that holds `PTT` and `out` of a run over it, and a copy of it as it was then."""
    folder = tmp_path_factory.mktemp("written")
    raw = put(folder / "at" / "raw", PTT)
    assert invoke("-q", "--raw", raw, "--out", folder / "at" / "out").exit_code == 0
    return folder / "at", Path(shutil.copytree(folder / "at", folder / "copy"))


@pytest.fixture
def out(written: tuple[Path, Path]) -> Path:
    """The output of a run over `PTT`, from `raw` beside it: both as the run left them, in the same place."""
    at, copy = written
    shutil.rmtree(at)
    return Path(shutil.copytree(copy, at)) / "out"


@pytest.fixture
def raw(out: Path) -> Path:
    return out.parent / "raw"


def shown(result: Result) -> list[str]:
    assert (result.exit_code, result.stderr) == (0, "")
    return [" ".join(line.split()) for line in result.stdout.splitlines() if "sha256" not in line]


def test_a_row_is_traced_to_its_turns_step_by_step(out: Path) -> None:
    assert shown(invoke("trace", out / "ptt.tsv:2")) == [
        f"{out}/ptt.tsv:2",
        "query 看着 书",
        "answer 好",
        "query: ptt/Gossiping-QA-Dataset.txt:1, turn 0 of its dialogue",
        r"raw 看著 書\t好",
        "read 看著 書",
        "whitespace 看著 書 -> 看著 書",
        "conversion 看著 書 -> 看着 书 (from traditional)",
        "passed empty, no_answer, max_damaged",
        "answer: ptt/Gossiping-QA-Dataset.txt:1, turn 1 of its dialogue",
        r"raw 看著 書\t好",
        "read 好",
        "passed empty, no_answer, max_damaged",
        "pairing: adjacent",
    ]


def test_records_are_explained_as_rows_repeats_rejects_or_structure(out: Path) -> None:
    name = "ptt/Gossiping-QA-Dataset.txt"
    result = shown(invoke("explain", f"{name}:1-4", "ptt/Gossiping-QA-Dataset-2_0.csv:1", "--out", out))
    at = f"{name}:2, turn 1 of its dialogue"
    repeat = "not written, duplicate: the same pair is at ptt/Gossiping-QA-Dataset-2_0.csv:2, row 1"
    assert f"answered by {name}:1, turn 1 of its dialogue: row 2" in result
    assert f"answered by {at}: {repeat}" in result
    assert "rejected fields while reading: 2 fields separated by '\\t' expected, 1 met" in result
    word = "the text that this source has for no answer"
    assert f"rejected no_answer by filter no_answer: {word}" in result
    assert f"answered by {name}:4, turn 1 of its dialogue: not written, no_answer: the answer: {word}" in result
    assert result[-1] == "not a turn: records of this kind, such as headers and notices, hold none"


def test_a_line_without_a_turn_names_the_record_that_it_continues_or_says_that_it_is_media(tmp_path: Path) -> None:
    above = "2023-12-31 21:15:33 小明\n在吗\n[图片]\n我到了\n\n2023-12-31 21:15:40 小明\n好吗\n\n"
    above += "2023-12-31 21:16:40 小红\n好\n"
    inline = "[31/12/2023, 21:15:33] 小明: 在吗\n[31/12/2023, 21:15:35] 小明: 你好\n[31/12/2023, 21:16:33] 小红: 在\n"
    put(tmp_path, {"a.txt": above, "i.txt": inline, "t.csv": 'query,answer\n"你好\n第二行",好\n早,早上好\n'})
    added = [word for name in ("a.txt", "i.txt", "t.csv") for word in ("--add", f"{name[0]}={tmp_path / name}")]
    assert invoke("-q", *added, "--out", tmp_path / "out").exit_code == 0

    def note(record: str) -> str:
        return str(json.loads(invoke("explain", record, "--out", tmp_path / "out", "--json").stdout)[0]["note"])

    words = {"media": "placeholder for media", "header": "such as headers"}
    expected = {
        "a.txt": [
            "None",
            "a.txt:1:",
            "media",
            "a.txt:1:",
            "header",
            "header",
            "a.txt:1:",
            "header",
            "None",
            "a.txt:9:",
        ],
        "i.txt": ["None", "i.txt:1:", "None"],
        "t.csv": ["header", "None", "t.csv:2:", "None"],
    }
    for file, notes in expected.items():
        for number, word in enumerate(notes, start=1):
            assert words.get(word, word) in note(f"{file}:{number}")


@pytest.mark.parametrize(
    ("name", "filters", "passed"),
    [
        ("tieba", {}, ("empty", "max_damaged")),
        ("ptt", {}, ("empty", "no_answer", "max_damaged")),
        ("tieba", {"min_chars": 2, "max_chars": 9, "max_damaged": 1}, ("empty", "min_chars", "max_chars")),
    ],
)
def test_only_filters_that_can_reject_are_listed_as_passed(
    name: str, filters: dict[str, int], passed: tuple[str, ...], tmp_path: Path
) -> None:
    file = {"tieba": "tieba.dialogues", "ptt": TXT}[name]
    done = made(put(tmp_path / "raw", {file: "在吗\t在的\n"}), tmp_path / "out", name, filters=filters)
    assert trace.trace(done.run, 1).query.passed == passed


def test_a_turn_rejected_at_reading_meets_no_step_and_no_rule(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在嗎\t \u3000\n甲\t\u200b\n丙\t丁\n"})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    result = shown(invoke("explain", "tieba.dialogues:1-2", "--out", tmp_path / "out"))
    at = result.index("rejected empty while reading: a turn without text")
    assert result[at - 1].startswith("read")
    at = result.index("rejected empty by filter empty: nothing is left after cleaning")
    assert result[at - 1].startswith("invisible")


def test_explain_names_the_record_whose_turns_are_repeated(tmp_path: Path) -> None:
    files = {
        "douban/train.txt": "1\t甲 在\t乙 在\t丙 在\n1\t甲 在\t乙 在\t丁 在\n1\t戊 在\t己 在\t庚 在\n",
        "tieba.dialogues": "甲\t乙\n乙\t丙\n丁\t丙\n",
    }
    raw = put(tmp_path / "raw", files)
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0

    def context(record: str) -> list[str]:
        result = shown(invoke("explain", record, "--out", tmp_path / "out"))
        return [line for line in result if line.startswith("context")]

    assert [context(f"douban/train.txt:{record}") for record in (1, 2, 3)] == [
        [], ["context repeats turns 0 to 1 of the dialogue, from douban/train.txt:1"], [],
    ]  # fmt: skip
    assert [context(f"tieba.dialogues:{record}") for record in (1, 2, 3)] == [
        [], ["context repeats turn 1 of the dialogue, from tieba.dialogues:1"], [],
    ]  # fmt: skip


def test_rejects_hold_the_raw_text_and_explain_escapes_it(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "甲\t\ue756\n丙\t丁\n"}), tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    assert json.loads((out / "rejects" / "tieba.jsonl").read_text("utf-8"))["raw"] == "甲\t\ue756"
    assert r"raw 甲\t\ue756" in shown(invoke("explain", "tieba.dialogues:1", "--out", out))


def test_json_has_rows_and_records_in_the_order_of_the_arguments(out: Path) -> None:
    rows = json.loads(invoke("trace", "--json", out / "ptt.tsv:2", out / "ptt.tsv:1-2").stdout)
    assert [(row["row"], row["line"]) for row in rows] == [(2, "看着 书\t好"), (1, "问\t答"), (2, "看着 书\t好")]
    (record,) = json.loads(invoke("explain", "--json", "--out", out, "ptt/Gossiping-QA-Dataset.txt:2").stdout)
    assert [(turn["said"]["at"]["place"], turn["pairs"][0]["first"]) for turn in record["turns"]] == [(0, 1), (1, 1)]


@pytest.mark.parametrize("way", ["absolute", "relative", "linked", "as reported"])
def test_a_raw_file_is_named_by_any_path_to_it(
    way: str, out: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(raw)
    (tmp_path / "link").symlink_to(raw, target_is_directory=True)
    name = "ptt/Gossiping-QA-Dataset.txt"
    path = {"absolute": raw / name, "relative": Path(name), "linked": tmp_path / "link" / name, "as reported": name}
    assert "row 2" in invoke("explain", "--out", out, f"{path[way]}:1").stdout


def test_members_of_archives_and_compressed_files_are_read_in_place(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba/x.txt": ""})
    (raw / "tieba" / "a.dialogues.gz").write_bytes(gzip.compress("甲\t乙\n".encode()))
    with zipfile.ZipFile(raw / "tieba" / "b.zip", "w") as archive:
        archive.writestr("in/tieba.dialogues", "丙\t丁\n")
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    for file, row in (("tieba/b.zip/in/tieba.dialogues", 1), ("tieba/a.dialogues.gz", 2)):
        assert f": row {row}\n" in invoke("explain", "--out", tmp_path / "out", f"{raw / file}:1").stdout
        assert f"query: {file}:1" in invoke("trace", tmp_path / "out" / f"tieba.tsv:{row}").stdout


def test_an_archive_that_is_not_needed_is_not_opened(out: Path, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(raw / "other.zip", "w") as archive:
        archive.writestr("x.txt", "x")
    monkeypatch.setattr("chat_corpus.discovery.walk.list_members", lambda *_: pytest.fail("it was opened"))
    assert invoke("trace", out / "ptt.tsv:1").exit_code == 0


def test_a_file_with_an_undecodable_name_is_found_by_the_name_shown(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    folder = os.fsencode(raw) + b"/tieba-\xcc\xf9"
    os.makedirs(folder)  # noqa: PTH103 bytes
    with open(folder + b"/tieba.dialogues", "wb") as stream:  # noqa: PTH123 bytes
        stream.write("甲\t乙\n".encode())
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    assert r"query: tieba-\xcc\xf9/tieba.dialogues:1" in invoke("trace", out / "tieba.tsv:1").stdout
    for name in (r"tieba-\xcc\xf9/tieba.dialogues", os.fsdecode(folder) + "/tieba.dialogues"):
        assert ": row 1\n" in invoke("explain", "--out", out, f"{name}:1").stdout


def test_a_plugin_is_loaded_again_and_must_be_the_same(tmp_path: Path) -> None:
    raw, file = put(tmp_path / "raw", {"ours.txt": "在嗎|在\n"}), plugin(tmp_path)
    assert invoke("-q", "--plugin", file, "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    unnamed = invoke("trace", tmp_path / "out" / "ours.tsv:1")
    assert (unnamed.exit_code, unnamed.stdout) == (2, "")
    assert f"use --plugin {file} to allow running its code" in unnamed.stderr
    assert "在嗎 -> 在吗" in " ".join(shown(invoke("trace", tmp_path / "out" / "ours.tsv:1", "--plugin", file)))
    file.write_text(file.read_text("utf-8") + "\n# changed\n", "utf-8")
    done = invoke("trace", tmp_path / "out" / "ours.tsv:1", "--plugin", file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "ours.py: the plugin is missing or has changed" in done.stderr


def test_a_terminal_is_not_steered_by_what_is_printed(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\x1b[31m\u202e\t乙\n"})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    for verb in (
        ("trace", tmp_path / "out" / "tieba.tsv:1"),
        ("explain", "tieba.dialogues:1", "--out", tmp_path / "out"),
    ):
        printed = invoke(*verb).stdout
        assert "甲\\x1b[31m\\u202e" in printed
        assert all(character.isprintable() for character in printed.replace("\n", ""))


TXT = "ptt/Gossiping-QA-Dataset.txt"


def longer(at: Path) -> None:
    (at / "raw" / TXT).write_text(PTT[TXT] + "x\ty\n", "utf-8")


def other(at: Path) -> None:
    (at / "raw" / TXT).write_text(PTT[TXT].replace("看", "聽"), "utf-8")


def disguised(at: Path) -> None:
    """Changed, and given the old time again."""
    time = (at / "raw" / TXT).stat().st_mtime_ns
    other(at)
    os.utime(at / "raw" / TXT, ns=(time, time))


def gone(at: Path) -> None:
    (at / "raw" / TXT).unlink()


def moved(at: Path) -> None:
    (at / "raw").rename(at / "elsewhere")


def edited(at: Path) -> None:
    tsv = at / "out" / "ptt.tsv"
    tsv.write_text(tsv.read_text("utf-8").replace("看", "聽"), "utf-8")


def appended(at: Path) -> None:
    with (at / "out" / "ptt.tsv").open("a", encoding="utf-8") as stream:
        stream.write("x\ty\n")


def unindexed(at: Path) -> None:
    (at / "out" / "index" / "ptt.jsonl").unlink()


def misindexed(at: Path) -> None:
    index = at / "out" / "index" / "ptt.jsonl"
    index.write_text(index.read_text("utf-8").replace('"row":2', '"row":3'), "utf-8")


def garbled(at: Path) -> None:
    index = at / "out" / "index" / "ptt.jsonl"
    index.write_text(index.read_text("utf-8").replace("{", "["), "utf-8")


def unreported(at: Path) -> None:
    report = at / "out" / "report.json"
    report.write_text(report.read_text("utf-8").replace('"code":', '"coda":'), "utf-8")


def misreported(at: Path) -> None:
    report = at / "out" / "report.json"
    report.write_text(report.read_text("utf-8").replace('"min_chars": 1', '"min_chars": 2'), "utf-8")


REFUSED: dict[Callable[[Path], None], str] = {
    longer: r"Gossiping-QA-Dataset\.txt: changed after the run of ptt: \d+ bytes then, \d+ now",
    other: r"Dataset\.txt: changed after .*: same size, but another time and SHA-256 \(\w{64}, not \w{64}\)",
    disguised: r"ptt\.tsv:2: found '看着 书\\t好', but the raw data give '听着 书\\t好', although the file was not",
    gone: r"Gossiping-QA-Dataset\.txt: no longer in .*raw; ",
    moved: r"raw: no such folder, but ptt was made from it; name its new location with --raw",
    edited: r"ptt\.tsv:2: found '聽着 书\\t好', but the raw data give '看着 书\\t好'; the file was edited",
    appended: r"ptt\.tsv: edited after the run: \d+ bytes then, \d+ now",
    unindexed: r"index/ptt\.jsonl: not found",
    misindexed: r"index/ptt\.jsonl: cannot be read: the numbers of its rows have gaps",
    garbled: r"index/ptt\.jsonl: cannot be read: ",
    unreported: r"report\.json: not a report of this version of chat-corpus: ",
    misreported: r"report\.json: sources\.ptt\.settings: edited",
}


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: str(change.__name__))
def test_trace_and_explain_refuse_what_has_changed(change: Callable[[Path], None], out: Path) -> None:
    change(out.parent)
    for verb in (("trace", out / "ptt.tsv:2"), ("explain", f"{TXT}:1", "--out", out)):
        done = invoke(*verb)
        assert done.exit_code == (2 if change in (moved, unreported) else 1)
        assert done.stdout == ""
        assert done.stderr.startswith("error: ")
        assert re.search(REFUSED[change], done.stderr), done.stderr


def test_a_row_of_another_file_can_still_be_traced(out: Path) -> None:
    longer(out.parent)
    assert invoke("trace", out / "ptt.tsv:1").exit_code == 0


def test_outputs_of_other_code_are_not_traced(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "code_digest", lambda: "other")
    done = invoke("trace", out / "ptt.tsv:1")
    assert done.exit_code == 1
    assert "ptt: made by other code or packages (" in done.stderr
    assert ") than those in use (other), " in done.stderr


def test_copies_of_all_files_are_traced_all_the_same(raw: Path, out: Path, tmp_path: Path) -> None:
    """Their times are others, their content is not."""
    raw.rename(tmp_path / "old")
    for folder, target in ((tmp_path / "old", tmp_path / "raw2"), (out, tmp_path / "out2")):
        shutil.copytree(folder, target, copy_function=shutil.copyfile)
    done = invoke("trace", "--raw", tmp_path / "raw2", tmp_path / "out2" / "ptt.tsv:2")
    assert (done.exit_code, done.stderr) == (0, "")


def test_rejects_that_were_edited_are_not_quoted(out: Path) -> None:
    rejects = out / "rejects" / "ptt.jsonl"
    text = rejects.read_text("utf-8")
    edited = text.replace('0.csv","record":2}', '0.csv","record":1}')
    assert edited != text
    rejects.write_text(edited, "utf-8")
    done = invoke("explain", f"{TXT}:2", "--out", out)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{rejects}: the reject of {TXT}:2 is not where the run wrote it" in done.stderr


@pytest.mark.parametrize(
    ("args", "result"),
    [
        (("trace", "{out}/ptt.tsv"), "a path with a number from 1, or a range, expected"),
        (("trace", "{out}/ptt.tsv:" + "9" * 5000), "a path with a number from 1, or a range, expected"),
        (("trace", "{out}/ptt.tsv:0"), "a path with a number from 1, or a range, expected"),
        (("trace", "{out}/ptt.tsv:2-1"), "a path with a number from 1, or a range, expected"),
        (("trace", "{out}/ptt.tsv:9"), "ptt.tsv:9: no such row; the file has 2 rows"),
        (("trace", "{out}/ptt.tsv:9-99999999999"), "ptt.tsv:9: no such row; the file has 2 rows"),
        (("trace", "{out}/ptt.tsv:1", "--add", "mine=x"), "--add mine: no corpus of this name was added to the run"),
        (("compare", "{out}", "{out}", "--add", "mine=x"), "--add mine: no corpus of this name was added to the run"),
        (("sample", "{out}", "--add", "mine=x"), "--add mine: no corpus of this name was added to the run"),
        (("trace", "{out}/report.json:1"), "no such .tsv file; expected an output such as"),
        (("trace", "{raw}/a.tsv:1"), "no report.json found; only outputs of chat-corpus can be traced"),
        (("explain", "x.txt:1", "--out", "{raw}"), "no report.json found; name the output folder of a run with --out"),
        (("explain", "Gossiping-QA-Dataset.txt:1", "--out", "{out}"), "did you mean ptt/Gossiping-QA-Dataset.txt?"),
        (("explain", "x.txt:1", "--out", "{out}"), "x.txt: not read by the run that"),
        (("explain", f"{TXT}:5", "--out", "{out}"), f"{TXT}:5: no such record; the run read records 1 to 4"),
        (("compare", "{out}", "{raw}/ptt"), "no .tsv files found; expected an output folder"),
    ],
)  # fmt: skip
def test_wrong_usage_is_reported(args: tuple[str, ...], result: str, raw: Path, out: Path) -> None:
    (raw / "a.tsv").write_text("x\ty\n", "utf-8")
    done = invoke(*(one.format(out=out, raw=raw) for one in args))
    assert (done.exit_code, done.stdout) == (2, "")
    assert result in done.stderr


def test_the_output_of_a_good_run_is_traced_after_one_that_failed(tmp_path: Path) -> None:
    posts, answers, out = "stc_weibo_train_post", "stc_weibo_train_response", tmp_path / "out"
    raw = put(tmp_path / "raw", {posts: "早\n", answers: "早 上 好\n"})
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    before = json.loads((out / "report.json").read_text("utf-8"))["sources"]["weibo"]
    other = put(tmp_path / "other", {posts: "早\n吃 了 吗\n", answers: "早 上 好\n"})
    for _ in range(2):
        assert invoke("-q", "--raw", other, "--out", out).exit_code == 3
        after = json.loads((out / "report.json").read_text("utf-8"))["sources"]["weibo"]
        failure = after.pop("last_failure")
        assert after == {**before, "state": "failed", "error": failure["error"]}
        assert "parallel files have different lengths" in failure["error"]
        assert [file["records"] for file in failure["files"]] == [2, 1]
        assert failure["raw"] == str(other)
    assert "stc_weibo_train_post:1" in invoke("trace", out / "weibo.tsv:1").stdout
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    done = json.loads((out / "report.json").read_text("utf-8"))["sources"]["weibo"]
    assert (done["state"], "last_failure" in done, "error" in done) == (before["state"], False, False)


def test_a_source_of_which_there_is_no_output_is_not_traced(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"stc_weibo_train_post": "早\n早\n", "stc_weibo_train_response": "早 上 好\n"})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 3
    (tmp_path / "out" / "weibo.tsv").write_text("早\t早\n", "utf-8")
    done = invoke("trace", tmp_path / "out" / "weibo.tsv:1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "weibo: the last run into" in done.stderr


def test_files_not_read_to_their_end_are_known_by_what_their_shards_give(tmp_path: Path) -> None:
    """They have no digest; a new time alone is no change."""
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n" * 90}), tmp_path / "out"
    (tmp_path / "small.yaml").write_text("shard_bytes: 100\n", "utf-8")
    args = ("-q", "--raw", raw, "--out", out, "--limit", "13", "--config", tmp_path / "small.yaml")
    assert invoke(*args).exit_code == 0
    os.utime(raw / "tieba.dialogues", ns=(1, 1))
    assert invoke("trace", out / "tieba.tsv:9").exit_code == 0
    (raw / "tieba.dialogues").write_text("丙\t乙\n" * 90, "utf-8")
    done = invoke("trace", out / "tieba.tsv:9")
    assert (done.exit_code, "but the raw data give '丙\\t乙'" in done.stderr) == (1, True)


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16"])
def test_files_in_another_encoding_are_read_as_they_were(encoding: str, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    (raw / "tieba.dialogues").write_bytes("台北的天氣\t很好\n".encode(encoding) * 9)
    args = ("-q", "--raw", raw, "--out", out, "--encoding", f"tieba={encoding}")
    assert invoke(*args).exit_code == 0
    assert "台北的天氣 -> 台北的天气" in " ".join(shown(invoke("trace", out / "tieba.tsv:5")))


def _damaged(key: str, value: object) -> Callable[[bytes], bytes]:
    """A report in which a key of a source, as `pairs` or `pairs.written`, has another value, or none for `...`."""

    def damage(data: bytes) -> bytes:
        result = json.loads(data)
        at = result["sources"]["ptt"]
        *path, last = key.split(".")
        for name in path:
            at = at[name]
        if value is ...:
            del at[last]
        else:
            at[last] = value
        return json.dumps(result).encode()

    return damage


DAMAGES = {
    "nested": lambda _: b'{"sources": ' * 20000 + b"{}" + b"}" * 20000,
    "no object": lambda _: b"[]",
    "cut off": lambda data: data[:-9],
    "not UTF-8": lambda data: data.replace(b"ptt", b"\xff"),
    **{
        f"{key} {value!r}": _damaged(key, value)
        for key, value in (
            ("pairs", ...), ("pairs.written", "1"), ("outputs", None), ("outputs", []), ("outputs", {}),
            ("settings", None), ("files", 3), ("files", [3]), ("fingerprint", None), ("fingerprint.plugins", ["a"]),
            ("fingerprint.input", [[1]]), ("plugins", None), ("raw", None), ("state", None),
        )
    },
}  # fmt: skip


def _refuse(report: Path, *verbs: tuple[object, ...]) -> None:
    """Each verb refuses the report, and says what to do."""
    for verb in verbs:
        done = invoke(*verb)
        assert (done.exit_code, done.stdout) == (2, ""), verb
        assert f"error: {report}: not a report of this version of chat-corpus: " in done.stderr
        assert "run again with --force to replace it, or use a different --out" in done.stderr


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_is_traced_by_a_damaged_report(damage: str, out: Path) -> None:
    report = out / "report.json"
    report.write_bytes(DAMAGES[damage](report.read_bytes()))
    _refuse(report, ("trace", out / "ptt.tsv:1"))


@pytest.mark.parametrize(
    "damage", slow_from(2, sorted(DAMAGES, key=lambda kind: kind not in ("cut off", "outputs None")))
)
def test_a_damaged_report_is_refused_with_advice(damage: str, out: Path, raw: Path) -> None:
    report, copy = out / "report.json", out.parent / "copy"
    shutil.copytree(out, copy)
    (copy / "ptt.tsv").write_text("x\ty\n", "utf-8")
    report.write_bytes(DAMAGES[damage](report.read_bytes()))
    _refuse(
        report,
        ("run", "--raw", raw, "--out", out),
        ("trace", out / "ptt.tsv:1"),
        ("explain", f"{TXT}:1", "--out", out),
        ("compare", out, copy),
    )
    assert invoke("--raw", raw, "--out", out, "--force").exit_code == 0
    assert invoke("trace", out / "ptt.tsv:1").exit_code == 0


def test_a_full_folder_for_temporary_files_is_reported(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = out.parent / "copy"
    put(copy, {"ptt.tsv": "x\ty\n"})

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/x")

    monkeypatch.setattr("chat_corpus.lineage.line_diff.TemporaryDirectory", full)
    done = invoke("compare", out, copy)
    assert (done.exit_code, done.stderr) == (1, "error: /full/x: No space left on device\n")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_the_report_of_a_file_under_a_limit_does_not_depend_on_shards(encoding: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "tieba.dialogues").write_bytes("台北的天氣\t很好\n".encode(encoding) * 90)
    result = []
    for size in (100, 1000, 100000):
        (tmp_path / "size.yaml").write_text(f"shard_bytes: {size}\n", "utf-8")
        out = tmp_path / str(size)
        assert (
            invoke("-q", "--raw", raw, "--out", out, "--limit", "13", "--config", tmp_path / "size.yaml").exit_code == 0
        )
        one = json.loads((out / "report.json").read_text("utf-8"))["sources"]["tieba"]
        result.append([(file["records"], file["bytes"]) for file in one["files"]])
        assert one["records"]["read"] == 13
    assert result == [[(13, None)]] * 3


def test_a_range_of_repeats_reads_their_rejects_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "问\t答\n" * 9}), tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out, "--pairs", "first").exit_code == 0
    sound, opened = Path.open, list[Path]()

    def watched(path: Path, *args: Any, **options: Any) -> Any:
        opened.append(path)
        return sound(path, *args, **options)

    monkeypatch.setattr(Path, "open", watched)
    result = invoke("explain", "Gossiping-QA-Dataset.txt:2-9", "--out", out).stdout
    assert result.count("the same pair is at Gossiping-QA-Dataset.txt:1, row 1") == 16
    assert opened.count(out / "rejects" / "ptt.jsonl") == 1
