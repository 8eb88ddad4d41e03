"""Random lines of files: each has its chance, the same seed gives the same, and only what is shown is read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from chat_corpus.outputs import sampling
from chat_corpus.outputs.sampling import count_lines, draw, draw_lines, read_lines


@pytest.mark.parametrize(("total", "count"), [(0, 5), (3, 5), (30, 5), (45, 5), (10**12, 5)])
def test_numbers_are_distinct_and_below_the_total(total: int, count: int) -> None:
    numbers = draw(total, count, "seed")
    assert len(numbers) == len(set(numbers)) == min(total, count)
    assert all(0 <= number < total for number in numbers)
    assert numbers == draw(total, count, "seed")


@pytest.mark.parametrize("total", [30, 60])
def test_each_number_has_the_same_chance(total: int) -> None:
    drawn = Counter(number for seed in range(600) for number in draw(total, 5, seed))
    assert set(drawn) == set(range(total))
    assert max(drawn.values()) < 2 * 600 * 5 / total


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 20])
def test_lines_are_found_by_number_and_content_at_any_size_of_block(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "BLOCK", block)
    lines = [f"{number} {'好' * (number % 5)}{' x' if number % 3 == 0 else ''}".encode() for number in range(40)]
    path = tmp_path / "lines"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    marks, total = count_lines(path)
    assert total == 40
    assert read_lines(path, marks, [39, 0, 17, 40]) == {0: lines[0], 17: lines[17], 39: lines[39]}
    marks, total = count_lines(path, b" x")
    assert total == 14
    assert read_lines(path, marks, [13, 2], b" x") == {2: lines[6], 13: lines[39]}


def test_lines_of_a_large_file_are_drawn_without_reading_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_SMALL", 100)
    path = tmp_path / "lines"
    lines = [f"{number}{'.' * (number * number * 7919 // 64 % 90)}".encode() for number in range(2000)]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    drawn = [line for seed in range(100) for line in draw_lines(path, 10, seed)]
    assert set(drawn) <= set(lines)
    lengths = [len(line) for line in drawn]
    mean = sum(map(len, lines)) / len(lines)
    assert abs(sum(lengths) / len(lengths) - mean) < 3  # long lines have no better chance
    assert draw_lines(path, 10, 1) == draw_lines(path, 10, 1) != draw_lines(path, 10, 2)


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert draw_lines(path, 3) == []
    assert count_lines(path) == ([], 0)
