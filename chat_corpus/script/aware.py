"""The dictionary for turns that are traditional in whole or in part: OpenCC's tw2s in one table, with our corrections.

One table, not two stages, so that it can tell 著名 from 看著 in one pass; and safe for the simplified part of a mixed
turn, which neither `tw2s` nor `t2s` is: a phrase that keeps a character (顯著) also keeps it where the phrase is
already simplified (显著), and 么, which Taiwan's table makes 幺, stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from chat_corpus.script.dictionaries import Chain
from chat_corpus.script.matcher import Stage

#: Phrases in which 著 is zhù, to write, to be known: it stays. OpenCC's list lacks these.
_WRITTEN = (
    "原著 编著 編著 论著 論著 专著 專著 译著 譯著 遗著 遺著 拙著 新著 所著 卓著 土著 著有 著录 撰著 大著 著称 著述 著书 较著"
).split()

#: 么 that is yāo, the youngest or one: 幺 in simplified text. Everywhere else it is 么 already.
_YOUNGEST = ("老么", "么妹", "么兒", "么女", "么弟", "么叔", "么子", "么九", "洞么")


def compose(chain: Chain) -> dict[str, str]:
    """Return one table, for OpenCC's rule, that does what the stages of a chain do one after the other."""
    stages = [Stage(group) for group in chain.stages]

    def convert(text: str) -> str:
        for stage in stages:
            text = stage.replace_one(text)
        return text

    regional = {value: key for key, value in stages[0].entries.items() if len(key) == 1 and key != value}
    keys = {key for stage in stages for key in stage.entries}
    keys |= {"".join(regional.get(character, character) for character in key) for key in keys if len(key) > 1}
    table = {key: convert(key) for key in keys}
    table["么"] = "么"
    table.update(dict.fromkeys(_WRITTEN, "") | {word: _plain(word, table) for word in _WRITTEN})
    table.update({word: _plain(word, table).replace("么", "幺") for word in _YOUNGEST})
    return _close({key: value for key, value in table.items() if "坏" not in key or key == "坏"})


def _plain(word: str, table: Mapping[str, str]) -> str:
    return "".join(c if c == "著" else table.get(c, c) for c in word)


def _close(table: dict[str, str]) -> dict[str, str]:
    """Add every result that would itself be converted: a simplified text, or part of one, must come out as it is."""
    stage = Stage([table])
    results = {value for key, value in table.items() if len(key) > 1}
    return {value: value for value in results if value not in table and stage.replace_one(value) != value} | table
