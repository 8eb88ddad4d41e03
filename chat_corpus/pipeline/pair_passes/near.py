"""Which pairs resemble an earlier pair on both sides: exact, in bounded memory, whatever the number of pairs.

Two pairs resemble each other if their queries do and their answers do: if the character bigrams of their canonical
forms have at least this Jaccard similarity. Pairs are looked at in order, and each is compared with the earlier pairs
that stay. So pairs are not chained: one that resembles only a dropped pair stays.

Pairs with the same canonical form are found by their hashes first. Only the first of them is a candidate: if it stays,
the others repeat it, and if it is dropped, they repeat what it repeats.
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

#: Entries, and characters, of the pairs of a block.
_BLOCK_ENTRIES, _BLOCK_CHARACTERS = 400_000, 10_000_000
#: Characters of the pairs that are entered together, and how many a pair counts as at least: 12,500 pairs at most.
_CHARACTERS = 500_000
_LEAST_WEIGHT = 40
_LENGTH = pl.col("query").str.len_chars() + pl.col("answer").str.len_chars()


def find_near(given: PassInput) -> pl.DataFrame:
    """The pairs that resemble an earlier one that stays: `DROPPED`, with the lower of the two similarities."""
    repeats = exact.find_repeats(given.paths("canonical"), starts=given.starts, remaining=given.remaining)
    compared = given.remaining.copy()
    compared[repeats["row"].to_numpy()] = False
    near = _near(given, compared)
    return as_dropped(pl.concat([near, _as_their_first(repeats, near)]))


def _as_their_first(repeats: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Pairs with the canonical form of an earlier one (`row, first`): what they repeat."""
    dropped = near.rename({"row": "first", "first": "of_first"})
    frame = repeats.join(dropped, on="first", how="left", maintain_order="left")
    value = pl.col("value").fill_null(1.0)
    return frame.select("row", pl.coalesce("of_first", "first").alias("first"), value.cast(DROPPED["value"]))


def _near(given: PassInput, compared: NDArray[np.bool_]) -> pl.DataFrame:
    """Which of the compared pairs, which have different canonical forms, resemble an earlier one that stays."""
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
    """Blocks of pairs (`query, answer, row`), and their entries."""
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
