"""Emoji of SoftBank's phones, which were private-use characters before Unicode had any."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import polars as pl

#: The code points of SoftBank and the emoji that each stands for; the file names its source and licence, and
#: `python -m tests.pipeline.text.softbank` makes it.
TABLE = Path(__file__).with_name("softbank.json")

#: A text that a step changes matches the step's gate.
GATE = r"[\x{E001}-\x{E537}]"


@cache
def emoji() -> dict[str, str]:
    """Each private-use character with its emoji, fully qualified; unassigned ones and logos of companies have none."""
    codes = json.loads(TABLE.read_bytes())["emoji"]
    return {_text(code): _text(meant) for code, meant in codes.items()}


def _text(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split("-"))


def restore_emoji(text: pl.Expr) -> pl.Expr:
    r"""Write SoftBank's private-use characters (U+E001 to U+E537) as the emoji they stand for.

    Other private-use characters stay. In GB18030 and Big5 the same code points are characters of those encodings'
    own, so that only text from UTF-8 and UTF-16 may be given.

    >>> pl.select(restore_emoji(pl.lit("生日快乐\ue34b\ue756"))).item() == "生日快乐🎂\ue756"
    True
    """
    return text.str.replace_many(list(emoji()), list(emoji().values()))
