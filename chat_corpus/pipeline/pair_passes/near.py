"""Find pairs that resemble an earlier pair on both sides: exactly, in bounded memory, for any number of pairs.

Two pairs resemble each other if their queries do and their answers do. Two texts resemble each other if the character
bigrams of their canonical forms have at least the Jaccard similarity `dedup.near`. Pairs are checked in order, and each
is compared with the earlier pairs that stay, which means that they are not dropped. So there are no chains: a pair that
resembles only a dropped pair stays.

Pairs with the same canonical form are found by their hashes first. Only the first of them is compared with other pairs:
if it stays, the others repeat it; if it is dropped because it resembles a pair, the others repeat that pair.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import slices
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes import near_entries
from chat_corpus.pipeline.pair_passes.near_candidates import SortedEntries
from chat_corpus.pipeline.pair_passes.near_resolution import Resolution
from chat_corpus.pipeline.pair_passes.pass_input import DROPPED, PassInput, as_dropped

#: A block of pairs is complete with this number of entries, or of characters.
_BLOCK_ENTRIES, _BLOCK_CHARACTERS = 400_000, 10_000_000
#: Maximum number of characters of pairs that get their entries together, and the minimum that each pair counts as: so
#: these are at most 12,500 pairs.
_CHARACTERS = 500_000
_LEAST_WEIGHT = 40
_LENGTH = pl.col("query").str.len_chars() + pl.col("answer").str.len_chars()


def find_near(given: PassInput) -> pl.DataFrame:
    """Return the pairs that resemble an earlier one that stays: `DROPPED`, `value` is the lower of two similarities."""
    repeats = exact.find_repeats(given.paths("canonical"), starts=given.starts, remaining=given.remaining)
    compared = given.remaining.copy()
    compared[repeats["row"].to_numpy()] = False
    near = _near(given, compared)
    return as_dropped(pl.concat([near, _as_their_first(repeats, near)]))


def _as_their_first(repeats: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Return `row, first, value` of `repeats` (`row, first`), the pairs with the canonical form of an earlier pair.

    The new `first` is the pair that stays: the earlier pair or, if that is in `near`, the pair that it resembles.
    """
    dropped = near.rename({"row": "first", "first": "of_first"})
    frame = repeats.join(dropped, on="first", how="left", maintain_order="left")
    value = pl.col("value").fill_null(1.0)
    return frame.select("row", pl.coalesce("of_first", "first").alias("first"), value.cast(DROPPED["value"]))


def _near(given: PassInput, compared: NDArray[np.bool_]) -> pl.DataFrame:
    """Return `DROPPED` for the compared pairs, all with different canonical forms, that resemble an earlier one."""
    least = Fraction(str(given.settings.dedup.near))
    rarity = near_entries.Rarity()
    for texts in _compared_texts(given, compared, near_entries.RARITY_ROWS):
        for salt, side in enumerate(("query", "answer")):
            rarity.add(texts[side], salt)
    folder = given.work / "near"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        resolution = Resolution(given=given, folder=folder, least=least, stays=compared.copy())
        for texts, entries in _blocks(_compared_texts(given, compared), rarity, least):
            resolution.add(texts, entries)
        return pl.concat(resolution.dropped)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _blocks(
    frames: Iterator[pl.DataFrame], rarity: near_entries.Rarity, least: Fraction
) -> Iterator[tuple[pl.DataFrame, SortedEntries]]:
    """Yield blocks of pairs (`query, answer, row`), and their entries."""
    texts: list[pl.DataFrame] = []
    entries: list[NDArray[np.void]] = []
    characters = 0
    for frame in frames:
        texts.append(frame)
        entries.append(near_entries.entries_of(frame, rarity, least))
        characters += frame.select(_LENGTH.sum()).item()
        if sum(map(len, entries)) >= _BLOCK_ENTRIES or characters >= _BLOCK_CHARACTERS:
            block = pl.concat(texts, rechunk=True), SortedEntries.of(np.concatenate(entries))
            texts, entries, characters = [], [], 0
            yield block
    if texts:
        yield pl.concat(texts, rechunk=True), SortedEntries.of(np.concatenate(entries))


def _compared_texts(given: PassInput, compared: NDArray[np.bool_], most: int = 0) -> Iterator[pl.DataFrame]:
    """Yield `query, answer, row` of the compared pairs in batches.

    If `most` is not 0, end after the shard with which the number of pairs reaches it.
    """
    number = 0
    for start, texts in given.frames("texts"):
        rows = np.flatnonzero(compared[start : start + len(texts)])
        frame = texts[rows].with_columns(row=pl.Series(rows + start, dtype=pl.UInt32))
        lengths = frame.select(pl.max_horizontal(_LEAST_WEIGHT, _LENGTH)).to_series().to_numpy()
        yield from (frame[begin:end] for begin, end in slices(lengths.astype(np.int64), _CHARACTERS))
        number += len(rows)
        if most and number >= most:
            return
