"""Near duplicates: exactly the pairs of the definition, whatever the size of batches and files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.exports.splitting import canonical
from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.pair_passes import disk_buckets, near, near_candidates
from tests.conftest import slow_from
from tests.pipeline.pair_passes.made import Pair, dropped, invented, write


def bigrams(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)} or {text}


def brute_force(pairs: list[Pair], least: str) -> list[tuple[int, str, int]]:
    """The definition: in order, a pair that resembles an earlier one that stays, and the earliest of these."""
    threshold = Fraction(least)
    sides = [
        [bigrams(text) for text in canonical(pl.Series([pair[side] for pair in pairs], dtype=pl.String))]
        for side in (0, 1)
    ]

    def resemble(one: int, other: int) -> bool:
        return all(Fraction(len(side[one] & side[other]), len(side[one] | side[other])) >= threshold for side in sides)

    stays: list[int] = []
    found = []
    for row in range(len(pairs)):
        first = next((other for other in stays if resemble(row, other)), None)
        if first is None:
            stays.append(row)
        else:
            found.append((row, "near_duplicate", first))
    return found


@pytest.mark.parametrize(
    ("size", "least"), slow_from(1, [(300, "0.8"), (3000, "0.8"), (3000, "0.6"), (3000, "0.5"), (1500, "1")])
)
def test_near_duplicates_are_those_of_the_definition(
    size: int, least: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = invented(size, seed=size)
    expected = brute_force(pairs, least)
    assert len(expected) > size / 100
    options = DedupOptions(exact="never", near=float(least))
    assert dropped(write(pairs, tmp_path, cuts=[size // 3]), tmp_path, options) == expected
    monkeypatch.setattr(disk_buckets, "MOST_ROWS", 40)
    monkeypatch.setattr(near_candidates, "_CANDIDATES", 10)
    monkeypatch.setattr(near, "_CANDIDATES", 7)
    monkeypatch.setattr(near, "_CHARACTERS", 2000)
    monkeypatch.setattr(near, "_COMPARED_BIGRAMS", 50)
    assert dropped(write(pairs, tmp_path, cuts=[5, 5, size // 2]), tmp_path, options) == expected


def test_long_texts_are_compared_with_those_at_the_border(tmp_path: Path) -> None:
    """Texts of about as many bigrams as `LONG` are entered in both ways, and texts that are much longer in one."""
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 400)]
    texts = ["".join(letters[:size]) for size in (24, 26, 28, 30, 31, 32, 33, 36, 40, 300, 330)]
    pairs = [(text, "好") for text in texts] + [("好", text) for text in texts]
    for least in ("0.5", "0.8", "0.9"):
        found = dropped(write(pairs, tmp_path), tmp_path, DedupOptions(exact="never", near=float(least)))
        assert found == brute_force(pairs, least)


def test_no_file_is_left(tmp_path: Path) -> None:
    facts, work = tmp_path / "facts", tmp_path / "work"
    facts.mkdir()
    work.mkdir()
    assert dropped(write(invented(100, 1), facts), work, DedupOptions(exact="never", near=0.8))
    assert list(work.iterdir()) == []
