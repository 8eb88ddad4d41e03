"""Zstandard streams: by Python's own module from 3.14 on, before that by the package `zstandard`, an extra."""

from __future__ import annotations

import importlib
import io
import os
from typing import IO, Any

_MAGIC = 0xFD2FB528
#: Frames that hold no content, which a decompressor passes over.
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)


class MissingError(OSError):
    """No decompressor is installed: the file may be as sound as any."""


def reader(file: IO[bytes]) -> Any:
    """The decompressed content of an open file, to be read in pieces.

    Raises MissingError where no decompressor is installed; reading raises OSError or EOFError where there is
    damage.
    """
    try:
        return importlib.import_module("compression.zstd").ZstdFile(file)
    except ImportError:
        pass
    try:
        return _Reader(file, importlib.import_module("zstandard"))
    except ImportError as error:
        raise MissingError("a .zst file needs the package zstandard: pip install zstandard") from error


class _Reader:
    """What `zstandard` reads, with the ends of frames checked: it takes a file that is cut short for a whole one."""

    def __init__(self, file: IO[bytes], package: Any) -> None:
        self._file, self._fault = file, package.ZstdError
        self._stream = package.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False)

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except self._fault as error:
            raise OSError(f"not a sound zstd stream: {error}") from error
        if not data and size:
            _check_frames(self._file)
        return data

    def close(self) -> None:
        self._stream.close()


def _check_frames(file: IO[bytes]) -> None:
    """Walk from block to block, without decompressing. Raises EOFError where the last frame is not whole.

    Layout: RFC 8878, section 3.1.
    """
    size = os.fstat(file.fileno()).st_size
    with io.BufferedReader(io.FileIO(file.fileno(), closefd=False)) as blocks:
        blocks.seek(0)
        while (at := blocks.tell()) < size:
            _pass_frame(blocks, size)
            if blocks.tell() > size:
                raise EOFError(f"cut short: the frame at byte {at:,} does not end")


def _pass_frame(blocks: IO[bytes], size: int) -> None:
    magic = _number(blocks, 4)
    if magic in _SKIPPABLE:
        blocks.seek(_number(blocks, 4), os.SEEK_CUR)
        return
    if magic != _MAGIC:
        raise OSError(f"no zstd frame before byte {blocks.tell():,}")
    told = _number(blocks, 1)
    single = bool(told & 0x20)
    content = (1 if single else 0, 2, 4, 8)[told >> 6]
    blocks.seek((0 if single else 1) + (0, 1, 2, 4)[told & 3] + content, os.SEEK_CUR)
    last = False
    while not last and blocks.tell() <= size:
        block = _number(blocks, 3)
        last = bool(block & 1)
        repeated = (block >> 1) & 3 == 1  # one byte, told once
        blocks.seek(1 if repeated else block >> 3, os.SEEK_CUR)
    blocks.seek(4 if told & 4 else 0, os.SEEK_CUR)


def _number(blocks: IO[bytes], length: int) -> int:
    data = blocks.read(length)
    if len(data) < length:
        raise EOFError("cut short within a frame")
    return int.from_bytes(data, "little")
