"""Runs of the same mark, letter or laugh: shortened, never removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import ANY, Sign
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.hex_codes import CODE
from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.schema import Traits

_MARKS = "!！?？,，、;；:：~～"
_PAIRS = ("！？", "？！", r"!\?", r"\?!")
_STOPS = ".。·・•"
# Digits are left out because they are numbers, asterisks because they hide numbers (QQ:******), slashes because they
# occur in addresses. Stops, dashes and marks have their own steps.
_SYMBOLS = "=#+_|<>^$"
_LAUGHS = "(?ai:hia|ha|he|hi|ho|xi|ah)"
_OWN_STEP = _MARKS + _STOPS + "…⋯—―"
_OTHER = rf"[^\x00-\x7f\s\u4e00-\u9fff{_OWN_STEP}]"
_MODIFIER = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
_CODE = lazy(CODE)
# Hyphens at the end are not part of a link.
_LINK = r"(?i-u:https?://|www\.[0-9a-z])(?-u:[!#%&+,./0-9:;=?@A-Z_a-z~]|-+[#%&/0-9=A-Z_a-z])*"
_EMOTICON = r"\[[^\[\]\s]{1,8}\]"
# Polars has no back-references, so the gate finds a run of one Han character as a run from one block of 1,024. About
# one clean line in a thousand has such a run of six.
_HAN = [rf"[\x{{{start:X}}}-\x{{{min(start + 0x3FF, 0x9FFF):X}}}]" for start in range(0x4E00, 0xA000, 0x400)]


def _ellipses(limit: int) -> list[tuple[str, int]]:
    return [("…", limit), ("⋯", limit), *((re.escape(stop), 3 * limit) for stop in _STOPS)]


def _dashes(limit: int) -> list[tuple[str, int]]:
    return [("—", limit), ("―", limit), ("-", 2 * limit)]


def _marks(limit: int) -> list[tuple[str, int]]:
    return [(re.escape(mark), limit) for mark in _MARKS] + [(pair, limit) for pair in _PAIRS]


def parts(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Part, ...]:
    """Return the function for one kind, with the limit of the options, behind its gate."""
    limit = getattr(options, kind).limit
    return ((gate(kind, limit), partial(_BOUNDS[kind], limit=limit)),)


def signs(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Sign, ...]:
    """Return the signs of plain texts that one kind may change: runs of a character, a pair or a laugh."""
    limit = getattr(options, kind).limit
    if kind == "max_repeats":
        same = Sign(characters=ANY, length=limit + 1, same=True)
        return (same, Sign(characters="AEHIOXaehiox", length=2 * limit + 2), Sign(characters=r"\]", then=r"\["))
    units = [(unit, most) for unit, most in _UNITS[kind](limit) if unit not in _PAIRS]
    runs = tuple(Sign(characters=alike, length=most + 1, same=True) for most, alike in _by_limit(units).items())
    return (*runs, Sign(characters="!?！？", length=2 * limit + 2)) if kind == "punctuation" else runs


def gate(kind: str, limit: int) -> str:
    """Return a pattern that matches every text with a run of one kind above the limit, and a few others.

    Every text of a corpus is searched for it, and the search is faster if it distinguishes fewer runs. So any marks in
    a row count as a run of one mark, letters if all or none are vowels, Han if they are from one block. Any text in
    brackets counts as an emoticon, because a bounded length would take long to compile.
    """
    run = f"{{{limit + 1}}}"
    if kind == "max_repeats":
        letters = f"[AEIOUaeiou]{run}|[B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{run}|[AEHIOXaehiox]{{{2 * limit + 2}}}"
        han = "|".join(block + run for block in _HAN)
        return rf"{letters}|[{re.escape(_SYMBOLS)}]{run}|{_OTHER}{run}|(?:\[[^\[\]]+\]){run}|{han}"
    return "|".join(f"[{units}]{{{most + 1}}}" for most, units in _by_limit(_UNITS[kind](limit)).items())


def _by_limit(units: list[tuple[str, int]]) -> dict[int, str]:
    """Return all units of each limit, as the inside of a character class."""
    alike: dict[int, str] = {}
    for unit, most in units:
        alike[most] = alike.get(most, "") + unit
    return alike


def _bound(text: pl.Expr, units: list[tuple[str, int]], *, spared: str = "") -> pl.Expr:
    runs = [f"((?:{unit}){{{limit}}})(?:{unit})+" for unit, limit in units]
    patterns = [f"({spared})", *runs] if spared else runs
    return text.str.replace_all("|".join(patterns), "".join(f"${{{n}}}" for n in range(1, len(patterns) + 1)))


def limit_ellipses(text: pl.Expr, *, limit: int = 2) -> pl.Expr:
    """Shorten ellipses to `limit` of `…`, or to three times as many full stops or middle dots.

    The kind of dot stays as the author wrote it.

    >>> pl.select(limit_ellipses(pl.lit("唉…………算了。。。。。。。。 3.14"))).item()
    '唉……算了。。。。。。 3.14'
    """
    return _bound(text, _ellipses(limit))


def limit_dashes(text: pl.Expr, *, limit: int = 2) -> pl.Expr:
    """Shorten dashes to `limit` of `—`, or to twice as many hyphens.

    Box-drawing lines stay, because kaomoji use them, and so do hyphens inside a link.

    >>> pl.select(limit_dashes(pl.lit("他说——————走 -_- ------ http://a.cn/b------c"))).item()
    '他说——走 -_- ---- http://a.cn/b------c'
    """
    return _bound(text, _dashes(limit), spared=_LINK)


def limit_punctuation(text: pl.Expr, *, limit: int = 3) -> pl.Expr:
    """Shorten runs of one punctuation mark, or of the pairs `！？` and `？！`, to `limit`.

    >>> pl.select(limit_punctuation(pl.lit("什么！！！！！！真的？！？！？！？！ (:3"))).item()
    '什么！！！真的？！？！？！ (:3'
    """
    return _bound(text, _marks(limit))


def limit_repeats(text: pl.Expr, *, limit: int = 5) -> pl.Expr:
    """Shorten runs of one letter, emoji, symbol, `[emoticon]` or laughing syllable to `limit` of it.

    Digits stay (10000000 is a number), and so do codes and addresses (`hex_codes.CODE`). Five is the lowest limit that
    does not change ratings (★★★★★) or the AAAAA of Chinese tourist sights.

    >>> pl.select(limit_repeats(pl.lit("哈哈哈哈哈哈哈哈 hahahahahahaha 10000000 #DDDDDD"))).item()
    '哈哈哈哈哈 hahahahaha 10000000 #DDDDDD'
    """
    picture = f"{_OTHER}{_MODIFIER}{{0,4}}"
    letter = rf"[A-Za-z{re.escape(_SYMBOLS)}\u4e00-\u9fff]"
    # The number of joined pictures is bounded, because matching would take quadratic time otherwise.
    unit = rf"{_EMOTICON}|{letter}|{picture}(?:\u200d{picture}){{0,9}}"
    run = re.compile(rf"({_LAUGHS})(?ai:\1){{{limit},}}|({unit})\2{{{limit},}}")
    return text.map_elements(lambda line: _cut(run, line, limit), return_dtype=pl.String)


def _cut(run: re.Pattern[str], line: str, limit: int) -> str:
    # Runs and codes come in the same order. Codes are searched for only if a run is ASCII, which is rare.
    codes: Iterator[re.Match[str]] | None = None
    start, end = 0, 0

    def cut(found: re.Match[str]) -> str:
        nonlocal codes, start, end
        if found[0].isascii():
            codes = codes or _CODE().finditer(line)
            while end <= found.start():
                code = next(codes, None)
                start, end = code.span() if code else (len(line), len(line))
            if start <= found.start():
                return found[0]
        return found[0][: limit * len(found[1] or found[2])]

    return run.sub(cut, line)


_UNITS = {"ellipses": _ellipses, "dashes": _dashes, "punctuation": _marks}
_BOUNDS = {
    "ellipses": limit_ellipses,
    "dashes": limit_dashes,
    "punctuation": limit_punctuation,
    "max_repeats": limit_repeats,
}
