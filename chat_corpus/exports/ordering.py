"""Find the keys at given ranks over many sorted parts, in bounded memory: a step of an external sort.

Records are sorted by a 64-bit key with an even distribution (`splitting.order_keys`). Each part counts its keys in
buckets of equal width. The sums of these counts show which bucket holds the record of a rank, and only the keys in that
bucket are sorted to find the key. A file is then a range of keys, and a contiguous slice of each part. The result does
not depend on how records are distributed over parts, or on the process that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

#: The end of the range of keys, exclusive.
KEYS = 1 << 64
_BITS = 12
#: Number of buckets, of equal width.
BUCKETS = 1 << _BITS
_SHIFT = np.uint64(64 - _BITS)
Keys = NDArray[np.uint64]
Counts = NDArray[np.int64]


def bucket_counts(keys: Keys) -> Counts:
    """Return the number of keys in each of the `BUCKETS` buckets."""
    counts: Counts = np.bincount((keys >> _SHIFT).astype(np.int64), minlength=BUCKETS)
    return counts


def keys_of_ranks(counts: Counts, ranks: Sequence[int], parts: Iterable[Keys]) -> list[int]:
    """Return the key of the record at each rank, from 0, in the order of all parts; `KEYS` if there is no such record.

    `counts` is the sum of the bucket counts of all parts. The number of records with a smaller key equals the rank.
    Raises ValueError if this is impossible because two records have the same key.
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
