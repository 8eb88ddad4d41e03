"""Rows of a frame as JSON Lines."""

from __future__ import annotations

import io

import polars as pl


def encode_json_lines(frame: pl.DataFrame) -> bytes:
    r"""Return the rows of a frame as JSON Lines, with its columns as keys.

    >>> encode_json_lines(pl.DataFrame({"query": ["在吗"], "answer": [None]})).decode()
    '{"query":"在吗","answer":null}\n'
    """
    out = io.BytesIO()  # without a file, Polars decodes the bytes to a str, which takes longer than writing them
    frame.write_ndjson(out)
    return out.getvalue()
