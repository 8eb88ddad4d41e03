"""English apostrophes and single quotes that a segmenter put spaces around."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.numbers import KEPT

#: Letters, besides ASCII, of scripts that put spaces between words, as the inside of a character class. Greek is left
#: out, because kaomoji use its letters (ω).
LETTERS = "À-ÖØ-öø-ɏЀ-ӿ가-힣"
_ANY = f"[0-9A-Za-z{LETTERS}]"
_MARK = "['’‘]"

_CONTRACTION = lazy(rf"(?<={_ANY}) ?({_MARK}) ?((?ai:s|t|m|d|re|ve|ll))(?!{_ANY}|{_MARK})")
_NEGATION = lazy(rf"(?ai:\b(?:(ca)n (n)|([a-z]+) (n))({_MARK}t)\b)")
# Quotes, each between spaces or at the end of a line. An apostrophe inside a word is not a quote.
_QUOTED = lazy(
    rf"((?<={_ANY}) |(?<={_ANY}[,;:.!?]) |(?<={_ANY} [,;:.!?]) |(?<![^\n])(?=['‘] {_ANY}))(['‘]) "
    rf"([^'’‘\n]+(?:(?<={_ANY}){_MARK}(?={_ANY})[^'’‘\n]+)*) (['’])( (?={_ANY})|(?![^ \n,;:.!?]))"
)
_AT_PAUSE = lazy(rf"(?:(?<={_ANY}[,;:.!?])|(?<={_ANY} [,;:.!?])) (?=['‘]{_ANY})|(?<={_ANY}[,;:.!?]['’]) (?={_ANY})")
_BETWEEN = lazy(rf"(?<!{_ANY})((?<={_MARK}))?({_ANY}+)( ?)({_MARK})( ?)(?=({_ANY}+)({_MARK}?))")
#: Words that have lost their beginning: 'em, 'til.
_CLIPPED = frozenset(["n", "em", "til", "cause", "cuz", "bout", "tis", "twas"])
_TWICE = lazy(rf"(?<={_ANY}) ?({_MARK}) ({_MARK}) ?(?=(?ai:{'|'.join(sorted(_CLIPPED))}|[0-9]0s)(?!{_ANY}))")
#: Words that have lost their end, besides those in -in': lil', ol'.
_SHORTENED = frozenset(["lil", "ol"])
# Words that o' is part of (six o'clock), and words that show that O' is not part of a name (Sweet Child O' Mine).
_WITH_O = frozenset(["clock", "er", "lantern", "lanterns"])
_OF_WHAT = frozenset(["fun", "lakes", "love", "mine", "my", "the", "war", "your"])
_PINYIN = lazy("(?ai:(?:[zcs]h?|[bpmfdtnlgkhjqxrwy])?[aeiou]{1,3}(?:ng?|r)?)+")
_FIRST = lazy(f"{_ANY}+")
_LAST = lazy(rf"(?<!{_ANY})({_ANY}{{1,20}})\Z")
# No word is elided before these letters, and pinyin needs no apostrophe before them.
_CONSONANTS = frozenset("bcdfgjklmnpqrstvwxyzBCDFGJKLMNPQRSTVWXYZ")

#: Stands for the inch mark while `segmentation` runs; a noncharacter, as `KEPT` is.
INCHES = "\ufdd2"
_FEET = lazy(rf'(?<![0-9])([0-9]) ?({_MARK}) ?([0-9]{{1,2}}) ?"( (?={_ANY}))?|"')
#: The gate of `mark_inches`: every text that it changes matches.
INCHES_GATE = rf'[0-9] ?{_MARK} ?[0-9]{{1,2}} ?"'
# Apostrophes without a space next to them change only in contractions.
_APART = re.compile(rf" {_MARK}|{_MARK} ")


def join_apostrophes(text: pl.Expr) -> pl.Expr:
    """Join an apostrophe to the word that it belongs to, and mark the space on its other side.

    Contractions become one word (I'm; don't, also from `do n't`), and so do elisions (l'amour, O'Reilly, Xi'an).
    Otherwise an apostrophe ends a word (the boys' room, N' Roses) or begins one (get 'em, the '90s), or a pair of them
    encloses a quotation. It must be next to Latin, Cyrillic or Hangul letters, or digits.

    >>> line = "Guns N' Roses rock ' n ' roll in the boys ' room , I ' m sure they do n't"
    >>> pl.select(join_apostrophes(pl.lit(line)).str.replace_all(KEPT, " ")).item()
    "Guns N' Roses rock 'n' roll in the boys' room , I'm sure they don't"
    """
    return text.map_elements(_join, return_dtype=pl.String)


def mark_inches(text: pl.Expr) -> pl.Expr:
    r"""Join feet and inches, and write the inch mark as `INCHES`, so that it is not taken for a quotation mark.

    >>> pl.select(mark_inches(pl.lit('5 \' 10 " tall , " so 6 \' 2 "')).str.replace_all(KEPT, " ")).item()
    '5\'10\ufdd2 tall , " so 6 \' 2 "'
    """
    return text.map_elements(_mark_inches, return_dtype=pl.String)


def _mark_inches(text: str) -> str:
    quoted = False

    def mark(found: re.Match[str]) -> str:
        nonlocal quoted
        if found[1] is None or quoted:
            quoted = not quoted
            return found[0]
        return f"{found[1]}{found[2]}{found[3]}{INCHES}{KEPT if found[4] else ''}"

    return _FEET().sub(mark, text)


def _join(text: str) -> str:
    text = _NEGATION().sub(r"\1\2\3\4\5", _CONTRACTION().sub(r"\1\2", text))
    if not _APART.search(text):
        return text
    text = _QUOTED().sub(_quote, _TWICE().sub(rf"\1{KEPT}\2", text))
    return _BETWEEN().sub(_place, _AT_PAUSE().sub(KEPT, text))


def _quote(found: re.Match[str]) -> str:
    before, opening, words, closing, after = found.groups()
    if before and found.string[found.start() - 1].isalnum():
        left = _LAST().search(found.string, max(0, found.start() - 21), found.start())
        several = words[0].islower() and " " in words and words.endswith("s")
        if left and left[1][-1] == "s" and several:
            return found[0]  # the boys ' room and the girls ' room
        right, last = _FIRST().match(words), _LAST().search(words, max(0, len(words) - 21))
        behind = _FIRST().match(found.string, found.end())
        if left and right and last and _omits(left[1], right[0]):
            ends = last[1][-1] in "sS" and " " in words
            if ends or _omits(last[1], behind[0] if behind else ""):
                return found[0]  # Lil ' Wayne 和 Lil ' Kim
    return f"{before and KEPT}{opening}{words}{closing}{after and KEPT}"


def _omits(left: str, right: str) -> bool:
    """Whether an apostrophe probably belongs between the words, though it could be one of a pair of quotes."""
    if _loses_end(left) or right.lower() in _CLIPPED or right[:1].isdigit() or left in ("n", "N", "o", "O"):
        return True
    if not right or right[0] in _CONSONANTS:
        return False
    return left.lower() in ("c", "d", "j", "l", "qu") or all(_PINYIN().fullmatch(word) for word in (left, right))


def _loses_end(word: str) -> bool:
    word = word.lower()
    return word in _SHORTENED or (len(word) > 3 and word.endswith("in") and not word.endswith("ain"))


def _of(word: str, right: str, *, apart: bool) -> bool:
    """Whether o' before the word stands for `of`. In a name it does not, unless the author wrote the space after it."""
    if right.lower() in _WITH_O:
        return False
    return not apart or word == "o" or right[0].islower() or right.lower() in _OF_WHAT


def _place(found: re.Match[str]) -> str:
    opened, word, before, mark, after, right, closed = found.groups()
    if word[-1].isdigit() and right[0].isdigit():  # 12'97
        return word + mark
    letter = len(word) == 1 and word.isalpha()
    of = word in "oO" and bool(after) and _of(word, right, apart=bool(before))
    if before and after:
        begins = right.lower() in _CLIPPED or right[0].isdigit()
        several = len(word) > 2 and right[0] in _CONSONANTS
        ends = word in ("n", "N") or of or (not letter and (word[-1] in "sS" or several or _loses_end(word)))
    else:
        begins = bool(before) and (bool(closed) or not letter or word in "aAI")
        elided = letter and word not in "nN" and not of and (word in "oO" or right[0] not in _CONSONANTS)
        ends = bool(after) and (opened is not None or not elided)
    return f"{word}{KEPT if begins else ''}{mark}{KEPT if ends and not begins else ''}"
