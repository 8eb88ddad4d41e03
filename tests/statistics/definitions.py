"""The definitions of the statistics in plain Python, to compare with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from chat_corpus.exports import special_tokens
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics.characters import class_of
from chat_corpus.statistics.marks import URL
from chat_corpus.statistics.schema import Distribution, Statistics
from chat_corpus.statistics.texts import written

Pairs = list[tuple[str, str]]


def pairs_of(tsv: Path) -> Pairs:
    """The texts of a TSV file."""
    lines = tsv.read_bytes().decode().split("\n")[:-1]
    return [
        (query.replace(r"\n", "\n"), answer.replace(r"\n", "\n")) for query, answer in (x.split("\t") for x in lines)
    ]


def check_distribution(found: Distribution, numbers: Iterable[int]) -> None:
    """Compare a distribution with the numbers that it is of."""
    values = sorted(numbers)
    assert (found.count, found.sum) == (len(values), sum(values))
    if not values:
        assert (found.mean, found.min, found.p50, found.max, found.bins) == (None, None, None, None, ())
        return
    assert found.mean == round(sum(values) / len(values), 2)
    assert (found.min, found.max) == (values[0], values[-1])
    for share in (5, 25, 50, 75, 95, 99):
        assert getattr(found, f"p{share}") == values[-(-len(values) * share // 100) - 1]
    for item in found.bins:
        assert item.count == sum(item.first <= value <= item.last for value in values)
    assert sum(item.count for item in found.bins) == len(values)
    assert all(before.last + 1 == after.first for before, after in zip(found.bins, found.bins[1:], strict=False))


def check_lengths(found: Statistics, pairs: Pairs) -> None:
    """Compare the lengths of queries and answers with the pairs that they are of."""
    check_distribution(found.query_chars, (len(query) for query, _ in pairs))
    check_distribution(found.answer_chars, (len(answer) for _, answer in pairs))


def check_texts(found: Statistics, texts: Sequence[str]) -> None:
    """Compare the characters and marks of texts with the texts as a TSV file has them."""
    texts = written(pl.Series(texts, dtype=pl.String)).to_list()
    characters = Counter("".join(texts))
    classes: Counter[str] = Counter()
    for character, count in characters.items():
        classes[class_of(character)] += count
    assert (found.characters.total, found.characters.distinct) == (characters.total(), len(characters))
    assert found.characters.distinct_han == sum(class_of(character) == "han" for character in characters)
    assert +Counter(found.characters.classes) == classes
    kinds: Counter[str] = Counter()
    for text in texts:
        personal.mask_text(text, kinds)
    assert +Counter(found.personal) == kinds
    assert found.urls == sum(len(URL.findall(text)) for text in texts)
    assert found.special_tokens == sum(len(re.findall(special_tokens.PATTERN, text)) for text in texts)
