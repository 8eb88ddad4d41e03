"""Parquet files as streams of JSON Lines, a line a row, so that nothing else need know of them; in bounded memory.

The line number of a row is its number in the file. Some rows are read at a time, whatever the size of a row group:
Polars decodes no more than the pages they are in.
"""

from __future__ import annotations

import io
from typing import Any

import polars as pl

#: What `RawFile.encoding` says of such a file.
PARQUET = "parquet"
#: What it begins with.
MARK = b"PAR1"
#: So many rows are read first, then as many as are about so many bytes of JSON.
_FIRST, _BYTES = 64, 1 << 22
_MOST = 1 << 14


class ParquetLines(io.RawIOBase):
    """The rows of the Parquet file at `path` as a stream of JSON Lines. Reading raises OSError where it is damaged.

    Bytes are read as text, as which older programs write it; what is not UTF-8, as an image, is null.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._rows = pl.scan_parquet(path, glob=False, parallel="none", hive_partitioning=False)
        self._row, self._step = 0, _FIRST
        self._ready = io.BytesIO()
        self._at, self._ended = 0, False

    def readable(self) -> bool:
        """Whether it can be read from."""
        return True

    def tell(self) -> int:
        """How many bytes have been read."""
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, all that follow where it is negative, fewer at the end."""
        parts = [self._ready.read(size)]
        wanted = size - len(parts[0])
        while not self._ended and (size < 0 or wanted > 0):
            block = self._block()
            self._ready, self._ended = io.BytesIO(block), not block
            parts.append(self._ready.read(max(wanted, -1) if size >= 0 else -1))
            wanted -= len(parts[-1])
        data = b"".join(parts)
        self._at += len(data)
        return data

    def _block(self) -> bytes:
        """The next rows; nothing at the end."""
        try:
            rows = self._rows.slice(self._row, self._step).collect(engine="in-memory")
            lines = rows.with_columns(map(_as_text, rows)).write_ndjson().encode()
        except pl.exceptions.PolarsError as error:
            raise OSError(f"no Parquet file that can be read: {' '.join(str(error).split())[:200]}") from error
        self._row += len(rows)
        self._step = max(1, min(_MOST, 2 * self._step, _BYTES * max(1, len(rows)) // max(1, len(lines))))
        return lines if len(rows) else b""


def _as_text(column: pl.Series) -> pl.Series:
    """A column with text in the place of bytes, which Polars does not write as JSON."""
    kind = _text_for_bytes(column.dtype)
    if kind == column.dtype:
        return column
    return pl.Series(column.name, [_decoded(value) for value in column.to_list()], dtype=kind)


def _text_for_bytes(kind: pl.DataType) -> pl.DataType:
    if isinstance(kind, pl.Binary):
        return pl.String()
    if isinstance(kind, pl.List):
        return pl.List(_text_for_bytes(_kind(kind.inner)))
    if isinstance(kind, pl.Struct):
        return pl.Struct([pl.Field(field.name, _text_for_bytes(_kind(field.dtype))) for field in kind.fields])
    return kind


def _kind(kind: pl.DataType | pl.datatypes.DataTypeClass) -> pl.DataType:
    return kind() if isinstance(kind, pl.datatypes.DataTypeClass) else kind


def _decoded(value: Any) -> Any:
    """A value of a column with its bytes as text, None for those that are not UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    return {name: _decoded(one) for name, one in value.items()} if isinstance(value, dict) else value
