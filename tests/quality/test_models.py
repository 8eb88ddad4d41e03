"""The models of the comparison: probabilities that sum to one, figures by hand, and intervals that mean something."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks.quality import figures, intervals, ngram, selection, tfidf, tokens
from benchmarks.quality.pairs import characters, draw
from tests.quality.made import frame, grammar, noise


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", ["", "甲乙", "乙丙", "丁"], ids=["beginning", "seen", "rare", "unseen"])
def test_the_probabilities_of_all_characters_sum_to_one(order: int, context: str) -> None:
    model = ngram.train(frame([("甲乙丙", "乙甲"), ("甲乙", "丙"), ("乙乙甲丙", "甲乙丙")]), order)

    def probability(character: str) -> float:
        bits, _ = model.bits_of_characters(frame([(context + character, "")]))
        return float(2 ** -bits[len(context)])

    seen = ["甲", "乙", "丙", ngram.BETWEEN, ngram.END]
    unseen = (ngram.ALPHABET - len(seen)) * probability("戊")
    assert sum(map(probability, seen)) + unseen == pytest.approx(1, rel=1e-9)


def test_a_model_knows_its_own_language_better_than_noise_and_more_data_help() -> None:
    held_out = frame(grammar(50, 9))
    size = int(characters(held_out).sum())
    small, large, other = (
        ngram.train(frame(pairs)).bits(held_out).sum() / size
        for pairs in (grammar(50, 1), grammar(400, 1), noise(400, 1))
    )
    assert large < small - 0.2
    assert small < other - 1


def test_the_bits_of_a_pair_do_not_depend_on_its_neighbours() -> None:
    model = ngram.train(frame(grammar(60, 1)))
    pairs = grammar(20, 2)
    together = model.bits(frame(pairs))
    alone = [float(model.bits(frame([pair]))[0]) for pair in pairs]
    assert together == pytest.approx(alone)


def test_equal_scores_share_their_ranks() -> None:
    scores = np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    figure = selection.figures(scores)
    assert figure["R@1"] == pytest.approx([1, 0, 0.5, 0.25])
    assert figure["R@5"] == pytest.approx([1, 1, 1, 1])
    assert figure["MRR"] == pytest.approx([1, (1 / 3 + 1 / 4) / 2, 0.75, (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4])


def test_candidates_are_the_true_answer_and_others_of_its_source_each_once() -> None:
    held_out = pl.concat([frame(grammar(40, 1), "one"), frame(grammar(40, 2), "two"), frame([("问", "答")] * 3, "few")])
    chosen = selection.candidates(held_out, 10, 0)
    answers, sources = held_out["answer"].to_numpy(), held_out["source"].to_numpy()
    assert chosen[:, 0].tolist() == list(range(len(held_out)))
    assert all(len(set(answers[row])) == 10 for row in chosen)
    assert all(set(sources[row]) == {sources[row[0]]} for row in chosen[:80])
    assert np.array_equal(chosen, selection.candidates(held_out, 10, 0))
    assert not np.array_equal(chosen, selection.candidates(held_out, 10, 1))


def test_retrieval_answers_like_similar_queries() -> None:
    memory = tfidf.train(frame([("今天吃火锅吗", "毛肚先下"), ("猫又跑了", "抓回来"), ("作业写完没", "早写完了")] * 3))
    held_out = frame([("晚上吃火锅吗", "毛肚多点"), ("猫跑哪里了", "快抓回来呀"), ("你的作业呢", "写完了")])
    scores = memory.scores(held_out, np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1]]))
    assert scores.argmax(axis=1).tolist() == [0, 0, 0]


def test_unknown_characters_are_spelt_in_bytes() -> None:
    shared = tokens.vocabulary([frame([("甲甲乙", "甲")]), frame([("丙" * 100, "丙")])])
    assert shared.characters == ("丙", "甲", "乙")
    (encoded,) = shared.encode(frame([("甲丁", "a")]))
    first = shared.size - 3
    assert encoded == [
        tokens.BEGIN,
        first + 1,
        *(3 + byte for byte in "丁".encode()),
        tokens.BETWEEN,
        3 + 97,
        tokens.END,
    ]


def test_a_draw_is_the_same_for_the_same_seed_and_alike_in_two_inputs() -> None:
    pairs = frame(grammar(300, 1))
    budget = 2_000
    drawn, rows, total = draw(iter([pairs[:100], pairs[100:]]), budget, 0)
    assert (rows, total) == (300, characters(pairs).sum())
    assert budget <= characters(drawn).sum() < budget + 60
    assert drawn.equals(draw(iter([pairs]), budget, 0)[0])
    assert not drawn.equals(draw(iter([pairs]), budget, 1)[0])
    first, _, _ = draw(iter([pairs]), budget, None)
    assert first.equals(pairs.head(len(first)))
    assert budget <= characters(first).sum() < budget + 60
    half = pairs.filter(pl.int_range(pl.len()) % 2 == 0)
    ordered = [address for address in drawn["address"] if address in set(half["address"])]
    assert draw(iter([half]), budget, 0)[0]["address"].to_list()[: len(ordered)] == ordered


def test_intervals_hold_the_truth_and_equal_inputs_do_not_differ() -> None:
    random = np.random.default_rng(5)
    held_out = frame(grammar(150, 1))
    easy = random.normal(5.0, 1.0, (3, 150))
    amounts = {"ngram": {"a": easy, "b": easy.copy(), "c": easy + 0.5}}
    drawn = intervals.resample(held_out, 3)
    rows = figures.figures(amounts, ["a", "b", "c"], held_out, drawn)
    same, worse = (row.difference for row in rows[1:])
    assert same == intervals.Interval(value=0, low=0, high=0)
    scale = 150 / int(characters(held_out).sum())
    assert worse
    assert worse.value == pytest.approx(0.5 * scale)
    assert worse.low <= worse.value <= worse.high
    assert rows[0].value.low < 5 * scale < rows[0].value.high
    assert [row.input for row in figures.worse(rows, 0.01)] == ["c"]
    assert figures.worse(rows, 0.5) == []
