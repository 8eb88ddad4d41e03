"""The dictionary for turns that are traditional in whole or in part: OpenCC's tw2s in one table, with our corrections.

OpenCC has two stages where this table has one, so that one pass over the text is enough. The table is also safe for the
simplified part of a mixed turn, which neither `t2s` nor `tw2s` is: a phrase that keeps a character (顯著) also keeps it
where the phrase is simplified already (显著). The table serves texts of Hong Kong as well: they write 着 where Taiwan
writes 著, and the second stage of tw2s undoes what the first does to other forms of Taiwan, such as 為 to 爲.
"""

from __future__ import annotations

from typing import Literal

from chat_corpus.pipeline.script.meanings import FEMININE, NI, corrections
from chat_corpus.pipeline.script.opencc_packages import Chain
from chat_corpus.pipeline.script.phrase_matcher import Stage


def build_table(chain: Chain, *, feminine_ni: Literal["convert", "keep"]) -> dict[str, str]:
    """Return one table, for OpenCC's rule, that does what the stages of a chain do one after the other.

    `feminine_ni` says whether 妳 is converted or kept. The table leaves out

    - results outside the Basic Multilingual Plane (頫 𫖯): OpenCC itself warns that they may show as an empty box
    - 坏 as an old form of 坯: in chat it is a simplified 壞
    - names with 祕 that would match Taiwan's 秘 (李秘書)
    - forms of the first stage that the second does not convert (抬 擡, in the dictionaries of 2023)
    """
    stages = [Stage(group) for group in chain.stages]

    def convert(text: str) -> str:
        for stage in stages:
            text = stage.replace_one(text)
        return text

    regional = {new: old for old, new in stages[0].entries.items() if len(old) == 1 and old != new}
    keys = {key for stage in stages for key in stage.entries}
    to_regional = str.maketrans(regional)
    keys |= {key.translate(to_regional) for key in keys if len(key) > 1}
    table = {key: convert(key) for key in keys}
    lost = {new for new in regional if convert(new) == new and not new.encode("gb2312", "ignore")} | {"坯"}
    table = {
        key: value
        for key, value in table.items()
        if max(value) <= "\uffff" and lost.isdisjoint(value) and not ("秘" in key and "祕" in value)
    }
    table |= {FEMININE: NI} if feminine_ni == "convert" else {}
    return _make_idempotent(_prune(table | corrections(table)))


def without_faults(chain: Chain) -> Chain:
    """Return OpenCC's t2s without its one fault that harms plain simplified text: 打坏 to 打坯, 一坏了 to 一坯了.

    Its phrases for 坏, an old form of 坯, stay (一坏土, 坏布): its own test cases ask for them.
    """
    first, *rest = chain.stages
    phrases, *others = first
    old = [key for key in phrases if key.endswith("坏") and phrases[key].endswith("坯")]
    guards = {f"{key}了": f"{phrases[key][:-1]}坏了" for key in old}
    remaining = {key: value for key, value in phrases.items() if key not in ("打坏", "拉坏", "捏坏")}
    return Chain(
        normalization=chain.normalization,
        segmentation=chain.segmentation,
        stages=[[remaining | guards, *others], *rest],
    )


def _prune(table: dict[str, str]) -> dict[str, str]:
    """Drop phrases whose characters give the same one by one, unless they overlap a phrase that does not.

    tw2s has 1,300 of them. They protect words such as 人才 between its two stages, and would take a fifth of the time.
    """
    phrases = [key for key in table if len(key) > 1]
    characters = str.maketrans({key: value for key, value in table.items() if len(key) == 1})
    telling = {key for key in phrases if table[key] != key.translate(characters)}
    prefixes = {key[:size] for key in telling for size in range(1, len(key))}
    heads = {key[0] for key in telling}

    def shadows(key: str) -> bool:
        starts = [start for start, character in enumerate(key) if character in heads]
        return any(key[start:] in prefixes for start in starts if start) or any(
            key[start:end] in telling for start in starts for end in range(start + 2, len(key) + 1)
        )

    dropped = {key for key in phrases if key not in telling and not shadows(key)}
    return {key: value for key, value in table.items() if key not in dropped}


def _make_idempotent(table: dict[str, str]) -> dict[str, str]:
    """Add every result that the table itself would convert: simplified text must stay as it is."""
    stage = Stage([table])
    results = {value for key, value in table.items() if len(key) > 1}
    return {value: value for value in results if value not in table and stage.replace_one(value) != value} | table
