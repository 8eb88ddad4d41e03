"""The join finds every training dialogue that resembles an evaluation pair, and no other."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.exports import near_twins, twin_search
from chat_corpus.exports.dialogues import MESSAGE
from chat_corpus.exports.near_twins import find_twins, pair_texts
from chat_corpus.exports.signatures import LEVELS, signatures
from chat_corpus.exports.twin_index import EVALUATION, TwinIndex, build_index
from chat_corpus.exports.twin_search import find
from tests.conftest import examples

_HAN = "今天气怎么样很好不错啊我们去吃火锅你在哪里说得对那就算了谢"


def _bigrams(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)} or ({text} if text else set())


def _brute_force(evaluation: dict[str, str], texts: list[str]) -> list[tuple[int, str, float]]:
    """The most similar evaluation pair of each text that resembles one, by comparing all with all."""
    found = []
    others = {name: _bigrams(text) for name, text in evaluation.items()}
    for row, text in enumerate(texts):
        mine = _bigrams(text)
        scores = []
        for name, theirs in others.items():
            shared = len(mine & theirs)
            whole = len(mine) + len(theirs) - shared
            if whole and 5 * shared >= 4 * whole:
                scores.append((-shared / whole, name))
        if scores:
            score, name = min(scores)
            found.append((row, name, -score))
    return found


def _frame(evaluation: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame({"id": list(evaluation), "text": list(evaluation.values())}, EVALUATION)


def _changed(text: str, changes: int, rng: random.Random) -> str:
    """A text in which some characters were replaced, left out or repeated."""
    characters = list(text)
    for _ in range(changes):
        at = rng.randrange(len(characters))
        characters[at] = rng.choice(["", characters[at] * 2, rng.choice(_HAN)])
    return "".join(characters)


def test_3000_rows_with_planted_twins_give_what_brute_force_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twin_search, "BATCH_CHARACTERS", 9_000)
    monkeypatch.setattr(twin_search, "MAX_CANDIDATES", 50)
    rng = random.Random(20)

    def text() -> str:
        query, answer = ("".join(rng.choices(_HAN, k=rng.randint(1, 14))) for _ in range(2))
        return f"{query}\x1f{answer}"

    evaluation = {f"e-{number:03d}": text() for number in range(200)}
    planted = [_changed(rng.choice(list(evaluation.values())), rng.randint(0, 4), rng) for _ in range(600)]
    rows = [*planted, *(text() for _ in range(2400))]
    rng.shuffle(rows)
    expected = _brute_force(evaluation, rows)
    assert 200 < len(expected) < 600
    assert find(build_index(_frame(evaluation)), pl.Series(rows)).rows() == expected


def _numbered(rng: random.Random) -> str:
    number = rng.randrange(3000)
    return f"这是第{number}行的问题\x1f这是第{number}行的答案"


def _of_template(rng: random.Random) -> str:
    words = ["".join(rng.choices(_HAN, k=rng.randint(1, 3))) for _ in range(2)]
    return f"请问{words[0]}的天气在明天早上会怎么样\x1f您好{words[1]}的天气明天早上是晴天谢谢您的提问"


def _with_same_answer(rng: random.Random) -> str:
    return "".join(rng.choices(_HAN, k=rng.randint(3, 9))) + "\x1f" + _ANSWER[: rng.randint(35, 45)]


def _changed_slightly(rng: random.Random) -> str:
    return _changed(f"{_ANSWER}\x1f{_ANSWER[::-1]}", rng.randint(1, 6), rng)


def _long(rng: random.Random) -> str:
    page = "".join(chr(0x4E00 + number * 37 % 2000) for number in range(400))
    return f"{page[: rng.randint(200, 400)]}\x1f" + "".join(rng.choices(_HAN, k=rng.randint(1, 50)))


_ANSWER = "您好这里是客服中心请您留下订单号码我们会尽快为您查询物流信息并且回复谢谢您的支持祝您生活愉快再见"
_KINDS = {
    "numbered lines": _numbered,
    "one template": _of_template,
    "the same answer": _with_same_answer,
    "one text with changes": _changed_slightly,
    "long texts": _long,
}


@pytest.mark.parametrize("factor", [0, 16, 10**6], ids=["by bigrams", "by cost", "by size"])
@pytest.mark.parametrize("kind", _KINDS)
def test_texts_that_all_resemble_each_other_give_what_brute_force_gives(
    kind: str, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twin_search, "WORDS_OF_CANDIDATE", factor)
    monkeypatch.setattr(twin_search, "MAX_CANDIDATES", 300)
    rng = random.Random(len(kind))
    evaluation = {f"e-{number:03d}": _KINDS[kind](rng) for number in rng.sample(range(200), 60)}
    evaluation |= {f"f-{number}": _KINDS["numbered lines"](rng) for number in range(20)}
    texts = [_KINDS[kind](rng) for _ in range(200)]
    expected = _brute_force(evaluation, texts)
    assert len(expected) > 20
    assert find(build_index(_frame(evaluation)), pl.Series(texts)).rows() == expected


def test_few_pairs_are_compared_where_all_resemble_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    compared = []
    similarity = twin_search._similarity

    def counting(index: TwinIndex, texts: Any, rows: Any, pairs: Any) -> Any:
        compared.append(len(rows))
        return similarity(index, texts, rows, pairs)

    monkeypatch.setattr(twin_search, "_similarity", counting)
    for make in (_numbered, _of_template, _changed_slightly):
        evaluation = {f"e-{number:04d}": make(rng) for number in range(500)}
        texts = [make(rng) for _ in range(1000)]
        compared.clear()
        assert len(find(build_index(_frame(evaluation)), pl.Series(texts))) > 100
        assert sum(compared) < 20 * len(texts)  # of 500 * len(texts)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.sets(st.integers(0, 3000), max_size=60), min_size=2, max_size=5), st.integers(0, LEVELS - 1))
def test_signatures_differ_in_at_most_as_many_bits_as_sets_in_members(sets: list[set[int]], level: int) -> None:
    numbers = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    members = np.array([member for one in sets for member in sorted(one)], np.int64)
    made = signatures(numbers, members, len(sets), level)
    assert made.shape == (1 << level, len(sets))
    bits = np.bitwise_count(made[:, 0] ^ made[:, 1]).sum()
    different = len(sets[0] ^ sets[1])
    assert bits <= different
    assert (different - bits) % 2 == 0


_TEXTS = st.text(st.sampled_from("好在啊\x1f𠮷a\u0301\n"), max_size=9)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(_TEXTS, max_size=12), st.lists(_TEXTS, max_size=12))
def test_any_texts_give_what_brute_force_gives(pairs: list[str], texts: list[str]) -> None:
    evaluation = {f"e-{number}": text for number, text in enumerate(pairs)}
    index = build_index(_frame(evaluation))
    assert find(index, pl.Series(texts, dtype=pl.String)).rows() == _brute_force(evaluation, texts)
    assert build_index(_frame(evaluation).reverse()).encode() == index.encode()
    again = TwinIndex.decode(index.encode())
    assert find(again, pl.Series(texts, dtype=pl.String)).rows() == _brute_force(evaluation, texts)


def _messages(*dialogues: list[str]) -> pl.Series:
    roles = ("user", "assistant")
    rows = [[{"role": roles[at % 2], "content": text} for at, text in enumerate(one)] for one in dialogues]
    return pl.Series(rows, dtype=pl.List(MESSAGE))


def test_a_pair_is_an_exchange_in_canonical_form() -> None:
    found = pair_texts(_messages(["你好！！", "哈哈哈"], ["一", "二", "三", "四"]))
    assert found.rows() == [(0, "你好\x1f哈"), (1, "一\x1f二"), (1, "三\x1f四")]
    prompt = [{"role": "system", "content": "助手"}, *_messages(["一", "二"]).to_list()[0]]
    assert pair_texts(pl.Series([prompt], dtype=pl.List(MESSAGE))).rows() == [(0, "一\x1f二")]


def test_one_exchange_of_a_dialogue_is_enough() -> None:
    evaluation = {"weibo-1": "今天天气怎么样\x1f很好我们出去玩吧", "weibo-0": "今天天气怎么样\x1f很好我们出去玩吧"}
    dialogues = _messages(
        ["早上好", "早", "今天，天气怎么样？", "很好！我们出去玩"],
        ["早上好", "早", "今天去哪里", "很好！我们出去玩"],
    )
    found = find_twins(build_index(_frame(evaluation)), dialogues)
    assert found.select("row", "id").rows() == [(0, "weibo-0")]
    assert 0.8 <= found["similarity"][0] < 1


def test_several_indices_find_what_one_finds() -> None:
    evaluation = {
        f"e-{number}": f"你今天晚上想去哪里吃点啥呢{'啊呀'[number % 2]}\x1f火锅{number}" for number in range(6)
    }
    texts = pl.Series([f"你今天晚上想去哪里吃点啥呢\x1f火锅{number}" for number in range(4)])
    frame = _frame(evaluation)
    parts = [find(build_index(part), texts) for part in (frame[:2], frame[2:5], frame[5:])]
    whole = find(build_index(frame), texts)
    assert len(whole)
    assert near_twins.best_twins(parts).equals(whole)
