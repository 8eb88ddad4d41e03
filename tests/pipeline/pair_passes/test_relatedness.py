"""Relatedness: the score of the definition, and the pairs with the lowest of them."""

from __future__ import annotations

from collections import Counter
from math import isnan, log
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.exports.splitting import canonical
from chat_corpus.pipeline.pair_passes import relatedness
from chat_corpus.pipeline.pair_passes.options import RelatednessOptions
from tests.conftest import slow_from
from tests.pipeline.pair_passes.made import NONE, Pair, dropped, invented, write

#: 啊 to 座, the characters of GB 2312 in the order of their sounds.
LEVEL_1 = {
    character
    for character in map(chr, range(0x4E00, 0x9FA6))
    if "啊".encode("gb2312") <= character.encode("gb2312", "ignore") <= "座".encode("gb2312")
}


def characters(texts: list[str]) -> list[set[str]]:
    return [set(text[:64]) & LEVEL_1 for text in canonical(pl.Series(texts, dtype=pl.String))]


def definition(pairs: list[Pair]) -> list[float]:
    """The mean over c in the query and d in the answer of ln((n(c, d) + 1) / (n(c) n(d) / N + 1)) of other pairs."""
    both = list(zip(*(characters([pair[side] for pair in pairs]) for side in (0, 1)), strict=True))
    scored = [(query, answer) for query, answer in both if query and answer]
    of_query = Counter(c for query, _ in scored for c in query)
    of_answer = Counter(d for _, answer in scored for d in answer)
    together = Counter((c, d) for query, answer in scored for c in query for d in answer)
    others = max(len(scored) - 1, 1)

    def pmi(c: str, d: str) -> float:
        return log(together[c, d] / ((of_query[c] - 1) * (of_answer[d] - 1) / others + 1))

    return [
        sum(pmi(c, d) for c in query for d in answer) / (len(query) * len(answer)) if query and answer else float("nan")
        for query, answer in both
    ]


@pytest.mark.parametrize("size", slow_from(1, [300, 3000]))
def test_scores_are_those_of_the_definition(size: int, tmp_path: Path) -> None:
    pairs = [*invented(size, seed=3), ("在吗在吗", "OK"), ("!", "好"), ("天气" * 50 + "饭", "好")]
    parts = write(pairs, tmp_path, cuts=[10, 10, size // 2])
    dropped(parts, tmp_path, NONE, RelatednessOptions(column=True))
    scores = relatedness.read_scores(tmp_path, 0, len(pairs)).to_list()
    for score, expected in zip(scores, definition(pairs), strict=True):
        assert (score is None) == isnan(expected)
        assert score is None or abs(score - expected) < 1e-4
    assert scores[-2] is scores[-3] is None


def test_the_lowest_share_of_the_scored_pairs_is_dropped_and_of_equal_ones_the_later(tmp_path: Path) -> None:
    pairs = [("今天下雨", "带伞"), ("今天下雨", "带伞"), ("周末", "OK"), ("猫咪", "带伞"), ("猫咪", "带伞")]
    parts = write(pairs, tmp_path)
    assert dropped(parts, tmp_path, NONE, RelatednessOptions(drop_lowest=0.25)) == [(4, "unrelated", None)]
    assert [row for row, _, _ in dropped(parts, tmp_path, NONE, RelatednessOptions(drop_lowest=0.5))] == [3, 4]


@pytest.mark.slow
def test_pairs_below_a_value_are_dropped_and_those_without_a_score_stay(tmp_path: Path) -> None:
    pairs = [*invented(100, seed=1), ("好", "OK")]
    parts = write(pairs, tmp_path)
    below = [row for row, score in enumerate(definition(pairs)) if score < 0]
    found = dropped(parts, tmp_path, NONE, RelatednessOptions(min=0))
    assert [row for row, _, _ in found] == below
    assert 0 < len(below) < 100


@pytest.mark.slow
def test_counts_of_shards_add_up_in_any_order(tmp_path: Path) -> None:
    pairs = invented(200, seed=2)
    (whole,) = write(pairs, tmp_path)
    expected = relatedness.pmi_table([whole["characters"]])
    parts = [part["characters"] for part in write(pairs, tmp_path, cuts=[1, 70, 150])]
    assert (relatedness.pmi_table(parts[::-1]) == expected).all()


def test_the_characters_are_the_3755_of_level_1() -> None:
    pairs = pl.Series(["啊座" + "一丐Aａ7🙂𠮷"])
    counts = relatedness.count_characters(pairs, pairs)
    assert relatedness.SIZE == 3755
    assert len(counts) == 3 * 3 + 3 + 3 + 1  # 丐 and the others have no number
