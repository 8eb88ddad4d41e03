"""Full statistics: counts that need keys of pairs, or a second pass over the texts, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import polars as pl

from chat_corpus.statistics.character_pairs import count_characters, count_distinct_pairs, no_characters, used
from chat_corpus.statistics.characters import CharacterClass, class_of
from chat_corpus.statistics.distribution import distribution
from chat_corpus.statistics.pair_keys import Kind, PairKeys, shared
from chat_corpus.statistics.repetition import Repetition
from chat_corpus.statistics.schema import (
    FULL_STATISTICS_VERSION,
    DistinctShare,
    FrequentText,
    FullStatistics,
    Overlap,
    RareCharacter,
    SourceRepetition,
    TextStatistics,
)

#: A function that yields the pairs of a source, `query, answer`, in frames of some megabytes. The order is always the
#: same.
Pairs = Callable[[], Iterable[pl.DataFrame]]
_SIDES = ("query", "answer")
_CANONICAL = (Kind.CANONICAL_PAIR, Kind.CANONICAL_QUERY)
#: Number of the rarest characters in the result.
_SHOWN = 30


@dataclass(kw_only=True, slots=True)
class _Source:
    """The counts of a source so far."""

    pairs: Pairs
    rows: int = 0
    distinct: int = 0
    canonical: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(_CANONICAL, 0))
    sides: dict[str, Repetition] = field(default_factory=lambda: {side: Repetition() for side in _SIDES})
    characters: dict[str, dict[int, int]] = field(default_factory=dict)


def full_statistics_of(sources: Mapping[str, Pairs], pairs: int, scratch: Path) -> FullStatistics:
    """Return the full statistics of the pairs of sources.

    `pairs` is the approximate number of all pairs. Keys are written to files in `scratch`, which must be an empty
    folder. Raises OSError, and the exceptions that the functions of `sources` raise.
    """
    keys = PairKeys(scratch, pairs)
    counted = {name: _Source(pairs=sources[name]) for name in sorted(sources)}
    for number, source in enumerate(counted.values()):
        _read(source, number, keys)
    overlap = _count(list(counted.values()), keys)
    names = list(counted)
    return FullStatistics(
        version=FULL_STATISTICS_VERSION,
        sources={name: _described(source) for name, source in counted.items()},
        overlap=tuple(
            Overlap(
                first=names[first],
                second=names[second],
                pairs=overlap[Kind.CANONICAL_PAIR].get((first, second), 0),
                queries=overlap[Kind.CANONICAL_QUERY].get((first, second), 0),
            )
            for first, second in combinations(range(len(names)), 2)
        ),
    )


def _read(source: _Source, number: int, keys: PairKeys) -> None:
    """Read the pairs of a source once: store their keys in files, and count their characters."""
    counts = {side: no_characters() for side in _SIDES}
    for frame in source.pairs():
        keys.add(number, frame, source.rows)
        source.rows += len(frame)
        for side in _SIDES:
            count_characters(frame[side], counts[side])
    source.characters = {side: used(counts[side]) for side in _SIDES}


def _count(sources: list[_Source], keys: PairKeys) -> dict[Kind, dict[tuple[int, int], int]]:
    """Count the keys of all sources. Return the number of canonical keys that each pair of sources shares, by kind."""
    overlap: dict[Kind, dict[tuple[int, int], int]] = {kind: {} for kind in _CANONICAL}
    for bucket in range(keys.buckets):
        for number, source in enumerate(sources):
            source.sides["query"].add(keys.read(number, Kind.QUERY, bucket))
            source.sides["answer"].add(keys.read(number, Kind.ANSWER, bucket))
            source.distinct += len(keys.read(number, Kind.PAIR, bucket))
        for kind in _CANONICAL:
            found = [keys.read(number, kind, bucket) for number in range(len(sources))]
            for source, frame in zip(sources, found, strict=True):
                source.canonical[kind] += len(frame)
            if len(found) > 1:
                for first, second, count in shared(found).iter_rows():
                    overlap[kind][first, second] = overlap[kind].get((first, second), 0) + count
    return overlap


def _described(source: _Source) -> SourceRepetition:
    texts = _texts(source)
    queries, answers = (_side(source, side, texts[side]) for side in _SIDES)
    return SourceRepetition(
        pairs=_share(source.distinct, source.rows),
        queries=queries,
        answers=answers,
        answers_per_query=distribution(source.sides["query"].pairs_per_text),
        canonical_pairs=source.canonical[Kind.CANONICAL_PAIR],
        canonical_queries=source.canonical[Kind.CANONICAL_QUERY],
        rarest_han=_rarest_han(Counter(source.characters["query"]) + Counter(source.characters["answer"])),
    )


def _texts(source: _Source) -> dict[str, dict[int, str]]:
    """Return the most frequent texts of each side, by the number of the first pair with the text."""
    wanted = {side: source.sides[side].frequent["row"].sort() for side in _SIDES}
    texts: dict[str, dict[int, str]] = {side: {} for side in _SIDES}
    begin = 0
    for frame in source.pairs():
        for side, rows in wanted.items():
            own = rows.filter((rows >= begin) & (rows < begin + len(frame)))
            texts[side].update(zip(own.to_list(), frame[side].gather(own - begin).to_list(), strict=True))
        begin += len(frame)
    return texts


def _side(source: _Source, side: str, texts: Mapping[int, str]) -> TextStatistics:
    counted, characters = source.sides[side], source.characters[side]
    pairs, all_pairs = count_distinct_pairs(lambda: (frame[side] for frame in source.pairs()), list(characters))
    over, over_pairs = counted.very_frequent
    return TextStatistics(
        texts=_share(counted.distinct, source.rows),
        distinct_1=_share(len(characters), sum(characters.values())),
        distinct_2=_share(pairs, all_pairs),
        most_frequent=tuple(
            FrequentText(text=texts[row], count=count, share=round(count / source.rows, 6))
            for row, count in counted.frequent.iter_rows()
        ),
        over_1000=over,
        over_1000_pairs=over_pairs,
        over_1000_share=_share(over_pairs, source.rows).share,
    )


def _share(distinct: int, total: int) -> DistinctShare:
    return DistinctShare(distinct=distinct, total=total, share=round(distinct / total, 6) if total else None)


def _rarest_han(characters: Mapping[int, int]) -> tuple[RareCharacter, ...]:
    counts = sorted((count, chr(code)) for code, count in characters.items())
    han = [(count, text) for count, text in counts if class_of(text) is CharacterClass.HAN]
    return tuple(RareCharacter(text=text, count=count) for count, text in han[:_SHOWN])
