"""A file appears whole under its name, or not at all, and leaves no temporary file behind."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.files import atomic
from tests.conftest import examples

OLD, NEW = b"old", b"new content"


def listed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("before", [{}, {"a.tsv": OLD}], ids=["new", "replaced"])
def test_a_file_that_was_written_has_its_name(before: dict[str, bytes], sync: bool, tmp_path: Path) -> None:
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    atomic.write_atomic(tmp_path / "a.tsv", lambda path: path.write_bytes(NEW), sync=sync)
    assert listed(tmp_path) == {"a.tsv": NEW}


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(error: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(OLD)

    def fails(path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    with pytest.raises(error):
        atomic.write_atomic(tmp_path / "a.tsv", fails)
    assert listed(tmp_path) == {"a.tsv": OLD}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_leaves_the_old_file(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.tsv").write_bytes(OLD)

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr({"fsync": os, "replace": Path}[step], step, fails)
        with pytest.raises(OSError, match="Input/output error"):
            atomic.write_atomic(tmp_path / "a.tsv", lambda path: path.write_bytes(NEW))
    assert listed(tmp_path) == {"a.tsv": OLD}


def test_a_reader_never_sees_a_part_of_the_new_file(tmp_path: Path) -> None:
    target, seen, done = tmp_path / "a.tsv", set(), threading.Event()
    atomic.write_atomic(target, lambda path: path.write_bytes(b"0" * 5000))

    def read() -> None:
        while not done.is_set():
            seen.add(bytes(target.read_bytes()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for digit in b"123":
            content = bytes([digit]) * 5000
            atomic.write_atomic(target, partial(_slowly, content), sync=False)
    finally:
        done.set()
        reader.join()
    assert {(len(data), len(set(data))) for data in seen} == {(5000, 1)}


def _slowly(data: bytes, path: Path) -> None:
    with path.open("wb") as stream:
        for start in range(0, len(data), 1000):
            stream.write(data[start : start + 1000])
            stream.flush()


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with atomic.atomic_path(tmp_path / "a") as first, atomic.atomic_path(tmp_path / "a") as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert listed(tmp_path) == {"a": b"first"}  # the outer block ends last


def test_only_temporary_files_of_killed_writers_are_removed(tmp_path: Path) -> None:
    with atomic.atomic_path(tmp_path / "a.tsv") as temporary:
        temporary.write_bytes(NEW)
    name = temporary.name
    (tmp_path / "a.tsv").unlink()
    theirs = ["a.tsv", ".a.tsv", f"{name[1:]}", f"{name}x", ".writing", ".a.0123.writing", "x.writing"]
    for one in (name, *theirs):
        (tmp_path / one).write_bytes(OLD)
    atomic.remove_temporary(tmp_path, tmp_path / "absent")
    assert sorted(listed(tmp_path)) == sorted(theirs)


@settings(max_examples=examples(20))
@given(st.integers(0, 3 * 64 + 1))
def test_blocks_are_the_data_in_pieces_of_one_size(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic, "BLOCK", 64)
        pieces = list(atomic.blocks(data))
    assert b"".join(pieces) == data
    assert [len(piece) for piece in pieces[:-1]] == [64] * (len(pieces) - 1)
    assert all(0 < len(piece) <= 64 for piece in pieces)


def test_blocks_in_a_file_are_the_data(tmp_path: Path) -> None:
    data = os.urandom(2 * atomic.BLOCK + 1)
    atomic.write_blocks(tmp_path / "a", data)
    assert (tmp_path / "a").read_bytes() == data
