"""Divide a dialogue store into chunks, which begin and end between dialogues, and depend only on its content.

A dialogue of any length stays in one chunk, since windows, counts and traces need whole dialogues. A worker needs
memory for the longest dialogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus.outputs import dialogue_store

#: A chunk ends with the dialogue in which it reaches `CHUNK` bytes: the bytes of its texts, and `_TURN` for each turn.
CHUNK = 4_000_000
_TURN = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Rows `first` to `first + rows - 1` of a store, counted from 0."""

    first: int
    rows: int


def chunks(store: Path, rows: int) -> Iterator[Chunk]:
    """Yield consecutive chunks of a store that has this number of rows; they are the same for any engine."""
    first, weight, size = 0, 0, CHUNK
    last: str | None = None
    for start in range(0, rows, dialogue_store.ROW_GROUP):
        frame = dialogue_store.scan(store).slice(start, dialogue_store.ROW_GROUP)
        turns = frame.select("dialogue_id", weight=pl.col("text").str.len_bytes().fill_null(0) + _TURN).collect()
        begins = turns.select(
            pl.col("dialogue_id").ne_missing(pl.col("dialogue_id").shift(1, fill_value=last))
            | pl.col("dialogue_id").is_null()
        ).to_series()
        total = turns["weight"].cast(pl.Int64).cum_sum()
        at = 0
        while (cut := _cut(begins, total, at, weight, size)) is not None:
            yield Chunk(first=first, rows=start + cut - first)
            first, at, weight = start + cut, cut, 0
        weight += total[-1] - (total[at - 1] if at else 0)
        last = turns["dialogue_id"][-1]
    if first < rows:
        yield Chunk(first=first, rows=rows - first)


def _cut(begins: pl.Series, total: pl.Series, at: int, weight: int, size: int) -> int | None:
    """Return the first row after `at` at which a new chunk begins, or None if there is none in this frame.

    `begins` marks rows at which dialogues begin, `total` is the running sum of the weights of rows. The current chunk
    has `weight` before row `at`, and ends after it has reached `size`.
    """
    base = (total[at - 1] if at else 0) - weight
    # Row i can begin a chunk if the rows before it weigh enough: total[i - 1] - base >= size.
    enough = int(total.search_sorted(base + size, "left")) + 1
    offset = begins[enough:].arg_max() if enough < len(begins) else None
    begin = enough + offset if offset is not None and begins[enough + offset] else len(begins)
    return begin if at < begin < len(begins) else None
