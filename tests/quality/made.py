"""Invented pairs: a small grammar of questions with answers that fit them, and noise."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl

from benchmarks.quality.pairs import PAIRS
from tests.helpers import put

_TOPICS = {
    "火锅": ("先下毛肚", "汤要多放辣"),
    "猫": ("它又上桌了", "喂两勺就好"),
    "地铁": ("早高峰挤不上", "换二号线更快"),
    "下雨": ("记得带伞", "衣服还没收"),
    "电影": ("结尾没看懂", "配乐很好听"),
    "作业": ("明天再交", "第三题不会"),
}
_OPENINGS = ("今天说说", "你觉得", "聊聊", "昨天的", "为什么总是", "谁懂")
_ENDINGS = ("怎么样", "好不好", "呢", "吧", "啊", "有意思吗")


def grammar(rows: int, seed: int) -> list[tuple[str, str]]:
    """Questions with answers to their topic."""
    draw = random.Random(seed)
    topics = [draw.choice(list(_TOPICS)) for _ in range(rows)]
    return [
        (
            f"{draw.choice(_OPENINGS)}{topic}{draw.choice(_ENDINGS)}{draw.randrange(1000)}",
            f"{draw.choice(_TOPICS[topic])}{draw.randrange(1000)}",
        )
        for topic in topics
    ]


def noise(rows: int, seed: int) -> list[tuple[str, str]]:
    """Characters of the grammar in no order."""
    draw = random.Random(seed)
    letters = "".join(query + answer for query, answer in grammar(50, seed))
    return [tuple("".join(draw.choices(letters, k=9)) for _ in range(2)) for _ in range(rows)]  # type: ignore[misc]


def frame(pairs: list[tuple[str, str]], source: str = "made") -> pl.DataFrame:
    """Pairs as the frame of one source."""
    rows = [(source, *pair, f"{source}.tsv:{number}") for number, pair in enumerate(pairs, 1)]
    return pl.DataFrame(rows, PAIRS, orient="row")


def folder(path: Path, **sources: list[tuple[str, str]]) -> Path:
    """A folder with a TSV a source."""
    return put(path, {f"{name}.tsv": "".join(f"{q}\t{a}\n" for q, a in pairs) for name, pairs in sources.items()})
