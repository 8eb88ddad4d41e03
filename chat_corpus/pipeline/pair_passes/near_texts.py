"""The similarity of pairs. Texts of the current block are in memory, those of earlier pairs on disk."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import numbered, slices, text_bigrams
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes.pass_input import PassInput

#: Number of bigrams of texts that are compared together.
_COMPARED_BIGRAMS = 1_000_000
_BIGRAM = np.uint64(42)  # number of bits of a bigram
_INTS = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """The texts of all pairs: those of `block` (`query, answer, row`, sorted by row) in memory, others on disk."""

    given: PassInput
    block: pl.DataFrame

    def similarities(self, rows: _INTS, others: _INTS, least: Fraction) -> NDArray[np.float64]:
        """Return, for each two pairs, the lower similarity of queries or answers; 0 if one is less than `least`."""
        result = np.ones(len(rows))
        numbers = np.unique(np.concatenate([rows, others]))
        if len(numbers):
            texts = self._of_rows(numbers)
            at, others_at = np.searchsorted(numbers, rows), np.searchsorted(numbers, others)
            for side in ("query", "answer"):
                shared, union = _overlaps(texts[side], at, others_at)
                near = shared * least.denominator >= union * least.numerator
                result = np.where(near, np.minimum(result, shared / union), 0)
        return result

    def _of_rows(self, rows: _INTS) -> pl.DataFrame:
        """Return `query, answer` of the pairs with these sorted numbers."""
        numbers = self.block["row"].to_numpy()
        begin = int(np.searchsorted(rows, numbers[0]))
        of_block = self.block[np.searchsorted(numbers, rows[begin:])].select("query", "answer")
        return pl.concat([self._read(rows[:begin]), of_block]) if begin else of_block

    def _read(self, rows: _INTS) -> pl.DataFrame:
        limits = np.searchsorted(rows, self.given.starts)
        texts: dict[str, list[str]] = {"query": [], "answer": []}
        parts = zip(self.given.paths("texts"), self.given.starts, limits, limits[1:], strict=False)
        for path, start, begin, end in parts:
            if begin < end:
                part = exact.read(path)[rows[begin:end] - start]
                for side, listed in texts.items():
                    listed += part[side].to_list()  # a copy: a slice would hold all texts of the part
        return pl.DataFrame(texts)


def _overlaps(texts: pl.Series, at: _INTS, others_at: _INTS) -> tuple[_INTS, _INTS]:
    """Return, for each two texts, the number of bigrams that they share, and the number of all their bigrams."""
    rows, bigrams = text_bigrams(texts)
    sizes = np.bincount(rows, minlength=len(texts))
    starts = np.cumsum(sizes) - sizes
    members = rows.astype(np.uint64) << _BIGRAM | bigrams
    shared = np.zeros(len(at), np.int64)
    for begin, end in slices(sizes[at], _COMPARED_BIGRAMS):
        pair, places = numbered(sizes[at[begin:end]], starts[at[begin:end]])
        keys = others_at[begin:end][pair].astype(np.uint64) << _BIGRAM | bigrams[places]
        nearest = np.minimum(np.searchsorted(members, keys), len(members) - 1)
        shared[begin:end] = np.bincount(pair[members[nearest] == keys], minlength=end - begin)
    return shared, sizes[at] + sizes[others_at] - shared
