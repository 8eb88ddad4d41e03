r"""Bytes as numbered lines.

Lines break at ``\n`` only: U+0085, U+2028, VT and FF occur inside the lines of every large corpus, and one ``\r``
before the ``\n`` belongs to the line end.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: What Polars takes for the beginning of a compressed file: gzip, zlib, zstd.
_COMPRESSED = (b"\x1f\x8b", b"x\x01", b"x^", b"x\x9c", b"x\xda", b"(\xb5/\xfd")
BOM = b"\xef\xbb\xbf"
#: Bytes from which on it pays to let Polars count.
_MANY = 1 << 18


def count(data: bytes, byte: bytes) -> int:
    r"""How often one byte of ASCII occurs.

    Python looks at one byte after the other. Polars looks at many at once when it counts the rows of a table, and so
    takes a seventh of the time.

    >>> count(b"a\tb\n", b"\t"), count(b"a\nb" * 200_000, b"\n")
    (1, 200000)
    """
    if len(data) < _MANY or data.startswith(_COMPRESSED):
        return data.count(byte)
    rows = pl.scan_csv(
        data, has_header=False, schema={"row": pl.String}, separator="\0", quote_char=None, eol_char=byte.decode()
    )
    return int(rows.select(pl.len()).collect().item()) - (not data.endswith(byte))


def count_lines(data: bytes) -> int:
    """How many lines `data` holds; a last one without line break counts."""
    return count(data, b"\n") + (not data.endswith(b"\n") and bool(data))


def cut_at_line(data: bytes) -> int:
    """The length of the longest prefix of `data` that ends with a line break; 0 where there is none."""
    return data.rfind(b"\n") + 1


def lines_end(data: bytes, lines: int) -> int:
    r"""The offset after the first `lines` line breaks of `data`; its length where it holds fewer.

    >>> lines_end(b"a\nb\nc", 2), lines_end(b"a\nb", 2), lines_end(b"a", 0)
    (4, 3, 0)
    """
    low, high = 0, len(data)
    while lines and high - low > 1:
        middle = (low + high) // 2
        before = data.count(b"\n", low, middle)
        if before >= lines:
            high = middle
        else:
            low, lines = middle, lines - before
    return high if lines else low


def numbered_lines(data: bytes, first: int) -> pl.DataFrame:
    r"""The lines of `data` as a frame `line: u32, text: str, bytes: binary`, numbered from `first`.

    Where a line is not UTF-8 its text is null and its bytes are kept; otherwise bytes are null.

    >>> numbered_lines(b"a\r\n\xff\nc", 7).rows()
    [(7, 'a', None), (8, None, b'\xff'), (9, 'c', None)]
    """
    if first == 1 and data.startswith(BOM):
        data = data.removeprefix(BOM) or b"\n"  # a file of nothing but the mark is one empty line
    # A line break in front keeps Polars from taking lines that begin like a compressed file (x^2 is zlib's) for one.
    shield = b"\n" if data.startswith(_COMPRESSED) else b""
    try:
        # It validates UTF-8, breaks at LF alone and takes one CR before it; marked unstable, so tests pin all three.
        lines = pl.read_lines(shield + data, name="text", row_index_name="record", row_index_offset=first - len(shield))
    except pl.exceptions.ComputeError:
        return numbered(_split(data), first)
    lines = lines.slice(len(shield))
    return lines.select(pl.col("record").cast(pl.UInt32), "text", bytes=pl.lit(None, dtype=pl.Binary))


def _split(data: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in data.split(b"\n")[: count_lines(data)]]


def numbered(records: Sequence[bytes], first: int) -> pl.DataFrame:
    """Records as a frame like that of `numbered_lines`."""
    texts = [_decoded(record) for record in records]
    bad = [record if text is None else None for record, text in zip(records, texts, strict=True)]
    numbers = pl.int_range(first, first + len(texts), dtype=pl.UInt32, eager=True).alias("record")
    return pl.DataFrame([numbers, pl.Series("text", texts, dtype=pl.String), pl.Series("bytes", bad, dtype=pl.Binary)])


def _decoded(record: bytes) -> str | None:
    try:
        return record.decode("utf-8")
    except UnicodeDecodeError:
        return None


def printable(data: bytes) -> str:
    r"""Bytes that are not text, as text: what decodes, and ``\xNN`` for what does not.

    >>> printable("好".encode() + b"\xff")
    '好\\xff'
    """
    return data.decode("utf-8", errors="backslashreplace")
