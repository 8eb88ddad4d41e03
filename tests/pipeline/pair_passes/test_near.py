"""Near duplicates: exactly the pairs of the definition, whatever the size of batches and files."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus.exports.splitting import canonical
from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.pair_passes import near, near_candidates, near_resolution, near_texts
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
    monkeypatch.setattr(near_candidates, "_COMPARED", 10)
    monkeypatch.setattr(near_candidates, "_YIELDED", 25)
    monkeypatch.setattr(near_resolution, "_FEW", 20)
    monkeypatch.setattr(near_resolution, "_FEW_OF_PAIR", 0)
    monkeypatch.setattr(near_resolution, "_VERIFIED", 7)
    monkeypatch.setattr(near, "_CHARACTERS", 2000)
    monkeypatch.setattr(near, "_BLOCK_CHARACTERS", 3000)
    monkeypatch.setattr(near_texts, "_COMPARED_BIGRAMS", 50)
    assert dropped(write(pairs, tmp_path, cuts=[5, 5, size // 2]), tmp_path, options) == expected


def test_long_texts_are_compared_with_those_at_the_border(tmp_path: Path) -> None:
    """Texts of about as many bigrams as `LONG` are entered in both ways, and texts that are much longer in one."""
    letters = [chr(code) for code in range(0x4E00, 0x4E00 + 400)]
    texts = ["".join(letters[:size]) for size in (24, 26, 28, 30, 31, 32, 33, 36, 40, 300, 330)]
    pairs = [(text, "好") for text in texts] + [("好", text) for text in texts]
    for least in ("0.5", "0.8", "0.9"):
        found = dropped(write(pairs, tmp_path), tmp_path, DedupOptions(exact="never", near=float(least)))
        assert found == brute_force(pairs, least)


_HAN = "今天气怎么样很好不错啊我们去吃火锅你在哪里说得对那就算了谢"
_ANSWER = "您好这里是客服中心请您留下订单号码我们会尽快为您查询物流信息并且回复谢谢您的支持祝您生活愉快再见"


def _words(random_: random.Random, most: int) -> str:
    return "".join(random_.choices(_HAN, k=random_.randint(1, most)))


def _numbered(random_: random.Random) -> Pair:
    number = random_.randrange(3000)
    return f"这是第{number}行的问题", f"这是第{number}行的答案"


def _of_template(random_: random.Random) -> Pair:
    return f"请问{_words(random_, 2)}明天早上会怎么样呢", f"您好{_words(random_, 2)}明天早上是晴天谢谢您的提问"


def _of_changed_text(random_: random.Random) -> Pair:
    return _changed_once(_ANSWER[:30], random_), _changed_once(_ANSWER[10:40], random_)


def _changed_once(text: str, random_: random.Random) -> str:
    at = random_.randrange(len(text))
    return text[:at] + random_.choice(_HAN) + text[at + random_.randrange(4) :]


def _with_same_answer(random_: random.Random) -> Pair:
    return _words(random_, 9), _ANSWER[: random_.randint(40, 45)]


def _with_same_query(random_: random.Random) -> Pair:
    return _ANSWER[: random_.randint(28, 45)], _words(random_, 9)


_KINDS = {
    "numbered lines": _numbered,
    "one template": _of_template,
    "one changed text": _of_changed_text,
    "the same answer": _with_same_answer,
    "the same query": _with_same_query,
}


@pytest.mark.parametrize("least", ["0.6", "0.8", "0.95"])
@pytest.mark.parametrize("kind", _KINDS)
def test_pairs_that_resemble_each_other_in_parts_give_those_of_the_definition(
    kind: str, least: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random_ = random.Random(len(kind))
    pairs = [_KINDS[kind](random_) for _ in range(300)]
    options, expected = DedupOptions(exact="never", near=float(least)), brute_force(pairs, least)
    assert dropped(write(pairs, tmp_path, cuts=[100]), tmp_path, options) == expected
    monkeypatch.setattr(near, "_CHARACTERS", 1000)
    monkeypatch.setattr(near, "_BLOCK_CHARACTERS", 2000)
    monkeypatch.setattr(near_resolution, "_FEW", 50)
    monkeypatch.setattr(near_resolution, "_FEW_OF_PAIR", 0)
    assert dropped(write(pairs, tmp_path, cuts=[100, 250]), tmp_path, options) == expected


@pytest.mark.parametrize("make", [_of_template, _with_same_answer, _with_same_query])
def test_few_of_the_pairs_of_one_template_are_compared(
    make: Callable[[random.Random], Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    similar = near_candidates._similar

    def counting(entries: Any, at: Any, others: Any, others_at: Any, least: Fraction) -> Any:
        compared.append(len(at))
        return similar(entries, at, others, others_at, least)

    monkeypatch.setattr(near_candidates, "_similar", counting)
    random_ = random.Random(7)
    pairs = [make(random_) for _ in range(1000)]
    dropped(write(pairs, tmp_path), tmp_path, DedupOptions(exact="never", near=0.8))
    assert sum(compared) < 60 * len(pairs)  # of 500 * len(pairs)


def _of_numbered_text(random_: random.Random) -> Pair:
    return f"{_ANSWER}{random_.randrange(10_000)}", _ANSWER


@pytest.mark.parametrize("make", slow_from(1, [_of_numbered_text, _of_changed_text]))
def test_pairs_that_resemble_nearly_all_others_are_compared_with_few(
    make: Callable[[random.Random], Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    similarities = near_texts.Texts.similarities

    def counting(self: Any, rows: Any, others: Any, least: Fraction) -> Any:
        verified.append(len(rows))
        return similarities(self, rows, others, least)

    monkeypatch.setattr(near_texts.Texts, "similarities", counting)
    random_ = random.Random(7)
    pairs = [make(random_) for _ in range(2000)]
    assert len(dropped(write(pairs, tmp_path), tmp_path, DedupOptions(exact="never", near=0.8))) > 1700
    assert sum(verified) < 20 * len(pairs)  # of 1000 * len(pairs)


def test_no_file_is_left(tmp_path: Path) -> None:
    facts, work = tmp_path / "facts", tmp_path / "work"
    facts.mkdir()
    work.mkdir()
    assert dropped(write(invented(100, 1), facts), work, DedupOptions(exact="never", near=0.8))
    assert list(work.iterdir()) == []
