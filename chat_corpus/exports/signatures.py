"""Bit signatures of sets of numbers, which give a lower bound of the number of members in which two sets differ.

Bit k is the parity of the number of members with remainder k, modulo the length of the signature. Two sets differ in at
least as many members as their signatures differ in bits. A signature has at least four bits for each member, up to a
limit: with fewer bits, too many differences would cancel each other out. To compare two sets, both signatures are made
for the level of one of them, which gives the length.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Signatures of level k are for sets of at most 16 << k members, and have 1 << k words of 64 bits. The last level has
#: no limit of members.
LEVELS: Final = 6
_LEAST: Final = 16


def levels_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the level of a set of each size."""
    return np.searchsorted(_LEAST << np.arange(LEVELS - 1), sizes)


def sizes_of(level: int) -> tuple[int, int]:
    """Return the sizes of the smallest and of the largest set of a level."""
    largest = _LEAST << level if level < LEVELS - 1 else 1 << 40
    return (_LEAST << level - 1) + 1 if level else 0, largest


def signatures(sets: NDArray[np.int64], members: NDArray[np.int64], count: int, level: int) -> NDArray[np.uint64]:
    """Return the signatures of `count` sets as an array with a row for each word and a column for each set.

    `members` are the members of all sets, and `sets` has the number of the set of each member.
    """
    bits = members % (64 << level)
    flat = np.zeros(count << level, np.uint64)
    np.bitwise_xor.at(flat, (bits >> 6) * count + sets, np.uint64(1) << (bits & 63).astype(np.uint64))
    return flat.reshape(1 << level, count)
