"""Which pairs stand earlier in the output: exact, in bounded memory, however many pairs there are.

Each pair is known by 128 bits of hash, kept on disk beside its shard and sorted there. The keys are looked at in as
many passes as keep one pass small; each takes the keys of one range of values, which lie together in every shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import polars as pl

#: Keys of one pass, which take some 100 MB to sort.
_PASS = 1_000_000
_VALUES = 1 << 64
#: What is said of a pair that is left out: file and record of the same pair, which stands before it.
STANDS = "the same pair stands at {}:{}"


def read(path: Path, *columns: str) -> pl.DataFrame:
    """Columns of an Arrow file, or all of them; its path is a name, never a pattern."""
    frame = pl.scan_ipc(path, glob=False)
    return (frame.select(columns) if columns else frame).collect()


def pair_keys(pairs: pl.DataFrame, files: Sequence[str], begins: pl.Series) -> pl.DataFrame:
    """The keys of pairs as a pipeline makes them: `low, high: u64, row, begin: u32, file: str, line: u32`, by `low`.

    `row` counts the pairs from 0, `begins` say where the bytes of each begin in their file, `file` and `line` are the
    address of the query.
    """
    pair = pl.struct("query", "answer")
    names = pl.Series(list(files))[pairs["query_file_index"]]
    told = pairs.select(
        low=pair.hash(seed=1), high=pair.hash(seed=2), begin=begins.cast(pl.UInt32), file=names, record="query_record"
    )
    return told.with_row_index("row").select("low", "high", "row", "begin", "file", "record").sort("low")


def row_offsets(parts: Sequence[Path]) -> list[int]:
    """Where the pairs of each part begin among those of all, from 0; last, how many there are."""
    return [0, *accumulate(pl.scan_ipc(part, glob=False).select(pl.len()).collect().item() for part in parts)]


def find_duplicates(parts: Sequence[Path]) -> pl.DataFrame:
    """The pairs to leave out: `row: u32`, from 0 over all parts in order, and `file, line` of the first such pair."""
    return _addressed(find_repeats(parts), parts, row_offsets(parts))


def find_repeats(parts: Sequence[Path]) -> pl.DataFrame:
    """Each row whose key an earlier row has: `row: u32`, from 0 over all parts, and `first`, the earliest of them."""
    starts = row_offsets(parts)
    passes = 1 + starts[-1] // _PASS
    found = [
        _repeats(_keys(parts, starts, number * _VALUES // passes, (number + 1) * _VALUES // passes))
        for number in range(passes)
    ]
    return pl.concat(found)


def _keys(parts: Sequence[Path], starts: Sequence[int], begin: int, end: int) -> pl.DataFrame:
    """The keys `low, high, row` of all parts from `begin` up to `end`; rows counted over all parts."""
    frames = []
    for part, start in zip(parts, starts, strict=False):
        own = read(part, "low", "high", "row")
        first, last = (
            own["low"].search_sorted(value, "left") if value < _VALUES else len(own) for value in (begin, end)
        )
        frames.append(own[first:last].with_columns(pl.col("row") + start))
    return pl.concat(frames, rechunk=True)


def _repeats(found: pl.DataFrame) -> pl.DataFrame:
    """Each row whose key an earlier row has: `row`, and `first`, the earliest of them."""
    ordered = found.sort("low", "high", "row")
    same = (pl.col("low") == pl.col("low").shift(1)) & (pl.col("high") == pl.col("high").shift(1))
    told = ordered.select("row", same=same.fill_null(value=False))
    return (
        told.select("row", "same", first=pl.when(~pl.col("same")).then("row").forward_fill())
        .filter("same")
        .drop("same")
    )


def _addressed(repeats: pl.DataFrame, parts: Sequence[Path], starts: Sequence[int]) -> pl.DataFrame:
    """Repeats with the address of the first in place of its row, in the order of rows."""
    ordered = repeats.sort("first")
    whole = pl.concat([ordered.select("row").clear(), *_by_part(ordered, parts, starts)], how="diagonal")
    return whole.sort("row")


def _by_part(ordered: pl.DataFrame, parts: Sequence[Path], starts: Sequence[int]) -> Iterator[pl.DataFrame]:
    for part, start, end in zip(parts, starts, starts[1:], strict=False):
        begin, stop = (ordered["first"].search_sorted(row, "left") for row in (start, end))
        if begin < stop:
            mine = ordered[begin:stop]
            own = addresses(part, mine["first"] - start)
            yield mine.select("row", file=own["file"].cast(pl.Categorical), record=own["record"])


def addresses(part: Path, rows: pl.Series) -> pl.DataFrame:
    """`file, line` of the query of these pairs of a part, counted from 0, in their order."""
    return _of_rows(part, rows, "file", "record")


def byte_offsets(part: Path, rows: pl.Series) -> pl.Series:
    """Where the bytes of these pairs begin in the file of a part, in their order; null for a pair that is none."""
    return _of_rows(part, rows, "begin")["begin"]


def _of_rows(part: Path, rows: pl.Series, *columns: str) -> pl.DataFrame:
    wanted = pl.col("row").is_in(rows.unique().implode())
    found = read(part, "row", *columns).filter(wanted)
    return rows.to_frame("row").join(found, on="row", how="left", maintain_order="left").drop("row")
