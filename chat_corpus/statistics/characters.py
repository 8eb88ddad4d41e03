"""Classes of characters. Explicit ranges define them, so they do not depend on the version of Python or Polars.

Only punctuation is defined by Unicode categories, as Python has them.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from enum import StrEnum


class CharacterClass(StrEnum):
    """Classes of characters. Values are keys of counts."""

    HAN = "han"  # ideographs, also compatibility ones, and 々〇〻
    LATIN = "latin"  # letters, also full-width ones
    DIGITS = "digits"  # 0-9, also full-width ones
    KANA = "kana"  # hiragana and katakana, also half-width ones, and ー
    HANGUL = "hangul"  # syllables and letters
    PUNCTUATION = "punctuation"  # Unicode categories P and S, except for emoji
    EMOJI = "emoji"  # shown as emoji by default, and ☀☁☹☺♥✌❣❤
    BLANKS = "blanks"  # Unicode property White_Space; a line break is one
    OTHER = "other"  # letters of other scripts, marks, variation selectors, control, private use and lost characters


_EMOJI = (
    "⌚-⌛ ⏩-⏬ ⏰ ⏳ ◽-◾ ☀-☁ ☔-☕ ☹-☺ ♈-♓ ♥ ♿ ⚓ ⚡ ⚪-⚫ ⚽-⚾ ⛄-⛅ ⛎ ⛔ ⛪ ⛲-⛳ ⛵ "
    "⛺ ⛽ ✅ ✊-✌ ✨ ❌ ❎ ❓-❕ ❗ ❣-❤ ➕-➗ ➰ ➿ ⬛-⬜ ⭐ ⭕ \U0001f000-\U0001faff"
)
_RANGES = {
    CharacterClass.HAN: "々 〇 〻 \u3400-\u4dbf \u4e00-\u9fff \uf900-\ufaff \U00020000-\U0003ffff",
    CharacterClass.LATIN: (
        "A-Z a-z ª º À-Ö Ø-ö ø-\u02af \u1d00-\u1d25 \u1e00-\u1eff \u2c60-\u2c7f \ua722-\ua787 "
        "\uff21-\uff3a \uff41-\uff5a"
    ),
    CharacterClass.DIGITS: "0-9 \uff10-\uff19",
    CharacterClass.KANA: "\u3041-\u3096 \u309d-\u309f \u30a1-\u30fa \u30fc-\u30ff \u31f0-\u31ff \uff66-\uff9d",
    CharacterClass.HANGUL: "\u1100-\u11ff \u3131-\u318e \ua960-\ua97c \uac00-\ud7a3 \ud7b0-\ud7fb \uffa1-\uffdc",
    CharacterClass.EMOJI: _EMOJI,
    CharacterClass.OTHER: "\ufffd",
}
#: White_Space characters, without the range from 0x09 to 0x0d.
_BLANKS = (0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


def _ranges() -> list[tuple[int, int, CharacterClass]]:
    """Return first code point, last code point and class of each range, sorted by code points."""
    ranges = [(code, code, CharacterClass.BLANKS) for code in _BLANKS] + [(0x09, 0x0D, CharacterClass.BLANKS)]
    for name, text in _RANGES.items():
        ranges += [(ord(item[0]), ord(item[-1]), name) for item in text.split(" ")]
    return sorted(ranges)


_SORTED = _ranges()
_FIRST = [first for first, _, _ in _SORTED]


def class_of(character: str) -> CharacterClass:
    r"""Return the class of a character.

    >>> [str(class_of(character)) for character in "好aＡ7、 ❤\u200b"]
    ['han', 'latin', 'latin', 'digits', 'punctuation', 'blanks', 'emoji', 'other']
    """
    code = ord(character)
    at = bisect_right(_FIRST, code) - 1
    if at >= 0 and code <= _SORTED[at][1]:
        return _SORTED[at][2]
    is_mark = unicodedata.category(character)[0] in "PS"
    return CharacterClass.PUNCTUATION if is_mark else CharacterClass.OTHER
