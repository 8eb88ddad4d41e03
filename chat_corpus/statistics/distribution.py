"""The distribution of integers, from the number of occurrences of each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from chat_corpus.statistics.schema import Bin, Distribution

_PERCENTILES = (5, 25, 50, 75, 95, 99)


def distribution(counts: Mapping[int, int]) -> Distribution:
    """Return the distribution of values; `counts` has the number of occurrences of each.

    All results are integers, except for the mean.

    >>> found = distribution({1: 2, 3: 1, 4: 1})
    >>> found.mean, found.p50, found.p75, [(bin.first, bin.last, bin.count) for bin in found.bins]
    (2.25, 1, 3, [(1, 1, 2), (2, 2, 0), (3, 4, 2)])
    """
    values = sorted(value for value, count in counts.items() if count)
    total, sum_ = sum(counts.values()), sum(value * count for value, count in counts.items())
    percentiles = dict.fromkeys(_PERCENTILES)
    if values:
        ends = list(accumulate(counts[value] for value in values))
        percentiles = {share: _percentile(values, ends, share) for share in _PERCENTILES}
    return Distribution(
        count=total,
        sum=sum_,
        mean=round(sum_ / total, 2) if total else None,
        min=values[0] if values else None,
        **{f"p{share}": value for share, value in percentiles.items()},
        max=values[-1] if values else None,
        bins=tuple(_bins(counts, values)),
    )


def _percentile(values: list[int], ends: list[int], share: int) -> int:
    """Return the smallest value that at least `share` percent of the values do not exceed.

    `ends` has, for each of the sorted `values`, the number of values that do not exceed it.
    """
    return next(value for value, end in zip(values, ends, strict=True) if 100 * end >= share * ends[-1])


def _bins(counts: Mapping[int, int], values: list[int]) -> Iterator[Bin]:
    """Yield all bins from that of the smallest value to that of the largest value."""
    if not values:
        return
    numbers = dict.fromkeys(range(_bin(values[0]), _bin(values[-1]) + 1), 0)
    for value in values:
        numbers[_bin(value)] += counts[value]
    for number, count in numbers.items():
        first, last = (number, number) if number < 2 else ((1 << number - 2) + 1, 1 << number - 1)
        yield Bin(first=first, last=last, count=count)


def _bin(value: int) -> int:
    """Return the number of the bin of a value. The bins 0, 1, 2, 3-4, 5-8, ... are numbered from 0.

    >>> [_bin(value) for value in (0, 1, 2, 3, 4, 5, 8, 9)]
    [0, 1, 2, 3, 3, 4, 4, 5]
    """
    return (value - 1).bit_length() + 1 if value else 0
