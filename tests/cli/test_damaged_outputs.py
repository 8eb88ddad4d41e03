"""`report`, `sample`, `trace`, `explain` and `compare` on outputs that are damaged: exit code and message of each.

The table of exit codes in docs/scripting.md says the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SAMPLES
from tests.helpers import invoke

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an output, and an export of it, which no test changes."""
    folder = tmp_path_factory.mktemp("original")
    raw, out = folder / "raw", folder / "out"
    for name in ("ptt-42w", "ptt-77w", "sms-zh"):
        shutil.copytree(SAMPLES / name, raw / name)
    assert invoke("--raw", raw, "--out", out, "-q").exit_code == 0
    assert invoke("export", folder / "export", "--raw", raw, "--split", "test=0.2", "-q").exit_code == 0
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "all")
    return tmp_path / "all"


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + "多\t了\n".encode())


def same_size(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-4] + data[-4:][::-1])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def other_keys(path: Path) -> None:
    path.write_text(json.dumps({"chat_corpus": "9.9", "sources": {}}), "utf-8")


REPORT, SAMPLE = ("report", "{0}"), ("sample", "{0}", "-s", "ptt", "-n", "3")
REJECTS = (*SAMPLE, "--rejected")
TRACE, EXPLAIN = ("trace", "{0}/ptt.tsv:1"), ("explain", "ptt-42w/Gossiping-QA-Dataset.txt:1", "--out", "{0}")
COMPARE = ("compare", "{1}/out", "{0}")
#: Damage, the file, the command, its exit code, and a word of what it prints on stderr.
DAMAGE: list[tuple[Callable[[Path], None], str, tuple[str, ...], int, str]] = [
    (removed, "report.json", REPORT, 2, "report.json and manifest.json are missing"),
    (removed, "report.json", SAMPLE, 2, "report.json"),
    (removed, "report.json", TRACE, 2, "only outputs of chat-corpus can be traced"),
    (removed, "report.json", EXPLAIN, 2, "no report.json found"),
    (cut, "report.json", REPORT, 2, "not a report of this version"),
    (cut, "report.json", SAMPLE, 2, "not a report of this version"),
    (cut, "report.json", TRACE, 2, "not a report of this version"),
    (other_keys, "report.json", REPORT, 2, "not a report of this version"),
    (emptied, "report.json", REPORT, 2, "not a report of this version"),
    (removed, "ptt.tsv", REPORT, 3, "ptt: no samples"),
    (removed, "ptt.tsv", SAMPLE, 1, "ptt.tsv"),
    (removed, "ptt.tsv", TRACE, 2, "no such .tsv file"),
    (longer, "ptt.tsv", REPORT, 3, "changed since the run"),
    (longer, "ptt.tsv", SAMPLE, 0, "edited after the run"),
    (longer, "ptt.tsv", TRACE, 1, "edited after the run"),
    (longer, "ptt.tsv", EXPLAIN, 1, "edited after the run"),
    (longer, "ptt.tsv", COMPARE, 0, ""),
    (same_size, "ptt.tsv", COMPARE, 0, ""),
    (removed, "rejects/ptt.jsonl", REPORT, 3, "ptt"),
    (removed, "rejects/ptt.jsonl", REJECTS, 1, "rejects"),
    (removed, "index/ptt.jsonl", TRACE, 1, "index"),
    (cut, "index/ptt.jsonl", TRACE, 1, "index"),
    (emptied, "index/ptt.jsonl", EXPLAIN, 1, "index"),
]


@pytest.mark.parametrize(
    ("damage", "file", "command", "code", "words"),
    [pytest.param(*case, id=f"{case[0].__name__} {case[1]}: {' '.join(case[2][:1])}") for case in DAMAGE],
)
def test_a_damaged_output_has_its_exit_code_and_is_named(
    damage: Callable[[Path], None], file: str, command: tuple[str, ...], code: int, words: str,
    folder: Path, original: Path,
) -> None:  # fmt: skip
    damage(folder / "out" / file)
    done = invoke(*(word.format(folder / "out", original) for word in command))
    assert (done.exit_code, "Traceback" in done.stderr) == (code, False), done.stderr
    assert words in done.stderr
    if code in (1, 2):
        assert done.stdout == ""


#: The same for the file of an export.
EXPORT_DAMAGE: list[tuple[Callable[[Path], None], str, str, int]] = [
    (removed, "manifest.json", "report", 2),
    (cut, "manifest.json", "report", 1),
    (cut, "manifest.json", "sample", 1),
    (cut, "manifest.json", "check-export", 1),
    (removed, "statistics.json", "report", 3),
    (removed, "index/ptt.parquet", "sample", 1),
    (cut, "index/ptt.parquet", "sample", 1),
    (cut, "index/ptt.parquet", "check-export", 1),
    (removed, "data/ptt/train-00000.parquet", "check-export", 1),
    (same_size, "data/ptt/train-00000.parquet", "check-export", 1),
    (longer, "README.md", "check-export", 1),
]


@pytest.mark.parametrize(
    ("damage", "file", "command", "code"),
    [pytest.param(*case, id=f"{case[0].__name__} {case[1]}: {case[2]}") for case in EXPORT_DAMAGE],
)
def test_a_damaged_export_has_its_exit_code_and_no_traceback(
    damage: Callable[[Path], None], file: str, command: str, code: int, folder: Path
) -> None:
    damage(folder / "export" / file)
    done = invoke(command, folder / "export")
    assert (done.exit_code, "Traceback" in done.stderr) == (code, False), done.stderr
    assert done.stderr + done.stdout != ""


@pytest.mark.parametrize("option", ["--markdown", "--latex", "--json"])
def test_tables_are_printed_though_the_page_lacks_something(option: str, folder: Path) -> None:
    """Whoever reads the exit code knows; the tables that do not need the file are right."""
    whole = invoke("report", folder / "out", option)
    (folder / "out" / "ptt.tsv").unlink()
    done = invoke("report", folder / "out", option)
    assert (whole.exit_code, done.exit_code) == (0, 3)
    if option != "--json":
        assert done.stdout == whole.stdout
    assert not (folder / "out" / "--markdown").exists()


def test_raw_files_that_are_gone_cost_the_texts_before_cleaning_alone(folder: Path) -> None:
    whole = invoke("sample", folder / "out", "-s", "ptt", "--json")
    shutil.rmtree(folder / "raw")
    done = invoke("sample", folder / "out", "-s", "ptt", "--json", "--raw", folder / "raw")
    assert done.exit_code in (0, 2), done.stderr
    if done.exit_code == 0:
        rows, before = json.loads(done.stdout), json.loads(whole.stdout)
        assert [row["address"] for row in rows] == [row["address"] for row in before]
        after = [[text["after"] for text in row["texts"]] for row in before]
        assert [[text["after"] for text in row["texts"]] for row in rows] == after
        assert all(text["before"] is None for row in rows for text in row["texts"])
    assert invoke("trace", folder / "out" / "ptt.tsv:1", "--raw", folder / "raw").exit_code != 0
