"""Ranks in an order that is spread over many sorted parts, in bounded memory.

Records are sorted by a 64-bit key that is spread evenly (`splitting.order_keys`). Each part counts its keys in buckets
of equal width. The sum of the counts says which bucket holds the record of a rank, and only that bucket is read to find
its key. A file is then a range of keys, which each part holds together: an external sort. Its result does not depend on
how the records are spread over parts, or on who reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

#: The end of all keys.
KEYS = 1 << 64
_BITS = 12
#: Buckets of equal width that all keys are counted in.
BUCKETS = 1 << _BITS
_SHIFT = np.uint64(64 - _BITS)
Keys = NDArray[np.uint64]
Counts = NDArray[np.int64]


def bucket_counts(keys: Keys) -> Counts:
    """How many keys are in each of `BUCKETS` buckets."""
    counts: Counts = np.bincount((keys >> _SHIFT).astype(np.int64), minlength=BUCKETS)
    return counts


def keys_of_ranks(counts: Counts, ranks: Sequence[int], parts: Iterable[Keys]) -> list[int]:
    """The key of the record of each rank, from 0, in the order of all parts; `KEYS` for the rank after the last one.

    `counts` are the sum of the bucket counts of the parts. So many records as the rank have a smaller key. Raises
    ValueError where this is not so, because two records have the same key.
    """
    ends = np.cumsum(counts)
    buckets = {rank: int(np.searchsorted(ends, rank, "right")) for rank in ranks if rank < ends[-1]}
    needed = np.zeros(BUCKETS, bool)
    needed[list(buckets.values())] = True
    read = [keys[needed[(keys >> _SHIFT).astype(np.int64)]] for keys in parts] if buckets else []
    ordered = np.sort(np.concatenate([*read, np.zeros(0, np.uint64)]))
    found = []
    for rank in ranks:
        if rank not in buckets:
            found.append(KEYS)
            continue
        bucket = buckets[rank]
        first = int(np.searchsorted(ordered, np.uint64(bucket << int(_SHIFT))))
        base = int(ends[bucket] - counts[bucket])
        at = first + rank - base
        if at and ordered[at - 1] == ordered[at]:
            raise ValueError(f"two records have the same place {int(ordered[at])} in the order")
        found.append(int(ordered[at]))
    return found
