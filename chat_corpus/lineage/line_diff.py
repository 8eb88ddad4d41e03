"""Diff of two files of lines in bounded memory.

Lines that occur once in each file and are in the same order in both are fixed points (patience diff). Between two fixed
points, the nth occurrence of a text in one file is matched with the nth occurrence in the other. To find fixed points,
128-bit hashes of the lines are written to disk and compared in passes, each over a part of the hashes. Memory holds the
hashes of one pass, 24 bytes for each fixed point, and the lines between two fixed points, at most `STRETCH_LINES` of
each file at a time.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import polars as pl

#: Number of bytes to read at a time.
BLOCK_BYTES = 1 << 24
#: Number of lines of both files that a pass compares.
LINES_PER_PASS = 2_000_000
#: Maximum number of lines of a file to match at a time; longer stretches between fixed points are divided.
STRETCH_LINES = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Hunk:
    """Lines that do not match. `old_start` and `new_start` are the positions of the first lines, from 0."""

    old_start: int
    new_start: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


def hunks(old: Path, new: Path) -> Iterator[Hunk]:
    """Yield the differences of two files of lines, in order. Raises OSError."""
    with (
        TemporaryDirectory(prefix="chat-corpus-") as folder,
        old.open("rb") as old_stream,
        new.open("rb") as new_stream,
    ):
        folders = [Path(folder, side) for side in ("old", "new")]
        lengths = [_write_keys(file, keys) for file, keys in zip((old, new), folders, strict=True)]
        points = _fixed_points(folders, sum(lengths))
        readers = [_Reader(old_stream), _Reader(new_stream)]
        for start, stop in _between(points, lengths):
            yield from _stretches(readers, start, stop)


def _write_keys(file: Path, folder: Path) -> int:
    """Write the hashes `low, high` of the lines of a file to a new folder, in blocks. Return the number of lines."""
    folder.mkdir()
    count = 0
    with file.open("rb") as stream:
        for number, lines in enumerate(_blocks(stream)):
            data = pl.Series(lines, dtype=pl.Binary)
            keys = pl.DataFrame({"low": data.hash(seed=1), "high": data.hash(seed=2)})
            keys.write_ipc(folder / f"{number:08d}", compression="uncompressed")
            count += len(lines)
    return count


def _blocks(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """Yield lists of the lines of a stream, without line breaks. The last line may lack a line break in the stream."""
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _fixed_points(folders: Sequence[Path], lines: int) -> pl.DataFrame:
    """Return the positions `old, new` of lines that occur once in each file, in the same order in both."""
    sides = [sorted(folder.iterdir()) for folder in folders]
    schema = {"old": pl.UInt32, "new": pl.UInt32}
    if not all(sides):
        return pl.DataFrame(schema=schema)
    old, new = (pl.scan_ipc(files, row_index_name="row", glob=False) for files in sides)
    passes = 1 + lines // LINES_PER_PASS
    frames = []
    for number in range(passes):
        left, right = (_unique(side.filter(pl.col("low") % passes == number)) for side in (old, new))
        both = left.join(right, on=["low", "high"]).select(old="row", new="row_right").cast(pl.UInt32)
        frames.append(both.collect())
    points = pl.concat(frames).sort("old")
    return points if points["new"].is_sorted() else points[_increasing(points["new"])]


def _unique(keys: pl.LazyFrame) -> pl.LazyFrame:
    return keys.group_by("low", "high").agg(pl.col("row").first(), count=pl.len()).filter(pl.col("count") == 1)


def _increasing(values: pl.Series | Sequence[int]) -> list[int]:
    """Return the positions of a longest increasing subsequence.

    >>> _increasing([3, 0, 1, 9, 4])
    [1, 2, 4]
    """
    ends, positions = array("Q"), array("Q")  # lowest last value of a subsequence of each length, and its position
    previous = array("q")
    for position, value in enumerate(values):
        length = bisect_left(ends, value)
        previous.append(positions[length - 1] if length else -1)
        ends[length : length + 1] = array("Q", [value])
        positions[length : length + 1] = array("Q", [position])
    chain: list[int] = []
    position = positions[-1] if positions else -1
    while position >= 0:
        chain.append(position)
        position = previous[position]
    return chain[::-1]


_Positions = tuple[int, int]


def _between(points: pl.DataFrame, lengths: Sequence[int]) -> Iterator[tuple[_Positions, _Positions]]:
    """Yield the start and the stop of each stretch between fixed points, as positions in the old and new file."""
    old, new = lengths
    stops = pl.concat([points, pl.DataFrame({"old": [old], "new": [new]}, schema=points.schema)])
    starts = stops.select((pl.all().shift(1) + 1).fill_null(0))
    not_empty = (stops["old"] > starts["old"]) | (stops["new"] > starts["new"])
    yield from zip(starts.filter(not_empty).iter_rows(), stops.filter(not_empty).iter_rows(), strict=True)


class _Reader:
    """Reads lines of a stream by their positions, from 0. Positions must not decrease from call to call."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._blocks = _blocks(stream)
        self._lines: list[bytes] = []
        self._first = 0

    def take(self, start: int, stop: int) -> list[bytes]:
        taken: list[bytes] = []
        while start < stop:
            while start >= self._first + len(self._lines):
                self._first += len(self._lines)
                self._lines = next(self._blocks)
            lines = self._lines[start - self._first : stop - self._first]
            taken += lines
            start += len(lines)
        return taken


def _stretches(readers: Sequence[_Reader], start: _Positions, stop: _Positions) -> Iterator[Hunk]:
    """Yield the hunks between two fixed points.

    These may be far apart if the files have little in common. Then the lines are matched in parts of equal length.
    """
    sizes = [end - begin for begin, end in zip(start, stop, strict=True)]
    parts = 1 + max(sizes) // STRETCH_LINES
    for part in range(parts):
        starts = [begin + size * part // parts for begin, size in zip(start, sizes, strict=True)]
        stops = [begin + size * (part + 1) // parts for begin, size in zip(start, sizes, strict=True)]
        old, new = (reader.take(*bounds) for reader, *bounds in zip(readers, starts, stops, strict=True))
        if old != new:
            yield from _hunks_between(old, new, starts)


def _hunks_between(old: list[bytes], new: list[bytes], offsets: Sequence[int]) -> Iterator[Hunk]:
    """Yield the hunks between two lists of lines that begin at the positions `offsets`.

    Lines match if they are the same occurrence of the same text, and are in the same order on both sides.
    """
    new_positions = {key: position for position, key in enumerate(_occurrences(new))}
    common = [(position, new_positions[key]) for position, key in enumerate(_occurrences(old)) if key in new_positions]
    matched = [common[index] for index in _increasing([new_position for _, new_position in common])]
    previous = (-1, -1)
    for point in (*matched, (len(old), len(new))):
        start = (previous[0] + 1, previous[1] + 1)
        if start != point:
            yield Hunk(
                old_start=offsets[0] + start[0],
                new_start=offsets[1] + start[1],
                old=tuple(old[start[0] : point[0]]),
                new=tuple(new[start[1] : point[1]]),
            )
        previous = point


def _occurrences(lines: list[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield each line with its number of occurrences so far, from 1."""
    counts: Counter[bytes] = Counter()
    for line in lines:
        counts[line] += 1
        yield line, counts[line]
