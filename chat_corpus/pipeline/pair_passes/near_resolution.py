"""Decide which pairs resemble an earlier pair that stays, block by block in the order of the pairs.

The pairs of a block are first compared with the pairs of all earlier blocks that stay, which are on disk, and then with
each other. If many pairs of a block may resemble each other, its first half is resolved, and its pairs that stay drop
pairs of the second half before that half is resolved. So if many pairs resemble a few others, they are compared with
these few, and not with each other. Earlier pairs are checked in order: a pair repeats the first one that it resembles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import slices
from chat_corpus.pipeline.pair_passes.near_candidates import (
    KeyFilter,
    SortedEntries,
    candidates_between,
    candidates_within,
    count_within,
)
from chat_corpus.pipeline.pair_passes.near_entries import ENTRY
from chat_corpus.pipeline.pair_passes.near_texts import Texts
from chat_corpus.pipeline.pair_passes.pass_input import DROPPED, PassInput

#: Maximum number of comparisons of entries, in all or per pair, for which pairs are not split into halves.
_FEW, _FEW_OF_PAIR = 100_000, 64
#: Number of candidates that are verified together.
_VERIFIED = 20_000
_LOW = np.uint64((1 << 32) - 1)
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]


@dataclass(kw_only=True, slots=True)
class Resolution:
    """The pairs that stay so far, in memory as a mask, and their entries in files of `folder`, one for each block.

    stays    mask of the compared pairs that stay so far
    dropped  the rows dropped so far: `pass_input.DROPPED`
    """

    given: PassInput
    folder: Path
    least: Fraction
    stays: NDArray[np.bool_]
    dropped: list[pl.DataFrame] = field(default_factory=lambda: [DROPPED.to_frame()])
    _filters: list[KeyFilter] = field(default_factory=list)

    def add(self, texts: pl.DataFrame, entries: SortedEntries) -> None:
        """Resolve the next block: the pairs (`query, answer, row`) and their entries."""
        block = _Block(texts=Texts(given=self.given, block=texts), least=self.least, stays=self.stays)
        for number, key_filter in enumerate(self._filters):
            if block.drop_like(self._read(number), key_filter.may_hold(entries)):
                entries = entries.where(self.stays[entries.rows])
        block.resolve(entries)
        self.dropped.append(pl.DataFrame(block.dropped, DROPPED, orient="row"))
        remaining = entries.where(self.stays[entries.rows])
        if len(remaining.keys):
            number = len(self._filters)
            remaining.keys.tofile(self.folder / f"{number}.keys")
            remaining.entries.tofile(self.folder / f"{number}.entries")
            self._filters.append(KeyFilter(remaining))

    def _read(self, number: int) -> SortedEntries:
        """Return the entries of an earlier block, mapped into memory: only the pages in use are read."""
        return SortedEntries(
            keys=np.memmap(self.folder / f"{number}.keys", np.uint64, "r").view(np.ndarray),
            entries=np.memmap(self.folder / f"{number}.entries", ENTRY, "r").view(np.ndarray),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """A block of pairs. Methods update `stays`, and add row, first and similarity of other pairs to `dropped`."""

    texts: Texts
    least: Fraction
    stays: NDArray[np.bool_]
    dropped: list[tuple[int, int, float]] = field(default_factory=list)

    def resolve(self, entries: SortedEntries) -> None:
        """Drop each of these pairs that resembles an earlier one of them that stays."""
        counts = count_within(entries, self.least)
        rows = np.unique(entries.rows)
        if counts.sum() <= max(_FEW, _FEW_OF_PAIR * len(rows)) or len(rows) <= 2:
            candidates = list(candidates_within(entries, counts, self.least))
            if candidates:
                self._drop_in_order(np.unique(np.concatenate(candidates)))
            return
        is_first_half = entries.rows < rows[len(rows) // 2]
        first, second = entries.where(is_first_half), entries.where(~is_first_half)
        self.resolve(first)
        if self.drop_like(first.where(self.stays[first.rows]), second):
            second = second.where(self.stays[second.rows])
        self.resolve(second)

    def drop_like(self, earlier: SortedEntries, later: SortedEntries) -> bool:
        """Drop each later pair that resembles an earlier one; return whether there are any.

        All of the earlier pairs must stay.
        """
        first: dict[int, tuple[int, float]] = {}
        for candidates in candidates_between(earlier, later, self.least):
            for row, repeated, similarity in self._first_hits(candidates):
                first[row] = min(first.get(row, (repeated, similarity)), (repeated, similarity))
        self.dropped.extend((row, *hit) for row, hit in first.items())
        self.stays[list(first)] = False
        return bool(first)

    def _first_hits(self, candidates: _KEYS) -> Iterator[tuple[int, int, float]]:
        """Yield later row, first earlier row that it resembles, and similarity, from sorted candidates.

        The first candidate of each row is verified first, then four times as many for rows without a result, and so on.
        """
        verified = 1
        while len(candidates):
            later = candidates >> np.uint64(32)
            position = np.arange(len(later)) - np.searchsorted(later, later)
            chosen = position < verified
            hits = list(self._hits(candidates[chosen]))
            yield from hits
            rest = candidates[~chosen]
            hit_rows = np.array([row for row, _, _ in hits], np.uint64)
            candidates = rest[~np.isin(rest >> np.uint64(32), hit_rows)]
            verified *= 4

    def _hits(self, candidates: _KEYS) -> Iterator[tuple[int, int, float]]:
        """Yield later row, first earlier row that it resembles, and similarity; all sorted candidates are verified."""
        last = -1
        for row, repeated, similarity in self._verified(candidates):
            if row != last:
                last = row
                yield row, repeated, similarity

    def _drop_in_order(self, candidates: _KEYS) -> None:
        """Drop the later row of each of the sorted candidates that is similar, if both rows still stay."""
        for row, repeated, similarity in self._verified(candidates):
            if self.stays[row] and self.stays[repeated]:
                self.stays[row] = False
                self.dropped.append((row, repeated, similarity))

    def _verified(self, candidates: _KEYS) -> Iterator[tuple[int, int, float]]:
        """Yield later row, earlier row and similarity of those of the sorted candidates that are similar."""
        for begin, end in slices(np.ones(len(candidates), np.int64), _VERIFIED):
            keys = candidates[begin:end]
            later, earlier = (keys >> np.uint64(32)).astype(np.int64), (keys & _LOW).astype(np.int64)
            similarity = self.texts.similarities(later, earlier, self.least)
            near = similarity > 0
            yield from zip(later[near].tolist(), earlier[near].tolist(), similarity[near].tolist(), strict=True)
