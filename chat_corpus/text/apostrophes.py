"""Apostrophes and single quotes of English, where a segmenter put blanks around them."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.text.numbers import KEPT

#: Letters, besides ASCII, of scripts that put blanks between words (the inside of a class). Greek is not one of them
#: here: its letters are kaomoji (ω).
LETTERS = "À-ÖØ-öø-ɏЀ-ӿ가-힣"
_ANY = f"[0-9A-Za-z{LETTERS}]"
_MARK = "['’‘]"

_CONTRACTION = re.compile(rf"(?<={_ANY}) ?({_MARK}) ?((?ai:s|t|m|d|re|ve|ll))(?!{_ANY}|{_MARK})")
_NEGATION = re.compile(rf"(?ai:\b(?:(ca)n (n)|([a-z]+) (n))({_MARK}t)\b)")
# Quotes, each between blanks or at the end of a line; an apostrophe inside a word is none.
_QUOTED = re.compile(
    rf"((?<={_ANY}) |(?<={_ANY}[,;:.!?]) |(?<={_ANY} [,;:.!?]) |(?<![^\n])(?=['‘] {_ANY}))(['‘]) "
    rf"([^'’‘\n]+(?:(?<={_ANY}){_MARK}(?={_ANY})[^'’‘\n]+)*) (['’])( (?={_ANY})|(?![^ \n,;:.!?]))"
)
_AT_PAUSE = re.compile(
    rf"(?:(?<={_ANY}[,;:.!?])|(?<={_ANY} [,;:.!?])) (?=['‘]{_ANY})|(?<={_ANY}[,;:.!?]['’]) (?={_ANY})"
)
_BETWEEN = re.compile(rf"(?<!{_ANY})((?<={_MARK}))?({_ANY}+)( ?)({_MARK})( ?)(?=({_ANY}+)({_MARK}?))")
#: Words that have lost their beginning.
_CLIPPED = frozenset(["n", "em", "til", "cause", "cuz", "bout", "tis", "twas"])
# Before these no word is elided, and no syllable of pinyin needs an apostrophe.
_CONSONANTS = frozenset("bcdfgjklmnpqrstvwxyzBCDFGJKLMNPQRSTVWXYZ")

#: Every text that `join_apostrophes` changes matches it: a mark beside a word and a blank.
GATE = rf"{_ANY} ?{_MARK} |{_ANY} ?[,;:.!?]? {_MARK}|{_MARK} {_ANY}| [Nn]{_MARK}[Tt]"


def join_apostrophes(text: pl.Expr) -> pl.Expr:
    """Join an apostrophe to the word that it belongs to, and mark the blank on its other side.

    Contractions are one word (I'm; don't, also from `do n't`), and so are elisions (l'amour, O'Reilly, Xi'an).
    Elsewhere it ends a word (the boys' room, N' Roses) or begins one (get 'em, the '90s), or two of them quote what is
    between them. It must stand beside Latin, Cyrillic, Hangul or digits.

    >>> line = "Guns N' Roses rock ' n ' roll in the boys ' room , I ' m sure they do n't"
    >>> pl.select(join_apostrophes(pl.lit(line)).str.replace_all(KEPT, " ")).item()
    "Guns N' Roses rock 'n' roll in the boys' room , I'm sure they don't"
    """
    return text.map_elements(_join, return_dtype=pl.String)


def _join(text: str) -> str:
    text = _NEGATION.sub(r"\1\2\3\4\5", _CONTRACTION.sub(r"\1\2", text))
    return _BETWEEN.sub(_place, _AT_PAUSE.sub(KEPT, _QUOTED.sub(_quote, text)))


def _quote(found: re.Match[str]) -> str:
    before, opening, words, closing, after = found.groups()
    several = words[0].islower() and " " in words and words.endswith("s")
    if before and several and found.string[found.start() - 1] == "s":
        return found[0]  # the boys ' room and the girls ' room
    return f"{before and KEPT}{opening}{words}{closing}{after and KEPT}"


def _place(found: re.Match[str]) -> str:
    opened, word, before, mark, after, right, closed = found.groups()
    if word[-1].isdigit() and right[0].isdigit():  # 12'97
        return word + mark
    letter = len(word) == 1 and word.isalpha()
    if before and after:
        begins = right.lower() in _CLIPPED or right[0].isdigit()
        ends = word in ("n", "N") or (not letter and (word[-1] in "sS" or (len(word) > 2 and right[0] in _CONSONANTS)))
    else:
        begins = bool(before) and (bool(closed) or not letter or word in "aAI")
        elided = letter and word not in "nN" and (word in "oO" or right[0] not in _CONSONANTS)
        ends = bool(after) and (opened is not None or not elided)
    return f"{word}{KEPT if begins else ''}{mark}{KEPT if ends and not begins else ''}"
