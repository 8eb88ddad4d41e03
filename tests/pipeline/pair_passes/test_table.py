"""Passes over all pairs: what each drops and leaves, in which order, and in whatever shards the pairs are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.schema import Reason
from chat_corpus.sources.corpora import ptt, qingyun
from tests.conftest import examples
from tests.pipeline.pair_passes.made import NONE, Pair, dropped, invented, write

#: Settings, pairs, and what is dropped: row, reason, and the row that it repeats.
CASES: dict[str, tuple[DedupOptions, list[Pair], list[tuple[int, str, int]]]] = {
    "nothing": (NONE, [("a", "b"), ("a", "b")], []),
    "exact": (
        DedupOptions(exact="always"),
        [("吃了吗", "吃了"), ("吃了吗", "没"), ("吃了吗", "吃了"), ("吃了吗？", "吃了")],
        [(2, "duplicate", 0)],
    ),
    "near: both sides": (
        DedupOptions(exact="never", near=0.5),
        [("今天天气真好", "是啊我们出门吧"), ("今天天气真好呀", "是啊我们出门吧!"), ("今天天气真好", "不想动只想睡觉")],
        [(1, "near_duplicate", 0)],
    ),
    "near: not by the whole": (
        DedupOptions(exact="never", near=0.8),
        [("在吗", "今天天气真好啊我们一起出门去吃火锅吧"), ("走了", "今天天气真好啊我们一起出门去吃火锅吧")],
        [],
    ),
    "near: the same in canonical form": (
        DedupOptions(exact="never", near=1.0),
        [("哈哈哈", "OK！"), ("哈哈哈哈", "ok"), ("哈哈", "no")],
        [(1, "near_duplicate", 0)],
    ),
    "near: not chained": (
        DedupOptions(exact="never", near=0.6),
        [("甲乙丙丁戊己", "好"), ("乙丙丁戊己庚", "好"), ("丙丁戊己庚辛", "好")],
        [(1, "near_duplicate", 0)],
    ),
    "answers per query": (
        DedupOptions(exact="never", answers_per_query=2),
        [("什么", "甲"), ("什么", "乙"), ("没", "甲"), ("什么", "丙"), ("什么", "甲"), ("没", "乙")],
        [(3, "answers_per_query", 0), (4, "answers_per_query", 0)],
    ),
    "queries per answer": (
        DedupOptions(exact="never", queries_per_answer=1),
        [("甲", "嗯"), ("乙", "嗯"), ("乙", "嗯嗯")],
        [(1, "queries_per_answer", 0)],
    ),
    "a dropped pair does not count": (
        DedupOptions(exact="always", answers_per_query=2),
        [("什么", "甲"), ("什么", "甲"), ("什么", "乙"), ("什么", "丙")],
        [(1, "duplicate", 0), (3, "answers_per_query", 0)],
    ),
    "the first pass gives the reason": (
        DedupOptions(exact="always", near=0.8, answers_per_query=1, queries_per_answer=1),
        [("你好啊", "嗯"), ("你好啊", "嗯"), ("你好啊！", "嗯。"), ("你好啊", "不")],
        [(1, "duplicate", 0), (2, "near_duplicate", 0), (3, "answers_per_query", 0)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_pass_drops_what_it_names_and_nothing_else(name: str, tmp_path: Path) -> None:
    options, pairs, expected = CASES[name]
    assert dropped(write(pairs, tmp_path), tmp_path, options) == expected
    assert dropped(write(pairs, tmp_path, cuts=[1, 1, 2]), tmp_path, options) == expected


def test_a_dialogue_with_the_same_pairs_in_the_same_order_is_dropped_whole(tmp_path: Path) -> None:
    one, two = [("甲", "乙"), ("乙", "丙")], [("乙", "丙"), ("甲", "乙")]
    pairs = [*one, *two, *one, ("甲", "乙"), *one]
    parts = write(pairs, tmp_path, cuts=[4], dialogues=[0, 0, 1, 1, 2, 2, 3, 4, 4])
    found = dropped(parts, tmp_path, DedupOptions(exact="never", dialogues=True))
    assert found == [(row, "duplicate_dialogue", first) for row, first in ((4, 0), (5, 1), (7, 0), (8, 1))]
    found = dropped(parts, tmp_path, DedupOptions(exact="always", dialogues=True))
    assert [row for row, reason, _ in found if reason == "duplicate"] == [2, 3, 6]


@settings(max_examples=examples(2), deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=4).map(sorted), seed=st.integers(0, 9))
def test_the_result_does_not_depend_on_shards(
    cuts: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pairs = invented(50, seed) + invented(10, seed)
    options = DedupOptions(exact="always", dialogues=True, near=0.6, answers_per_query=2, queries_per_answer=2)
    one, other = (tmp_path_factory.mktemp("parts") for _ in range(2))
    expected = dropped(write(pairs, one), one, options)
    assert dropped(write(pairs, other, cuts=cuts), other, options) == expected
    assert {reason for _, reason, _ in expected} >= {"duplicate_dialogue", "near_duplicate"}


def test_a_plain_run_has_no_pass_but_for_releases_that_overlap() -> None:
    assert table.enabled(SourceSettings(), qingyun.SOURCE) == ()
    assert [each.name for each in table.enabled(SourceSettings(), ptt.SOURCE)] == ["dedup.exact"]
    assert table.needed_facts(()) == ()


def test_each_pass_has_a_reason_and_each_reason_of_a_pass_is_counted_once() -> None:
    reasons = [each.reason for each in table.PASSES]
    assert len({*reasons}) == len(reasons)
    assert reasons[1] is Reason.DUPLICATE
