"""Which pairs stand earlier in the output: exact, in bounded memory, however many pairs there are.

Each pair is known by 128 bits of hash, kept on disk beside its shard. The keys are looked at in as many passes as keep
one pass small, each pass taking the keys that fall to it by their value.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

#: Keys of one pass: about 60 MB a million, all columns counted.
_PASS = 2_000_000


def keys(pairs: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """The keys of pairs as a pipeline makes them: `low, high: u64, file: str, line: u32`, the address of the query."""
    pair = pl.struct("query", "answer")
    names = pl.Series(list(files))[pairs["query_part"]]
    return pairs.select(low=pair.hash(seed=1), high=pair.hash(seed=2), file=names, line="query_line")


def repeated(parts: Sequence[Path]) -> pl.DataFrame:
    """The pairs to leave out: `row`, from 0 over all parts in order, and `file, line` of the first such pair."""
    whole = pl.scan_ipc(list(parts), row_index_name="row")
    passes = 1 + whole.select(pl.len()).collect().item() // _PASS
    first = {name: pl.col(name).first().over("low", "high") for name in ("file", "line")}
    found = [
        whole.filter(pl.col("low") % passes == number)
        .with_columns(**first, repeats=~pl.struct("low", "high").is_first_distinct())
        .filter("repeats")
        .select("row", "file", "line")
        .collect()
        for number in range(passes)
    ]
    return pl.concat(found).sort("row")
