"""The language of the terminal: which one is chosen, what is translated, and what never is."""

from __future__ import annotations

import json
import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chat_corpus.cli import language
from chat_corpus.cli.wrapping import columns
from tests.conftest import SAMPLES
from tests.helpers import TIEBA, UNEQUAL, invoke, program, put, visible

HAN = re.compile("[\u4e00-\u9fff]")
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    language.use("en")


@pytest.mark.parametrize(
    "args",
    [
        ("--lang", "zh", "--help"),
        ("--help", "--lang=zh"),
        ("--lang", "zh", "check", "--help"),
        ("check", "--help", "--lang", "zh-CN"),
        ("run", "--lang", "en", "--help", "--lang", "zh"),
    ],
    ids=" ".join,
)
def test_the_option_works_in_any_place(args: tuple[str, ...]) -> None:
    done = invoke(*args)
    assert done.exit_code == 0
    assert done.stdout.startswith("用法：")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("", "", "zh_CN.UTF-8"), "zh"),
        (("", "zh_TW.UTF-8", "en_US.UTF-8"), "zh"),
        (("C", "zh_CN.UTF-8", "zh_CN.UTF-8"), "en"),
        (("zh_CN.GB18030", "C", "C"), "zh"),
        (("", "", "fr_FR.UTF-8"), "en"),
        (("", "", ""), "en"),
    ],
)
def test_the_first_variable_that_is_set_decides(
    values: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(VARIABLES, values, strict=True):
        monkeypatch.setenv(name, value)
    assert language.of_environment() == expected


@pytest.mark.parametrize(("identifier", "expected"), [(0x0804, "zh"), (0x0404, "zh"), (0x0409, "en")])
def test_windows_has_the_language_of_its_user_interface(
    identifier: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = SimpleNamespace(GetUserDefaultUILanguage=lambda: identifier)
    monkeypatch.setattr("ctypes.windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr("sys.platform", "win32")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert language.of_environment() == expected
    monkeypatch.setenv("LANG", "en_US.UTF-8")  # as Git Bash sets it
    assert language.of_environment() == "en"


def test_the_option_wins_over_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert invoke("--help").stdout.startswith("用法：")
    assert invoke("--lang", "en", "--help").stdout.startswith("Usage: ")


def test_a_terminal_without_han_gets_english_unless_chinese_is_requested(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "zh_CN.UTF-8", "PYTHONIOENCODING": "latin-1"}
    done = program("check", "--raw", tmp_path / "none", env=environment)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(("value", "code"), [("fr", 2), ("", 2)])
def test_another_language_is_wrong_usage(value: str, code: int) -> None:
    done = invoke("--lang", value, "list")
    assert (done.exit_code, done.stdout) == (code, "")
    assert f"error: --lang {value}: one of en, zh expected" in done.stderr


@pytest.mark.parametrize("command", ["", "run", "check", "list", "demo", "normalize", "trace", "explain", "compare"])
def test_help_is_whole_in_both_languages_and_fits_its_width(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    args = [command] if command else []
    english, chinese = (invoke(*args, "--help", "--lang", name).stdout for name in ("en", "zh"))
    flags = [re.findall(r"(?<!\S)--?[a-z][\w-]*", text) for text in (english, chinese)]
    assert flags[0] == flags[1] != []
    assert max(columns(line) for line in [*english.splitlines(), *chinese.splitlines()]) <= 80
    # Only names, commands and codes are left in English.
    words = set(re.findall(r"(?m)^  .*  ([A-Za-z][a-z]+ [a-z]+ [a-z]+)", chinese))
    assert words == set()


def test_chinese_help_is_there_in_no_time() -> None:
    program("run", "--help", "--lang", "zh")  # may have to compile the modules
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = program("run", "--help", "--lang", "zh")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    # Of the processor, not of the clock: others may be using this machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("--xyzzy",), "错误：没有选项 --xyzzy"),
        (("--quite",), "错误：没有选项 --quite；是否想用 --quiet？"),
        (("--limit", "0"), "错误：--limit：值为 0，应为不小于 1 的整数"),
        (("--limit",), "错误：选项 --limit 需要一个值"),
        (("--force=1",), "错误：选项 --force 不接受值"),
        (("--pairs", "x"), "错误：--pairs：值为 x，应为 adjacent、exchange、first 之一"),
        (("--config", "."), "错误：--config：.：不是可以读取的文件"),
        (("trace",), "错误：缺少参数 文件:行号[-行号]..."),
        (("compare", "a", "b"), "错误：旧目录：a：目录不存在"),
        (("-s", "wiebo"), "错误：没有名为 wiebo 的来源；是否想用 weibo？"),
        (("chekc",), "错误：没有命令 chekc；是否想用 check？"),
    ],
    ids=str,
)
def test_errors_of_the_command_line_are_translated(args: tuple[str, ...], expected: str) -> None:
    done = invoke("--lang", "zh", *args)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == expected
    assert "Try" not in done.stderr


def test_a_run_is_shown_in_chinese(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, **UNEQUAL, "douban/train.txt": "1\t在 吗\t在\n"})
    done = invoke("--lang", "zh", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "警告：douban：不完整，缺少 dev.txt、test.txt；" in done.stderr
    assert "\n来源 " in done.stderr
    assert "\n合计 " in done.stderr
    assert done.stderr.splitlines()[-1] == "警告：3 个来源中有 1 个未完成：weibo（失败）；详见上文"


def test_tables_of_list_and_check_are_translated_and_json_is_not(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", TIEBA)
    for command, title in (("list", "名称"), ("check", "名称")):
        chinese = invoke(command, "--raw", raw, "--lang", "zh").stdout
        assert chinese.startswith(title)
        assert re.search(r"(?m)^ptt +未找到 ", chinese)
        one, other = (invoke(command, "--json", "--raw", raw, "--lang", name).stdout for name in ("en", "zh"))
        assert one == other


def test_normalize_trace_explain_and_compare_are_translated(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "這裡\t好\n誰\t沒有資料\n"}), tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    zh = ("--lang", "zh")
    assert "原为繁体" in invoke("trace", out / "ptt.tsv:1", *zh).stdout
    assert "舍弃" in invoke("explain", "Gossiping-QA-Dataset.txt:2", "--out", out, *zh).stdout
    assert "全部相同" in invoke("compare", out, out, *zh).stdout
    assert "繁简转换（" in invoke("normalize", "--explain", *zh, stdin="這裡\n".encode()).stdout
    assert "1 行不是 UTF-8，已原样输出：第 1 行" in invoke("normalize", *zh, stdin=b"\xff\n").stderr


def _timeless(text: str) -> Any:
    """JSON without what differs from run to run: times (of `outputs` too), and rates in messages."""

    def cleared(value: Any, key: str = "") -> Any:
        if key in ("time", "seconds", "megabytes_per_second", "started", "at", "outputs"):
            return None
        if isinstance(value, dict):
            return {name: cleared(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [cleared(one) for one in value]
        return re.sub(r"[\d.]+ (s|[kM]B/s)\b", "", value) if key == "message" else value

    return cleared(json.loads(text))


def test_files_json_and_exit_codes_do_not_depend_on_the_locale(tmp_path: Path) -> None:
    put(tmp_path / "raw", {**TIEBA, **UNEQUAL, "lost.conv": "E\nM 在\nM 在\n" * 9})
    results = []
    for locale in ("C", "zh_CN.UTF-8"):
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES} | {"LANG": locale}
        done = program("--raw", "raw", "--json", "--log-json", "-v", cwd=tmp_path, env=environment)
        files = visible(tmp_path / "clean_chat_corpus")
        files["report.json"] = json.dumps(_timeless(files["report.json"].decode())).encode()
        (tmp_path / "clean_chat_corpus").rename(tmp_path / locale)
        results.append((done.returncode, _timeless(done.stdout), list(map(_timeless, done.stderr.splitlines())), files))
    assert results[0] == results[1]
    assert results[0][0] == 3
    assert not any(HAN.search(line["message"].replace("获取", "")) for line in results[0][2] if "obtain" not in line)


def test_the_samples_give_the_same_files_in_chinese(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("en", "zh")]
    for folder in folders:
        assert invoke("-q", "-s", "ptt,belle", "--raw", SAMPLES, "--out", folder, "--lang", folder.name).exit_code == 0
    one, other = (visible(folder) for folder in folders)
    assert {name: data for name, data in one.items() if name != "report.json"} == {
        name: data for name, data in other.items() if name != "report.json"
    }
