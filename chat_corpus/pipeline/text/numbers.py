"""Numbers, and the units behind them, that a segmenter took apart: `１ ９ ９ 元`, `24 K`, `16 GB`."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.schema import Segmentation

#: A blank that stays, while `segmentation` runs: a noncharacter, which Unicode reserves for such internal use.
KEPT = "\ufdd0"
#: Full-width letters and digits (the inside of a class).
FULL = "０-９Ａ-Ｚａ-ｚ"

# Symbols of the SI, of amounts of data, and of screens, in any case, and endings of ordinals; `h` and `s` are letters
# like others. Some would be words in another case.
_UNITS = (
    "[cdkmnu]m|[kmu]g|ml|[kmgtp]b|[kmg]?hz|mah|[kmu]wh?|kcal|kj|[km]pa|mmhg|db|[kmg]bps|px|[dp]pi|fps|[rbp]pm|min"
    "|cc|lbs?|oz|mol"
)
_ORDINALS = "st|nd|rd|th|ms|mA|mV"
# jieba makes a token of each full-width letter and digit; what stands together was written so, and so were a token of
# several letters before two of one (ＩＰ ｈ ｏ ｎ ｅ), and a unit behind digits (１ ６ ＧＢ).
_LETTERS = "Ａ-Ｚａ-ｚ"
_FULL_UNITS = "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in _UNITS)
_JOINED_UNIT = f"(?i:{_FULL_UNITS})(?![{FULL}])"
_WHOLE = f"[{_LETTERS}]{{2,}} (?=[{_LETTERS}] [{_LETTERS}](?![{FULL}]))"
_PARTED = (
    rf"(?<![{FULL}])(?:{_WHOLE})?"
    rf"(?:[{FULL}](?: [{FULL}](?![{FULL}]))+(?:(?<=[０-９]) {_JOINED_UNIT})?|[０-９] {_JOINED_UNIT})"
)
#: Patterns of what was taken apart so, by what stands between the tokens.
PARTED = {Segmentation.BLANK: _PARTED, Segmentation.SLASH: _PARTED.replace(" ", "/")}

# I and u are words. With a word behind them, so are a, i, v and x, which may also be signs: 3 x 5, 1 v 1.
_BLANK = f"[ {KEPT}]"
_NUMBER = "[0-9]++(?:[.,][0-9]++)*+"
_LETTER = (
    rf"(?:[B-HJ-TWYZb-hj-twyz]|[AVXaivx](?!{_BLANK}[0-9A-Za-z])|[Vv](?={_BLANK}{_NUMBER}{_BLANK}?(?:m?[Aa]|[Ww])\b))"
)
# Words that begin with one letter, which a segmenter parts too: A股, K歌, T恤. `3 D 字` and the like are no such words.
_HEADS = (
    rf"[A-Za-z]{_BLANK}(?:[股罗歌盘队位端台恤币光档咖站座组栋轮]|罩杯)|[A-CE-Za-ce-z]{_BLANK}字|[ABOabo]{_BLANK}[型片货面]"
    rf"|[Kk]{_BLANK}[线房粉]|[Pp]{_BLANK}图|[VvUuOo]{_BLANK}领|[Bb]{_BLANK}超|[Xx]{_BLANK}(?:射|战警|教授|染色)"
    rf"|[Yy]{_BLANK}染色|[Tt]{_BLANK}[型骨]|[Qq]{_BLANK}[群友版弹宠]|[A-Ga-g]{_BLANK}(?:[大小]?调|弦)|[Cc]{_BLANK}语言"
    rf"|[A-Z]{_BLANK}(?:君|计划)"
)
# Behind a letter, no number, but for one with a unit of its own (16 G 32 G), no word, unless the letter is a measure,
# and no key (C minor) or plural (A s).
_AHEAD = (
    rf"(?!{_HEADS})(?!.{_BLANK}[0-9]++(?!(?:[.,][0-9]++)*+{_BLANK}?[A-Za-z]{{1,3}}(?![0-9A-Za-z_])))"
    rf"(?!.{_BLANK}(?:s|[Mm](?:inor|ajor)|flat|sharp)(?![0-9A-Za-z_]))(?=[DGKMPdgkmp]|.(?!{_BLANK}[A-Za-z]))"
)
# Before the number of a letter that is no measure, no word; no colon or hyphen but of a range, no hour of the day.
_MEASURES = "GKMPSTgkmps"
_BEHIND_WORD = re.compile(rf"(?<![0-9A-Za-z])(?<![0-9]{_BLANK})[A-Za-z]+(?:{_BLANK}?\.)?{_BLANK}?\Z")
_BEHIND_SIGN = re.compile(rf"[0-9]{_BLANK}?(?P<sign>[:-]){_BLANK}?\Z")
_HOUR = re.compile(rf"(?:[上下中]午|[早晚]上|凌晨|半夜|今晚|明晚|昨晚){_BLANK}?\Z")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}\Z")
# Letters before numbers are no units: A 1 B 2 are answers, and B 2 B is one word.
_LABELS = "[A-Za-z](?: [0-9]++ [A-Za-z])+(?![0-9A-Za-z_])"
_UNIT = (
    rf"(?P<unit>(?:(?ai:{_UNITS})|{_ORDINALS})(?![\w'’&@-]|\.\w))|(?P<letter>{_AHEAD}{_LETTER}(?![\w'’&@/+#-]|\.\w))"
)
_MEASURE = lazy(rf"(?<![0-9A-Za-z_.,])(?:{_LABELS}|(?P<number>{_NUMBER}) (?:{_UNIT}))")
_DOLLARS = lazy(r"(?<=[A-Za-z]) \$ ?(?=[0-9])")
# Points, colons and commas of numbers of several parts, and pairs of digits of base 16 between colons.
_PARTS = lazy(r"(?<=[0-9]) ?([.:]) ?(?=[0-9])|(?<=[0-9]) ?(,) ?(?=[0-9]{3}(?![0-9A-Za-z_]))")
_HEX = "[0-9A-Fa-f]"
_COLONS = lazy(rf"(?<![0-9A-Za-z_:]){_HEX}{{1,4}}(?: ?: ?{_HEX}{{1,4}}){{5,7}}(?![0-9A-Za-z_])")

#: A text that `join_parts` changes matches it.
PARTS_GATE = rf"[0-9](?: [.:,] ?|[.:,] )[0-9]|{_HEX} ?: ?{_HEX}{{1,4}} ?: ?{_HEX}"
#: A text that `join_units` changes matches it. It is short, as Polars may have to compile it again for each column.
GATE = r"[0-9] [A-Za-z]|[A-Za-z] \$"


def join_parts(text: pl.Expr) -> pl.Expr:
    """Join the parts of a number: of a decimal, a version, a time, thousands, an address of a network card.

    >>> pl.select(join_parts(pl.lit("iOS 6 . 1 . 3 ， 10 : 30 : 05 ， 1 , 000 , 000 元"))).item()
    'iOS 6.1.3 ， 10:30:05 ， 1,000,000 元'
    """

    def join(line: str) -> str:
        line = _COLONS().sub(lambda found: found[0].replace(" ", ""), line) if ":" in line else line
        return _PARTS().sub(lambda found: found[1] or found[2], line)

    return text.map_elements(join, return_dtype=pl.String)


def join_units(text: pl.Expr) -> pl.Expr:
    """Join a number and the unit behind it: one letter, or a symbol of several (km, GB, mAh); mark the blank before $.

    The letter must be a token, and stay no part of what follows: in 2013 A 股, 3 K 歌 and 1 - 0 C 罗 it is the next
    word's. A letter that measures nothing does not join behind a word (AKB 48 A 队). A word before a number (iPhone 5),
    numbers side by side (2 3 5), letters before their numbers (A 1 B 2) and the x of 850 x 850 stay apart.

    >>> pl.select(join_units(pl.lit("2 B 青年 ， 16 GB 的 iPhone 5 S ， 选 A 1 B 2 ， 2013 A 股"))).item()
    '2B 青年 ， 16GB 的 iPhone 5S ， 选 A 1 B 2 ， 2013 A 股'
    """
    return text.map_elements(
        lambda line: _DOLLARS().sub(f"{KEPT}$", _MEASURE().sub(_joined, line)), return_dtype=pl.String
    )


def _joined(found: re.Match[str]) -> str:
    number, unit, letter = found["number"], found["unit"], found["letter"]
    if number is None or (letter and not _measures(found.string, found.start(), number, letter)):
        return found[0]
    return f"{number}{unit or letter}"


def _measures(line: str, start: int, number: str, letter: str) -> bool:
    """Whether the letter belongs to the number, by the number and what stands before it."""
    if _YEAR.match(number) or number.count(".") > 1:
        return False
    before = line[max(0, start - 8) : start]
    if sign := _BEHIND_SIGN.search(before):
        return sign["sign"] == "-" and letter in _MEASURES
    return not _HOUR.search(before) and (letter in _MEASURES or not _BEHIND_WORD.search(before))
