"""Numbers, and the units after them, that a segmenter split: `１ ９ ９ 元`, `24 K`, `16 GB`."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.schema import Segmentation

#: Marks a space that stays while `segmentation` runs. It is a noncharacter: Unicode reserves these for internal use.
KEPT = "\ufdd0"
#: Full-width letters and digits, as the inside of a character class.
FULL = "０-９Ａ-Ｚａ-ｚ"

# Units of several letters that match in any case: of the SI, data sizes and displays. _LETTER has units of one letter.
# _ORDINALS has endings of ordinals, and units that would be words in another case.
_UNITS = (
    "[cdkmnu]m|[kmu]g|ml|[kmgtp]b|[kmg]?hz|mah|[kmu]wh?|kcal|kj|[km]pa|mmhg|db|[kmg]bps|px|[dp]pi|fps|[rbp]pm|min"
    "|cc|lbs?|oz|mol"
)
_ORDINALS = "st|nd|rd|th|ms|mA|mV"
# jieba makes a token of each full-width letter and digit. Such tokens in a row were written together. So were several
# letters before two tokens of one letter (ＩＰ ｈ ｏ ｎ ｅ), and digits before a unit (１ ６ ＧＢ).
_LETTERS = "Ａ-Ｚａ-ｚ"
_FULL_UNITS = "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in _UNITS)
_JOINED_UNIT = f"(?i:{_FULL_UNITS})(?![{FULL}])"
_WHOLE = f"[{_LETTERS}]{{2,}} (?=[{_LETTERS}] [{_LETTERS}](?![{FULL}]))"
_PARTED = (
    rf"(?<![{FULL}])(?:{_WHOLE})?"
    rf"(?:[{FULL}](?: [{FULL}](?![{FULL}]))+(?:(?<=[０-９]) {_JOINED_UNIT})?|[０-９] {_JOINED_UNIT})"
)
#: Patterns of text that was split this way, by the separator of the tokens.
PARTED = {Segmentation.BLANK: _PARTED, Segmentation.SLASH: _PARTED.replace(" ", "/")}

# Units of one letter. I, u and U are left out as words. a, i, v and x may be words or operators (3 x 5, 1 v 1), so no
# Latin word or number may follow them, except a number with its unit after V (5 V 2 A).
_BLANK = f"[ {KEPT}]"
_NUMBER = "[0-9]++(?:[.,][0-9]++)*+"
_LETTER = (
    rf"(?:[B-HJ-TWYZb-hj-twyz]|[AVXaivx](?!{_BLANK}[0-9A-Za-z])|[Vv](?={_BLANK}{_NUMBER}{_BLANK}?(?:m?[Aa]|[Ww])\b))"
)
# Chinese words that begin with a Latin letter, which a segmenter splits too: A股, K歌, T恤. Left out are combinations
# such as D字, because `3 D 字` has a unit.
_HEADS = (
    rf"[A-Za-z]{_BLANK}(?:[股罗歌盘队位端台恤币光档咖站座组栋轮]|罩杯)|[A-CE-Za-ce-z]{_BLANK}字|[ABOabo]{_BLANK}[型片货面]"
    rf"|[Kk]{_BLANK}[线房粉]|[Pp]{_BLANK}图|[VvUuOo]{_BLANK}领|[Bb]{_BLANK}超|[Xx]{_BLANK}(?:射|战警|教授|染色)"
    rf"|[Yy]{_BLANK}染色|[Tt]{_BLANK}[型骨]|[Qq]{_BLANK}[群友版弹宠]|[A-Ga-g]{_BLANK}(?:[大小]?调|弦)|[Cc]{_BLANK}语言"
    rf"|[A-Z]{_BLANK}(?:君|计划)"
)
# What must not follow the letter: one of the words above, a number without a unit (16 G 32 G is allowed), a musical key
# (C minor), a plural (A s), or a Latin word, unless the letter is a measure.
_AHEAD = (
    rf"(?!{_HEADS})(?!.{_BLANK}[0-9]++(?!(?:[.,][0-9]++)*+{_BLANK}?[A-Za-z]{{1,3}}(?![0-9A-Za-z_])))"
    rf"(?!.{_BLANK}(?:s|[Mm](?:inor|ajor)|flat|sharp)(?![0-9A-Za-z_]))(?=[DGKMPdgkmp]|.(?!{_BLANK}[A-Za-z]))"
)
# What must not come before the number: a Latin word, unless the letter is one of _MEASURES; a digit and a colon; a
# digit and a hyphen, except in a range of measures; a time of day.
_MEASURES = "GKMPSTgkmps"
_BEHIND_WORD = re.compile(rf"(?<![0-9A-Za-z])(?<![0-9]{_BLANK})[A-Za-z]+(?:{_BLANK}?\.)?{_BLANK}?\Z")
_BEHIND_SIGN = re.compile(rf"[0-9]{_BLANK}?(?P<sign>[:-]){_BLANK}?\Z")
_HOUR = re.compile(rf"(?:[上下中]午|[早晚]上|凌晨|半夜|今晚|明晚|昨晚){_BLANK}?\Z")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}\Z")
# Letters in turn with numbers are not units: A 1 B 2 are answers, and B 2 B is one word.
_LABELS = "[A-Za-z](?: [0-9]++ [A-Za-z])+(?![0-9A-Za-z_])"
_UNIT = (
    rf"(?P<unit>(?:(?ai:{_UNITS})|{_ORDINALS})(?![\w'’&@-]|\.\w))|(?P<letter>{_AHEAD}{_LETTER}(?![\w'’&@/+#-]|\.\w))"
)
_MEASURE = lazy(rf"(?<![0-9A-Za-z_.,])(?:{_LABELS}|(?P<number>{_NUMBER}) (?:{_UNIT}))")
_DOLLARS = lazy(r"(?<=[A-Za-z]) \$ ?(?=[0-9])")
# Points, colons and commas inside numbers; hexadecimal digits between colons.
_PARTS = lazy(r"(?<=[0-9]) ?([.:]) ?(?=[0-9])|(?<=[0-9]) ?(,) ?(?=[0-9]{3}(?![0-9A-Za-z_]))")
_HEX = "[0-9A-Fa-f]"
_COLONS = lazy(rf"(?<![0-9A-Za-z_:]){_HEX}{{1,4}}(?: ?: ?{_HEX}{{1,4}}){{5,7}}(?![0-9A-Za-z_])")

#: The gate of `join_parts`: every text that it changes matches.
PARTS_GATE = rf"[0-9](?: [.:,] ?|[.:,] )[0-9]|{_HEX} ?: ?{_HEX}{{1,4}} ?: ?{_HEX}"
#: The gate of `join_units`: every text that it changes matches. It is short because Polars may have to compile it again
#: for each column.
GATE = r"[0-9] [A-Za-z]|[A-Za-z] \$"


def join_parts(text: pl.Expr) -> pl.Expr:
    """Join the parts of a number: decimals, versions, times, thousands, MAC and IPv6 addresses.

    >>> pl.select(join_parts(pl.lit("iOS 6 . 1 . 3 ， 10 : 30 : 05 ， 1 , 000 , 000 元"))).item()
    'iOS 6.1.3 ， 10:30:05 ， 1,000,000 元'
    """

    def join(line: str) -> str:
        line = _COLONS().sub(lambda found: found[0].replace(" ", ""), line) if ":" in line else line
        return _PARTS().sub(lambda found: found[1] or found[2], line)

    return text.map_elements(join, return_dtype=pl.String)


def join_units(text: pl.Expr) -> pl.Expr:
    """Join a number and the unit after it, a letter or a symbol (km, GB, mAh), and mark the space before $.

    The letter must be a separate token that does not belong to the next word, as it does in 2013 A 股, 3 K 歌 and
    1 - 0 C 罗. After a word and a number, only a letter that is a measure joins (not in AKB 48 A 队). Spaces stay
    between a word and a number (iPhone 5), between numbers (2 3 5), where letters come before numbers (A 1 B 2), and
    in 850 x 850.

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
    """Whether the letter belongs to the number, judged by the number and the text before it."""
    if _YEAR.match(number) or number.count(".") > 1:
        return False
    before = line[max(0, start - 8) : start]
    if sign := _BEHIND_SIGN.search(before):
        return sign["sign"] == "-" and letter in _MEASURES
    return not _HOUR.search(before) and (letter in _MEASURES or not _BEHIND_WORD.search(before))
