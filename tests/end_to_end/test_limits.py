"""The disk is full, or the input vanishes in the middle: a message, exit code 1, and no file that is half written."""

from __future__ import annotations

import errno
import gzip
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.cli import console
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings
from tests.helpers import invoke, program, put, visible

TIEBA = "".join(f"第{n}个问题\t第{n}个回答\n" for n in range(3000))
PTT = "".join(f"第{n}個問題\t第{n}個回答\n" for n in range(20))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    put(tmp_path, {"small.yaml": "shard_bytes: 9000\nworkers: 1\n", "pool.yaml": "shard_bytes: 9000\nworkers: 2\n"})
    return put(tmp_path / "raw", {"tieba.dialogues": TIEBA, "Gossiping-QA-Dataset.txt": PTT})


@pytest.mark.slow
@pytest.mark.parametrize("limit", [5_000, 60_000], ids=["a part", "the whole"])
def test_a_disk_that_is_full_for_workers_is_reported_and_nothing_is_half_written(limit: int, raw: Path) -> None:
    out = raw.parent / "out"
    done = program(
        "-s", "tieba", "--raw", raw, "--out", out, "--config", raw.parent / "pool.yaml",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # compiled modules would be cut off too
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert "cannot be written: File too large" in done.stderr
    assert set(visible(out)) <= {"report.json"}  # which may be too long itself
    again = program("-q", "-s", "tieba", "--raw", raw, "--out", out, "--config", raw.parent / "pool.yaml")
    assert (again.returncode, again.stderr) == (0, "")
    assert visible(out)["tieba.tsv"].decode() == TIEBA


@pytest.mark.parametrize("fate", ["deleted", "shortened"])
@pytest.mark.parametrize("earlier", [False, True], ids=["first run", "later run"])
def test_an_input_that_vanishes_in_the_middle_fails_its_source_alone(
    fate: str, earlier: bool, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, file = raw.parent / "out", raw / "tieba.dialogues"
    arguments = ["--raw", raw, "--out", out, "--config", raw.parent / "small.yaml"]
    if earlier:
        assert invoke(*arguments).exit_code == 0
    before = visible(out)
    progress = console.progress

    def vanishing(found: object, **options: object) -> object:
        file.unlink() if fate == "deleted" else os.truncate(file, 20_000)
        return progress(found, **options)  # type: ignore[arg-type]

    file.write_text(TIEBA + "多\t了\n", "utf-8")
    monkeypatch.setattr(console, "progress", vanishing)
    done = invoke(*arguments)
    assert done.exit_code == 1, done.stderr
    assert "error: " in done.stderr
    assert str(file) in done.stderr
    assert visible(out).get("tieba.tsv") == before.get("tieba.tsv")
    assert visible(out)["ptt.tsv"]


def test_an_input_that_is_deleted_after_its_first_shard_fails_with_its_name(raw: Path) -> None:
    out, file = raw.parent / "out", raw / "tieba.dialogues"
    found = discover_sources(raw, {"tieba": sources.load()["tieba"]})

    def progress(_source: str, _done: int, _worked: bool) -> None:
        file.unlink(missing_ok=True)

    done, _ = run(found, Settings(out=str(out), shard_bytes=9000, workers=1), progress)
    assert str(file) in done["tieba"].error
    assert done["tieba"].exit_code == 1
    assert "tieba.tsv" not in visible(out)


def _replaced(file: Path) -> None:
    file.with_suffix(".new").write_bytes(file.read_bytes()[::-1])
    file.with_suffix(".new").replace(file)


def _in_its_place(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def put_there(file: Path) -> None:
        file.unlink()
        make(file)

    return put_there


FATES: dict[str, Callable[[Path], None]] = {
    "emptied": lambda file: os.truncate(file, 0),
    "longer": lambda file: os.truncate(file, 2 * file.stat().st_size),
    "another file": _replaced,
    "a folder": _in_its_place(Path.mkdir),
    "a FIFO": _in_its_place(os.mkfifo),
    "a link to itself": _in_its_place(lambda file: file.symlink_to(file.name)),
    "unreadable": lambda file: file.chmod(0),
}


@pytest.mark.usefixtures("never_hangs")
@pytest.mark.parametrize("packed", [False, True], ids=["", "packed"])
@pytest.mark.parametrize("fate", FATES)
def test_an_input_that_becomes_another_during_the_run_fails_with_its_name(fate: str, packed: bool, raw: Path) -> None:
    out, file = raw.parent / "out", raw / "tieba.dialogues"
    if packed:
        packed_file = file.with_name("tieba.dialogues.gz")
        packed_file.write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
        file = packed_file
    if fate == "unreadable" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    found = discover_sources(raw, {name: sources.load()[name] for name in ("ptt", "tieba")})
    fates = iter([FATES[fate]])

    def progress(source: str, _done: int, _worked: bool) -> None:
        if source == "tieba":
            for become in fates:
                become(file)

    done, _ = run(found, Settings(out=str(out), shard_bytes=9000, workers=1), progress)
    assert str(file) in done["tieba"].error
    assert (done["tieba"].exit_code, done["ptt"].error) == (1, "")
    assert "tieba.tsv" not in visible(out)
    assert visible(out)["ptt.tsv"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_fails_when_files_are_moved_is_reported(
    code: int, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, move = raw.parent / "out", Path.replace

    def failing(path: Path, target: Path) -> Path:
        if Path(target).name == "tieba.tsv":
            raise OSError(code, os.strerror(code), str(target))
        return move(path, target)

    monkeypatch.setattr(Path, "replace", failing)
    done, _ = run(discover_sources(raw, sources.load()), Settings(out=str(out), workers=1), lambda *_: None)
    assert done["tieba"].error.endswith(f"tieba.tsv: cannot be written: {os.strerror(code)}")
    assert not done["ptt"].error
    assert {name for name in visible(out) if "tieba" in name} == set()
    assert visible(out)["ptt.tsv"]


def test_a_folder_in_the_place_of_an_output_fails_its_source_alone(raw: Path) -> None:
    out = raw.parent / "out"
    (out / "tieba.tsv").mkdir(parents=True)
    done = invoke("--raw", raw, "--out", out, "--force")
    assert done.exit_code == 1
    assert f"error: {out / 'tieba.tsv'}: cannot be written: {os.strerror(errno.EISDIR)}" in done.stderr
    assert visible(out)["ptt.tsv"]
