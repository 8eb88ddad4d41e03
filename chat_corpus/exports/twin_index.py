"""Evaluation pairs, ready for the search of texts that resemble them (`twin_search`)."""

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

#: Similarity, as a fraction, from which on pairs resemble each other.
THRESHOLD: Final = (4, 5)
#: Columns of evaluation pairs: where a pair comes from, and its text (`near_twins.pair_texts`).
EVALUATION = pl.Schema({"id": pl.String(), "text": pl.String()})
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, slots=True)
class TwinIndex:
    """Evaluation pairs by number of bigrams. A bigram is a rank: the rarest has 0.

    ids             id of each pair
    places          place of each pair if pairs were sorted by id
    sizes           bigrams of each pair, ascending
    bigrams, ranks  the bigrams of all pairs, sorted, and the rank of each
    begins, members the ranks of pair k are members[begins[k]:begins[k + 1]], ascending
    entries         rank << 32 | pair for each rank in the prefix of each pair, sorted
    most            the most bigrams of a text that resembles the pair and shares this rank with it, but none before it
    signatures      `signatures.signatures` for texts of each level, of the pairs that they can resemble
    lows            the number of the first of these pairs
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
        """The rank of each bigram; -1 for one that no evaluation pair has."""
        if not len(self.bigrams):
            return np.full(len(bigrams), -1)
        at = np.searchsorted(self.bigrams, bigrams)
        at[at == len(self.bigrams)] = 0
        return np.where(self.bigrams[at] == bigrams, self.ranks[at], -1)

    def encode(self) -> bytes:
        """The index as bytes, for a file that several processes read."""
        out = io.BytesIO()
        ids = np.frombuffer(json.dumps(self.ids.to_list()).encode(), np.uint8)
        levels = {f"signatures-{level}": words for level, words in enumerate(self.signatures)}
        arrays: dict[str, Any] = {"ids": ids, **levels, **{name: getattr(self, name) for name in _ARRAYS}}
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> TwinIndex:
        """What `encode` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ids = pl.Series("id", json.loads(arrays["ids"].tobytes()), pl.String)
            levels = tuple(arrays[f"signatures-{level}"] for level in range(LEVELS))
            return cls(ids=ids, signatures=levels, **{name: arrays[name] for name in _ARRAYS})


_ARRAYS = (
    "places", "sizes", "bigrams", "ranks", "begins", "members", "entries", "most", "lows",
)  # fmt: skip


def build_index(evaluation: pl.DataFrame) -> TwinIndex:
    """Return the index of evaluation pairs, in any order, with the columns `EVALUATION`.

    Of pairs with the same text it has the one with the least id.
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
    """The size of the largest set that a set can resemble if the first bigram that they share is at a position.

    Sets of sizes m and n with a Jaccard similarity of t share at least (m + n) t / (1 + t) bigrams, and a set of size m
    has m - i from position i on.
    """
    least, whole = THRESHOLD
    largest: _INTS = (least + whole) * (sizes - positions) // least - sizes
    return largest


def _pair_signatures(begins: _INTS, members: _INTS) -> tuple[_INTS, tuple[_KEYS, ...]]:
    """`TwinIndex.lows` and `TwinIndex.signatures`."""
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
