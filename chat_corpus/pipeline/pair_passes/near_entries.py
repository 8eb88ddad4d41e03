"""Entries of pairs: pairs that resemble each other on both sides have an entry with the same key, and few others do.

This is a prefix filter, as in `exports.near_twins`, on both sides at once. The bigrams of a text are ordered, the
rarest first. Two sets of sizes m and n with a Jaccard similarity of at least t share a bigram among the first
m - ceil(t m) + 1 of one set and the first n - ceil(t n) + 1 of the other. These first bigrams are the prefix of a set.
So two pairs that resemble each other share a bigram in the prefixes of their queries, and one in those of their
answers. A pair has an entry for each combination of a bigram in the prefix of its query and a bigram in the prefix of
its answer; the key is the hash of both. `near_candidates` compares entries with the same key by the sizes of their sets
and by signatures. Only the first bigram that two sets share has to bring them together. If it is the bigram of an
entry, the bigrams from there on must be enough for the sets to resemble each other, which limits their sizes. So pairs
of one template are not compared only because they share its words.

If a side has more than `LONG` bigrams, there are too many combinations. Such pairs have entries for the single bigrams
in the prefix of the set of all bigrams of both sides, for which the same is true: the similarity of the whole is at
least t if the similarity of both sides is. Again, enough bigrams must be left on each side. Pairs of nearly this length
have entries of both kinds, so that they are compared with pairs of either kind.

A signature has 64 bits; each is the parity of the number of bigrams with this hash. Two sets differ in at least as many
bigrams as their signatures differ in bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import numbered, text_bigrams

#: Maximum number of bigrams of a side for combinations.
LONG = 30
#: Number of pairs from which the rarity of bigrams is estimated, since it affects only the speed.
RARITY_ROWS = 200_000
#: The largest size of a set in an entry; larger sets have this size in their entries.
LARGEST = (1 << 16) - 1
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]
#: Number of bits to the right of the row, and of the rarity, of an ordered bigram.
_ROW, _HASH = np.uint64(50), np.uint64(42)
_BELOW_ROW = np.uint64((1 << 50) - 1)
#: Number of bits of a hash by which occurrences of bigrams are counted.
_COUNTED = 20
#: An entry: key, row, and for each side its signature, its size, and the size of the largest set that it can resemble
#: if they share no bigram before this one.
ENTRY = np.dtype(
    [
        ("key", "<u8"), ("row", "<u4"),
        ("query_bits", "<u8"), ("query", "<u2"), ("most_query", "<u2"),
        ("answer_bits", "<u8"), ("answer", "<u2"), ("most_answer", "<u2"),
    ]
)  # fmt: skip


def mixed(numbers: _KEYS) -> _KEYS:
    """Return a hash of each number, by the finalizer of MurmurHash3: u64."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        numbers = (numbers ^ numbers >> np.uint64(33)) * np.uint64(factor)
    return numbers ^ numbers >> np.uint64(33)


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """The bigrams of the queries, or of the answers, of some pairs.

    ordered  row << 50 | rarity << 42 | 42 bits of hash of each bigram, sorted: the rarest of a row first
    sizes    the number of bigrams of each row
    bits     the signature of each row
    """

    ordered: _KEYS
    sizes: _INTS
    bits: _KEYS


class Rarity:
    """Approximate numbers of occurrences of bigrams: those with the same 20 bits of hash are counted together."""

    def __init__(self) -> None:
        self._counts = np.zeros(1 << _COUNTED, np.int64)

    def add(self, texts: pl.Series, salt: int) -> None:
        """Count the bigrams of texts; the same bigram with a different `salt` is counted separately."""
        _, bigrams = text_bigrams(texts)
        self._counts += np.bincount(self._numbers(_hashed(bigrams, salt)), minlength=len(self._counts))

    def side(self, texts: pl.Series, salt: int) -> Side:
        """Return the bigrams of at most 16,384 texts, which must not be empty."""
        rows, bigrams = text_bigrams(texts)
        hashes = _hashed(bigrams, salt)
        sizes = np.bincount(rows, minlength=len(texts))
        bits = np.bitwise_xor.reduceat(np.uint64(1) << (hashes & np.uint64(63)), np.cumsum(sizes) - sizes)
        numbers = self._numbers(hashes)
        # A bigram has the same rarity in all texts. Two bigrams with the same hash count as one: that adds candidates.
        rarity = np.log2(self._counts[numbers] + 1) * 8
        ordered = rows.astype(np.uint64) << _ROW | rarity.astype(np.uint64) << _HASH | hashes >> np.uint64(22)
        ordered.sort()
        return Side(ordered=ordered, sizes=sizes, bits=bits)

    @staticmethod
    def _numbers(hashes: _KEYS) -> _INTS:
        return (hashes >> np.uint64(64 - _COUNTED)).astype(np.int64)


def _hashed(bigrams: _KEYS, salt: int) -> _KEYS:
    return mixed(bigrams << np.uint64(1) | np.uint64(salt))


def entries(query: Side, answer: Side, numbers: NDArray[np.uint32], least: Fraction) -> Iterator[NDArray[np.void]]:
    """Yield the entries of pairs with these numbers; `least` is the minimum similarity."""
    longest = np.maximum(query.sizes, answer.sizes)
    is_short = longest <= LONG
    queries, answers = _prefixes(query, least, is_short), _prefixes(answer, least, is_short)
    query_at, answer_at = _combined(queries.rows, answers.rows, len(longest))
    keys = mixed(queries.keys[query_at] * np.uint64(3) + answers.keys[answer_at])
    most_query, most_answer = queries.most[0][query_at], answers.most[0][answer_at]
    yield _filled(keys, queries.rows[query_at], (query, most_query), (answer, most_answer), numbers)
    is_long = longest * least.denominator > LONG * least.numerator
    if is_long.any():
        whole = _joined(query, answer, is_long, least)
        yield _filled(whole.keys, whole.rows, (query, whole.most[0]), (answer, whole.most[1]), numbers)


def _filled(
    keys: _KEYS, rows: _INTS, query: tuple[Side, _INTS], answer: tuple[Side, _INTS], numbers: NDArray[np.uint32]
) -> NDArray[np.void]:
    filled = np.empty(len(keys), ENTRY)
    filled["key"], filled["row"] = keys, numbers[rows]
    for name, (side, most) in (("query", query), ("answer", answer)):
        filled[name] = np.minimum(side.sizes, LARGEST)[rows]
        filled[f"{name}_bits"] = side.bits[rows]
        filled[f"most_{name}"] = np.clip(most, 0, LARGEST)
    return filled


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prefixes:
    """The bigrams in the prefixes of rows: their keys, their rows, and for one or both sides the `_largest` set."""

    keys: _KEYS
    rows: _INTS
    most: tuple[_INTS, ...]


def _prefixes(side: Side, least: Fraction, chosen: NDArray[np.bool_]) -> _Prefixes:
    """Return the prefixes of the chosen rows."""
    counts = np.where(chosen, _prefix(side.sizes, least), 0)
    rows, at = numbered(counts, np.cumsum(side.sizes) - side.sizes)
    most = _largest(side.sizes[rows], _positions(counts), least)
    return _Prefixes(keys=side.ordered[at] & _BELOW_ROW, rows=rows, most=(most,))


def _prefix(sizes: _INTS, least: Fraction) -> _INTS:
    """Return the lengths of the prefixes of sets of these sizes."""
    lengths: _INTS = np.minimum(sizes - -(-least.numerator * sizes // least.denominator) + 1, sizes)
    return lengths


def _positions(counts: _INTS) -> _INTS:
    """Return the numbers from 0 to before each of the counts, one sequence after the other."""
    positions: _INTS = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return positions


def _largest(sizes: _INTS, before: _INTS, least: Fraction) -> _INTS:
    """Return the size of the largest set that can resemble a set if they share none of its first `before` bigrams.

    The set has the size `sizes`; the result may be less than its size, if they cannot resemble each other.
    """
    largest: _INTS = (least.numerator + least.denominator) * (sizes - before) // least.numerator - sizes
    return largest


def _joined(query: Side, answer: Side, chosen: NDArray[np.bool_], least: Fraction) -> _Prefixes:
    """Return the prefixes of the chosen rows over the bigrams of query and answer together.

    They lack bigrams from which on one of the sides has too few bigrams left.
    """
    ordered = np.concatenate(
        [side.ordered[chosen[(side.ordered >> _ROW).astype(np.int64)]] for side in (query, answer)]
    )
    order = np.argsort(ordered)
    sizes = np.where(chosen, query.sizes + answer.sizes, 0)
    begins = np.cumsum(sizes) - sizes
    rows, at = numbered(_prefix(sizes, least), begins)
    is_query = order < query.sizes[chosen].sum()
    before = np.cumsum(is_query) - is_query
    queries = (before - before[np.minimum(begins, len(before) - 1)][np.repeat(np.arange(len(sizes)), sizes)])[at]
    answers = at - begins[rows] - queries
    most_query, most_answer = _largest(query.sizes[rows], queries, least), _largest(answer.sizes[rows], answers, least)
    fits = most_query * least.denominator >= query.sizes[rows] * least.numerator
    fits &= most_answer * least.denominator >= answer.sizes[rows] * least.numerator
    keys = ordered[order][at[fits]] & _BELOW_ROW
    return _Prefixes(keys=keys, rows=rows[fits], most=(most_query[fits], most_answer[fits]))


def _combined(query_rows: _INTS, answer_rows: _INTS, rows: int) -> tuple[_INTS, _INTS]:
    """Return the indices of all combinations of a bigram of a query with one of the answer of the same row.

    Both lists of rows are sorted.
    """
    sizes = np.bincount(answer_rows, minlength=rows)
    return numbered(sizes[query_rows], (np.cumsum(sizes) - sizes)[query_rows])


def entries_of(pairs: pl.DataFrame, rarity: Rarity, least: Fraction) -> NDArray[np.void]:
    """Return the entries of a frame with `query, answer` in canonical form, and `row`, the numbers of the pairs."""
    query, answer = rarity.side(pairs["query"], 0), rarity.side(pairs["answer"], 1)
    return np.concatenate(list(entries(query, answer, pairs["row"].to_numpy(), least)))
