"""`new-source`: the skeleton of a plugin is sound, its test passes, and nothing is replaced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.helpers import invoke


@pytest.mark.parametrize("name", ["mine", pytest.param("0-ours", marks=pytest.mark.slow)])
def test_the_test_of_a_new_source_passes(name: str, tmp_path: Path) -> None:
    done = invoke("new-source", name, "--out", tmp_path / "new")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == len([path for path in (tmp_path / "new").rglob("*") if path.is_file()]) == 3
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(tmp_path / "new")]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout


def test_what_exists_is_not_replaced(tmp_path: Path) -> None:
    assert invoke("new-source", "mine", "--out", tmp_path).exit_code == 0
    (tmp_path / "mine.py").unlink()
    done = invoke("new-source", "mine", "--out", tmp_path)
    assert done.exit_code == 2
    assert "exists already" in done.stderr
    assert not (tmp_path / "mine.py").exists()


@pytest.mark.parametrize(("name", "expected"), [("ptt", "exists"), ("../x", "cannot be"), ("con", "cannot be")])
def test_other_names_are_refused(name: str, expected: str, tmp_path: Path) -> None:
    done = invoke("new-source", name, "--out", tmp_path / "new")
    assert done.exit_code == 2
    assert expected in done.stderr
    assert not (tmp_path / "new").exists()
