r"""The shape of statistics as JSON: those of every run, in report.json, and the full ones, made on request.

Lengths are those of the queries and answers of the written pairs, in which the two characters `\n` of a TSV file count
as one line break. Characters and marks are those of the kept turns as such a file has them; each turn counts once. Full
statistics describe the pairs as they are written. Only shares and means are rounded, to 6 and 2 decimals.
"""

from __future__ import annotations

import msgspec

from chat_corpus.pipeline.counts import Count

#: Number of the shape and of the definitions of `Statistics`, and of those of `FullStatistics`.
STATISTICS_VERSION = FULL_STATISTICS_VERSION = 1


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """How many values are from `first` to `last`, both included: 0, 1, 2, 3-4, 5-8, 9-16, ..."""

    first: Count
    last: Count
    count: Count


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution of integers; without values, `count` is 0, and min, max, mean and percentiles are null.

    count, sum, mean  number of values, their sum, and their mean, rounded to 2 decimals
    p5 ... p99        the smallest value that at least so many percent of the values do not exceed
    bins              from the first to the last bin that has a value, without gaps
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

    `classes` has every class, also those of which there are no characters; its sum is `total`. `distinct` counts the
    different characters, `distinct_han` the different Han characters.
    """

    total: Count
    distinct: Count
    distinct_han: Count
    classes: dict[str, Count]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What every run counts of a source.

    query_chars, answer_chars  lengths in characters of the texts of the written pairs
    turns_per_dialogue         kept turns of the dialogues that have any
    single_turn_dialogues      dialogues with one kept turn
    rejected_by_filter         turns by the name of the filter that rejects them, the first of several
    characters                 characters of the kept turns
    personal                   personal numbers and addresses in the kept turns, by kind; every kind is listed
    urls, special_tokens       web addresses, and control tokens of tokenizers, in the kept turns
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
    """A text, the number of pairs that have it, and their share of all pairs of the source."""

    text: str
    count: Count
    share: float


class DistinctShare(msgspec.Struct, frozen=True, kw_only=True):
    """Distinct things among all: `share` is `distinct` / `total`, null if there are none."""

    distinct: Count
    total: Count
    share: float | None


class TextStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How repetitive the queries, or the answers, of the written pairs are.

    texts                   different texts among all
    distinct_1, distinct_2  different characters, and different pairs of neighbouring characters of a text, among all
    most_frequent           at most 30 of the texts that are in several pairs; of equal ones the first in the file
    over_1000               different texts that occur in more than 1,000 pairs
    over_1000_pairs         the pairs that have one of these, and their share
    """

    texts: DistinctShare
    distinct_1: DistinctShare
    distinct_2: DistinctShare
    most_frequent: tuple[FrequentText, ...]
    over_1000: Count
    over_1000_pairs: Count
    over_1000_share: float | None


class RareCharacter(msgspec.Struct, frozen=True, kw_only=True):
    """A Han character, and how often it occurs."""

    text: str
    count: Count


class SourceRepetition(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of a source by keys of its pairs.

    pairs              different pairs among all
    answers_per_query  pairs of each different query
    canonical_pairs    different pairs, and different queries, in canonical form, as the splits of an export compare
    canonical_queries  them: without case, width, punctuation and repeated characters
    rarest_han         the rarest Han characters, at most 30; those of equal frequency by code points
    """

    pairs: DistinctShare
    queries: TextStatistics
    answers: TextStatistics
    answers_per_query: Distribution
    canonical_pairs: Count
    canonical_queries: Count
    rarest_han: tuple[RareCharacter, ...]


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """What two sources share: different pairs, and different queries, in canonical form, that both have."""

    first: str
    second: str
    pairs: Count
    queries: Count


class FullStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What needs keys of pairs: each source by its name, and each two of them, in alphabetical order.

    It holds texts of the corpora, so that it is never part of report.json.
    """

    version: Count
    sources: dict[str, SourceRepetition]
    overlap: tuple[Overlap, ...]


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """A character that conversion replaced by another: how often, and the share of this in all such replacements."""

    before: str
    after: str
    count: Count
    share: float


class Conversions(msgspec.Struct, frozen=True, kw_only=True):
    """Conversions from traditional to simplified characters.

    turns            turns that were looked at, and those of them with a converted character
    converted_turns
    characters       converted characters; `distinct` counts different conversions
    most_frequent    at most 30 of these
    """

    turns: Count
    converted_turns: Count
    characters: Count
    distinct: Count
    most_frequent: tuple[Conversion, ...]


class ExportStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of an export: those of each source by split, and the full ones of all splits of each source.

    Queries are messages of the user, answers those of the assistant, dialogues records; texts are
    counted as a TSV file would have them, and filters are not. `conversions` are those of all turns of the sources.
    """

    version: Count
    sources: dict[str, dict[str, Statistics]]
    full: FullStatistics
    conversions: Conversions | msgspec.UnsetType = msgspec.UNSET  # not in the exports of earlier versions


def encode(statistics: FullStatistics | ExportStatistics) -> bytes:
    """Return statistics as JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n"
