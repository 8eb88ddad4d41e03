"""Mojibake that can be proved: UTF-8 that was decoded with a single-byte encoding."""

from __future__ import annotations

import polars as pl

from chat_corpus.pipeline.text.lazy_patterns import lazy

# The encodings found: ISO-8859-2 in 561 lines of the subtitles; Western tools assume the other two.
_ENCODINGS = ("iso8859-2", "latin-1", "cp1252")
_HAN = lazy("[\u3400-\u4dbf\u4e00-\u9fff]")
_UNLIKELY = lazy("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd]")


def _readings() -> tuple[str, str]:
    leads = {bytes([byte]).decode(name) for byte in range(0xE3, 0xEA) for name in _ENCODINGS}
    tails = {bytes([byte]).decode(name, "ignore") for byte in range(0x80, 0xC0) for name in _ENCODINGS}
    return "".join(sorted(leads)), "".join(sorted(tails))


_LEADS, _TAILS = _readings()

#: The gate: every text that the step changes has the three bytes of a Han character, decoded as three characters.
GATE = f"[{_LEADS}][{_TAILS}]{{2}}"


def _repair(text: str) -> str:
    for encoding in _ENCODINGS:
        try:
            repaired = text.encode(encoding).decode()
        except UnicodeError:
            continue
        if _HAN().search(repaired) and not _UNLIKELY().search(repaired):
            return repaired
    return text


def repair_mojibake(text: pl.Expr) -> pl.Expr:
    r"""Repair a text if all of its characters are bytes of UTF-8 that were decoded as ISO-8859-2, Latin-1 or cp1252.

    A text is repaired only if all of it can be encoded to bytes, those bytes are strict UTF-8, and the result has Han
    and no control, private-use or replacement character. A line with one correct Han character cannot be encoded, so
    correct Chinese never changes. There are no repairs for GBK or Big5, because they would also succeed on correct
    lines.

    >>> pl.select(repair_mojibake(pl.lit("ĺź\x80ĺ§\x8b"))).item()
    '开始'
    """
    return text.map_elements(_repair, return_dtype=pl.String)
