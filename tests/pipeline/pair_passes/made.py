"""Pairs in shards, and what passes over all of them drop."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.pair_passes import facts, table
from chat_corpus.pipeline.pair_passes.options import RelatednessOptions
from chat_corpus.pipeline.pair_passes.pass_input import PairFacts
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.sources.corpora.qingyun import SOURCE

Pair = tuple[str, str]
#: Settings that switch no pass on.
NONE = DedupOptions(exact="never")

_WORDS = (
    "今天",
    "天气",
    "真的",
    "很好",
    "我们",
    "一起",
    "去吃",
    "火锅",
    "你说",
    "什么",
    "电影",
    "好看",
    "不想",
    "上班",
)
_MORE_WORDS = ("睡觉", "老板", "加班", "周末", "在家", "打游戏", "昨天", "下雨", "出门", "带伞", "猫咪", "可爱")


def write(
    pairs: Sequence[Pair], folder: Path, cuts: Sequence[int] = (), dialogues: Sequence[int] = ()
) -> list[PairFacts]:
    """The facts of pairs in shards that are cut before these pairs; `dialogues` has the dialogue of each pair."""
    limits = [0, *cuts, len(pairs)]
    numbers = list(dialogues) or list(range(len(pairs)))
    parts: list[PairFacts] = []
    for shard, (begin, end) in enumerate(pairwise(limits)):
        rows = pl.DataFrame(pairs[begin:end], {"query": pl.String, "answer": pl.String}, orient="row").with_columns(
            query_file_index=pl.lit(0, pl.UInt8), query_record=pl.int_range(begin + 1, end + 1, dtype=pl.UInt32)
        )
        written = facts.ShardPairs(
            pairs=rows,
            dialogue=pl.Series(numbers[begin:end], dtype=pl.UInt32),
            files=["甲.txt"],
            begins=pl.int_range(len(rows), eager=True),
            ignoring="nothing",
        )
        parts.append(written.leave(folder, shard, tuple(facts.FACTS)))
    return parts


def dropped(
    parts: Sequence[PairFacts], work: Path, dedup: DedupOptions = NONE, relatedness: RelatednessOptions | None = None
) -> list[tuple[int, str, int | None]]:
    """Row, reason and repeated row of the pairs that the settings drop."""
    settings = SourceSettings(dedup=dedup, relatedness=relatedness or RelatednessOptions())
    passes = tuple(each for each in table.PASSES if each.is_on(settings, SOURCE))
    result = table.find_dropped(passes, parts, settings, work)
    return [(row, str(passes[number].reason), first) for row, first, _, number in result.rows.iter_rows()]


def invented(number: int, seed: int) -> list[Pair]:
    """Invented pairs, a fifth of which differ by a character or two from another one."""
    random_ = random.Random(seed)
    pairs = [(_sentence(random_), _sentence(random_)) for _ in range(number * 4 // 5)]
    while len(pairs) < number:
        query, answer = random_.choice(pairs)
        pairs.append((_changed(query, random_), _changed(answer, random_)))
    random_.shuffle(pairs)
    return pairs


def _sentence(random_: random.Random) -> str:
    return "".join(random_.choices(_WORDS + _MORE_WORDS, k=random_.choice((1, 2, 3, 4, 6, 9, 24))))


def _changed(text: str, random_: random.Random) -> str:
    characters = list(text)
    for _ in range(random_.choice((0, 1, 1, 2))):
        at = random_.randrange(len(characters))
        characters[at : at + random_.randrange(2)] = random_.choice("了吗呢。!Ａa哈")
    return "".join(characters)
