"""Sets of character bigrams, which are encoded as integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Number of bits of an encoded bigram.
BITS = 42
_CHARACTER = 21  # bits of a code point
_Number = TypeVar("_Number", np.int64, np.uint64)


def text_bigrams(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the distinct bigrams of each text as two arrays, sorted by both: row number and encoded bigram.

    An encoded bigram is `first << 21 | second`, of code points. A text of one character has one bigram, in which
    `second` is 0. An empty text has none.
    """
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.uint64)
    rows = np.repeat(np.arange(len(texts)), lengths)
    following = np.zeros_like(characters)
    following[:-1] = characters[1:]
    is_last = np.zeros(len(characters), bool)
    ends = np.cumsum(lengths)
    is_last[ends[lengths > 0] - 1] = True
    following[is_last] = 0
    chosen = ~is_last | (lengths[rows] == 1)
    keys = rows[chosen].astype(np.uint64) << np.uint64(BITS)
    keys |= characters[chosen] << np.uint64(_CHARACTER) | following[chosen]
    keys = distinct(keys)
    return (keys >> np.uint64(BITS)).astype(np.int64), keys & np.uint64((1 << BITS) - 1)


def distinct(keys: NDArray[_Number]) -> NDArray[_Number]:
    """Return the distinct numbers, sorted.

    This is 14 times as fast as `np.unique`, which hashes them (NumPy 2.4).
    """
    keys = np.sort(keys)
    is_first = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    return keys[is_first]


def slices(weights: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges (begin, end) of items. The weights of a range sum to at most `most`, unless it has one item only."""
    total = np.cumsum(weights)
    begin = 0
    while begin < len(weights):
        before = total[begin - 1] if begin else 0
        end = max(int(np.searchsorted(total, before + most, "right")), begin + 1)
        yield begin, end
        begin = end


def numbered(counts: NDArray[np.int64], begins: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two arrays with an element for each member of several ranges: the number of the range, and the position.

    Range k has the `counts[k]` positions from `begins[k]` on. Members are in the order of their ranges.
    """
    ranges = np.repeat(np.arange(len(counts)), counts)
    first = begins - (np.cumsum(counts) - counts)
    return ranges, np.arange(len(ranges)) + np.repeat(first, counts)
