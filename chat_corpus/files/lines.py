r"""Bytes as numbered lines.

Only ``\n`` ends a line, with an optional ``\r`` before it: U+0085, U+2028, VT and FF occur inside the lines of every
large corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

#: First bytes for which Polars assumes a compressed file: gzip, zlib, zstd.
_COMPRESSED = (b"\x1f\x8b", b"x\x01", b"x^", b"x\x9c", b"x\xda", b"(\xb5/\xfd")
BOM = b"\xef\xbb\xbf"
#: Minimum numbers of bytes for which Polars is faster: counting lines, and reading them.
MANY_LINES, MANY_TEXTS = 1 << 18, 1 << 15


def count(data: bytes, byte: bytes) -> int:
    r"""Return the number of occurrences of an ASCII byte.

    Polars counts the rows of a table with vector instructions, and takes a seventh of the time of Python.

    >>> count(b"a\tb\n", b"\t"), count(b"a\nb" * 200_000, b"\n")
    (1, 200000)
    """
    if len(data) < MANY_LINES or data.startswith((*_COMPRESSED, BOM)):  # Polars would drop the mark
        return data.count(byte)
    rows = pl.scan_csv(
        data, has_header=False, schema={"row": pl.String}, separator="\0", quote_char=None, eol_char=byte.decode()
    )
    return int(rows.select(pl.len()).collect().item()) - (not data.endswith(byte))


def count_lines(data: bytes) -> int:
    """Return the number of lines; a last line without a line break counts."""
    return count(data, b"\n") + (not data.endswith(b"\n") and bool(data))


def cut_at_line(data: bytes) -> int:
    """Return the length of the longest prefix of `data` that ends with a line break; 0 if there is none."""
    return data.rfind(b"\n") + 1


def lines_end(data: bytes, lines: int) -> int:
    r"""Return the offset after the first `lines` line breaks of `data`; its length if it has fewer.

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


def line_at(data: bytes, begin: int) -> str:
    r"""Return the line of UTF-8 that begins at an offset and ends with a line break.

    >>> line_at(b"a\r\nb\n", 0), line_at(b"a\r\nb\n", 3)
    ('a', 'b')
    """
    return data[begin : data.index(b"\n", begin)].removesuffix(b"\r").decode()


def numbered_lines(data: bytes, first: int) -> pl.DataFrame:
    r"""Return the lines of `data` as a frame `record: u32, text: str, bytes: binary`, numbered from `first`.

    A line that is not UTF-8 has its bytes in `bytes` and a null `text`; other lines have null `bytes`.

    >>> numbered_lines(b"a\r\n\xff\nc", 7).rows()
    [(7, 'a', None), (8, None, b'\xff'), (9, 'c', None)]
    """
    if first == 1 and data.startswith(BOM):
        data = data.removeprefix(BOM) or b"\n"  # a file with only the mark is one empty line
    if len(data) < MANY_TEXTS:
        return numbered(_split(data), first)
    try:
        texts = text_lines(data)
    except pl.exceptions.ComputeError:
        return numbered(_split(data), first)
    numbers = pl.int_range(first, first + len(texts), dtype=pl.UInt32, eager=True).alias("record")
    return pl.DataFrame([numbers, texts]).with_columns(bytes=pl.lit(None, dtype=pl.Binary))  # a literal takes no memory


def text_lines(data: bytes) -> pl.Series:
    r"""Return the lines of `data` as the column `text`. Raises ComputeError if `data` is not UTF-8.

    >>> text_lines(b"a\r\n\nb").to_list()
    ['a', '', 'b']
    """
    # A line break in front, because Polars assumes a compressed file for some first bytes (x^2 looks like zlib).
    shield = b"\n" if data.startswith(_COMPRESSED) else b""
    # Validates UTF-8, breaks at LF only, removes a CR before it. The function is unstable; tests check all three.
    return pl.read_lines(shield + data, name="text")["text"].slice(len(shield))


def _split(data: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in data.split(b"\n")[: count_lines(data)]]


def numbered(records: Sequence[bytes], first: int) -> pl.DataFrame:
    """Return records as a frame like the one of `numbered_lines`."""
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
    r"""Return bytes as text, with ``\xNN`` for bytes that are not UTF-8.

    >>> printable("好".encode() + b"\xff")
    '好\\xff'
    """
    return data.decode("utf-8", errors="backslashreplace")
