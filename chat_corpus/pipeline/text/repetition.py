"""Runs of the same mark, letter or laugh: bounded, never erased."""

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
# Digits are numbers, and asterisks hide them (QQ:******). Stops, dashes and marks have their own steps. Slashes are
# left out because addresses hold them.
_SYMBOLS = "=#+_|<>^$"
_LAUGHS = "(?ai:hia|ha|he|hi|ho|xi|ah)"
_OWN_STEP = _MARKS + _STOPS + "…⋯—―"
_OTHER = rf"[^\x00-\x7f\s\u4e00-\u9fff{_OWN_STEP}]"
_MODIFIER = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
_CODE = lazy(CODE)
# Hyphens at its end are not part of a link.
_LINK = r"(?i-u:https?://|www\.[0-9a-z])(?-u:[!#%&+,./0-9:;=?@A-Z_a-z~]|-+[#%&/0-9=A-Z_a-z])*"
_EMOTICON = r"\[[^\[\]\s]{1,8}\]"
# As Polars has no back-references, a run of one Han character is sought as a run from one block of 1,024: about one
# clean line in a thousand has a run of six.
_HAN = [rf"[\x{{{start:X}}}-\x{{{min(start + 0x3FF, 0x9FFF):X}}}]" for start in range(0x4E00, 0xA000, 0x400)]


def _ellipses(limit: int) -> list[tuple[str, int]]:
    return [("…", limit), ("⋯", limit), *((re.escape(stop), 3 * limit) for stop in _STOPS)]


def _dashes(limit: int) -> list[tuple[str, int]]:
    return [("—", limit), ("―", limit), ("-", 2 * limit)]


def _marks(limit: int) -> list[tuple[str, int]]:
    return [(re.escape(mark), limit) for mark in _MARKS] + [(pair, limit) for pair in _PAIRS]


def parts(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Part, ...]:
    """`limit_ellipses`, `limit_dashes`, `limit_punctuation` or `limit_repeats`, to the limit of the options."""
    limit = getattr(options, kind).limit
    return ((gate(kind, limit), partial(_BOUNDS[kind], limit=limit)),)


def signs(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Sign, ...]:
    """What texts of plain characters hold that one kind may change: runs of the same character, of pairs and laughs."""
    limit = getattr(options, kind).limit
    if kind == "max_repeats":
        same = Sign(characters=ANY, length=limit + 1, same=True)
        return (same, Sign(characters="AEHIOXaehiox", length=2 * limit + 2), Sign(characters=r"\]", then=r"\["))
    units = [(unit, most) for unit, most in _UNITS[kind](limit) if unit not in _PAIRS]
    runs = tuple(Sign(characters=alike, length=most + 1, same=True) for most, alike in _by_limit(units).items())
    return (*runs, Sign(characters="!?！？", length=2 * limit + 2)) if kind == "punctuation" else runs


def gate(kind: str, limit: int) -> str:
    """Pattern of the texts in which runs of one kind may be longer than the limit, and of a few others.

    Every text of a corpus is searched for it, and the fewer runs a search has to tell apart, the faster it is: any
    marks in a row pass for a run of one of them, letters if all are vowels or none is, Han if they are of one block,
    brackets for emoticons, of which a bounded length would take long to compile.
    """
    run = f"{{{limit + 1}}}"
    if kind == "max_repeats":
        letters = f"[AEIOUaeiou]{run}|[B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{run}|[AEHIOXaehiox]{{{2 * limit + 2}}}"
        han = "|".join(block + run for block in _HAN)
        return rf"{letters}|[{re.escape(_SYMBOLS)}]{run}|{_OTHER}{run}|(?:\[[^\[\]]+\]){run}|{han}"
    return "|".join(f"[{units}]{{{most + 1}}}" for most, units in _by_limit(_UNITS[kind](limit)).items())


def _by_limit(units: list[tuple[str, int]]) -> dict[int, str]:
    """All units of each limit, as the inside of a class."""
    alike: dict[int, str] = {}
    for unit, most in units:
        alike[most] = alike.get(most, "") + unit
    return alike


def _bound(text: pl.Expr, units: list[tuple[str, int]], *, spared: str = "") -> pl.Expr:
    runs = [f"((?:{unit}){{{limit}}})(?:{unit})+" for unit, limit in units]
    patterns = [f"({spared})", *runs] if spared else runs
    return text.str.replace_all("|".join(patterns), "".join(f"${{{n}}}" for n in range(1, len(patterns) + 1)))


def limit_ellipses(text: pl.Expr, *, limit: int = 2) -> pl.Expr:
    """Cut ellipses to `limit` of `…`, or to three times as many full stops or middle dots.

    The kind of dot stays as its author wrote it.

    >>> pl.select(limit_ellipses(pl.lit("唉…………算了。。。。。。。。 3.14"))).item()
    '唉……算了。。。。。。 3.14'
    """
    return _bound(text, _ellipses(limit))


def limit_dashes(text: pl.Expr, *, limit: int = 2) -> pl.Expr:
    """Cut dashes to `limit` of `—`, or to twice as many hyphens.

    Box-drawing lines, which kaomoji use, stay, and so do hyphens inside a link.

    >>> pl.select(limit_dashes(pl.lit("他说——————走 -_- ------ http://a.cn/b------c"))).item()
    '他说——走 -_- ---- http://a.cn/b------c'
    """
    return _bound(text, _dashes(limit), spared=_LINK)


def limit_punctuation(text: pl.Expr, *, limit: int = 3) -> pl.Expr:
    """Cut runs of one punctuation mark, or of the pairs `！？` and `？！`, to `limit`.

    >>> pl.select(limit_punctuation(pl.lit("什么！！！！！！真的？！？！？！？！ (:3"))).item()
    '什么！！！真的？！？！？！ (:3'
    """
    return _bound(text, _marks(limit))


def limit_repeats(text: pl.Expr, *, limit: int = 5) -> pl.Expr:
    """Cut runs of one letter, emoji, symbol, `[emoticon]` or laughing syllable to `limit` of it.

    Digits stay (10000000 is a number), and so do codes and addresses (`codes.CODE`). Five is the shortest bound that
    leaves ratings (★★★★★) and the AAAAA of Chinese sights alone.

    >>> pl.select(limit_repeats(pl.lit("哈哈哈哈哈哈哈哈 hahahahahahaha 10000000 #DDDDDD"))).item()
    '哈哈哈哈哈 hahahahaha 10000000 #DDDDDD'
    """
    picture = f"{_OTHER}{_MODIFIER}{{0,4}}"
    letter = rf"[A-Za-z{re.escape(_SYMBOLS)}\u4e00-\u9fff]"
    # Pictures joined without a bound would be compared with each other in the square of their number.
    unit = rf"{_EMOTICON}|{letter}|{picture}(?:\u200d{picture}){{0,9}}"
    run = re.compile(rf"({_LAUGHS})(?ai:\1){{{limit},}}|({unit})\2{{{limit},}}")
    return text.map_elements(lambda line: _cut(run, line, limit), return_dtype=pl.String)


def _cut(run: re.Pattern[str], line: str, limit: int) -> str:
    # Runs and codes are met in one order. Codes are only sought where a run is ASCII, as few are.
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
