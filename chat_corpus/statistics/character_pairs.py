"""Distinct characters, and distinct pairs of neighbouring characters, of many texts, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.code_points import CodePoints, lookup, pieces

_CODES = 0x110000
#: Pairs of characters that are looked for in one pass, a byte each.
_PAIRS_PER_PASS = 1 << 27

Counts = npt.NDArray[np.int64]


def no_characters() -> Counts:
    """Return counts of no characters, by code point."""
    return np.zeros(_CODES, np.int64)


def count_characters(texts: pl.Series, counts: Counts) -> None:
    """Add to `counts` how often each code point occurs in texts."""
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
    """Return how many different pairs of neighbouring characters texts have, and how many pairs in all.

    `frames` yields the texts, each time that it is called; `characters` are all code points in them, each once.
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
    """Mark the pairs of characters of texts whose first character has a row in `seen`, from rank `begin` on.

    Returns the number of such pairs, equal ones counted too.
    """
    rows, size = seen.shape
    points = CodePoints(texts)
    found = lookup(ranks, points.codes).astype(np.int64)
    found[points.ends] = size
    first, second = found[:-1], found[1:]
    places = np.flatnonzero((first >= begin) & (first < begin + rows) & (first < size) & (second < size))
    seen.reshape(-1)[(first[places] - begin) * size + second[places]] = True
    return len(places)
