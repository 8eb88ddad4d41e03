"""Code points to replace or remove, because Unicode calls them equivalent to others or because they are invisible."""

from __future__ import annotations

import unicodedata

import polars as pl

# CJK radicals that people use as characters, each with the character meant (Unicode, EquivalentUnifiedIdeograph.txt).
# Components that are not a character themselves (⺮, ⻊) stay: nobody writes one by mistake for a word.
_SUPPLEMENT = (
    "⺁厂 ⺂乛 ⺃乚 ⺄乙 ⺅亻 ⺆冂 ⺈刀 ⺉刂 ⺊卜 ⺌小 ⺍小 ⺎兀 ⺏尣 ⺐尢 ⺒巳 ⺓幺 ⺔彑 ⺖忄 ⺗心 ⺘扌 ⺙攵 ⺛旡 "
    "⺜日 ⺝月 ⺞歺 ⺟母 ⺠民 ⺡氵 ⺢氺 ⺣灬 ⺤爫 ⺥爫 ⺦丬 ⺧牛 ⺨犭 ⺩王 ⺫目 ⺬示 ⺭礻 ⺯糹 ⺰纟 ⺱罓 ⺲罒 ⺴冗 "
    "⺶羊 ⺹耂 ⺺肀 ⺻聿 ⺼肉 ⺾艹 ⺿艹 ⻀艹 ⻁虎 ⻂衤 ⻃覀 ⻄西 ⻅见 ⻆角 ⻈讠 ⻉贝 ⻋车 ⻌辶 ⻍辶 ⻎辶 ⻏邑 ⻐钅 "
    "⻑長 ⻒镸 ⻓长 ⻔门 ⻖阝 ⻗雨 ⻘青 ⻙韦 ⻚页 ⻛风 ⻜飞 ⻝食 ⻟飠 ⻠饣 ⻢马 ⻣骨 ⻤鬼 ⻥鱼 ⻦鸟 ⻧卤 ⻨麦 ⻩黄 "
    "⻪黾 ⻫斉 ⻬齐 ⻭歯 ⻮齿 ⻯竜 ⻰龙 ⻱龜 ⻲亀 ⻳龟"
)


def _ideographs() -> dict[str, str]:
    pairs = {pair[0]: pair[1] for pair in _SUPPLEMENT.split(" ")}
    compatible = [*range(0x2F00, 0x2FD6), *range(0xF900, 0xFB00), *range(0x2F800, 0x2FA20)]
    pairs.update({chr(code): unicodedata.normalize("NFKC", chr(code)) for code in compatible})
    return {old: new for old, new in pairs.items() if old != new and len(new) == 1}


_IDEOGRAPHS = _ideographs()

# What may follow the picture in an emoji: variation selectors, skin tones, tags of regional flags.
_TAIL = r"[\x{FE0E}\x{FE0F}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]*"
_PICTURE = r"\p{Extended_Pictographic}" + _TAIL
_EMOJI = rf"{_PICTURE}(?:\x{{200D}}{_PICTURE})*|[0-9#*]\x{{FE0F}}?\x{{20E3}}"
# Tab, line feed and the breaks that `line_breaks` replaces by spaces are not included. Nor are the visible format
# characters of Arabic (U+0600 to U+0605 and others), so the class \p{Cf} would match too much.
_UNSEEN = (
    r"[\x00-\x08\x0E-\x1F\x7F-\x{84}\x{86}-\x{9F}\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}"
    r"\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFF0}-\x{FFFB}\x{FFFE}\x{FFFF}"
    r"\x{E000}-\x{F8FF}\x{FDD0}-\x{FDEF}\x{1D173}-\x{1D17A}\x{E0000}-\x{E0FFF}\x{F0000}-\x{10FFFF}"
    + "".join(rf"\x{{{plane:X}FFFE}}\x{{{plane:X}FFFF}}" for plane in range(1, 15))
    + "]"
)

_NUMBER = r"\.?[0-9０-９]"
# Contexts in which a hyphen can only be an operator: before `=`; between two operands, with a space on either side; and
# between another operator, or a bracket, and a name or a bracket.
_OPERATORS = (
    (r"\x{AD}+=", "-="),
    (r"([0-9A-Za-z_)\]] )\x{AD}+( [0-9A-Za-z_(])", "${1}-${2}"),
    (r"([=(\[,+*] ?|[/<>?:] )\x{AD}+([A-Za-z_(])", "${1}-${2}"),
)

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {
    "restore_minus": rf"\x{{AD}}(?:{_NUMBER}|[=A-Za-z_( ])",
    "drop_invisible": _UNSEEN,
    # Excludes blocks in which no character decomposes, composes with the one before, or is reordered; tests check each.
    "compose": (
        r"[^\x00-\x{2FF}\x{2010}-\x{20CF}\x{2190}-\x{2328}\x{232B}-\x{2ADB}\x{3000}-\x{3029}"
        r"\x{3030}-\x{3098}\x{309B}-\x{A66E}\x{AC00}-\x{D7A3}\x{E000}-\x{F8FF}\x{FF00}-\x{FFFF}\x{1F000}-\x{1FAFF}]"
    ),
    "unify_ideographs": r"[\x{2E80}-\x{2FD5}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]",
}


def restore_minus(text: pl.Expr) -> pl.Expr:
    r"""Replace soft hyphens that were minus signs: before a number without a sign, and as an operator in code.

    Between a sign and a number they are removed; elsewhere they stay.

    >>> pl.select(restore_minus(pl.lit("[\u00ad2, -\u00ad.5] Eg\u00adret"))).item() == "[-2, -.5] Eg\u00adret"
    True
    >>> pl.select(restore_minus(pl.lit("3 \u00ad 5, x=\u00adx, i \u00ad= 1"))).item()
    '3 - 5, x=-x, i -= 1'
    """
    single = text.str.replace_all(rf"([-−－])\x{{AD}}+({_NUMBER})", "${1}${2}")
    text = single.str.replace_all(rf"\x{{AD}}+({_NUMBER})", "-${1}")
    # Run twice: matches cannot overlap, but an operand of one character may be next to two operators.
    for pattern, written in _OPERATORS * 2:
        text = text.str.replace_all(pattern, written)
    return text


def drop_invisible(text: pl.Expr) -> pl.Expr:
    r"""Remove control, zero-width, bidi and private-use characters, soft hyphens and noncharacters.

    Emoji keep the joiners, selectors and tags that make them one picture. U+FFFD stays, because it is evidence of
    damage that a filter counts. Tabs and line breaks are left to the steps on whitespace.

    >>> pl.select(drop_invisible(pl.lit("早\u200b安\ue04a👩\u200d🚀\u200d"))).item() == "早安👩\u200d🚀"
    True
    """
    return text.str.replace_all(rf"({_EMOJI})|{_UNSEEN}", "$1")


def compose(text: pl.Expr) -> pl.Expr:
    r"""Convert to Unicode normalization form C, a change that no reader sees and every comparison needs.

    NFC leaves width and compatibility forms (①, ℃, ﾊ) alone; NFKC would not.

    >>> pl.select(compose(pl.lit("cafe\u0301 ①"))).item()
    'café ①'
    """
    return text.str.normalize("NFC")


def unify_ideographs(text: pl.Expr) -> pl.Expr:
    r"""Replace compatibility ideographs and CJK radicals by the character that they look like.

    Radicals that are only a component (⺮) and CJK strokes stay.

    >>> pl.select(unify_ideographs(pl.lit("⻓\u2f08⺮"))).item()
    '长人⺮'
    """
    return text.str.replace_many(list(_IDEOGRAPHS), list(_IDEOGRAPHS.values()))
