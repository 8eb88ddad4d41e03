"""Count characters, and distinct pairs of adjacent characters, of many texts in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.code_points import CodePoints, lookup, pieces

_CODES = 0x110000
#: Number of possible pairs of characters per pass; each takes one byte.
_PAIRS_PER_PASS = 1 << 27

Counts = npt.NDArray[np.int64]


def no_characters() -> Counts:
    """Return an array of zeros, with an element for each code point."""
    return np.zeros(_CODES, np.int64)


def count_characters(texts: pl.Series, counts: Counts) -> None:
    """Add the number of occurrences of each code point in `texts` to `counts`."""
    for piece in pieces(texts):
        points = CodePoints(piece)
        found = np.bincount(points.codes)
        counts[: len(found)] += found
        np.subtract.at(counts, points.codes[points.ends], 1)


def used(counts: Counts) -> dict[int, int]:
    """Return the counts of the characters that occur, by code point."""
    codes = np.flatnonzero(counts)
    return dict(zip(codes.tolist(), counts[codes].tolist(), strict=True))


def count_distinct_pairs(frames: Callable[[], Iterable[pl.Series]], characters: Sequence[int]) -> tuple[int, int]:
    """Return the number of distinct pairs of adjacent characters in texts, and the number of all pairs.

    Each call of `frames` yields all texts; `characters` are the distinct code points in them. Every pass over the texts
    covers some first characters of pairs, so that memory is bounded.
    """
    size = len(characters)
    ranks = np.full(_CODES, size, np.uint32)
    ranks[np.array(characters, np.int64)] = np.arange(size, dtype=np.uint32)
    rows = max(1, _PAIRS_PER_PASS // max(size, 1))
    distinct, total = 0, 0
    for begin in range(0, size, rows):
        seen = np.zeros((min(rows, size - begin), size), np.bool_)
        for texts in frames():
            total += sum(_mark(piece, ranks, begin, seen) for piece in pieces(texts))
        distinct += int(np.count_nonzero(seen))
    return distinct, total


def _mark(texts: pl.Series, ranks: npt.NDArray[np.uint32], begin: int, seen: npt.NDArray[np.bool_]) -> int:
    """Mark pairs of adjacent characters in `seen`, which has a row for each first character from rank `begin` on.

    Return the number of pairs with a row in `seen`, including repeated ones.
    """
    rows, size = seen.shape
    points = CodePoints(texts)
    found = lookup(ranks, points.codes).astype(np.int64)
    found[points.ends] = size
    first, second = found[:-1], found[1:]
    places = np.flatnonzero((first >= begin) & (first < begin + rows) & (first < size) & (second < size))
    seen.reshape(-1)[(first[places] - begin) * size + second[places]] = True
    return len(places)
