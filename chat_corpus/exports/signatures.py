"""Signatures of sets of numbers, which show without looking at the members that two sets differ in many.

Each bit is the parity of the members that have its number as their remainder. Two sets differ in at least as many
members as their signatures in bits. A signature has at least four bits for each member, up to a limit: with fewer, too
many differences would cancel each other out. Sets are compared at the level of one of them, which gives the length.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Signatures of level k are for sets of at most 16 << k members, and have 1 << k words of 64 bits; the last is for all.
LEVELS: Final = 6
_LEAST: Final = 16


def levels_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The level of sets of these sizes."""
    return np.searchsorted(_LEAST << np.arange(LEVELS - 1), sizes)


def sizes_of(level: int) -> tuple[int, int]:
    """The sizes of the smallest and of the largest set of a level."""
    largest = _LEAST << level if level < LEVELS - 1 else 1 << 40
    return (_LEAST << level - 1) + 1 if level else 0, largest


def signatures(sets: NDArray[np.int64], members: NDArray[np.int64], count: int, level: int) -> NDArray[np.uint64]:
    """The signature of each of `count` sets, of which these are members: a row for each word, a column for each set."""
    bits = members % (64 << level)
    flat = np.zeros(count << level, np.uint64)
    np.bitwise_xor.at(flat, (bits >> 6) * count + sets, np.uint64(1) << (bits & 63).astype(np.uint64))
    return flat.reshape(1 << level, count)
