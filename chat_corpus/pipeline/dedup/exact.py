"""Find pairs that repeat an earlier pair of the output: exactly, in bounded memory, for any number of pairs.

Each pair has a key, a hash of 128 bits, on disk with the results of its shard. The keys are read in several small
passes, each over one range of values. A pass sorts by one half of the keys, and compares whole keys only for rows that
share this half. Only pairs that are dropped need an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:  # a run without passes does not need NumPy
    import numpy as np
    from numpy.typing import NDArray

#: Number of keys per pass; sorting them takes about 100 MB.
KEYS_PER_PASS = 1_000_000
#: Columns with the address of a pair in the frame of `pair_keys`.
ADDRESS = ("file", "record", "raw_begin")
_VALUES = 1 << 64
#: Number of parts that are read before their keys are copied.
_GROUP = 32


def read(path: Path, *columns: str) -> pl.DataFrame:
    """Return some columns of an Arrow file, or all; the path is taken literally, not as a glob pattern."""
    frame = pl.scan_ipc(path, glob=False)
    return (frame.select(columns) if columns else frame).collect()


def pair_keys(
    pairs: pl.DataFrame, files: Sequence[str], begins: pl.Series, raw_begins: pl.Series | None = None
) -> pl.DataFrame:
    """Return the keys of pairs, in order: `low, high: u64, row, begin: u32, file: enum, record, raw_begin: u32`.

    `low` and `high` are a 128-bit hash of the pair, `row` is its number from 0, `begin` the position of its first byte
    in the file (from `begins`), `file` and `record` are the address of its query, and `raw_begin` is the position of
    the first byte of this record in the raw content of the shard (from `raw_begins`), or null.
    """
    query, answer = pairs["query"], pairs["answer"]
    names = pl.Series(files, dtype=pl.Enum(files))
    unknown = pl.repeat(None, len(pairs), dtype=pl.UInt32, eager=True)
    return pl.DataFrame(
        {
            "low": query.hash(seed=1) ^ answer.hash(seed=2),
            "high": query.hash(seed=3) ^ answer.hash(seed=4),
            "row": pl.int_range(len(pairs), dtype=pl.UInt32, eager=True),
            "begin": begins.cast(pl.UInt32),
            "file": names.gather(pairs["query_file_index"]),
            "record": pairs["query_record"],
            "raw_begin": unknown if raw_begins is None else raw_begins,
        }
    )


def row_offsets(parts: Sequence[Path]) -> list[int]:
    """Return the number of the first pair of each part, counted over all parts, and then the number of all pairs."""
    return [0, *accumulate(pl.scan_ipc(part, glob=False).select(pl.len()).collect().item() for part in parts)]


def text_keys(texts: pl.Series) -> pl.DataFrame:
    """Return the keys of texts, in order: `low, high: u64, row: u32`, as in `pair_keys`."""
    rows = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
    return pl.DataFrame({"low": texts.hash(seed=1), "high": texts.hash(seed=2), "row": rows})


def find_repeats(
    parts: Sequence[Path],
    *,
    starts: Sequence[int] = (),
    remaining: NDArray[np.bool_] | None = None,
    most: int = 1,
) -> pl.DataFrame:
    """Return each row with a key that at least `most` earlier rows have: `row: u32`, and `first: u32`, the earliest.

    Both are numbers over all parts. `starts` has the number of the first row of each part and then the number of all
    rows; it is needed if parts have keys of only some rows. Rows that are not `remaining` are ignored.
    """
    starts = starts or row_offsets(parts)
    passes = 1 + starts[-1] // KEYS_PER_PASS
    ranges = ((number * _VALUES // passes, (number + 1) * _VALUES // passes) for number in range(passes))
    return pl.concat([_repeats(_keys(parts, starts, *limits, remaining), most) for limits in ranges])


def _keys(
    parts: Sequence[Path], starts: Sequence[int], begin: int, end: int, remaining: NDArray[np.bool_] | None
) -> pl.DataFrame:
    """Return `low, high, row` of all keys with `begin` <= `low` < `end`; `row` is counted over all parts."""

    def keys_of(part: Path, start: int) -> pl.DataFrame:
        keys = read(part, "low", "high", "row")
        low, row = keys["low"], keys["row"] + start
        inside = None if end - begin == _VALUES else (low >= begin) & (low <= end - 1)
        if remaining is not None:
            left = pl.Series(remaining[row.to_numpy()])
            inside = left if inside is None else inside & left
        numbered = pl.DataFrame([low, keys["high"], row])
        return numbered if inside is None else numbered.filter(inside)

    # Copy a group of parts at a time into one frame, because a filtered frame keeps memory for all rows of its part.
    groups = range(0, len(parts), _GROUP)
    pairs = [list(zip(parts[at : at + _GROUP], starts[at : at + _GROUP], strict=False)) for at in groups]
    return pl.concat([pl.concat([keys_of(*each) for each in group], rechunk=True) for group in pairs], rechunk=True)


def _repeats(keys: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return each row with a key that at least `most` earlier rows have: `row`, and `first`, the earliest of them."""
    ordered = _with_shared_half(keys).sort("low", "high", "row")
    same = (pl.col("low") == pl.col("low").shift(1)) & (pl.col("high") == pl.col("high").shift(1))
    marked = ordered.select("row", same=same.fill_null(value=False))
    shared = marked.filter(pl.col("same") | pl.col("same").shift(-1, fill_value=False))  # few, in most corpora
    at, begins = pl.int_range(pl.len(), dtype=pl.UInt32), ~pl.col("same")
    numbered = shared.select(
        "row", first=pl.when(begins).then("row").forward_fill(), place=at - pl.when(begins).then(at).forward_fill()
    )
    return numbered.filter(pl.col("place") >= most).select("row", "first")


def _with_shared_half(keys: pl.DataFrame) -> pl.DataFrame:
    """Return the keys with a `low` that occurs more than once: few, in most corpora."""
    values = keys["low"].sort()
    shared = values[1:].filter(values[1:] == values[:-1])
    return keys.filter(keys["low"].is_in(shared.implode()))


def with_addresses(rows: pl.DataFrame, parts: Sequence[Path], starts: Sequence[int]) -> pl.DataFrame:
    """Return rows with `file, record`, the address of the pair `first`, or null if there is none; sorted by `row`."""
    ordered = rows.filter(pl.col("first").is_not_null()).sort("first")
    others = rows.filter(pl.col("first").is_null())
    empty = rows.clear().with_columns(file=pl.lit(None, pl.Categorical), record=pl.lit(None, pl.UInt32))
    return pl.concat([empty, *_by_part(ordered, parts, starts), others], how="diagonal").sort("row")


def _by_part(ordered: pl.DataFrame, parts: Sequence[Path], starts: Sequence[int]) -> Iterator[pl.DataFrame]:
    for part, start, (begin, end) in zip(parts, starts, part_limits(ordered["first"], starts), strict=False):
        if begin < end:
            rows = ordered[begin:end]
            first = addresses(read(part, *ADDRESS), rows["first"] - start)
            yield rows.with_columns(file=first["file"].cast(pl.Categorical), record=first["record"])


def part_limits(rows: pl.Series, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the begin and the end of the rows of each part in a sorted series of row numbers."""
    return pairwise(rows.search_sorted(pl.Series(starts, dtype=pl.UInt32), "left"))


def addresses(keys: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Return `ADDRESS` of some pairs from the keys of a part; `rows` are their numbers from 0 within the part."""
    columns = (keys[name].gather(rows) for name in ADDRESS)
    return pl.DataFrame([column.cast(pl.String) if column.name == "file" else column for column in columns])
