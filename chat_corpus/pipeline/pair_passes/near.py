"""Which pairs resemble an earlier pair on both sides: exact, in bounded memory, whatever the number of pairs.

Two pairs resemble each other if their queries do and their answers do: if the character bigrams of their canonical
forms have at least this Jaccard similarity. Pairs are looked at in order, and each is compared with the earlier pairs
that stay. So pairs are not chained: one that resembles only a dropped pair stays.

Pairs with the same canonical form are found by their hashes first. Only the first of them is a candidate: if it stays,
the others repeat it, and if it is dropped, they repeat what it repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import distinct, numbered, slices, text_bigrams
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes import near_candidates
from chat_corpus.pipeline.pair_passes.disk_buckets import DiskBuckets
from chat_corpus.pipeline.pair_passes.pass_input import FOUND, PassInput, found

#: Candidates that are verified together.
_CANDIDATES = 20_000
#: Characters of the pairs that are entered together, and how many a pair counts as at least: 12,500 pairs at most.
_CHARACTERS = 500_000
_LEAST_WEIGHT = 40
_LENGTH = pl.col("query").str.len_chars() + pl.col("answer").str.len_chars()
#: Bigrams of texts that are compared together.
_COMPARED_BIGRAMS = 1_000_000
_CANDIDATE = np.dtype([("key", "<u8")])
_LOW = np.uint64((1 << 32) - 1)
_BIGRAM = np.uint64(42)  # bits of a bigram
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]


def find_near(given: PassInput) -> pl.DataFrame:
    """The pairs that resemble an earlier one that stays: `pass_input.FOUND`, with the lower of the two similarities."""
    repeats = exact.find_repeats(given.paths("canonical"), starts=given.starts, remaining=given.remaining)
    compared = given.remaining.copy()
    compared[repeats["row"].to_numpy()] = False
    near = _near(given, compared)
    return found(pl.concat([near, _as_their_first(repeats, near)]))


def _as_their_first(repeats: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the canonical form of an earlier one (`row, first`): what they repeat."""
    dropped = near.rename({"row": "first", "first": "of_first"})
    frame = repeats.join(dropped, on="first", how="left", maintain_order="left")
    value = pl.col("value").fill_null(1.0)
    return frame.select("row", pl.coalesce("of_first", "first").alias("first"), value.cast(FOUND["value"]))


def _near(given: PassInput, compared: NDArray[np.bool_]) -> pl.DataFrame:
    """Which of the compared pairs, which have different canonical forms, resemble an earlier one that stays."""
    least = Fraction(str(given.settings.dedup.near))
    rarity = near_candidates.Rarity()
    for texts in _compared_texts(given, compared, near_candidates.RARITY_ROWS):
        for salt, side in enumerate(("query", "answer")):
            rarity.add(texts[side], salt)
    with DiskBuckets(given.work / "candidates", _CANDIDATE) as found_candidates:
        with DiskBuckets(given.work / "entries", near_candidates.ENTRY) as buckets:
            near_candidates.write_entries(_compared_texts(given, compared), rarity, buckets, least)
            for keys in near_candidates.candidates(buckets, least):
                found_candidates.add((keys << _spare_bits(given)).view(_CANDIDATE))
        return _resolved(given, found_candidates, compared, least)


def _compared_texts(given: PassInput, compared: NDArray[np.bool_], most: int = 0) -> Iterator[pl.DataFrame]:
    """`query, answer, row` of the compared pairs, some at a time; those of the first parts with `most` pairs."""
    number = 0
    for start, texts in given.frames("texts"):
        rows = np.flatnonzero(compared[start : start + len(texts)])
        frame = texts[rows].with_columns(row=pl.Series(rows + start, dtype=pl.UInt32))
        lengths = frame.select(pl.max_horizontal(_LEAST_WEIGHT, _LENGTH)).to_series().to_numpy()
        yield from (frame[begin:end] for begin, end in slices(lengths.astype(np.int64), _CHARACTERS))
        number += len(rows)
        if most and number >= most:
            return


def _spare_bits(given: PassInput) -> np.uint64:
    """The highest bits of candidates, which no row has; without them, ranges of rows are in different files."""
    return np.uint64(32 - given.starts[-1].bit_length())


def _resolved(given: PassInput, buckets: DiskBuckets, compared: NDArray[np.bool_], least: Fraction) -> pl.DataFrame:
    """Verify candidates in the order of their later rows, and drop each that resembles an earlier one that stays."""
    stays = compared.copy()
    frames = [FOUND.to_frame()]
    waiting: list[_KEYS] = []
    for rows in buckets.read():
        waiting.append(distinct(rows["key"] >> _spare_bits(given)))
        if sum(map(len, waiting)) >= _CANDIDATES:
            frames += _verified_in_order(given, np.concatenate(waiting), stays, least)
            waiting = []
    if waiting:
        frames += _verified_in_order(given, np.concatenate(waiting), stays, least)
    return pl.concat(frames)


def _verified_in_order(
    given: PassInput, keys: _KEYS, stays: NDArray[np.bool_], least: Fraction
) -> Iterator[pl.DataFrame]:
    """The rows among sorted candidates that are dropped; all candidates of one later row are verified together."""
    begin = 0
    while begin < len(keys):
        end = int(np.searchsorted(keys, keys[min(begin + _CANDIDATES, len(keys)) - 1] | _LOW, "right"))
        yield _verified(given, keys[begin:end], stays, least)
        begin = end


def _verified(given: PassInput, keys: _KEYS, stays: NDArray[np.bool_], least: Fraction) -> pl.DataFrame:
    """The rows among some candidates that are dropped; `stays` is updated."""
    later, earlier = (keys >> np.uint64(32)).astype(np.int64), (keys & _LOW).astype(np.int64)
    possible = stays[earlier]
    later, earlier = later[possible], earlier[possible]
    value = _similarities(given, later, earlier, least)
    dropped = []
    for row, first, similarity in zip(later.tolist(), earlier.tolist(), value.tolist(), strict=True):
        if similarity > 0 and stays[row] and stays[first]:
            stays[row] = False
            dropped.append((row, first, similarity))
    return pl.DataFrame(dropped, FOUND, orient="row")


def _similarities(given: PassInput, one: _INTS, other: _INTS, least: Fraction) -> NDArray[np.float64]:
    """The lower of the similarities of queries and of answers of two rows each; 0 if one of them is too low."""
    result = np.ones(len(one))
    rows = np.unique(np.concatenate([one, other]))
    if len(rows):
        texts = _texts_of(given, rows)
        pairs = np.searchsorted(rows, one), np.searchsorted(rows, other)
        for side in ("query", "answer"):
            shared, union = _overlaps(texts[side], *pairs)
            near = shared * least.denominator >= union * least.numerator
            result = np.where(near, np.minimum(result, shared / union), 0)
    return result


def _texts_of(given: PassInput, rows: _INTS) -> pl.DataFrame:
    """`query, answer` of rows, which are sorted."""
    limits = np.searchsorted(rows, given.starts)
    texts: dict[str, list[str]] = {"query": [], "answer": []}
    for path, start, begin, end in zip(given.paths("texts"), given.starts, limits, limits[1:], strict=False):
        if begin < end:
            part = exact.read(path)[rows[begin:end] - start]
            for side, found_texts in texts.items():
                found_texts += part[side].to_list()  # a copy: a slice would hold all texts of the part
    return pl.DataFrame(texts)


def _overlaps(texts: pl.Series, one: _INTS, other: _INTS) -> tuple[_INTS, _INTS]:
    """How many bigrams each two texts share, and how many they have in all."""
    rows, bigrams = text_bigrams(texts)
    sizes = np.bincount(rows, minlength=len(texts))
    starts = np.cumsum(sizes) - sizes
    members = rows.astype(np.uint64) << _BIGRAM | bigrams
    shared = np.zeros(len(one), np.int64)
    for begin, end in slices(sizes[one], _COMPARED_BIGRAMS):
        counts = sizes[one[begin:end]]
        pair, at = numbered(counts, starts[one[begin:end]])
        keys = other[begin:end][pair].astype(np.uint64) << _BIGRAM | bigrams[at]
        found_at = np.minimum(np.searchsorted(members, keys), len(members) - 1)
        shared[begin:end] = np.bincount(pair[members[found_at] == keys], minlength=end - begin)
    return shared, sizes[one] + sizes[other] - shared
