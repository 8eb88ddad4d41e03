"""Wrong command lines: the message, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_corpus.cli import usage
from chat_corpus.cli.main import main
from tests.helpers import TIEBA, invoke, put


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("status",), "no command 'status'; did you mean 'check'?"),
        (("corpora",), "no command 'corpora'; did you mean 'list'?"),
        (("demos",), "no command 'demos'; did you mean 'demo'?"),
        (("help",), "no command 'help'; did you mean '--help'?"),
        (("xyzzy",), f"no command 'xyzzy'; commands: {', '.join(main.commands)}"),
        (("data",), "'data' is no command; for the folder, use: --raw data"),
        (("ptt",), "'ptt' is no command; for the source, use: -s ptt"),
        (("check", "data"), "unexpected argument: data; did you mean: main check --raw data"),
        (("run", "ptt", "weibo"), "unexpected argument: ptt weibo; did you mean: main run -s ptt,weibo"),
        (("list", "nothing"), "unexpected argument: nothing"),
        (("--raw", "data", "check"), "the command comes first: main check --raw data"),
        (("-q", "--limit", "1", "run"), "the command comes first: main run -q --limit 1"),
        (("compare", "data"), "NEW_DIR is missing"),
        (("compare", "data", "none"), "NEW_DIR: none: no such folder"),
        (("--config", "data"), "--config: data: not a file that can be read"),
        (("-q", "run"), "the command comes first: main run -q"),
        (("--out", "data", "-q", "export", "x"), "the command comes first: main export --out data -q x"),
        (("preview", "--fail-over", "abc"), "--fail-over: 'abc' found, a number from 0 to 1 expected"),
        (("preview", "--guard", "nan"), "--guard: 'nan' found, a number from 0 to 1 expected"),
        (("export", "x", "--max-share", "0"), "--max-share: '0' found, a number above 0 and up to 1 expected"),
        (("--workers", "many"), "--workers: 'many' found, a whole number from 1 to 1,024 expected"),
        (("--workers", "2000"), "--workers: '2000' found, a whole number from 1 to 1,024 expected"),
        (("--engine", "spark"), "--engine: 'spark' found, one of local, dask expected"),
        (("--quiet=yes",), "--quiet takes no value"),
        (("run", "--out"), "--out needs a value"),
        (("--raw", "data", "--raw=other"), "--raw: given 2 times; it takes one value"),
        (("preview", "--sample", "1", "--limit", "2"), "--sample: given 2 times; it takes one value"),
        (("demo", "notes.txt"), "[DIR]: notes.txt: a file; name a folder"),
        (("export", "x", "--mix", ""), "--mix: the value is empty; name one, or omit the option"),
        (("check", "-s", "ptt"), "no option -s"),
        (("check", "--profile", "lccc", "--profile", "strict"), "--profile: given 2 times; it takes one value"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_near_miss_gets_a_hint(
    args: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    put(tmp_path, {"notes.txt": ""})
    done = invoke(*args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"error: {expected}"
    assert done.stderr.startswith("Usage: main ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "notes.txt"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("run", "-s", ","), "',': a name expected, none found"),
        (("run", "--exclude", " "), "' ': a name expected, none found"),
        (("export", "x", "--format", ","), "',': a name expected, none found"),
        (("fetch", ""), "'': a name expected, none found"),
        (("run", "-s", "ptt weibo"), "no source 'ptt weibo'; did you mean ptt,weibo?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_name_does_not_mean_all(
    args: tuple[str, ...], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw_chat_corpus").mkdir()
    done = invoke(*args)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"error: {expected}\n")


def test_an_empty_system_message_is_a_value(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", TIEBA)
    assert invoke("export", tmp_path / "export", "--raw", raw, "--system", "", "--dry-run").exit_code == 0


def test_every_command_that_is_suggested_has_a_synonym_only_once() -> None:
    assert not set(usage.SYNONYMS) & set(main.commands)


def test_the_name_of_an_argument_is_translated_in_errors_too(tmp_path: Path) -> None:
    done = invoke("compare", tmp_path, tmp_path / "none", "--lang", "zh")
    assert "NEW_DIR" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("错误：新目录：")
