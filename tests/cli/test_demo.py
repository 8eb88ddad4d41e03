"""`demo`: the bundled samples from anywhere, also from a wheel that is installed without the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from chat_corpus.discovery import samples
from tests.conftest import ROOT, SAMPLES
from tests.helpers import invoke, put, visible


@pytest.fixture(autouse=True)
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples as they are committed, whatever a developer has unpacked over them."""
    monkeypatch.setattr(samples, "FOLDERS", (SAMPLES,))


def test_the_samples_are_copied_and_run_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("demo")
    assert (done.exit_code, done.stdout) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["chat-corpus-demo"]
    assert visible(tmp_path / "chat-corpus-demo" / "raw") == visible(SAMPLES)
    report = json.loads((tmp_path / "chat-corpus-demo" / "clean" / "report.json").read_text("utf-8"))
    assert {source["state"] for source in report["sources"].values()} == {"sample"}
    assert "unchanged" in invoke("demo").stderr


def test_real_corpora_beside_the_samples_are_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = Path(shutil.copytree(SAMPLES, tmp_path / "raw_chat_corpus"))
    put(checkout, {"tieba-305w/tieba.dialogues": "真\t的\n", "big.csv": "真,的\n"})
    monkeypatch.setattr(samples, "FOLDERS", (tmp_path / "none", checkout))
    copied = samples.copy(tmp_path / "copy")
    expected = {name: data for name, data in visible(SAMPLES).items() if name != "tieba-305w/tieba.dialogues"}
    assert visible(tmp_path / "copy") == expected
    assert copied == len(expected)


def test_files_of_the_user_are_not_replaced(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "raw", {"tieba-305w/tieba.dialogues": "我\t的\n"})
    done = invoke("demo", tmp_path / "mine")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "tieba.dialogues: exists and is not the bundled sample; use another folder" in done.stderr
    assert (tmp_path / "mine" / "raw" / "tieba-305w" / "tieba.dialogues").read_text("utf-8") == "我\t的\n"


def test_without_samples_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "FOLDERS", (tmp_path / "none",))
    done = invoke("demo", tmp_path / "mine")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the bundled samples were not installed" in done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the committed samples and of the package as it is, with a real corpus beside the samples."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "chat_corpus", source / "chat_corpus", ignore=ignored)
    shutil.copytree(SAMPLES, source / "raw_chat_corpus")
    put(source, {"raw_chat_corpus/tieba/real.dialogues": "真\t的\n" * 9})
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], check=False, capture_output=True).returncode:
        pytest.skip("pip is not installed in this environment")
    build = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_a_wheel_holds_the_samples_and_the_catalogues_and_no_corpus(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"chat_corpus/samples/{name}" for name in visible(SAMPLES)} == {
        name for name in names if name.startswith("chat_corpus/samples/")
    }
    assert "chat_corpus/cli/catalogues/zh.json" in names
    assert not [name for name in names if "real.dialogues" in name]


@pytest.mark.slow
def test_an_installed_wheel_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    """With pipx, if there is one, else in an environment of the standard library's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    pipx = shutil.which("pipx")
    if pipx:
        environment |= {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
        install = [[pipx, "install", "--python", sys.executable, str(wheel)]]
    else:
        install = [
            [sys.executable, "-m", "venv", str(tmp_path)],
            [str(tmp_path / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)],
        ]
    for command in install:
        subprocess.run(command, check=True, capture_output=True, env=environment)
    program = str(tmp_path / "bin" / "chat-corpus")
    (work := tmp_path / "work").mkdir()
    run = [program, "demo", "--lang", "zh"]
    done = subprocess.run(run, check=False, capture_output=True, encoding="utf-8", cwd=work, env=environment)
    assert done.returncode == 0, done.stderr
    assert "\n合计 " in done.stderr
    assert visible(work / "chat-corpus-demo" / "raw") == visible(SAMPLES)
    clean = work / "chat-corpus-demo" / "clean"
    assert len(list(clean.glob("*.tsv"))) == len(list(clean.glob("rejects/*.jsonl"))) == 11
