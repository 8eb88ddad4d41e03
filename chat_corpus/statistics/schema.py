r"""The schema of statistics as JSON: those of every run, in report.json, and the full ones, made on request.

Lengths are those of the queries and answers of the written pairs. The two characters `\n` of a TSV file count as one
line break. Characters and marks are counted in the kept turns (those without a reason), each once, as a TSV file has
them. Full statistics describe the pairs as they are written. Shares are rounded to 6 decimals, means to 2.
"""

from __future__ import annotations

import msgspec

from chat_corpus.pipeline.counts import Count

#: Versions of the schemas and definitions of `Statistics` and of `FullStatistics`.
STATISTICS_VERSION = FULL_STATISTICS_VERSION = 1


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """The number of values from `first` to `last` (inclusive). Bins are 0, 1, 2, 3-4, 5-8, 9-16, ..."""

    first: Count
    last: Count
    count: Count


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of integers; without values, `count` is 0, and min, max, mean and percentiles are null.

    count, sum, mean  number of values, their sum, and their mean, rounded to 2 decimals
    p5 ... p99        pN is the smallest value that at least N percent of the values do not exceed
    bins              all bins from the first to the last one that has a value
    """

    count: Count
    sum: Count
    mean: float | None
    min: Count | None
    p5: Count | None
    p25: Count | None
    p50: Count | None
    p75: Count | None
    p95: Count | None
    p99: Count | None
    max: Count | None
    bins: tuple[Bin, ...]


class CharacterCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Characters (code points) of the kept turns.

    `classes` has the number of characters of every class, including 0; its sum is `total`. `distinct` is the number of
    distinct characters, `distinct_han` that of distinct Han characters.
    """

    total: Count
    distinct: Count
    distinct_han: Count
    classes: dict[str, Count]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """The counts that every run makes for a source.

    query_chars, answer_chars  lengths of the texts of the written pairs, in characters
    turns_per_dialogue         number of kept turns of each dialogue that has any
    single_turn_dialogues      number of dialogues with one kept turn
    rejected_by_filter         number of rejected turns by filter, which is the first one that rejects the turn
    characters                 characters of the kept turns
    personal                   number of personal data in the kept turns, by kind, including kinds with 0
    urls, special_tokens       number of web addresses, and of control tokens of tokenizers, in the kept turns
    """

    version: Count
    query_chars: Distribution
    answer_chars: Distribution
    turns_per_dialogue: Distribution
    single_turn_dialogues: Count
    characters: CharacterCounts
    personal: dict[str, Count]
    urls: Count
    special_tokens: Count
    rejected_by_filter: dict[str, Count]


class FrequentText(msgspec.Struct, frozen=True, kw_only=True):
    """A text, the number of pairs with this text, and the share of these pairs in all pairs of the source."""

    text: str
    count: Count
    share: float


class DistinctShare(msgspec.Struct, frozen=True, kw_only=True):
    """The number of distinct items, and of all items; `share` is `distinct` / `total`, or null if `total` is 0."""

    distinct: Count
    total: Count
    share: float | None


class TextStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Measures of repetition in the queries, or the answers, of the written pairs.

    texts             distinct texts
    distinct_1        distinct characters
    distinct_2        distinct pairs of adjacent characters of a text
    most_frequent     the most frequent texts that are in several pairs, at most 30; equally frequent ones are sorted by
                      their first place in the file
    over_1000         number of distinct texts that are in more than 1,000 pairs
    over_1000_pairs   number of pairs with one of these texts
    over_1000_share   share of these pairs in all pairs
    """

    texts: DistinctShare
    distinct_1: DistinctShare
    distinct_2: DistinctShare
    most_frequent: tuple[FrequentText, ...]
    over_1000: Count
    over_1000_pairs: Count
    over_1000_share: float | None


class RareCharacter(msgspec.Struct, frozen=True, kw_only=True):
    """A Han character and its number of occurrences."""

    text: str
    count: Count


class SourceRepetition(msgspec.Struct, frozen=True, kw_only=True):
    """Measures of repetition in a source. `splitting.canonical` defines the canonical form.

    pairs              distinct pairs
    queries, answers   measures of the queries, and of the answers
    answers_per_query  number of pairs of each distinct query
    canonical_pairs    number of distinct pairs in canonical form
    canonical_queries  number of distinct queries in canonical form
    rarest_han         the rarest Han characters, at most 30; equally frequent ones are sorted by code points
    """

    pairs: DistinctShare
    queries: TextStatistics
    answers: TextStatistics
    answers_per_query: Distribution
    canonical_pairs: Count
    canonical_queries: Count
    rarest_han: tuple[RareCharacter, ...]


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """The overlap of two sources: the number of distinct pairs, and of distinct queries, in canonical form in both."""

    first: str
    second: str
    pairs: Count
    queries: Count


class FullStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The full statistics: each source by its name, and each two sources, in alphabetical order.

    They contain texts of the corpora, so they are never part of report.json.
    """

    version: Count
    sources: dict[str, SourceRepetition]
    overlap: tuple[Overlap, ...]


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """The replacement of one character by conversion: its number, and its share in all such replacements."""

    before: str
    after: str
    count: Count
    share: float


class Conversions(msgspec.Struct, frozen=True, kw_only=True):
    """Conversions from traditional to simplified characters.

    turns            number of turns
    converted_turns  number of turns with a converted Han character
    characters       number of converted Han characters
    distinct         number of distinct conversions
    most_frequent    the most frequent conversions, at most 30
    """

    turns: Count
    converted_turns: Count
    characters: Count
    distinct: Count
    most_frequent: tuple[Conversion, ...]


class ExportStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of an export: those of each source and split, and full ones of each source over all splits.

    Queries are messages of the user, answers are messages of the assistant, and dialogues are records. Texts are
    counted as a TSV file would have them. `rejected_by_filter` is empty. `conversions` covers all turns of the sources.
    """

    version: Count
    sources: dict[str, dict[str, Statistics]]
    full: FullStatistics
    conversions: Conversions | msgspec.UnsetType = msgspec.UNSET  # not in the exports of earlier versions


def encode(statistics: FullStatistics | ExportStatistics) -> bytes:
    """Return statistics as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n"
