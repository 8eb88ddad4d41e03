"""The index of evaluation pairs, in which `twin_search` finds the pairs that resemble a text."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import text_bigrams
from chat_corpus.exports.signatures import LEVELS, signatures, sizes_of

#: Least similarity of pairs that resemble each other, as a fraction.
THRESHOLD: Final = (4, 5)
#: Columns of evaluation pairs: id of the record or place of the pair, and its text (`near_twins.pair_texts`).
EVALUATION = pl.Schema({"id": pl.String(), "text": pl.String()})
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, slots=True)
class TwinIndex:
    """Evaluation pairs, sorted by number of bigrams. Bigrams are replaced by their rank; the rarest bigram has rank 0.

    ids             id of each pair
    places          position of each pair in the order of ids
    sizes           number of bigrams of each pair, ascending
    bigrams, ranks  the bigrams of all pairs, sorted, and the rank of each
    begins, members the ranks of pair k are members[begins[k]:begins[k + 1]], ascending
    entries         rank << 32 | pair for each rank in the prefix of each pair, sorted
    most            for each entry, the largest number of bigrams of a text that resembles the pair if this rank is the
                    first one that both share
    signatures      for each level, the signatures (`signatures.signatures`) of all pairs that texts of the level can
                    resemble
    lows            for each level, the number of the first of these pairs
    """

    ids: pl.Series
    places: _INTS
    sizes: _INTS
    bigrams: _KEYS
    ranks: _INTS
    begins: _INTS
    members: _INTS
    entries: _INTS
    most: _INTS
    signatures: tuple[_KEYS, ...]
    lows: _INTS

    def ranks_of(self, bigrams: _KEYS) -> _INTS:
        """Return the rank of each bigram; -1 if no evaluation pair has it."""
        if not len(self.bigrams):
            return np.full(len(bigrams), -1)
        at = np.searchsorted(self.bigrams, bigrams)
        at[at == len(self.bigrams)] = 0
        return np.where(self.bigrams[at] == bigrams, self.ranks[at], -1)

    def encode(self) -> bytes:
        """Return the index as bytes (an npz file), for a file that several processes read."""
        out = io.BytesIO()
        ids = np.frombuffer(json.dumps(self.ids.to_list()).encode(), np.uint8)
        levels = {f"signatures-{level}": words for level, words in enumerate(self.signatures)}
        arrays: dict[str, Any] = {"ids": ids, **levels, **{name: getattr(self, name) for name in _ARRAYS}}
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> TwinIndex:
        """Return the index in bytes from `encode`."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ids = pl.Series("id", json.loads(arrays["ids"].tobytes()), pl.String)
            levels = tuple(arrays[f"signatures-{level}"] for level in range(LEVELS))
            return cls(ids=ids, signatures=levels, **{name: arrays[name] for name in _ARRAYS})


_ARRAYS = (
    "places", "sizes", "bigrams", "ranks", "begins", "members", "entries", "most", "lows",
)  # fmt: skip


def build_index(evaluation: pl.DataFrame) -> TwinIndex:
    """Return the index of evaluation pairs, which have the columns `EVALUATION` and may be in any order.

    If several pairs have the same text, the index has the one with the smallest id.
    """
    unique = evaluation.sort("text", "id").unique("text", keep="first", maintain_order=True)
    rows, keys = text_bigrams(unique["text"])
    unique = unique.with_columns(size=np.bincount(rows, minlength=len(unique)))
    order = unique.select(pl.arg_sort_by("size", "id", "text")).to_series().to_numpy()
    ids, sizes = unique["id"][order], unique["size"].to_numpy()[order]
    bigrams, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    ranks = _inverse(np.lexsort((bigrams, counts)))
    members = np.sort(_inverse(order)[rows] << 32 | ranks[inverse])
    rows, members = members >> 32, members & 0xFFFFFFFF
    begins = np.append(0, np.cumsum(sizes))
    position = np.arange(len(rows)) - begins[rows]
    most = largest(sizes[rows], position)
    shared = np.flatnonzero(most * THRESHOLD[1] >= sizes[rows] * THRESHOLD[0])
    entries = members[shared] << 32 | rows[shared]
    by_rank = np.argsort(entries)
    lows, signed = _pair_signatures(begins, members)
    return TwinIndex(
        ids=ids,
        places=_inverse(ids.arg_sort().to_numpy()),
        sizes=sizes,
        bigrams=bigrams,
        ranks=ranks,
        begins=begins,
        members=members,
        entries=entries[by_rank],
        most=most[shared][by_rank],
        signatures=signed,
        lows=lows,
    )


def _inverse(order: NDArray[np.integer]) -> _INTS:
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def largest(sizes: _INTS, positions: _INTS) -> _INTS:
    """Return the size of the largest set that each set can resemble if the first shared bigram is at this position.

    Positions are those in the set with the given size, from 0. Two sets of sizes m and n with a Jaccard similarity of t
    share at least (m + n) t / (1 + t) bigrams, and a set of size m has m - i bigrams from position i on.
    """
    least, whole = THRESHOLD
    largest: _INTS = (least + whole) * (sizes - positions) // least - sizes
    return largest


def _pair_signatures(begins: _INTS, members: _INTS) -> tuple[_INTS, tuple[_KEYS, ...]]:
    """Return `TwinIndex.lows` and `TwinIndex.signatures`."""
    least, whole = THRESHOLD
    sizes = np.diff(begins)
    lows, made = [], []
    for level in range(LEVELS):
        smallest, largest_size = sizes_of(level)
        low = int(np.searchsorted(sizes, -(-smallest * least // whole)))
        high = int(np.searchsorted(sizes, largest_size * whole // least, "right"))
        pairs = np.repeat(np.arange(high - low), sizes[low:high])
        made.append(signatures(pairs, members[begins[low] : begins[high]], high - low, level))
        lows.append(low)
    return np.array(lows), tuple(made)
