"""The command line: what goes to stdout and to stderr, what is written, and the exit code."""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import pty
import re
import resource
import shutil
import struct
import subprocess
import sys
import termios
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest
from click.testing import Result

from chat_corpus import sources
from tests.conftest import ROOT, SAMPLES, slow_from
from tests.helpers import TIEBA, UNEQUAL, invoke, program, put, visible

NAMES = sorted(sources.load())


@dataclass
class Done:
    result: Result
    out: Path


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run over the samples. No test changes its output."""
    out = tmp_path_factory.mktemp("samples") / "out"
    return Done(result=invoke("--raw", SAMPLES, "--out", out, "--json"), out=out)


@pytest.fixture
def copy(samples: Done, tmp_path: Path) -> Path:
    """The output of that run, to be changed."""
    return Path(shutil.copytree(samples.out, tmp_path / "copy"))


def test_without_arguments_everything_found_is_done(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "raw_chat_corpus")
    done = program(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    written = visible(tmp_path / "clean_chat_corpus")
    folders = [file.format(name) for name in NAMES for file in ("{}.tsv", "rejects/{}.jsonl", "index/{}.jsonl")]
    assert sorted(written) == sorted([*folders, "report.json"])
    assert [name for name in NAMES if not written[f"{name}.tsv"]] == ["sms"]
    assert "these were the bundled samples" in done.stderr
    assert re.findall(r"^(\w+) +[\d,]+ +[\d,]+ +[\d,]+ ", done.stderr, re.MULTILINE) == [*NAMES, "total"]


def test_json_goes_to_stdout_and_is_the_report(samples: Done) -> None:
    assert samples.result.exit_code == 0
    assert json.loads(samples.result.stdout) == json.loads((samples.out / "report.json").read_text("utf-8"))


def test_run_is_the_default_command(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", TIEBA)
    for number, verb in enumerate(([], ["run"])):
        assert invoke(*verb, "--raw", raw, "--out", tmp_path / str(number)).exit_code == 0
    assert visible(tmp_path / "0")["tieba.tsv"] == visible(tmp_path / "1")["tieba.tsv"] != b""


def planned(*args: object) -> set[str]:
    """The sources that a run would do."""
    done = invoke("--dry-run", "--raw", SAMPLES, "--out", "nowhere", *args)
    assert done.exit_code == 0, done.stderr
    return set(re.findall(r"nowhere/(\w+)\.tsv", done.stdout))


@pytest.mark.parametrize(
    "args", [("-s", "ptt", "--source", "weibo"), ("-s", "weibo,ptt"), ("-s", " ptt, weibo ,"), ("-s", "ptt,weibo,ptt")]
)
def test_sources_are_named_repeatedly_or_with_commas(args: tuple[str, ...]) -> None:
    assert planned(*args) == {"ptt", "weibo"}


def test_excluded_sources_are_left_out() -> None:
    assert planned("--exclude", "ptt,weibo", "--exclude", "sms") == set(NAMES) - {"ptt", "weibo", "sms"}
    assert planned("-s", "ptt,weibo", "--exclude", "ptt") == {"weibo"}


@pytest.mark.parametrize("option", ["-s", "--exclude"])
def test_an_unknown_source_exits_2_and_the_nearest_is_named(option: str, tmp_path: Path) -> None:
    done = invoke(option, "ptt,wiebo", "--raw", SAMPLES, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "error: no source 'wiebo'; did you mean 'weibo'?\n"
    far = invoke(option, "zzz", "--raw", SAMPLES, "--out", tmp_path / "out")
    assert f"no source 'zzz'; sources: {', '.join(NAMES)}" in far.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "args",
    [("chekc",), ("--limit", "0"), ("--limit", "x"), ("--pairs", "x"), ("--unequal-lengths", "x"), ("--nosuch",)],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_writes_nothing(args: tuple[str, ...], tmp_path: Path) -> None:
    done = invoke("--raw", SAMPLES, "--out", tmp_path / "out", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "\nerror: " in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    done = invoke("--dry-run", "--raw", raw, "--out", out, "--store-dialogues")
    assert done.exit_code == 0
    assert re.search(r"^read +tieba\.dialogues +22$", done.stdout, re.MULTILINE)
    written = set(re.findall(rf"^write +{re.escape(str(out))}/(\S+) +-$", done.stdout, re.MULTILINE))
    assert not out.exists()
    assert invoke("-q", "--raw", raw, "--out", out, "--store-dialogues").exit_code == 0
    assert written == {*visible(out), "report.html"}


def test_what_was_made_of_the_samples_gives_way_to_a_real_corpus(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(SAMPLES, raw)
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    (out / "weibo.tsv").write_text("自己改的\t一行\n", "utf-8")
    put(raw, {"tieba-305w/tieba.dialogues": "你好\t你好呀\n"})
    done = invoke("--raw", raw, "--out", out, "--limit", "9")
    assert done.exit_code == 0
    assert "bundled samples were skipped" in done.stderr
    assert (out / "tieba.tsv").read_text("utf-8") == "你好\t你好呀\n"
    # What somebody has changed is theirs.
    assert sorted(path.name for path in out.glob("*.tsv")) == ["tieba.tsv", "weibo.tsv"]
    assert sorted(json.loads((out / "report.json").read_text("utf-8"))["sources"]) == ["tieba", "weibo"]


def test_a_second_run_leaves_the_same_files(copy: Path, samples: Done) -> None:
    again = invoke("--raw", SAMPLES, "--out", copy)
    assert again.exit_code == 0
    before, after = visible(samples.out), visible(copy)
    assert {name: after[name] == content for name, content in before.items() if name != "report.json"} == {
        name: True for name in after if name != "report.json"
    }


def test_other_settings_are_refused_until_forced(copy: Path, samples: Done) -> None:
    limited = ("--raw", SAMPLES, "--out", copy, "--limit", "20")
    refused = invoke(*limited)
    assert (refused.exit_code, refused.stdout) == (2, "")
    changed = r"made with other settings \(read\.limit was 0, is now 20\)\. Use --force"
    assert re.search(rf"copy/\w+\.tsv: {changed}", refused.stderr)
    assert visible(copy) == visible(samples.out)
    assert invoke(*limited, "--force").exit_code == 0
    output = json.loads((copy / "report.json").read_text("utf-8"))
    assert {file["file"]: file["records"] for file in output["sources"]["tieba"]["files"]} != {}
    assert output["sources"]["tieba"]["records"]["read"] == 20
    assert 0 < len((copy / "tieba.tsv").read_bytes()) < len((samples.out / "tieba.tsv").read_bytes())


@pytest.mark.parametrize("report", [None, "x", "[]", "{}", '{"sources": []}', '{"sources": {"tieba": 3}}'])
def test_a_file_of_another_program_is_replaced_only_with_force(report: str | None, tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), put(tmp_path / "out", {"tieba.tsv": "mine"})
    if report is not None:
        put(out, {"report.json": report})
    before = visible(out)
    refused = invoke("--raw", raw, "--out", out)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "report.json does not list it" in refused.stderr or "not a report of" in refused.stderr
    assert visible(out) == before
    assert invoke("--raw", raw, "--out", out, "--force").exit_code == 0
    assert visible(out)["tieba.tsv"] == "在吗\t在\n你好\t好\n".encode()
    assert json.loads(visible(out)["report.json"])["sources"]["tieba"]["state"] == "found"


def test_a_file_of_another_program_that_no_source_replaces_stays(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), put(tmp_path / "out", {"weibo.tsv": "mine"})
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    assert visible(out)["weibo.tsv"] == b"mine"


def test_a_requested_source_that_is_absent_exits_3_after_the_others_are_done(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    done = invoke("-s", "ptt,tieba", "--raw", raw, "--out", out)
    assert done.exit_code == 3
    assert f"warning: ptt: absent; download it with: chat-corpus fetch ptt --raw {quote(str(raw))}\n" in done.stderr
    assert sorted(visible(out)) == ["index/tieba.jsonl", "rejects/tieba.jsonl", "report.json", "tieba.tsv"]


def test_a_source_that_was_not_requested_may_be_absent_or_partial(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, "douban/train.txt": "1\t在 吗\t在\n"})
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "warning: douban: partial, without dev.txt, test.txt; open the Dropbox link" in done.stderr
    assert "ptt" not in done.stderr
    assert invoke("-s", "douban", "--raw", raw, "--out", tmp_path / "out").exit_code == 3


def test_a_file_is_no_output_folder(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), put(tmp_path, {"out": "notes"}) / "out"
    done = invoke("--raw", raw, "--out", out)
    assert (done.exit_code, done.stderr) == (2, f"error: --out {out}: a file; name a folder\n")
    assert out.read_text("utf-8") == "notes"


def test_an_empty_raw_folder_exits_3(tmp_path: Path) -> None:
    (raw := tmp_path / "raw").mkdir()
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"no corpus found in {raw}" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["run", "check"])
def test_a_missing_raw_folder_exits_2(verb: str, tmp_path: Path) -> None:
    done = invoke(verb, "--raw", tmp_path / "none")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path}/none: no such folder. {done.stderr.partition('. ')[2]}"


def test_pairs_first_gives_each_answer_to_the_first_turn(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"lost.conv": "E\nM 一\nM 二\nM 三\nE\nM 四\nM 五\n"})
    expected = {"first": "一\t二\n一\t三\n四\t五\n", "adjacent": "一\t二\n二\t三\n四\t五\n"}
    for mode, rows in expected.items():
        assert invoke("--pairs", mode, "--raw", raw, "--out", tmp_path / mode).exit_code == 0
        assert (tmp_path / mode / "subtitle.tsv").read_text("utf-8") == rows


def test_quiet_is_silent(tmp_path: Path) -> None:
    done = invoke("-q", "--raw", put(tmp_path / "raw", TIEBA), "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_quiet_still_says_what_went_wrong(tmp_path: Path) -> None:
    done = invoke("-q", "--raw", put(tmp_path / "raw", UNEQUAL), "--out", tmp_path / "out")
    assert "parallel files have different lengths" in done.stderr


def test_verbose_shows_each_shard(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    assert "tieba: shard 0, 2 pairs" in invoke("-v", "--raw", raw, "--out", out).stderr


def test_every_message_is_json_with_log_json(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, **UNEQUAL, "douban/train.txt": "1\t在 吗\t在\n"})
    done = invoke("--log-json", "-v", "-s", "tieba,weibo,douban,ptt", "--raw", raw, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (3, "")
    output = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["level"] for line in output} == {"debug", "info", "warning", "error"}
    assert [line["source"] for line in output if line["level"] == "error"] == ["weibo"]
    summaries = {line["source"]: line["summary"] for line in output if "summary" in line}
    assert summaries["tieba"]["pairs"]["written"] == 2


@pytest.mark.parametrize("args", [("-s", "wiebo"), ("--raw", "none"), ("--config", "none")], ids=" ".join)
def test_the_last_message_is_json_too_with_log_json(args: tuple[str, ...], tmp_path: Path) -> None:
    done = invoke("--log-json", "--raw", tmp_path, *args)
    assert done.exit_code == 2
    assert json.loads(done.stderr)["level"] == "error"


def test_conversions_are_shown_before_and_after(tmp_path: Path) -> None:
    rows = "".join(f"這是第{number}個問題\t不知道\n" for number in range(9))
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": rows})
    done = invoke("--explain-conversion", "3", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 0
    shown = re.findall(
        r"^Gossiping-QA-Dataset\.txt:(\d)\n  這是第(\d)個問題\n  这是第(\d)个问题$", done.stdout, re.MULTILINE
    )
    assert len(shown) == 3
    assert all(int(line) - 1 == int(before) == int(after) for line, before, after in shown)


def test_conversions_leave_json_on_stdout_alone(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "這是問題\t不知道\n"})
    done = invoke("--explain-conversion", "3", "--json", "--raw", raw, "--out", tmp_path / "out")
    assert list(json.loads(done.stdout)["sources"]) == ["ptt"]
    assert "  这是问题" in done.stderr


def test_conversions_of_nothing_are_none(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在\t在\n"})
    done = invoke("--explain-conversion", "3", "--raw", raw, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (0, "no turn was converted\n")


def test_fewer_than_no_conversions_exit_2(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "這是問題\t不知道\n"})
    assert invoke("--explain-conversion", "-1", "--raw", raw, "--out", tmp_path / "out").exit_code == 2


def test_list_is_a_table_on_stdout_or_json() -> None:
    table, listed = invoke("list", "--raw", SAMPLES), invoke("list", "--raw", SAMPLES, "--json")
    assert (table.exit_code, table.stderr, listed.exit_code, listed.stderr) == (0, "", 0, "")
    head, *rows = table.stdout.splitlines()
    output = json.loads(listed.stdout)
    assert head.split() == list(output[0])
    assert [row.split()[0] for row in rows] == [one["name"] for one in output] == NAMES
    assert {one["state"] for one in output} == {"sample"}


@pytest.mark.parametrize(
    ("flags", "fault"),
    [(("--raw", "none"), "none: no such folder"), (("--profiles", "--raw", SAMPLES), "--profiles: ")],
)
def test_list_refuses_what_it_would_ignore(flags: tuple[object, ...], fault: str) -> None:
    done = invoke("list", *flags)
    assert (done.exit_code, done.stdout, fault in done.stderr) == (2, "", True)


def test_list_shows_the_facts_of_each_source() -> None:
    output = {one["name"]: one for one in json.loads(invoke("list", "--raw", SAMPLES, "--json").stdout)}
    for name, source in sources.load().items():
        assert (output[name]["title"], output[name]["licence"], output[name]["url"]) == (
            source.title, source.licence, source.url,
        )  # fmt: skip
    assert "Gossiping-QA-Dataset.txt" in output["ptt"]["files"]


def test_version_and_help_are_on_stdout() -> None:
    version, output = invoke("--version"), invoke("--help")
    assert (version.exit_code, version.stderr) == (0, "")
    assert re.fullmatch(r"chat-corpus, version \d+\.\d+\.\d+\n", version.stdout)
    assert (output.exit_code, output.stderr) == (0, "")
    assert all(verb in output.stdout for verb in ("run", "list", "check", "normalize"))
    for verb in ("run", "list", "check", "normalize"):
        assert "--config" in invoke(verb, "-h").stdout


def test_help_is_there_in_no_time() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = program("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    # Of the processor, not of the clock: others may be using this machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


ODD = "qingyun/a\x1b[31m\x07\x9b\nb.csv"


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("--dry-run",),
        ("-q", "--explain-conversion", "9"),
        pytest.param(("-v",)),
    ],
    ids=["check", "dry run", "conversions", "remarks"],
)
def test_a_name_with_control_characters_does_not_reach_the_terminal(args: tuple[str, ...], tmp_path: Path) -> None:
    content = "這是什麼問題 | 不知道\n"
    raw = put(tmp_path / "raw", {ODD: content})
    (raw / f"{ODD}.gz").write_bytes(gzip.compress(content.encode()))
    where = () if "check" in args else ("--out", tmp_path / "out")
    done = invoke(*args, "--raw", raw, *where)
    assert done.exit_code == 0
    assert r"a\x1b[31m\x07\x9b" in done.output
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.output) is None


def test_talk_goes_to_stderr_as_plain_lines(samples: Done) -> None:
    assert "\r" not in samples.result.stderr
    assert "\x1b" not in samples.result.stderr
    assert "written to" in samples.result.stderr


def test_progress_is_shown_on_a_terminal_and_cleared(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", TIEBA)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, str(ROOT / "main.py"), "--raw", str(raw), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    output = b""
    try:
        while block := os.read(master, 1 << 16):
            output += block
    except OSError:  # EIO, from Linux: nobody has the other end open
        pass
    os.close(master)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"\r" in output.replace(b"\r\n", b"")
    assert b"written to" in output


@pytest.mark.parametrize("place", ["out/rejects", "out/tieba.tsv/", "out/report.json/"])
def test_an_output_folder_that_cannot_be_written_exits_1(place: str, tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    if place.endswith("/"):
        (tmp_path / place).mkdir(parents=True)
    else:
        put(tmp_path, {place: "a file in its place"})
    done = invoke("--raw", raw, "--out", out, "--force")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"error: {out}" in done.stderr
    assert "cannot be written" in done.stderr
    assert isinstance(done.exception, SystemExit)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder_exits_1(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    out.mkdir(mode=0o500)
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 1
    assert "cannot be written: Permission denied" in done.stderr


def test_a_full_disk_exits_1_and_leaves_the_earlier_files(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = visible(copy)

    def full(descriptor: int) -> None:  # noqa: ARG001 what fsync is given
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    done = invoke("--raw", SAMPLES, "--out", copy, "--force", "--limit", "3")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "cannot be written: No space left on device" in done.stderr
    assert {**visible(copy), "report.json": b""} == {**before, "report.json": b""}


@pytest.mark.parametrize("limit", slow_from(2, [1000, 20_000, 100, 2000]))
def test_where_files_cannot_grow_none_is_half_written(limit: int, tmp_path: Path) -> None:
    """A true failure to write, in Python and in Polars alike: no file may be longer than `limit` bytes."""
    raw = put(tmp_path / "raw", {"tieba.dialogues": "".join(f"在吗{n}\t在\n" for n in range(2000))})
    done = program(
        "--raw", raw, "--out", tmp_path / "out",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # compiled modules would be cut off too
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert re.match(r"error: .*: cannot be written: File too large", done.stderr)
    assert set(visible(tmp_path / "out")) <= {"report.json"}


def test_a_source_that_fails_leaves_the_others_done_and_its_earlier_output(tmp_path: Path) -> None:
    whole = {"stc_weibo_train_post": "早 上 好\n", "stc_weibo_train_response": "早\n"}
    raw, out = put(tmp_path / "raw", whole), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    earlier = visible(out)
    assert earlier["weibo.tsv"] == "早上好\t早\n".encode()
    put(raw, {**UNEQUAL, **TIEBA})
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 3
    assert "stc_weibo_train_post has 2 lines, stc_weibo_train_response has 1 line." in done.stderr
    assert re.search(r"^weibo .*FAILED", done.stderr, re.MULTILINE)
    now = visible(out)
    assert {name: now[name] == earlier[name] for name in ("weibo.tsv", "rejects/weibo.jsonl")} == {
        "weibo.tsv": True, "rejects/weibo.jsonl": True,
    }  # fmt: skip
    assert now["tieba.tsv"] == "在吗\t在\n你好\t好\n".encode()
    output = json.loads(now["report.json"])["sources"]
    assert (output["weibo"]["state"], output["tieba"]["state"]) == ("failed", "found")
    assert "different lengths" in output["weibo"]["error"]


def test_the_advice_to_keep_the_common_part_can_be_followed(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", UNEQUAL), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 3
    assert invoke("--raw", raw, "--out", out, "--unequal-lengths", "common").exit_code == 0
    assert visible(out)["weibo.tsv"] == "早上好\t早\n".encode()
    assert b'"reason":"unpaired"' in visible(out)["rejects/weibo.jsonl"]


def test_what_an_earlier_run_made_is_still_its_own_after_a_failure(tmp_path: Path) -> None:
    whole = {"stc_weibo_train_post": "早 上 好\n", "stc_weibo_train_response": "早\n"}
    raw, out = put(tmp_path / "raw", whole), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    put(raw, UNEQUAL)
    assert invoke("--raw", raw, "--out", out, "--limit", "9", "--force").exit_code == 3
    assert invoke("--raw", raw, "--out", out, "--limit", "9").exit_code == 2  # the file there was made without
    put(raw, whole)
    assert invoke("--raw", raw, "--out", out).exit_code == 0


@pytest.mark.parametrize("args", [(), ("--explain-conversion", "3")], ids=["plain", "explained"])
def test_a_damaged_archive_fails_its_source_alone(args: tuple[str, ...], tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"lost.conv": "E\nM 一\nM 二\n"}), tmp_path / "out"
    with zipfile.ZipFile(raw / "tieba.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("tieba.dialogues", "a\tb\n" * 9999)
    content = bytearray((raw / "tieba.zip").read_bytes())
    content[20_000] ^= 1
    (raw / "tieba.zip").write_bytes(content)
    done = invoke(*args, "--raw", raw, "--out", out)
    assert (done.exit_code, done.stdout.strip()) == (1, "no turn was converted" if args else "")
    assert re.search(r"tieba: damaged, not read: tieba\.zip/tieba\.dialogues: damaged: .*; download", done.stderr)
    assert isinstance(done.exception, SystemExit)
    assert sorted(visible(out)) == ["index/subtitle.jsonl", "rejects/subtitle.jsonl", "report.json", "subtitle.tsv"]


EXPLAINED = pytest.param(
    ("--explain-conversion", "3"),
    id="explained",
)


@pytest.mark.parametrize("args", [pytest.param((), id="plain"), EXPLAINED])
def test_a_source_that_fails_before_its_first_shard_fails_in_words(args: tuple[str, ...], tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    with zipfile.ZipFile(raw / "chatterbot.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("chinese/a.yml", "# nothing\n" * 9999)
    content = bytearray((raw / "chatterbot.zip").read_bytes())
    content[20_000] ^= 1
    (raw / "chatterbot.zip").write_bytes(content)
    done = invoke(*args, "--raw", raw, "--out", tmp_path / "out")
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "chatterbot.zip (chinese/a.yml): damaged" in done.stderr


@pytest.mark.slow
def test_a_terminal_without_han_gets_something_all_the_same() -> None:
    done = program("list", "--raw", SAMPLES, env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"})
    assert done.returncode == 0


def test_normalize_is_a_filter() -> None:
    done = invoke("normalize", stdin="這裡  有人嗎？\n\nＯＫ".encode())
    assert (done.exit_code, done.stdout, done.stderr) == (0, "这里 有人吗？\n\nOK\n", "")


OPTIONS: list[Callable[[Path], list[str]]] = [
    lambda _: ["--exclude", ",".join(NAMES)],
    lambda _: ["-s", "ptt", "--exclude", "ptt"],
]


@pytest.mark.parametrize("options", OPTIONS, ids=["all excluded", "the requested one excluded"])
def test_nothing_left_to_do_exits_3(options: Callable[[Path], list[str]], tmp_path: Path) -> None:
    done = invoke("--raw", SAMPLES, "--out", tmp_path / "out", *options(tmp_path))
    assert (done.exit_code, done.stdout) == (3, "")
    assert "nothing to do" in done.stderr


def test_an_unknown_command_suggests_the_nearest() -> None:
    done = invoke("lst")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no command 'lst'; did you mean 'list'?" in done.stderr
