"""Rows of numbers in files by the range of their keys, so that rows with the same key can be looked at together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

#: Files of one level.
BITS = 6
#: Rows that are looked at together, unless more have the same key.
MOST_ROWS = 400_000


class DiskBuckets:
    """Rows with a `key: u64`, in 64 files of a folder by six bits of the key below the highest `level` * 6 bits.

    The folder is deleted at the end of the context.
    """

    def __init__(self, folder: Path, dtype: np.dtype[np.void], level: int = 0) -> None:
        self._folder, self._dtype, self._level = folder, dtype, level
        self._files: dict[int, IO[bytes]] = {}

    def __enter__(self) -> DiskBuckets:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, rows: NDArray[np.void]) -> None:
        """Append rows to their files."""
        shift = np.uint64(64 - BITS * (self._level + 1))
        bucket = (rows["key"] >> shift & np.uint64((1 << BITS) - 1)).astype(np.uint8)
        order = np.argsort(bucket, kind="stable")
        rows, bucket = rows[order], bucket[order]
        ends = np.searchsorted(bucket, np.arange(1, (1 << BITS) + 1))
        begin = 0
        for number, end in enumerate(ends.tolist()):
            if begin < end:
                rows[begin:end].tofile(self._file(number))
            begin = end

    def _file(self, number: int) -> IO[bytes]:
        if number not in self._files:
            self._files[number] = (self._folder / str(number)).open("wb")
        return self._files[number]

    def read(self) -> Iterator[NDArray[np.void]]:
        """Yield rows by ranges of the key, in the order of ranges: all rows with the same key together."""
        for number in sorted(self._files):
            self._files[number].close()
            path = self._folder / str(number)
            if path.stat().st_size > MOST_ROWS * self._dtype.itemsize and BITS * (self._level + 2) <= 64:
                yield from self._split(path)
            else:
                yield np.fromfile(path, self._dtype)
            path.unlink()

    def _split(self, path: Path) -> Iterator[NDArray[np.void]]:
        with (
            DiskBuckets(path.with_suffix(".split"), self._dtype, self._level + 1) as buckets,
            path.open("rb") as stream,
        ):
            while len(rows := np.fromfile(stream, self._dtype, MOST_ROWS // 8)):
                buckets.add(rows)
            yield from buckets.read()
