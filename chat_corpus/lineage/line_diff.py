"""Which lines of two files are the same, in order, and what lies between them; in bounded memory.

Lines that occur once in each file are the fixed points (patience diff), as many as stand in the same order in both;
between two of them, lines are matched by their text and how often it has occurred. Each line is known by 128 bits of
hash, kept on disk, of which one pass looks at a part. Memory is what a pass takes, 24 bytes for each fixed point, and
the lines between two of them, of which no more than `_STRETCH` of a file are looked at together.
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

_BLOCK = 1 << 24
#: Lines of one pass.
_PASS = 2_000_000
#: Lines of one file that are matched at a time where there is no fixed point between them.
_STRETCH = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Lines of the old file from `old_at` on, and of the new file from `new_at` on, from 0, that do not match."""

    old_at: int
    new_at: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


def gaps(old: Path, new: Path) -> Iterator[Gap]:
    """What two files of lines do not have in common, in order. Raises OSError."""
    with TemporaryDirectory(prefix="chat-corpus-") as folder, old.open("rb") as first, new.open("rb") as second:
        paths = [Path(folder, side) for side in ("old", "new")]
        lengths = [_write_keys(file, path) for file, path in zip((old, new), paths, strict=True)]
        points = _fixed_points(paths, sum(lengths))
        readers = [_Reader(first), _Reader(second)]
        for start, stop in _between(points, lengths):
            yield from _stretches(readers, start, stop)


def _write_keys(file: Path, folder: Path) -> int:
    """Write the keys `low, high` of the lines of a file, a block a file; returns how many lines there are."""
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
    """The lines of a stream, some at a time, without their line breaks; a last one may lack it."""
    rest = b""
    while block := stream.read(_BLOCK):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _fixed_points(folders: Sequence[Path], lines: int) -> pl.DataFrame:
    """The places `old, new` of lines that occur once in each file and stand in the same order in both."""
    sides = [sorted(folder.iterdir()) for folder in folders]
    schema = {"old": pl.UInt32, "new": pl.UInt32}
    if not all(sides):
        return pl.DataFrame(schema=schema)
    old, new = (pl.scan_ipc(files, row_index_name="row", glob=False) for files in sides)
    passes = 1 + lines // _PASS
    found = []
    for number in range(passes):
        one, other = (_single(side.filter(pl.col("low") % passes == number)) for side in (old, new))
        both = one.join(other, on=["low", "high"]).select(old="row", new="row_right").cast(pl.UInt32)
        found.append(both.collect())
    points = pl.concat(found).sort("old")
    return points if points["new"].is_sorted() else points[_increasing(points["new"])]


def _single(keys: pl.LazyFrame) -> pl.LazyFrame:
    return keys.group_by("low", "high").agg(pl.col("row").first(), many=pl.len()).filter(pl.col("many") == 1)


def _increasing(values: pl.Series | Sequence[int]) -> list[int]:
    """The places of a longest increasing subsequence.

    >>> _increasing([3, 0, 1, 9, 4])
    [1, 2, 4]
    """
    ends, places = array("Q"), array("Q")  # of the best subsequence of each length: its last value, and where it is
    before = array("q")
    for place, value in enumerate(values):
        length = bisect_left(ends, value)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = array("Q", [value])
        places[length : length + 1] = array("Q", [place])
    found: list[int] = []
    at = places[-1] if places else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]


_At = tuple[int, int]


def _between(points: pl.DataFrame, lengths: Sequence[int]) -> Iterator[tuple[_At, _At]]:
    """Begin and end, each a place in the old and in the new file, of every stretch without a fixed point."""
    old, new = lengths
    ends = pl.concat([points, pl.DataFrame({"old": [old], "new": [new]}, schema=points.schema)])
    begins = ends.select((pl.all().shift(1) + 1).fill_null(0))
    wide = (ends["old"] > begins["old"]) | (ends["new"] > begins["new"])
    yield from zip(begins.filter(wide).iter_rows(), ends.filter(wide).iter_rows(), strict=True)


class _Reader:
    """The lines of a stream by their places, which only grow."""

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
            some = self._lines[start - self._first : stop - self._first]
            taken += some
            start += len(some)
        return taken


def _stretches(readers: Sequence[_Reader], start: _At, stop: _At) -> Iterator[Gap]:
    """The gaps between two fixed points, which are far apart where files have little in common."""
    sizes = [end - begin for begin, end in zip(start, stop, strict=True)]
    parts = 1 + max(sizes) // _STRETCH
    for part in range(parts):
        begins = [begin + size * part // parts for begin, size in zip(start, sizes, strict=True)]
        ends = [begin + size * (part + 1) // parts for begin, size in zip(start, sizes, strict=True)]
        old, new = (reader.take(*bounds) for reader, *bounds in zip(readers, begins, ends, strict=True))
        if old != new:
            yield from _matched(old, new, begins)


def _matched(old: list[bytes], new: list[bytes], at: Sequence[int]) -> Iterator[Gap]:
    """The gaps between lines that are the same and have occurred as often, and stand in the same order."""
    places = {key: place for place, key in enumerate(_occurrences(new))}
    both = [(place, places[key]) for place, key in enumerate(_occurrences(old)) if key in places]
    kept = [both[place] for place in _increasing([other for _, other in both])]
    before = (-1, -1)
    for point in (*kept, (len(old), len(new))):
        begin = (before[0] + 1, before[1] + 1)
        if begin != point:
            yield Gap(
                old_at=at[0] + begin[0],
                new_at=at[1] + begin[1],
                old=tuple(old[begin[0] : point[0]]),
                new=tuple(new[begin[1] : point[1]]),
            )
        before = point


def _occurrences(lines: list[bytes]) -> Iterator[tuple[bytes, int]]:
    seen: Counter[bytes] = Counter()
    for line in lines:
        seen[line] += 1
        yield line, seen[line]
