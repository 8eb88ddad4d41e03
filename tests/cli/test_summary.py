"""The last screen of a run: a row per source and a total, reasons in words, sample pairs, next steps, colours."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chat_corpus.cli.terminal import cut, format_table, width
from chat_corpus.messages import message
from tests.conftest import ROOT, SAMPLES
from tests.helpers import TIEBA, UNEQUAL, invoke, put


def screen(text: str) -> dict[str, list[str]]:
    """The cells of each row of the table by their source."""
    lines = text.split("\nsource ")[1].split("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split(maxsplit=6)[1:] for line in lines}


def test_the_total_is_the_sum_of_all_sources(tmp_path: Path) -> None:
    rows = screen(invoke("--raw", SAMPLES, "--out", tmp_path / "out").stderr)
    total = rows.pop("total")
    for column in range(4):
        numbers = [int(cells[column].replace(",", "")) for cells in rows.values()]
        assert sum(numbers) == int(total[column].replace(",", "")) > 0
    assert rows["ptt"][5] == "2 placeholder answers, 5 duplicate pairs"
    assert rows["qingyun"][5] == "1 empty turn"


def test_a_single_source_needs_no_total_and_failed_ones_are_not_in_it(tmp_path: Path) -> None:
    one = screen(invoke("-s", "ptt", "--raw", SAMPLES, "--out", tmp_path / "one").stderr)
    assert list(one) == ["ptt"]
    raw = put(tmp_path / "raw", {**TIEBA, **UNEQUAL})
    rows = screen(invoke("--raw", raw, "--out", tmp_path / "out").stderr)
    assert rows["weibo"][:4] == ["-"] * 4
    assert rows["weibo"][-1].endswith("FAILED, see above")
    assert rows["total"][:4] == rows["tieba"][:4]


def test_three_pairs_are_shown_as_they_are_in_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for names in ("ptt", "ptt,qingyun", "ptt,qingyun,tieba,egret", "sms"):
        out = tmp_path / names
        shown = invoke("-s", names, "--raw", SAMPLES, "--out", out).stderr
        pairs = re.findall(r"(?m)^  (\w+\.tsv):(\d+) +(\S.*?) +->  (.+)$", shown)
        assert len(pairs) == (0 if names == "sms" else 3)
        for file, row, query, answer in pairs:
            line = (out / file).read_text("utf-8").split("\n")[int(row) - 1]
            assert line.split("\t")[0].startswith(query.removesuffix("…"))
            assert line.split("\t")[1].startswith(answer.removesuffix("…"))


def test_pairs_fit_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    raw = put(tmp_path / "raw", {"tieba.dialogues": f"{'很长的问题' * 30}\t{'很长的回答' * 30}\n"})
    shown = invoke("--raw", raw, "--out", tmp_path / "out").stderr
    (line,) = (line for line in shown.splitlines() if "  ->  " in line)
    assert width(line) <= 60


def test_the_next_steps_can_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = invoke("-s", "ptt", "--raw", SAMPLES, "--out", "out").stderr
    (row,) = re.findall(r"(?m)^  \S+ trace (\S+)  ", shown)
    assert invoke("trace", row).exit_code == 0
    (rejects,) = re.findall(r"(?m)^  (\S+\.jsonl)  ", shown)
    assert Path(rejects).read_text("utf-8")


def in_terminal(*args: object, **environment: str) -> str:
    """What the program writes to a terminal of 80 columns."""
    master, slave = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *map(str, args)],
        stderr=slave,
        stdout=subprocess.DEVNULL,
        env={**variables, "TERM": "xterm", **environment},
    ):
        os.close(slave)
        data = b""
        try:
            while block := os.read(master, 1 << 16):
                data += block
        except OSError:  # EIO: Linux reports so that the other end is closed
            pass
    os.close(master)
    return data.decode()


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_a_terminal_has_colours_unless_they_are_not_wanted(
    environment: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    raw = put(tmp_path / "raw", {**TIEBA, **UNEQUAL})
    shown = in_terminal("--raw", raw, "--out", tmp_path / "out", **environment)
    assert ("\x1b[31merror: \x1b[0m" in shown, "\x1b[33mwarning: " in shown) == (coloured, coloured)
    assert (re.search(r"\x1b\[31mweibo .*FAILED, see above\x1b\[0m", shown) is not None) == coloured
    assert ("\x1b[1mtotal " in shown) == coloured


def test_tables_align_numbers_to_the_right_and_count_han_twice() -> None:
    rows = [{"a": "名字", "b": "1,000"}, {"a": "x", "b": "-"}]
    table = format_table(rows, {"a": message("name"), "b": message("MB")})
    assert table.splitlines() == ["name     MB", "名字  1,000", "x         -"]


@pytest.mark.parametrize(("columns", "expected"), [(8, "在吗在吗"), (7, "在吗在…"), (6, "在吗…"), (1, "…")])
def test_text_is_cut_by_columns(columns: int, expected: str) -> None:
    assert cut("在吗在吗", columns) == expected
    assert width(expected) <= columns
