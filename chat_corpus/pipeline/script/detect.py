"""Detect the script of a turn, by characters and words that only one script has.

A character is evidence of traditional script if the dictionaries convert it and GB 2312, for a long time the character
set of simplified text, lacks it. It is evidence of simplified script if the dictionaries convert it in the other
direction, never leave it as it is, and Big5, the character set of Taiwan and Hong Kong, lacks it. Characters that both
sets have are evidence of neither: 后 里 干 只 台 are correct traditional characters, and 乾 著 藉 correct simplified
ones. For these only the word decides: 乾坤 or 乾净, 著名 or 看著, 慰藉 or 藉口.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from chat_corpus.pipeline.script.meanings import FEMININE
from chat_corpus.pipeline.script.variants import VARIANTS
from chat_corpus.row_masks import matches, row_numbers
from chat_corpus.schema import Script

#: Names of the codes: the first bit of a code is evidence of simplified script, the second of traditional.
NAMES = ("neutral", "simplified", "traditional", "mixed")

_SIMPLIFIED, _TRADITIONAL = 1, 2

_PRIOR = {
    Script.HANS: _SIMPLIFIED,
    Script.HANT: _TRADITIONAL,
    Script.TAIWAN: _TRADITIONAL,
    Script.MIXED: 0,
}

#: Characters that GB 2312 has for the sake of names, but that only traditional text uses today.
_TRADITIONAL_ALL_THE_SAME = "後於菸"

#: Characters that GB 2312 lacks, but simplified text uses: 通用规范汉字表 has 著 藉 瞭 祇 濛 for some meanings, and
#: restored former variants for names and old words (毕昇, 勠力, 束脩); 小孃 is a word of Sichuan.
_BOTH = "沈著藉瞭祇衹濛孃昇邨氾脩絜扞勠祕谿蒐逕陞椀犇迺菉"

#: Words with one of those characters that no simplified text has. After these verbs 著 is an aspect particle, unless it
#: begins a word such as 著名.
TELLING = (
    "[看听聽说說写寫走跑坐站躺睡抱拿带帶跟随隨等忍笑哭唱念读讀背拉推穿戴喝吃向朝沿顺順靠依凭憑活守陪伴追赶趕绕繞围圍挤擠"
    "挂掛贴貼闭閉盯瞪望摸握捏捧扶牵牽搂摟扛提举舉踩骑騎住耐悠吵闹鬧爱愛恨想护護对對帮幫試试]著(?:[^名作称稱述录錄书書者有]|$)"
    "|[什怎这這那甚]麽|藉[口由此机機故助以著着]|[净脆燥杯爽股]乾|乾[净淨脆燥杯]|[饼餅晒曬烘吹擦豆肉]乾"
    "|著[急火凉涼迷魔眼]|瞭解|明瞭|一目瞭然|夥伴|[家同大]夥|祇[有是要能好会會]|[特象应應]徵|徵[求兆才婚文信]"
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Characters and words that only one script has, and those that are converted depending on the script.

    `traditional`, `simplified`, `doubtful` and `gate` are characters, as the inside of a character class; `gate` has
    all that are converted or doubtful. `words` and `phrases` are regular expressions. `words` matches words that are
    converted but have no character of `gate`, `phrases` words with a doubtful character that are evidence of
    traditional script.
    """

    traditional: str
    simplified: str
    doubtful: str
    gate: str
    words: str
    phrases: str = TELLING


def evidence(to_simplified: Mapping[str, str], to_traditional: Mapping[str, list[str]]) -> Evidence:
    """Return the evidence in a table to simplified text and in one to traditional text, which has all values of a key.

    妳 is evidence of neither script, because writers of both choose it.
    """
    converted = {key for key, value in to_simplified.items() if len(key) == 1 and key != value}
    both = _encodable(converted, "gb2312") - set(_TRADITIONAL_ALL_THE_SAME)
    both |= set(_BOTH) | set(VARIANTS)
    converted -= {FEMININE}
    simplified = {key for key, values in to_traditional.items() if key not in values}
    simplified -= _encodable(simplified, "big5")
    seen = converted | both
    words = {key for key, value in to_simplified.items() if key != value and seen.isdisjoint(key) and len(key) > 1}
    return Evidence(
        traditional="".join(sorted(converted - both)),
        simplified="".join(sorted(simplified - converted - both)),
        doubtful="".join(sorted(both)),
        gate="".join(sorted(seen | {FEMININE})),
        words="|".join(sorted(words)),
    )


def mostly_traditional(declared: Script) -> bool:
    """Return whether nearly all texts of a source in this script are traditional."""
    return _PRIOR[declared] == _TRADITIONAL


def detect(
    texts: pl.Series, signs: Evidence, declared: Script, dialogues: pl.Series | None, held: Mapping[str, pl.Series]
) -> pl.Series:
    """Return the script of each text as an index of `NAMES`; null is neutral.

    A text with evidence of one script is in that script; with evidence of both it is mixed. Without evidence it is
    neutral, unless it has a character or word whose conversion depends on the script (郭子乾, 老么). Then it is in the
    script of most other turns of its dialogue or, if these have no evidence either, in the script declared for the
    source; in a source declared as mixed it stays neutral. `held` has a mask for each field of `signs` with characters:
    the texts that have one of them.
    """
    rest = ~held["traditional"] if mostly_traditional(declared) else held["gate"] & ~held["traditional"]
    doubtful = rest & held["doubtful"]
    decided = matches(texts, signs.phrases, doubtful)
    traditional = held["traditional"] | decided
    codes: pl.Series = held["simplified"].cast(pl.UInt8) * _SIMPLIFIED + traditional.cast(pl.UInt8) * _TRADITIONAL
    unsure = doubtful & ~decided
    if signs.words:
        unsure |= matches(texts, signs.words, rest & ~held["doubtful"])
    unsure &= codes == 0
    if unsure.any():
        codes.scatter(row_numbers(unsure), _prior(codes, unsure, declared, dialogues))
    return codes


def _prior(codes: pl.Series, rows: pl.Series, declared: Script, dialogues: pl.Series | None) -> pl.Series:
    """Return the code for the rows of a mask that their dialogue suggests, or else the source.

    Only a dialogue with a turn in a script that was not declared can change the code; most dialogues have none.
    """
    default = _PRIOR[declared]
    prior = pl.Series([default], dtype=pl.UInt8).new_from_index(0, int(rows.sum()))
    other = {_TRADITIONAL: codes == _SIMPLIFIED, _SIMPLIFIED: codes == _TRADITIONAL}.get(default, codes > 0)
    if dialogues is None or not other.any():
        return prior
    unsure = dialogues.filter(rows)
    telling = unsure.is_in(dialogues.filter(other).unique().implode())
    if not telling.any():
        return prior
    queried = unsure.filter(telling)
    votes = pl.DataFrame({"dialogue_id": dialogues, "code": codes}).filter(dialogues.is_in(queried.unique().implode()))
    # A turn of code 1 counts for simplified, one of code 2 for traditional; 0 and 3 do not count.
    balance = votes.group_by("dialogue_id").agg(
        ((pl.col("code") == 2).cast(pl.Int32) - (pl.col("code") == 1).cast(pl.Int32)).sum()
    )
    sums = queried.to_frame("dialogue_id").join(balance, on="dialogue_id", how="left", maintain_order="left")["code"]
    verdict = sums.to_frame().select(
        pl.when(pl.col("code") > 0).then(_TRADITIONAL).when(pl.col("code") < 0).then(_SIMPLIFIED).otherwise(default)
    )
    prior.scatter(row_numbers(telling), verdict.to_series())
    return prior


def _encodable(characters: Iterable[str], encoding: str) -> set[str]:
    return set("".join(characters).encode(encoding, "ignore").decode(encoding))
