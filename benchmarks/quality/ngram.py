"""A character n-gram model with interpolated modified Kneser-Ney smoothing, in NumPy.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling" (1998), section 3. A model of the
lowest order is mixed with the uniform distribution over `ALPHABET` characters, so that every text has a probability
and models of different corpora can be compared: they all share that alphabet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Characters of Unicode 16 that are assigned, as the base of all models.
ALPHABET = 154_998
#: Characters before a pair, between its texts and after it; no text of a cleaned corpus holds them.
BEGIN, BETWEEN, END = "\x02", "\x1f", "\x03"
_CHARACTER = 21  # bits of a character


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    """The n-grams of one order, sorted by `keys`.

    keys       number of the n-gram's context among those of the order before << 21 | last character
    counts     how often it was seen (highest order), or after how many different characters (others)
    totals     sum of the counts of each context of the order before
    left_over  probability that each context leaves to the order before
    discounts  what is subtracted from a count of 1, 2, and 3 or more
    """

    keys: Integers
    counts: Floats
    totals: Floats
    left_over: Floats
    discounts: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class NgramModel:
    """A trained model; `orders[0]` has the single characters."""

    orders: tuple[_Order, ...]

    def bits(self, pairs: pl.DataFrame) -> Floats:
        """The bits of each pair: of the query, of the answer, and of the marks after both."""
        bits, pair = self.bits_of_characters(pairs)
        return np.bincount(pair, bits, minlength=len(pairs)).astype(np.float64)

    def bits_of_characters(self, pairs: pl.DataFrame) -> tuple[Floats, Integers]:
        """The bits of all characters in order, the marks among them, and the number of the pair of each."""
        characters, predicted, pair = _stream(pairs, len(self.orders))
        probability = np.full(len(characters), 1 / ALPHABET)
        before = np.zeros(len(characters), np.int64)  # number of the n-gram that ends at each character; -1: unseen
        for order in self.orders:
            context = _shifted(before) if order is not self.orders[0] else before
            at, is_seen = _look_up(order.keys, np.where(context < 0, -1, context << _CHARACTER | characters))
            counts = np.where(is_seen, order.counts[at], 0.0)
            safe = np.maximum(context, 0)
            totals = np.where(context < 0, 0.0, order.totals[safe])
            direct = np.maximum(counts - order.discounts[np.minimum(counts, 3).astype(np.int64)], 0)
            mixed = direct / np.maximum(totals, 1) + order.left_over[safe] * probability
            probability = np.where(totals > 0, mixed, probability)
            before = np.where(is_seen, at, -1)
        return -np.log2(probability[predicted]), pair[predicted]


def train(pairs: pl.DataFrame, order: int = 5) -> NgramModel:
    """A model of the texts of pairs. Memory: about 120 bytes a character."""
    characters, predicted, _ = _stream(pairs, order)
    numbers = np.zeros(len(characters), np.int64)  # of the n-gram that ends at each character
    contexts = 1
    orders: list[tuple[Integers, Integers, Integers, int]] = []  # keys, times seen, number of the suffix, contexts
    for length in range(1, order + 1):
        suffixes = numbers
        context = _shifted(numbers) if length > 1 else numbers
        keys, first, numbers = np.unique(context << _CHARACTER | characters, return_index=True, return_inverse=True)
        seen = np.bincount(numbers, predicted, minlength=len(keys)).astype(np.int64)
        orders.append((keys, seen, suffixes[first], contexts))
        contexts = len(keys)
    built = []
    for length, (keys, seen, _, contexts) in enumerate(orders):
        counts = seen
        if length + 1 < order:
            _, longer_seen, suffix, _ = orders[length + 1]
            counts = np.bincount(suffix[longer_seen > 0], minlength=len(keys))
        built.append(_smoothed(keys, counts, contexts))
    return NgramModel(orders=tuple(built))


def _smoothed(keys: Integers, counts: Integers, contexts: int) -> _Order:
    """The probabilities of an order; n-grams that are only contexts have the count 0."""
    once, twice, thrice, more = (max(int((counts == times).sum()), 1) for times in (1, 2, 3, 4))
    ratio = once / (once + 2 * twice)
    estimates = [0, 1 - 2 * ratio * twice / once, 2 - 3 * ratio * thrice / twice, 3 - 4 * ratio * more / thrice]
    # With few data the estimates leave their range; a count must keep something, and give something away.
    discounts = np.clip(estimates, [0, 0.1, 0.1, 0.1], [0, 0.9, 1.8, 2.7])
    context = keys >> _CHARACTER
    totals = np.bincount(context, counts, minlength=contexts)
    given = np.bincount(context, discounts[np.minimum(counts, 3)], minlength=contexts)
    return _Order(
        keys=keys,
        counts=counts.astype(np.float64),
        totals=totals.astype(np.float64),
        left_over=given / np.maximum(totals, 1),
        discounts=discounts,
    )


def _stream(pairs: pl.DataFrame, order: int) -> tuple[Integers, NDArray[np.bool_], Integers]:
    """The characters of pairs in one row; which of them are predicted; and the number of the pair of each."""
    texts = pairs.select(pl.lit(BEGIN * (order - 1)) + pl.col("query") + BETWEEN + pl.col("answer") + END).to_series()
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.int64)
    pair = np.repeat(np.arange(len(texts)), lengths)
    offset = np.arange(len(characters)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return characters, offset >= order - 1, pair


def _shifted(numbers: Integers) -> Integers:
    """The numbers one place later; the first place gets 0, since nothing is predicted there."""
    shifted = np.roll(numbers, 1)
    shifted[:1] = 0
    return shifted


def _look_up(keys: Integers, numbers: Integers) -> tuple[Integers, NDArray[np.bool_]]:
    """Where each number is among the sorted keys, and whether it is there."""
    if not len(keys):
        return np.zeros(len(numbers), np.int64), np.zeros(len(numbers), bool)
    at = np.minimum(np.searchsorted(keys, numbers), len(keys) - 1)
    return at, keys[at] == numbers
