"""Make statistics from a tally."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import polars as pl

from chat_corpus.pipeline.filters.personal import Personal
from chat_corpus.statistics.characters import CharacterClass, class_of
from chat_corpus.statistics.distribution import distribution
from chat_corpus.statistics.marks import PERSONAL, SPECIAL_TOKENS, URLS
from chat_corpus.statistics.schema import STATISTICS_VERSION, CharacterCounts, Statistics
from chat_corpus.statistics.tally import ANSWER_CHARS, CHARACTERS, DIALOGUE_TURNS, FILTER, QUERY_CHARS, add


def summarize(tally: pl.DataFrame) -> Statistics:
    """Return the statistics of the tally of a source, or of a part of a source."""
    counters: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for name, value, count in add([tally]).iter_rows():
        counters[name][value] = count
    single = {name: counts[0] for name, counts in sorted(counters.items())}
    turns = counters.get(DIALOGUE_TURNS, Counter())
    return Statistics(
        version=STATISTICS_VERSION,
        query_chars=distribution(counters.get(QUERY_CHARS, {})),
        answer_chars=distribution(counters.get(ANSWER_CHARS, {})),
        turns_per_dialogue=distribution(turns),
        single_turn_dialogues=turns[1],
        characters=_characters(counters.get(CHARACTERS, {})),
        personal={str(kind): single.get(f"{PERSONAL}{kind}", 0) for kind in sorted(Personal)},
        urls=single.get(URLS, 0),
        special_tokens=single.get(SPECIAL_TOKENS, 0),
        rejected_by_filter={
            name.removeprefix(FILTER): count for name, count in single.items() if name.startswith(FILTER)
        },
    )


def _characters(counts: Mapping[int, int]) -> CharacterCounts:
    classes = dict.fromkeys(map(str, CharacterClass), 0)
    distinct_han = 0
    for code, count in counts.items():
        class_ = class_of(chr(code))
        classes[class_] += count
        distinct_han += class_ is CharacterClass.HAN
    return CharacterCounts(total=sum(counts.values()), distinct=len(counts), distinct_han=distinct_han, classes=classes)
