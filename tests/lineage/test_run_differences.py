"""What differs between two runs: each kind alone can be the cause of everything, two together cannot."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.lineage.cause_kinds import CauseKind
from chat_corpus.lineage.run_differences import RunDifferences, Setting, compare_reports
from chat_corpus.outputs import layout
from tests.helpers import TIEBA, put
from tests.lineage.made import made

SETTING = Setting(key="filters.min_chars", old=1, new=2)
ALONE: dict[CauseKind, dict[str, Any]] = {
    CauseKind.SETTINGS: {"settings": (SETTING,)},
    CauseKind.CODE: {"code": ("a", "b")},
    CauseKind.INPUT: {"inputs": ("a.txt",)},
    CauseKind.PLUGINS: {"plugins": True},
}


@pytest.mark.parametrize("kind", ALONE)
def test_one_difference_is_the_only_one_unless_somebody_edited_the_output(kind: CauseKind) -> None:
    assert RunDifferences(known=True, **ALONE[kind]).only() is kind
    assert RunDifferences(known=True, edited=("a.tsv",), **ALONE[kind]).only() is None
    assert RunDifferences(known=False, **ALONE[kind]).only() is None


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(ALONE, 2)))
def test_of_two_differences_neither_is_the_only_one(one: CauseKind, other: CauseKind) -> None:
    assert RunDifferences(known=True, **ALONE[one], **ALONE[other]).only() is None


def test_no_difference_is_no_cause() -> None:
    assert RunDifferences(known=True).only() is None


@pytest.fixture
def outs(tmp_path: Path) -> tuple[Path, Path]:
    """Two outputs of the same file with the same settings."""
    raw = put(tmp_path / "raw", TIEBA)
    for name in ("old", "new"):
        made(raw, tmp_path / name, "tieba")
    return tmp_path / "old", tmp_path / "new"


@pytest.mark.slow
def test_equal_runs_have_no_differences(outs: tuple[Path, Path]) -> None:
    assert compare_reports(outs, "tieba") == RunDifferences(known=True)


@pytest.mark.slow
def test_a_source_that_one_run_does_not_have_is_not_known(outs: tuple[Path, Path]) -> None:
    assert compare_reports(outs, "ptt") == RunDifferences(known=False)
    (outs[1] / layout.REPORT).unlink()
    assert compare_reports(outs, "tieba") == RunDifferences(known=False)


@pytest.mark.slow
def test_an_edited_output_is_named_on_its_side(outs: tuple[Path, Path]) -> None:
    path = outs[0] / "tieba.tsv"
    path.write_bytes(path.read_bytes() + "多\t了\n".encode())
    assert compare_reports(outs, "tieba") == RunDifferences(known=True, edited=(str(path),))


#: Changes of the entry in the report of the newer run, and what differs then.
EDITS: dict[str, tuple[tuple[str | int, ...], object, dict[str, Any]]] = {
    "a setting": (
        ("settings", "filters", "min_chars"), 2,
        {"settings": (Setting(key="filters.min_chars", old=1, new=2),)},
    ),
    "a value of a section": (
        ("settings", "text", "max_repeats", "limit"), 9,
        {"settings": (Setting(key="text.max_repeats.limit", old=5, new=9),)},
    ),
    "code": (("fingerprint", "code"), "0" * 16, {"code": "0" * 16}),
    "code of a source": (("fingerprint", "source"), "0" * 16, {"plugins": True}),
    "content of a file": (("files", 0, "sha256"), "0" * 64, {"inputs": ("tieba.dialogues",)}),
    "time of a file with the same content": (("fingerprint", "input", 0, 2), 1, {}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", EDITS)
def test_what_the_reports_say_differently_is_the_difference(name: str, outs: tuple[Path, Path]) -> None:
    (*place, last), value, expected = EDITS[name]
    written = json.loads((outs[1] / layout.REPORT).read_bytes())
    inner = written["sources"]["tieba"]
    for key in place:
        inner = inner[key]
    before, inner[last] = inner[last], value
    (outs[1] / layout.REPORT).write_text(json.dumps(written), "utf-8")
    if "code" in expected:
        expected = {"code": (before, value)}
    assert compare_reports(outs, "tieba") == RunDifferences(known=True, **expected)
