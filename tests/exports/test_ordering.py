"""Ranges of keys give the sorted whole, however the records are spread over parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.exports import ordering
from tests.conftest import examples

_KEYS = st.sets(st.one_of(st.integers(0, ordering.KEYS - 1), st.integers(0, 40), st.integers(1 << 52, (1 << 52) + 9)))


@settings(max_examples=examples(60), deadline=None)
@given(_KEYS, st.integers(1, 5), st.lists(st.floats(0, 1), max_size=6))
def test_cuts_at_ranks_give_the_sorted_whole(keys: set[int], count: int, shares: list[float]) -> None:
    whole = np.array(sorted(keys), np.uint64)
    parts = [
        np.array([key for at, key in enumerate(keys) if at % count == number], np.uint64) for number in range(count)
    ]
    counts = np.sum([ordering.bucket_counts(part) for part in parts], axis=0)
    ranks = [int(share * len(keys)) for share in shares]
    found = ordering.keys_of_ranks(counts, ranks, parts)
    assert found == [int(whole[rank]) if rank < len(whole) else ordering.KEYS for rank in ranks]
    for rank, key in zip(ranks, found, strict=True):
        assert sum(int((part < np.uint64(key)).sum()) if key < ordering.KEYS else len(part) for part in parts) == rank


def test_only_the_buckets_of_the_ranks_are_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = np.random.default_rng(1).integers(0, ordering.KEYS, 100_000, np.uint64)
    sizes: list[int] = []
    sort = np.sort

    def counted(keys: ordering.Keys) -> ordering.Keys:
        sizes.append(len(keys))
        return sort(keys)

    monkeypatch.setattr(np, "sort", counted)
    parts = np.array_split(keys, 7)
    found = ordering.keys_of_ranks(ordering.bucket_counts(keys), [10, 50_000, 100_000], parts)
    assert found == [int(sort(keys)[10]), int(sort(keys)[50_000]), ordering.KEYS]
    assert sizes[0] < 200


def test_two_records_with_one_key_at_a_cut_are_no_silent_matter() -> None:
    keys = np.array([1, 5, 5, 9], np.uint64)
    with pytest.raises(ValueError, match="same place 5"):
        ordering.keys_of_ranks(ordering.bucket_counts(keys), [2], [keys])
    assert ordering.keys_of_ranks(ordering.bucket_counts(keys), [1, 3], [keys]) == [5, 9]
