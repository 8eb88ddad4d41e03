"""Parquet files as streams of JSON Lines, one line per row, in bounded memory; other modules see JSON Lines only.

The line number of a row is its number in the file. A read takes a limited number of rows, also from large row groups,
because Polars decodes only the pages of these rows.
"""

from __future__ import annotations

import io
from typing import Any

import polars as pl

from chat_corpus.json_lines import encode_json_lines
from chat_corpus.messages import message

#: The `RawFile.encoding` of a Parquet file.
PARQUET = "parquet"
#: The first bytes of a Parquet file.
MARK = b"PAR1"
#: Number of rows of the first read, and the intended size of later reads in bytes of JSON.
_FIRST, _BYTES = 64, 1 << 22
_MOST = 1 << 14


class ParquetLines(io.RawIOBase):
    """The rows of the Parquet file at `path` as a stream of JSON Lines. Reading a damaged file raises OSError.

    Binary values become text, because older programs write text as binary; those that are not UTF-8 become null.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._rows = pl.scan_parquet(path, glob=False, parallel="none", hive_partitioning=False)
        self._row, self._step = 0, _FIRST
        self._ready = io.BytesIO()
        self._at, self._ended = 0, False

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the number of bytes read so far."""
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer at the end; all remaining bytes for a negative size."""
        parts = [self._ready.read(size)]
        missing = size - len(parts[0])
        while not self._ended and (size < 0 or missing > 0):
            block = self._block()
            self._ready, self._ended = io.BytesIO(block), not block
            parts.append(self._ready.read(max(missing, -1) if size >= 0 else -1))
            missing -= len(parts[-1])
        data = b"".join(parts)
        self._at += len(data)
        return data

    def _block(self) -> bytes:
        """Return the next rows as JSON Lines; empty at the end."""
        try:
            rows = self._rows.slice(self._row, self._step).collect(engine="in-memory")
            lines = encode_json_lines(rows.with_columns(map(_as_text, rows)))
        except pl.exceptions.PolarsError as error:
            text = " ".join(str(error).split())[:200]
            raise OSError(message("not a readable Parquet file: {error}", error=text)) from error
        self._row += len(rows)
        self._step = max(1, min(_MOST, 2 * self._step, _BYTES * max(1, len(rows)) // max(1, len(lines))))
        return lines if len(rows) else b""


def _as_text(column: pl.Series) -> pl.Series:
    """Return a column with text in place of binary values, which Polars does not write as JSON."""
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
    """Return a value with text in place of bytes, None for bytes that are not UTF-8."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return {name: _decoded(item) for name, item in value.items()} if isinstance(value, dict) else value
