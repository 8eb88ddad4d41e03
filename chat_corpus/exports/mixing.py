"""Mixes of sources and nested subsets: the source of each record of train.

The records of each source are sorted by `splitting.order_keys`. A mix merges the sources by virtual time: the record of
rank r (from 0) of a source with weight w has the time (r + 0.5) / w. Ties are broken by the name of the source. This is
the method of Sainte-Laguë: the shares of every prefix are those of the weights, to about one record, until a source has
no more records. A subset is a prefix, so subsets are nested. An additional source changes no time, so the records of
the others stay in the same relative order.

Rounding the shares for each size would be wrong: a source could have fewer records in a larger subset (the Alabama
paradox).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from chat_corpus.errors import UsageError
from chat_corpus.exports.mix_options import EQUAL, TEMPERATURE, MixOptions, parse_shares
from chat_corpus.messages import joined, message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Significant digits to which weights are rounded, so that they are the same on every machine.
_DIGITS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class MixPlan:
    """The order of all records of train, by the number of records and the weight of each source; names are sorted."""

    sizes: Mapping[str, int]
    weights: Mapping[str, float]

    @property
    def total(self) -> int:
        """Number of records of all sources."""
        return sum(self.sizes.values())

    def ranks(self, position: int) -> dict[str, int]:
        """Return the number of records of each source before a position, which is from 0 to `total`."""
        low, high = 0.0, max((self._time(name, size) for name, size in self.sizes.items()), default=0.0)
        before, after = dict.fromkeys(self.sizes, 0), dict(self.sizes)
        while sum(after.values()) - sum(before.values()) > len(self.sizes):
            middle = (low + high) / 2
            if not low < middle < high:
                break
            counts = {name: self._earlier(name, middle) for name in self.sizes}
            if sum(counts.values()) <= position:
                low, before = middle, counts
            else:
                high, after = middle, counts
        rest = sorted(
            (self._time(name, rank), name) for name in self.sizes for rank in range(before[name], after[name])
        )
        for _, name in rest[: position - sum(before.values())]:
            before[name] += 1
        return before

    def sources(self, first: int, last: int) -> list[str]:
        """Return the source of each record from position `first` up to, but not including, `last`."""
        import numpy as np  # here, since the import is slow, and all commands import this module

        begins, ends = self.ranks(first), self.ranks(last)
        names = list(self.sizes)
        times = [_times(begins[name], ends[name], self.weights[name]) for name in names]
        numbers = np.repeat(np.arange(len(names)), [len(one) for one in times])
        order = np.lexsort((numbers, np.concatenate(times) if times else np.zeros(0)))
        return [names[number] for number in numbers[order]]

    def first_to_end(self) -> tuple[str, int] | None:
        """Return the source that runs out first, and the position where its next record would be.

        Up to this position every prefix has the shares of the weights. Return None if the position is not before the
        end of the mix, so that no record is missing.
        """
        if not self.sizes:
            return None
        end, name = min((self._time(name, size), name) for name, size in self.sizes.items())
        position = sum(self._earlier(other, end) + (other < name and self._holds(other, end)) for other in self.sizes)
        return (name, position) if position < self.total else None

    def _holds(self, name: str, time: float) -> bool:
        """Return whether a record of a source has exactly this time."""
        rank = self._earlier(name, time)
        return rank < self.sizes[name] and self._time(name, rank) == time

    def _time(self, name: str, rank: int) -> float:
        return (rank + 0.5) / self.weights[name]

    def _earlier(self, name: str, time: float) -> int:
        """Return the number of records of a source with an earlier time."""
        size = self.sizes[name]
        rank = min(max(math.ceil(time * self.weights[name] - 0.5), 0), size)
        while rank < size and self._time(name, rank) < time:
            rank += 1
        while rank and self._time(name, rank - 1) >= time:
            rank -= 1
        return rank


def _times(first: int, last: int, weight: float) -> NDArray[np.float64]:
    import numpy as np

    # IEEE division gives the same result on every machine, and the same as in `MixPlan._time`.
    times: NDArray[np.float64] = (np.arange(first, last, dtype=np.float64) + 0.5) / weight
    return times


def plan_mix(options: MixOptions, available: Mapping[str, int]) -> MixPlan:
    """Return the order of a mix; `available` is the number of records for train by source.

    Raises UsageError if the weights lack a source or name an unknown one, or if the largest share is too small for the
    number of sources.
    """
    kind, numbers = parse_shares(options.shares)
    present = {name: available[name] for name in sorted(available) if available[name]}
    _check_names(options.shares, available)
    if present:
        _check_share(options.max_share, len(present))
    limit = Fraction(str(options.max_share))
    sizes = _limited(present, limit)
    weights = {name: float(size) for name, size in sizes.items()}
    if kind == EQUAL:
        weights = dict.fromkeys(sizes, 1.0)
    elif kind == TEMPERATURE:
        weights = {name: present[name] ** numbers[TEMPERATURE] for name in sizes}
    elif kind == "weights":
        weights = {name: numbers[name] for name in sizes}
    return MixPlan(sizes=sizes, weights=_limited_weights(weights, float(limit)))


def check_sources(options: MixOptions, names: Sequence[str]) -> None:
    """Raise UsageError if weights lack a source or name an unknown one, or if the largest share is too small."""
    _check_names(options.shares, names)
    _check_share(options.max_share, len(names))


def _check_names(text: str, names: Iterable[str]) -> None:
    kind, weights = parse_shares(text)
    if kind != "weights":
        return
    known = sorted(names)
    for name in weights:
        if name not in known:
            raise UsageError(message("--mix {text}: {name} is not among the exported sources", text=text, name=name))
    if lacking := [name for name in known if name not in weights]:
        raise UsageError(
            message(
                "--mix {text}: no weight for {names}; give one, or leave sources out with --exclude",
                text=text, names=joined(", ", lacking),
            )
        )  # fmt: skip


def _check_share(share: float, count: int) -> None:
    if count and Fraction(str(share)) * count < 1:
        raise UsageError(
            message(
                "--max-share {share:g}: {count} sources cannot all have at most this share; use {least} or more",
                share=share, count=count, least=f"{math.ceil(1000 / count) / 1000:g}",
            )
        )  # fmt: skip


def _limited(sizes: Mapping[str, int], limit: Fraction) -> dict[str, int]:
    """Return the largest number of records of each source such that none has more than the share `limit` of all."""
    limited = dict(sizes)
    while True:
        most = math.floor(limit * sum(limited.values()))
        lower = {name: min(size, most) for name, size in limited.items()}
        if lower == limited:
            return limited
        limited = lower


def _limited_weights(weights: dict[str, float], limit: float) -> dict[str, float]:
    """Return weights of at most the share `limit` of their sum, to which larger ones are reduced."""
    limited: list[str] = []
    rest, whole = sum(weights.values()), sum(weights.values())
    for name in sorted(weights, key=lambda one: (-weights[one], one)):
        if weights[name] <= limit * whole:
            break
        limited.append(name)
        rest -= weights[name]
        if rest <= 0 or limit * len(limited) >= 1:  # all sources get the same share
            return dict.fromkeys(weights, 1.0)
        whole = rest / (1 - limit * len(limited))
    made = {name: limit * whole if name in limited else weight for name, weight in weights.items()}
    return {name: float(f"{weight:.{_DIGITS}g}") for name, weight in made.items()}
