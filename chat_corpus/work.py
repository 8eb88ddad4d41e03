"""The unit of work as a process does it: one shard through the pipeline, its results in files beside each other.

A part lies in a folder of its source, under the number of its shard; its files are renamed into place when whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus import distinct, pipeline
from chat_corpus.ledger import Counts
from chat_corpus.plan import Shard
from chat_corpus.settings import Settings
from chat_corpus.writers import tsv


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The files of one shard's results."""

    pairs: Path
    rejects: Path
    keys: Path

    @classmethod
    def of(cls, folder: Path, number: int) -> Part:
        """The part of the shard with this number."""
        stem = f"{number:06d}"
        return cls(pairs=folder / f"{stem}.tsv", rejects=folder / f"{stem}.jsonl", keys=folder / f"{stem}.arrow")


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What is told of a shard: its accounts, and a sample of its conversions (`key, file, line, before, after`)."""

    counts: Counts
    conversions: pl.DataFrame


def work(shard: Shard, settings: Settings, folder: Path, *, with_keys: bool, conversions: int = 0) -> Done:
    """Process a shard and leave its part in `folder`.

    With keys where pairs are to be told apart later; and with a sample of so many conversions.
    """
    outcome = pipeline.process(shard, settings)
    part = Part.of(folder, shard.number)
    whole(part.pairs, lambda path: path.write_bytes(tsv.encode(outcome.pairs)))
    whole(part.rejects, outcome.rejects.write_ndjson)
    if with_keys:
        keys = distinct.keys(outcome.pairs, [piece.file.name for piece in shard.pieces])
        whole(part.keys, lambda path: keys.write_ipc(path, compression="uncompressed"))
    return Done(counts=outcome.counts, conversions=_sample(outcome.turns, shard, conversions))


def _sample(turns: pl.DataFrame, shard: Shard, size: int) -> pl.DataFrame:
    """Conversions drawn by a hash of address and text, so that samples of shards make a sample of the source."""
    names = pl.Series([piece.file.name for piece in shard.pieces])
    found = turns.filter(pl.col("text") != pl.col("unconverted")).head(turns.height if size else 0)
    drawn = found.select(
        "line",
        key=pl.struct("part", "line", "turn", "raw").hash(seed=1),
        file=names[found["part"]] if len(found) else pl.lit("", dtype=pl.String),
        before="unconverted",
        after="text",
    )
    return drawn.bottom_k(size, by="key") if size else drawn


def whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` write a file that appears under its name whole or not at all."""
    beside = path.with_name(f".{path.name}.writing")
    try:
        write(beside)
        with beside.open("rb+") as stream:
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
