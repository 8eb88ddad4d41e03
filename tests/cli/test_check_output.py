"""`check` before a run: what it shows of every state, how well it estimates, and that a run then does the same."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chat_corpus.cli import check_output
from tests.conftest import slow_from
from tests.helpers import TIEBA, UNEQUAL, invoke, put

PTT = "question,answer\n在吗,在\n吃了吗,吃了\n"
#: Files of a folder, and the state of each source that has any.
STATES: dict[str, tuple[Mapping[str, str], dict[str, str]]] = {
    "complete": (TIEBA, {"tieba": "found"}),
    "another name": ({"x/第一版.csv": PTT}, {"ptt": "absent"}),
    "one of two files": ({"stc_weibo_train_post": "早 上 好\n"}, {"weibo": "partial"}),
    "both files": ({**UNEQUAL, "stc_weibo_train_response": "早\n吃 了\n"}, {"weibo": "found"}),
    "an empty file": ({"tieba.dialogues": ""}, {"tieba": "damaged"}),
    "a web page": ({"tieba.dialogues": "<!DOCTYPE html><html><body>404</body></html>\n"}, {"tieba": "damaged"}),
    "a pointer": ({"tieba.dialogues": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"},
                  {"tieba": "damaged"}),
    "another content": ({"tieba.dialogues": "从前有座山。\n" * 20}, {"tieba": "unusable"}),
    "nothing": ({"README.txt": "notes\n"}, {}),
}  # fmt: skip


def checked(raw: Path, *options: str) -> dict[str, Any]:
    done = invoke("check", "--raw", raw, "--json", *options)
    assert done.exit_code == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


@pytest.mark.parametrize("name", slow_from(3, STATES))
def test_the_state_of_a_source_is_shown_and_a_run_acts_on_it(name: str, tmp_path: Path) -> None:
    files, expected = STATES[name]
    raw = put(tmp_path / "raw", files)
    states = {row["name"]: row["state"] for row in checked(raw)["sources"]}
    assert {source: states[source] for source in expected} == expected
    assert {state for source, state in states.items() if source not in expected} == {"absent"}
    done = invoke("--raw", raw, "--out", tmp_path / "out", "-q")
    read = {source for source, state in expected.items() if state == "found"}
    assert done.exit_code == (0 if read else done.exit_code)
    assert (done.exit_code == 0) is bool(read)
    written = {path.stem for path in (tmp_path / "out").glob("*.tsv")}
    assert written == read


@pytest.mark.parametrize("name", slow_from(3, STATES))
def test_what_is_wrong_is_said_in_a_line_with_what_to_do(name: str, tmp_path: Path) -> None:
    """A source is in the table once; below it, whoever lacks something reads how to get it."""
    files, expected = STATES[name]
    raw = put(tmp_path / "raw", files)
    table, rows = invoke("check", "--raw", raw).stdout, {row["name"]: row for row in checked(raw)["sources"]}
    for source, state in expected.items():
        row = rows[source]
        assert sum(line.startswith(f"{source} ") for line in table.splitlines()) == 1
        notes = [line for line in table.splitlines() if line.startswith(f"{source}: ")]
        assert (row["obtain"] is None) is (state == "found")
        if state == "found":
            assert not any("missing" in line or "damaged" in line or "obtain" in line for line in notes)
        else:
            assert any((row["fetch"] or row["obtain"])[:40] in line for line in notes)
        for fault in (*row["damaged"], *row["unusable"], *row["missing"]):
            assert any(fault in line for line in notes)


def _han(chance: Random, length: int) -> str:
    return "".join(map(chr, chance.choices(range(0x4E00, 0x5E00), k=length)))


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gz", "bz2", "xz"])
@pytest.mark.parametrize("even", [True, False], ids=["even", "uneven"])
def test_an_estimate_is_near_and_says_that_it_is_one(
    pack: Callable[[bytes], bytes], even: bool, tmp_path: Path
) -> None:
    chance = Random(0)
    lines = [f"{_han(chance, 9)}\t{_han(chance, 9 if even else chance.randrange(1, 30))}\n" for _ in range(30_000)]
    ending = {bytes: "", gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}[pack]
    raw = put(tmp_path / "raw", {f"tieba.dialogues{ending}": pack("".join(lines).encode())})
    (row,) = (row for row in checked(raw)["sources"] if row["name"] == "tieba")
    assert row["estimated"] is True
    assert abs(row["records"] - len(lines)) <= 0.2 * len(lines)
    assert len(str(row["records"]).rstrip("0")) <= 2
    assert f"~{row['records']:,}" in invoke("check", "--raw", raw).stdout


def test_a_small_file_is_counted_not_estimated(tmp_path: Path) -> None:
    (row,) = (row for row in checked(put(tmp_path, TIEBA))["sources"] if row["name"] == "tieba")
    assert (row["records"], row["estimated"]) == (2, False)


def test_thirty_files_that_belong_to_none_are_named_and_the_others_counted(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {f"notes-{n:02}.txt": f"{n}\n" for n in range(33)} | TIEBA)
    lines = [line for line in invoke("check", "--raw", raw).stdout.splitlines() if line.startswith("not recognised: ")]
    assert len(lines) == check_output._MOST_UNRECOGNISED + 1
    assert lines[-1] == "not recognised: 3 more files; --json names all of them"
    assert len(checked(raw)["unrecognised"]) == 33


@pytest.mark.slow
def test_a_file_that_is_damaged_behind_its_beginning_is_found_if_it_is_read_to_its_end(tmp_path: Path) -> None:
    chance = Random(0)
    data = gzip.compress("".join(f"{_han(chance, 9)}\t{_han(chance, 9)}\n" for _ in range(40_000)).encode(), 1)
    raw = put(tmp_path / "raw", {"tieba.dialogues.gz": data[: len(data) // 2]})
    both = [{row["name"]: row for row in checked(raw, *options)["sources"]} for options in ((), ("--sha256",))]
    quick, whole = (rows["tieba"] for rows in both)
    assert quick["state"] == "found"
    assert "sha256" not in quick["files"][0]
    assert (whole["state"], whole["files"][0]["sha256"]) == ("damaged", None)
    assert whole["damaged"] == [f"tieba.dialogues.gz: {whole['files'][0]['damage']}"]
    assert whole["obtain"] is not None
