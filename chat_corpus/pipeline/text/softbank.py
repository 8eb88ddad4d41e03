"""Emoji of SoftBank phones, which were private-use characters before Unicode had emoji."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import polars as pl

#: SoftBank's code points and the emoji for each. The file names its source and licence;
#: `python -m tests.pipeline.text.softbank` writes it.
TABLE = Path(__file__).with_name("softbank.json")

#: The gate: every text that the step changes matches it.
GATE = r"[\x{E001}-\x{E537}]"


@cache
def emoji() -> dict[str, str]:
    """Return the fully qualified emoji of each private-use character; unassigned ones and company logos have none."""
    codes = json.loads(TABLE.read_bytes())["emoji"]
    return {_text(code): _text(meant) for code, meant in codes.items()}


def _text(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split("-"))


def restore_emoji(text: pl.Expr) -> pl.Expr:
    r"""Replace SoftBank's private-use characters (U+E001 to U+E537) by the emoji that they mean.

    Other private-use characters stay. GB18030 and Big5 use the same code points for characters of their own, so only
    text from UTF-8 or UTF-16 may be passed.

    >>> pl.select(restore_emoji(pl.lit("生日快乐\ue34b\ue756"))).item() == "生日快乐🎂\ue756"
    True
    """
    return text.str.replace_many(list(emoji()), list(emoji().values()))
