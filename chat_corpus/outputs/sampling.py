"""Random lines of files of any size, the same for the same seed, in bounded memory.

Numbers come from a hash of the seed and of a name, not from a generator with state. A sample does not depend on earlier
samples, on the size of shards or on the machine.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from chat_corpus.files.atomic import BLOCK
from chat_corpus.files.lines import count as count_byte
from chat_corpus.outputs.shard_index import Entry

#: Pairs of the number of a line, from 0, and the byte at which it begins; both are ascending.
Marks = Sequence[tuple[int, int]]
#: Files up to this size, in bytes, are read whole, so that each line has the same chance.
_SMALL = 1 << 20
#: If there are at most this many times as many numbers as are drawn, all are sorted by their hashes: single draws would
#: often give a number that was drawn before.
_FEW = 8
#: Occurrences are found one by one in at most this many bytes.
_SCANNED = 1 << 12


def draw(total: int, count: int, *key: object) -> list[int]:
    """Return `count` distinct numbers below `total`, in the order in which they were drawn; all if there are not more.

    >>> draw(3, 5, "seed", "ptt"), draw(10**9, 2, 0, "ptt") == draw(10**9, 3, 0, "ptt")[:2]
    ([0, 1, 2], True)
    """
    if total <= count:
        return list(range(total))
    if total <= _FEW * count:
        return sorted(range(total), key=lambda number: _hash(*key, number))[:count]
    drawn: dict[int, None] = {}
    number = 0
    while len(drawn) < count:
        drawn[_hash(*key, number) % total] = None
        number += 1
    return list(drawn)


def _hash(*key: object) -> int:
    text = "\0".join(map(str, key)).encode("utf-8", errors="surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def row_marks(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    """Return the marks of a file of pairs, from the entries of its index."""
    return [(entry.row - 1, entry.tsv) for entry in entries if entry.rows]


def count_lines(path: Path, containing: bytes = b"\n") -> tuple[list[tuple[int, int]], int]:
    """Return marks of the lines that contain these bytes, one per megabyte, and the number of these lines.

    Bytes that occur several times in a line count as several lines. Raises OSError.
    """
    marks, lines, position = [], 0, 0
    with path.open("rb") as stream:
        for block in _whole_lines(stream):
            marks.append((lines, position))
            lines += _occurrences(block, containing)
            position += len(block)
    return marks, lines


def read_lines(path: Path, marks: Marks, numbers: Iterable[int], containing: bytes = b"\n") -> dict[int, bytes]:
    """Return lines by their numbers among the lines that contain these bytes, without their line breaks.

    Reads from the last mark before a line up to the line. Numbers beyond the end of the file are missing in the result.
    Raises OSError.
    """
    lines: dict[int, bytes] = {}
    firsts = [first for first, _ in marks]
    begin = end = -1  # `block` has the lines `begin` to `end - 1`
    block = b""
    with path.open("rb") as stream:
        for number in sorted(set(numbers)):
            first, start = marks[bisect_right(firsts, number) - 1]
            if first > end:
                stream.seek(start)
                end = first
            while number >= end and (block := _next_lines(stream)):
                begin, end = end, end + _occurrences(block, containing)
            if number < end:
                lines[number] = _line(block, _position(block, containing, number - begin))
    return lines


def _occurrences(block: bytes, containing: bytes) -> int:
    """Return the number of occurrences of some bytes in a block; line breaks have a faster function."""
    return count_byte(block, containing) if containing == b"\n" else block.count(containing)


def _position(block: bytes, containing: bytes, number: int) -> int:
    """Return the position in a block of occurrence `number`, from 0, of some bytes, found by binary search."""
    low, high = 0, len(block)
    while high - low > _SCANNED:
        middle = (low + high) // 2
        before = block.count(containing, low, middle)
        if number < before:
            high = middle
        else:
            number -= before
            low = middle - len(containing) + 1
    place = block.index(containing, low)
    for _ in range(number):
        place = block.index(containing, place + 1)
    return place


def _line(block: bytes, place: int) -> bytes:
    """Return the line that contains a position, or that ends there."""
    start, end = block.rfind(b"\n", 0, place) + 1, block.find(b"\n", place)
    return block[start : end if end >= 0 else len(block)]


def draw_lines(path: Path, count: int, *key: object) -> list[bytes]:
    """Return up to `count` lines of a file, without their line breaks, in the order of the file.

    In a large file, only the lines after random positions are read: the chance of a line depends on the length of the
    line before it, not on its length. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= _SMALL:
            lines = stream.read().removesuffix(b"\n").split(b"\n") if size else []
            return [lines[number] for number in sorted(draw(len(lines), count, *key))]
        found: dict[int, bytes] = {}
        for offset in draw(size, count, *key):
            stream.seek(offset)
            stream.readline()
            start = stream.tell()
            if start >= size:
                start = stream.seek(0)
            found[start] = stream.readline().removesuffix(b"\n")
    return [found[start] for start in sorted(found)]


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield blocks of whole lines, of about a megabyte."""
    return iter(lambda: _next_lines(stream), b"")


def _next_lines(stream: IO[bytes]) -> bytes:
    block = stream.read(BLOCK)
    return block + stream.readline() if block else b""
