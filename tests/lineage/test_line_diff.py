"""Diffs of two files of lines: matches and hunks together give both files, each line once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.lineage import line_diff
from chat_corpus.lineage.line_diff import Hunk, hunks
from tests.conftest import examples

LINE = st.sampled_from([b"", b"a", b"b", b"c\td", b"\xff", b"\r", "好\u2028".encode()])
LINES = st.lists(LINE, max_size=12)


def aligned(old: list[bytes], new: list[bytes], folder: Path, *, ended: bool = True) -> list[Hunk]:
    for name, lines in (("old", old), ("new", new)):
        data = b"".join(line + b"\n" for line in lines)
        (folder / name).write_bytes(data if ended or data.endswith(b"\n\n") else data.removesuffix(b"\n"))
    return list(hunks(folder / "old", folder / "new"))


@pytest.mark.parametrize(("lines", "stretch", "block"), [(2_000_000, 50_000, 1 << 24), (9, 3, 4)])
@settings(max_examples=examples(25), deadline=None)
@given(old=LINES, new=LINES, same=LINES, ended=st.booleans())
def test_matches_and_hunks_give_both_files(
    lines: int, stretch: int, block: int, old: list[bytes], new: list[bytes], same: list[bytes], ended: bool
) -> None:
    old, new = [b"first", *same, *old, b"middle", *same], [*same, *new, b"middle", *same, b"last"]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_diff, "LINES_PER_PASS", lines)
        patch.setattr(line_diff, "STRETCH_LINES", stretch)
        patch.setattr(line_diff, "BLOCK_BYTES", block)
        diff = aligned(old, new, Path(folder), ended=ended)
    rebuilt, position = [], 0
    for hunk in diff:
        assert tuple(old[hunk.old_start : hunk.old_start + len(hunk.old)]) == hunk.old
        rebuilt += old[position : hunk.old_start]
        assert len(rebuilt) == hunk.new_start
        rebuilt += hunk.new
        position = hunk.old_start + len(hunk.old)
    assert rebuilt + old[position:] == new


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", []),
        ("abc", "axc", [(1, 1, "b", "x")]),
        ("abc", "abbc", [(2, 2, "", "b")]),
        ("aaaa", "aaa", [(3, 3, "a", "")]),
        ("abcde", "acde", [(1, 1, "b", "")]),
        ("", "ab", [(0, 0, "", "ab")]),
        ("ab", "", [(0, 0, "ab", "")]),
        ("abcd", "dabc", [(0, 0, "", "d"), (3, 4, "d", "")]),
    ],
)
def test_hunks_are_minimal(old: str, new: str, expected: list[tuple[int, int, str, str]], tmp_path: Path) -> None:
    diff = aligned([line.encode() for line in old], [line.encode() for line in new], tmp_path)
    shown = [
        (hunk.old_start, hunk.new_start, b"".join(hunk.old).decode(), b"".join(hunk.new).decode()) for hunk in diff
    ]
    assert shown == expected
