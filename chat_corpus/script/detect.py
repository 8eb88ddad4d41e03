"""Decide which script a turn is written in, from characters that occur in one script only.

A character is evidence of traditional script if the dictionaries convert it and GB 2312 (the set that simplified text
was long limited to) lacks it; of simplified script if the dictionaries convert it the other way, never leave it, and
Big5 (the set of Taiwan and Hong Kong) lacks it. Characters that both sets have are evidence of neither: 后 里 干 只 台
are good traditional characters, 乾 著 藉 good simplified ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from chat_corpus.schema import Script

#: In GB 2312 for the sake of names, yet nothing but traditional in text of our day.
_TRADITIONAL_ALL_THE_SAME = "後於"

#: Not in GB 2312, yet in simplified text where the meaning asks for it (通用规范汉字表, 2013): 慰藉 瞭望 神祇 老幺.
_BOTH = "著藉瞭祇么麽"

TRADITIONAL, SIMPLIFIED, MIXED, NEUTRAL = "traditional", "simplified", "mixed", "neutral"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Three regular expressions, each a character class: only traditional, only simplified, and converted by meaning."""

    traditional: str
    simplified: str
    doubtful: str


def evidence(to_simplified: Mapping[str, str], to_traditional: Mapping[str, list[str]]) -> Evidence:
    """Sort the characters of two tables of single characters, the second with all of its values."""
    converted = {key for key, value in to_simplified.items() if len(key) == 1 and key != value}
    both = {key for key in converted if _encodable(key, "gb2312")} - set(_TRADITIONAL_ALL_THE_SAME) | set(_BOTH)
    simplified = {key for key, values in to_traditional.items() if key not in values and not _encodable(key, "big5")}
    return Evidence(
        traditional=_class(converted - both),
        simplified=_class(simplified - converted - both),
        doubtful=_class(both),
    )


def detect(texts: pl.Series, found: Evidence, declared: Script, dialogues: pl.Series | None) -> pl.Series:
    """Return the script of each text: `traditional`, `simplified`, `mixed`, `neutral`; null is neutral.

    A text with evidence of one script is in that script, of both, mixed. Without any it is neutral, unless it has a
    character whose conversion depends on the script (看著, 乾坤): it is then in the script of most of its dialogue's
    other turns, or, where they say nothing either, in the one declared for the source; in a source declared as mixed
    it stays neutral.
    """
    traditional = texts.str.contains(found.traditional).fill_null(value=False)
    simplified = texts.str.contains(found.simplified).fill_null(value=False)
    frame = pl.DataFrame({"traditional": traditional, "simplified": simplified})
    script = frame.select(
        pl.when(pl.col("traditional") & pl.col("simplified"))
        .then(pl.lit(MIXED))
        .when("traditional")
        .then(pl.lit(TRADITIONAL))
        .when("simplified")
        .then(pl.lit(SIMPLIFIED))
        .otherwise(pl.lit(NEUTRAL))
    ).to_series()
    rows = (~(traditional | simplified)).arg_true()
    rows = rows.filter(texts.gather(rows).str.contains(found.doubtful).fill_null(value=False))
    if not len(rows):
        return script
    return script.clone().scatter(rows, _prior(frame, rows, declared, dialogues))


def _prior(frame: pl.DataFrame, rows: pl.Series, declared: Script, dialogues: pl.Series | None) -> pl.Series:
    words = {Script.HANS: SIMPLIFIED, Script.HANT: TRADITIONAL, Script.TAIWAN: TRADITIONAL, Script.MIXED: NEUTRAL}
    default = pl.lit(words[declared])
    if dialogues is None:
        return pl.select(default.repeat_by(len(rows)).explode()).to_series()
    balance = (
        frame.select(
            (pl.col("traditional").cast(pl.Int32) - pl.col("simplified").cast(pl.Int32))
            .sum()
            .over(dialogues.alias("dialogue"))
        )
        .to_series()
        .gather(rows)
    )
    return (
        balance.to_frame("balance")
        .select(
            pl.when(pl.col("balance") > 0)
            .then(pl.lit(TRADITIONAL))
            .when(pl.col("balance") < 0)
            .then(pl.lit(SIMPLIFIED))
            .otherwise(default)
        )
        .to_series()
    )


def _encodable(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _class(characters: Iterable[str]) -> str:
    return "[" + "".join(sorted(characters)) + "]"
