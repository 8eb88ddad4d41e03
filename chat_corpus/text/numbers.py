"""Numbers, and the units behind them, that a segmenter took apart: `１ ９ ９ 元`, `24 K`, `16 GB`."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.schema import Segmentation

#: A blank that stays, while `segmentation` runs: a noncharacter, which Unicode reserves for such internal use.
KEPT = "\ufdd0"
#: Full-width letters and digits (the inside of a class).
FULL = "０-９Ａ-Ｚａ-ｚ"

# jieba makes a token of each full-width letter and digit; what stands together was written so.
_PARTED = rf"(?<![{FULL}])[{FULL}](?: [{FULL}])+(?![{FULL}])"
#: Patterns of what was taken apart so, by what stands between the tokens.
PARTED = {Segmentation.BLANK: _PARTED, Segmentation.SLASH: _PARTED.replace(" ", "/")}

# Symbols of the SI, of amounts of data, and of screens, in any case, and endings of ordinals; `h` and `s` are letters
# like others.
_UNITS = "[cdkmn]m|[km]g|ml|[kmgtp]b|[kmg]?hz|mah|[km]wh?|kcal|[km]pa|db|[kmg]bps|px|[dp]pi|fps|rpm|min"
_ORDINALS = "st|nd|rd|th"
# I and u are words. With a word behind them, so are a, i, v and x, which may also be signs: 3 x 5, 1 v 1.
_LETTER = rf"(?:[B-HJ-TWYZb-hj-twyz]|[AVXaivx](?![ {KEPT}][0-9A-Za-z]))"
# Letters before numbers are no units: A 1 B 2 are answers, and B 2 B is one word.
_LABELS = "[A-Za-z](?: [0-9]++ [A-Za-z])+(?![0-9A-Za-z_])"
_UNIT = rf"(?:(?ai:{_UNITS})|{_ORDINALS})(?![\w'’&@-]|\.\w)|{_LETTER}(?![\w'’&@/+#-]|\.\w)"
_MEASURE = re.compile(rf"(?<![0-9A-Za-z_.,])(?:{_LABELS}|([0-9]++(?:[.,][0-9]++)*+) ({_UNIT}))")
_DOLLARS = re.compile(r"(?<=[A-Za-z]) \$ ?(?=[0-9])")

#: A text that `join_units` changes matches it.
GATE = rf"[0-9] (?:[A-Za-z]|(?i-u:{_UNITS})|{_ORDINALS})(?:[^0-9A-Za-z]|$)|[A-Za-z] \$ ?[0-9]"


def join_units(text: pl.Expr) -> pl.Expr:
    """Join a number and the unit behind it: one letter, or a symbol of several (km, GB, mAh); mark the blank before $.

    The letter must be a token: in 2013 A股 it belongs to the word. A word before a number (iPhone 5), numbers side by
    side (2 3 5), letters before their numbers (A 1 B 2) and the x of 850 x 850 stay apart.

    >>> pl.select(join_units(pl.lit("2 B 青年 ， 16 GB 的 iPhone 5 S ， 选 A 1 B 2"))).item()
    '2B 青年 ， 16GB 的 iPhone 5S ， 选 A 1 B 2'
    """

    def joined(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}" if found[1] else found[0]

    def join(line: str) -> str:
        return _DOLLARS.sub(f"{KEPT}$", _MEASURE.sub(joined, line))

    return text.map_elements(join, return_dtype=pl.String)
