"""The dictionary for turns that are traditional in whole or in part: OpenCC's tw2s in one table, with our corrections.

One table, where OpenCC has two stages, so that one pass over the text does it all; and safe for the simplified part of
a mixed turn, which neither `t2s` nor `tw2s` is: a phrase that keeps a character (顯著) also keeps it where the phrase
is simplified already (显著). It serves Hong Kong's texts as well: they write 着 where Taiwan writes 著, and everything
else that tw2s does to Taiwan's forms, such as 為 to 爲, is undone by its second stage.

The corrections were found by reading what tw2s and t2s make of PTT, and of the traditional lines in ten simplified
corpora; each states its reason. Variant characters follow 第一批异体字整理表 (1955) and 通用规范汉字表 (2013).
"""

from __future__ import annotations

from collections.abc import Mapping

from chat_corpus.script.dictionaries import Chain
from chat_corpus.script.matcher import Stage

#: Variants that simplified text does not use and OpenCC leaves alone.
VARIANTS = {
    "砲": "炮",
    "牠": "它",
    "暱": "昵",
    "姪": "侄",
    "瞇": "眯",
    "揹": "背",
    "搾": "榨",
    "摀": "捂",
    "徬": "彷",
    "燄": "焰",
    "粧": "妆",
}

_CHARACTERS = VARIANTS | {
    "么": "么",  # Taiwan's table makes it 幺, and with it 什么 什幺
    "祇": "只",  # 祇有 祇是; OpenCC keeps it for the sake of 神祇, which is among the words below
    "衹": "只",
    "喎": "喎",  # a Cantonese particle; nobody writes 㖞
    "篠": "篠",  # 篠田, 冨樫: Japanese names, which 筿 and 㭴 make illegible
    "樫": "樫",
}

#: 著 that is zhù, to write or to be known, and what looks like it. OpenCC's own list has too few words of the first
#: kind, and some (著書 著錄 著白 著於) that in chat are nearly always a verb's ending: 看著書, 聽著錄音, 穿著白衣.
_WRITTEN = "原著 名著 鉅著 編著 譯著 論著 專著 遺著 拙著 撰著 卓著 土著 所著 著《 著有《 著書立 彰明較著"
_ENDINGS = (
    "著名字 著名片 著名牌 著作業 著作弊 著書 著錄 著白 著於 著式 著志 著者 "
    "草原著 高原著 平原著 簽名著 配合著 混合著 結合著 符合著 綜合著 聯合著 迎合著 融合著 合著眼 合著嘴 "
    "討論著 議論著 談論著 評論著 爭論著 辯論著 翻譯著"
)

#: 么 that is yāo, the youngest or one: 幺 in simplified text.
YOUNGEST = "老么 么妹 么兒 么女 么弟 么叔 么子 么九 洞么"

#: 祇 that is qí, a god of the earth, or stands in Sanskrit names.
_GODS = "神祇 地祇 祇園 祇樹 祇陀 祇洹 僧祇"

#: 於 before what is also an old name's second character, which OpenCC shields: 攝於倫敦, 勇於單挑, 集於其一身.
_AT = "於单 於單 於伦 於倫 於戏 於戲 於则 於則 於潜 於潛 於坦 於邑 於穆 於敖 於琳 於其一 於惟一"

#: Names and words of another language that look traditional.
_KEPT = "王濛 素敵"

#: What OpenCC has no phrase for, or a wrong one.
_PHRASES = {
    "神衹": "神祇",
    "什么麼": "什么么",  # not 幺麽
    "痲痺": "麻痹",
    "痲瘋": "麻风",
    "痲疹": "麻疹",
    "藉假": "借假",
    "假藉": "假借",
    "藉美": "借美",
    "藉著": "借着",
    "侏儸紀": "侏罗纪",
}


def compose(chain: Chain) -> dict[str, str]:
    """Return one table, for OpenCC's rule, that does what the stages of a chain do one after the other.

    Left out: results outside the Basic Multilingual Plane (頫 𫖯), which OpenCC itself marks as likely to be shown as
    an empty box; every 坏 that stands for 坯 in old texts: in chat it is a simplified 壞; and forms of the first stage
    that the second does not know (抬 擡, in the dictionaries of 2023).
    """
    stages = [Stage(group) for group in chain.stages]

    def convert(text: str) -> str:
        for stage in stages:
            text = stage.replace_one(text)
        return text

    regional = {new: old for old, new in stages[0].entries.items() if len(old) == 1 and old != new}
    keys = {key for stage in stages for key in stage.entries}
    keys |= {"".join(regional.get(character, character) for character in key) for key in keys if len(key) > 1}
    table = {key: convert(key) for key in keys}
    lost = {new for new in regional if convert(new) == new and not new.encode("gb2312", "ignore")} | {"坯"}
    table = {key: value for key, value in table.items() if max(value) <= "\uffff" and lost.isdisjoint(value)}
    return _close(_prune(table | _corrections(table)))


def without_faults(chain: Chain) -> Chain:
    """Return OpenCC's t2s without its one fault that harms plain simplified text: 打坏 to 打坯, 一坏了 to 一坯了.

    Its phrases for 坏, an old form of 坯, stay where they stand alone (一坏土, 坏布), as its own test cases ask for.
    """
    first, *rest = chain.stages
    phrases, *others = first
    old = [key for key in phrases if key.endswith("坏") and phrases[key].endswith("坯")]
    guards = {f"{key}了": f"{phrases[key][:-1]}坏了" for key in old}
    kept = {key: value for key, value in phrases.items() if key not in ("打坏", "拉坏", "捏坏")}
    return Chain(
        normalization=chain.normalization,
        segmentation=chain.segmentation,
        stages=[[kept | guards, *others], *rest],
    )


def _corrections(table: Mapping[str, str]) -> dict[str, str]:
    """Write out the lists above as entries; the characters not spoken of are converted as everywhere."""
    singles = dict(table) | _CHARACTERS

    def spell(words: str, **special: str) -> dict[str, str]:
        return {word: "".join(special.get(c, singles.get(c, c)) for c in word) for word in words.split()}

    return (
        _CHARACTERS
        | {key: value.replace("幺", "么") for key, value in table.items() if len(key) == 2 and key[1] == "么"}
        | spell(_ENDINGS)
        | spell(_WRITTEN, 著="著")
        | spell(_AT)
        | spell(YOUNGEST, 么="幺")
        | spell(_GODS, 祇="祇")
        | {word: word for word in _KEPT.split()}
        | _PHRASES
    )


def _prune(table: dict[str, str]) -> dict[str, str]:
    """Drop phrases that do what their characters do one by one, unless they shadow another phrase that does not.

    tw2s has 1,300 of them, to shield 人才 from 纔 and the like between its stages; they would cost a fifth of the time.
    """
    telling = {key for key, value in table.items() if value != "".join(table.get(c, c) for c in key)}
    heads = {key[:size] for key in telling for size in range(1, len(key))}

    def shadows(key: str) -> bool:
        return any(key[start:] in heads for start in range(1, len(key))) or any(
            key[start:end] in telling for start in range(len(key)) for end in range(start + 1, len(key))
        )

    return {key: value for key, value in table.items() if len(key) == 1 or key in telling or shadows(key)}


def _close(table: dict[str, str]) -> dict[str, str]:
    """Add every result that would itself be converted: simplified text, or part of one, must come out as it is."""
    stage = Stage([table])
    results = {value for key, value in table.items() if len(key) > 1}
    return {value: value for value in results if value not in table and stage.replace_one(value) != value} | table
