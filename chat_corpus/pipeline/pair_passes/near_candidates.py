"""Find candidates, pairs that may resemble each other: their entries share a key, and sizes and signatures fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import distinct, numbered, slices
from chat_corpus.pipeline.pair_passes.near_entries import LARGEST

#: Number of entries that are compared together.
_COMPARED = 250_000
#: Minimum number of candidates that are yielded together, except the last.
_YIELDED = 1_000_000
#: The lowest bits of a key, which the size of the answer replaces.
_SIZE = np.uint64(LARGEST)
#: Number of first bits of a key that `KeyFilter` uses.
_FILTERED = 24
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, slots=True)
class SortedEntries:
    """Entries of pairs, sorted by key and size of the answer.

    keys     the upper 48 bits of the key of each entry, and the size of the answer: u64
    entries  `near_entries.ENTRY`
    """

    keys: _KEYS
    entries: NDArray[np.void]

    @classmethod
    def of(cls, entries: NDArray[np.void]) -> SortedEntries:
        """Return entries sorted by key and size of the answer."""
        keys = entries["key"] & ~_SIZE | entries["answer"]
        order = np.argsort(keys)
        return cls(keys=keys[order], entries=np.take(entries, order))  # ten times as fast as entries[order]

    @property
    def rows(self) -> NDArray[np.uint32]:
        """The number of the pair of each entry: u32."""
        numbers: NDArray[np.uint32] = self.entries["row"]
        return numbers

    def where(self, mask: NDArray[np.bool_]) -> SortedEntries:
        """Return the entries that a mask selects."""
        return self if mask.all() else SortedEntries(keys=self.keys[mask], entries=np.compress(mask, self.entries))


class KeyFilter:
    """A filter of 2 MB from the first 24 bits of the keys of entries: it excludes most keys that no entry has."""

    def __init__(self, entries: SortedEntries) -> None:
        is_held = np.zeros(1 << _FILTERED, bool)
        is_held[entries.keys >> np.uint64(64 - _FILTERED)] = True
        self._bits = np.packbits(is_held, bitorder="little")

    def may_hold(self, entries: SortedEntries) -> SortedEntries:
        """Return those of `entries` with keys that the filter does not exclude."""
        begins = entries.keys >> np.uint64(64 - _FILTERED)
        bits = self._bits[begins >> np.uint64(3)] >> (begins & np.uint64(7)).astype(np.uint8)
        return entries.where((bits & 1).astype(bool))


def count_within(entries: SortedEntries, least: Fraction) -> _INTS:
    """Return, for each entry, the number of later entries that it has to be compared with."""
    ends = np.searchsorted(entries.keys, entries.keys & ~_SIZE | _largest_answers(entries, least), "right")
    counts: _INTS = np.maximum(ends - np.arange(len(entries.keys)) - 1, 0)
    return counts


def candidates_within(entries: SortedEntries, counts: _INTS, least: Fraction) -> Iterator[_KEYS]:
    """Yield pairs that may resemble each other, as `candidates_between` does; `counts` are those of `count_within`."""
    return _candidates(entries, entries, counts, np.arange(1, len(counts) + 1), least)


def candidates_between(earlier: SortedEntries, later: SortedEntries, least: Fraction) -> Iterator[_KEYS]:
    """Yield arrays of pairs of rows that may resemble each other: later row << 32 | earlier row, sorted.

    An array has no repeats, but the same pair of rows may be in several arrays.
    """
    groups, sizes = later.keys & ~_SIZE, later.entries["answer"].astype(np.int64)
    smallest = -(-sizes * least.numerator // least.denominator)
    begins = np.searchsorted(earlier.keys, groups | smallest.astype(np.uint64))
    ends = np.searchsorted(earlier.keys, groups | _largest_answers(later, least), "right")
    return _candidates(earlier, later, np.maximum(ends - begins, 0), begins, least)


def _largest_answers(entries: SortedEntries, least: Fraction) -> _KEYS:
    """Return, for each entry, the size of the largest answer that it can resemble: u64."""
    sizes = entries.entries["answer"].astype(np.int64)
    largest = np.where(sizes == LARGEST, LARGEST, np.minimum(sizes * least.denominator // least.numerator, LARGEST))
    limits: _KEYS = np.minimum(largest, entries.entries["most_answer"]).astype(np.uint64)
    return limits


def _candidates(
    others: SortedEntries, entries: SortedEntries, counts: _INTS, begins: _INTS, least: Fraction
) -> Iterator[_KEYS]:
    """Yield the candidates among each of `entries` and `counts` of the `others`, from the index `begins`."""
    waiting: list[_KEYS] = []
    for begin, end in slices(counts, _COMPARED):
        number, at = numbered(counts[begin:end], begins[begin:end])
        if len(number):
            waiting.append(_similar(entries.entries, number + begin, others.entries, at, least))
        if sum(map(len, waiting)) > _YIELDED:
            yield distinct(np.concatenate(waiting))
            waiting = []
    if waiting:
        yield distinct(np.concatenate(waiting))


def _similar(
    entries: NDArray[np.void], at: _INTS, others: NDArray[np.void], others_at: _INTS, least: Fraction
) -> _KEYS:
    """Return candidates: pairs of entries, at `at` and `others_at`, with sizes and signatures that are near enough."""
    top, bottom = least.numerator, least.denominator
    for side in ("query", "answer"):
        sizes, other_sizes = (
            rows[side][places].astype(np.int64) for rows, places in ((entries, at), (others, others_at))
        )
        near = (other_sizes <= entries[f"most_{side}"][at]) & (sizes <= others[f"most_{side}"][others_at])
        near &= np.minimum(sizes, other_sizes) * bottom >= np.maximum(sizes, other_sizes) * top
        at, others_at, sizes, other_sizes = at[near], others_at[near], sizes[near], other_sizes[near]
        bits = entries[f"{side}_bits"][at] ^ others[f"{side}_bits"][others_at]
        near = np.bitwise_count(bits).astype(np.int64) * (bottom + top) <= (bottom - top) * (sizes + other_sizes)
        near |= np.maximum(sizes, other_sizes) == LARGEST
        at, others_at = at[near], others_at[near]
    first, second = entries["row"][at].astype(np.uint64), others["row"][others_at].astype(np.uint64)
    keys = np.maximum(first, second) << np.uint64(32) | np.minimum(first, second)
    return distinct(keys[first != second])
