"""Clean turns on disk: what reading, normalizing and converting gave, for later runs that judge it otherwise."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from chat_corpus.outputs import sealed
from chat_corpus.pipeline import counts
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.process import CleanTurns

#: Texts that are mostly the same as the clean one: only where they differ are they written.
_EARLIER = ("raw", "before_conversion")
_COUNTS = "chat_corpus.pipeline.counts"


def write(cleaned: CleanTurns, path: Path, name: str) -> None:
    """Write the clean turns of a shard and its accounts into one file, sealed as `name`. Raises OSError."""
    same = (pl.when(pl.col(name) != pl.col("text")).then(name).alias(name) for name in _EARLIER)
    told, content = {_COUNTS: counts.encode(cleaned.counts).decode()}, io.BytesIO()
    cleaned.turns.with_columns(*same).write_parquet(content, compression="lz4", metadata=told)
    path.write_bytes(sealed.seal(content.getvalue(), name))


def read(path: Path, name: str) -> CleanTurns | None:
    """What `write` wrote as `name`; None where there is nothing of the kind, or nothing whole."""
    try:
        content = sealed.unseal(path.read_bytes(), name)
        told = counts.decode(pl.read_parquet_metadata(io.BytesIO(content))[_COUNTS].encode(), Counts)
        turns = pl.read_parquet(io.BytesIO(content))
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        return None
    return CleanTurns(turns=turns.with_columns(pl.coalesce(name, "text") for name in _EARLIER), counts=told)
