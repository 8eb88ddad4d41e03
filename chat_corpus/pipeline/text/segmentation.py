r"""Undo word segmentation: restore the text as it was before a tool put a space or a slash between its words.

A space is dropped unless a rule says that people write one there. The rules replace the spaces that stay by a
noncharacter, which Unicode reserves for internal use. At the end all other spaces are dropped, and the noncharacters
become spaces again.
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from chat_corpus.files.lines import numbered_lines
from chat_corpus.pipeline.character_scan import Sign, numpy_pays
from chat_corpus.pipeline.text import apostrophes, numbers
from chat_corpus.pipeline.text.gates import PLAIN, PLAIN_CJK, Part, apply_gated, either
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.schema import Segmentation, Traits

_KEPT = numbers.KEPT
_SLASH = "\ufdd1"
_CJK = r"\x{2E80}-\x{4DBF}\x{4E00}-\x{9FFF}\x{F900}-\x{FAFF}\x{FF00}-\x{FFEF}“”‘’…—"
# The width step leaves full-width letters and digits that a segmenter split; no space between two of them stays.
_WORD = apostrophes.LETTERS
_ANY = f"[0-9A-Za-z{_WORD}]"
_ODD = f"[{_WORD}{numbers.FULL}]"
_TLD = r"(?:com|cn|net|org)"

# Groups of rules, in order: a gate, and patterns with their replacements. Polars has no look-around, so `(?-u:\b)`, the
# boundary of an ASCII word, is used instead.
_RULES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (" _ ", ((" _ ", "_"),)),  # T _ T
    (
        rf"\. ?[0-9a-z-]+\.{_TLD}|https? ?:",
        (
            (rf"(?-u:\b) ?\. ?([0-9a-z-]+\.{_TLD})(?-u:\b)", ".${1}"),  # weixin . qq.com
            (r"(?-u:\b)(https?) ?: ?/ ?/ ?", "${1}://"),
        ),
    ),
    (
        r"\( ?[0-9A-Za-z_]|\) [0-9A-Za-z_]",
        ((r"(?-u:\b) \( ?(?-u:\b)", f"{_KEPT}("), (r"(?-u:\b) ?\) (?-u:\b)", f"){_KEPT}")),
    ),
    (
        " (?:&|-+) ",
        (
            (r"(?-u:\b)([A-Za-z]) & ([A-Za-z])(?-u:\b)", "${1}&${2}"),  # R & B, but Smith & Sons
            (r"(?-u:\b) & (?-u:\b)", f"{_KEPT}&{_KEPT}"),
            ("([A-Za-z]) (-+) ([A-Za-z])", rf"${{1}}{_KEPT}${{2}}{_KEPT}${{3}}"),  # but CCTV - 2, 59 - 58
        ),
    ),
    (
        "[,;:.!?%…] [0-9A-Za-z_]",
        (
            (r"(?-u:\b) ?([,;:.!?%…]+) (?-u:\b)", rf"${{1}}{_KEPT}"),
            (r"([)'\x22]) ?([,;:.!?]+) (?-u:\b)", rf"${{1}}${{2}}{_KEPT}"),
        ),
    ),
    (
        _ODD,
        ((f"({_ANY}) ({_ODD})", rf"${{1}}{_KEPT}${{2}}"), (f"({_ODD}) ({_ANY})", rf"${{1}}{_KEPT}${{2}}")),
    ),
)

# A slash next to CJK, or at the end, separates words. `join_slashed` writes a real slash next to CJK as ／, so that the
# result is not taken for segmented text again.
_MARK = r"[^/\p{L}\p{N}\s]+"  # a token without letters or digits: ^/_/^, OK/~
_SLASHED = (
    rf"[{_CJK}]/|/[{_CJK}]|/$|[0-9A-Za-z]///[0-9A-Za-z]|^[A-Za-z']+(?:/[A-Za-z']+){{2,}}[.!?]?$"
    rf"|^{_MARK}/[^/]|[^/]/{_MARK}/[^/]|[^/]/{_MARK}$"
)
# Every token is one character, as in the full subtitles; there the letters of a Latin word are joined again.
_SINGLE = rf"^(?:[^/{_KEPT}]?[/{_KEPT}]+)*[^/{_KEPT}]?$"

# Ratio of separators after non-ASCII characters to non-ASCII bytes: 0.19 to 0.21 in word-segmented UTF-8 (weibo,
# douban), at most 0.01 in the other corpora. A ratio of bytes works for any encoding that is ASCII below 0x80.
_SEPARATORS = {Segmentation.BLANK: rb"[\x80-\xff] (?=[\x80-\xff])", Segmentation.SLASH: rb"[\x80-\xff]/"}
_SHARE = 0.06
_ASCII = bytes(range(0x80))


def observed(sample: bytes, declared: Segmentation) -> Segmentation:
    r"""Return the segmentation of a raw file, judged by a sample: the one that its source declares, or none.

    Sources declare the segmentation of the published files, but copies circulate with and without it. If the sample has
    no Chinese, there is no evidence, and the result is the declared segmentation.

    >>> str(observed("M 今天/天气/好/\n".encode(), Segmentation.SLASH))
    'slash'
    >>> str(observed("M 今天天气好 24/7\n".encode(), Segmentation.SLASH))
    'none'
    """
    if declared is Segmentation.NONE:
        return declared
    chinese = len(sample.translate(None, _ASCII))
    if not chinese:
        return declared
    return declared if len(re.findall(_SEPARATORS[declared], sample)) >= _SHARE * chinese else Segmentation.NONE


def _rules(text: pl.Expr, *, rules: tuple[tuple[str, str], ...]) -> pl.Expr:
    for pattern, replacement in rules:
        text = text.str.replace_all(pattern, replacement)
    return text


def _unescape(text: pl.Expr) -> pl.Expr:
    r"""Drop the escapes of a database: It \'s."""
    return text.str.replace_all("\\'", "'", literal=True).str.replace_all('\\"', '"', literal=True)


def _mark_slashes(text: pl.Expr) -> pl.Expr:
    text = text.str.replace_all(" +", _KEPT)
    for _ in range(2):
        text = text.str.replace_all("///", f"/{_SLASH}/", literal=True)
    return text.str.strip_chars("/" + _SLASH)


def _place_slashes(text: pl.Expr) -> pl.Expr:
    text = text.str.replace_all(rf" *{_KEPT}[ {_KEPT}]*", _KEPT).str.replace_all(rf" ?{_SLASH} ?", _SLASH)
    text = text.str.replace_all(rf"([{_CJK}]){_SLASH}", "${1}／").str.replace_all(rf"{_SLASH}([{_CJK}])", "／${1}")
    return text.str.replace_all(_SLASH, "/", literal=True)


# Rules for quotation marks. Inch marks are replaced first, since they are not quotation marks.
_QUOTES = (
    (r'"(?: ?")+', '"'),  # a quote doubled by CSV, then segmented: " " iPhone 10 " "
    (r'" ?([^" \n](?:[^"\n]*[^" \n])?) ?"', '"${1}"'),
    (r'(?-u:\b) ("[^"\n]+")', rf"{_KEPT}${{1}}"),
    (r'("[^"\n]+") (?-u:\b)', rf"${{1}}{_KEPT}"),
)
_QUOTED: tuple[Part, ...] = (
    (apostrophes.INCHES_GATE, apostrophes.mark_inches),
    ('"', partial(_rules, rules=_QUOTES)),
    (apostrophes.INCHES, lambda text: text.str.replace_all(apostrophes.INCHES, '"', literal=True)),
)
# Changes that few texts need are behind one gate, so that other texts skip the gate of each rule.
_RARE: tuple[Part, ...] = (
    (r"\\['\x22]", _unescape),
    ('"', _QUOTED),
    (numbers.PARTS_GATE, numbers.join_parts),
    *((gate, partial(_rules, rules=rules)) for gate, rules in _RULES),
    ("['’‘]", apostrophes.join_apostrophes),
)
_BY_RULES: tuple[Part, ...] = (
    (either(gate for gate, _ in _RARE), _RARE),
    (
        "[0-9A-Za-z_] [$0-9A-Za-z_]",
        ((numbers.GATE, numbers.join_units), (" ", partial(_rules, rules=((r"(?-u:\b) (?-u:\b)", _KEPT),)))),
    ),
)
_WORDY = either(gate for gate, _ in _BY_RULES)
# In texts without spaces, only escapes and doubled quotes need a change. This gate is short, because it is part of the
# combined patterns that all texts are searched for, and Polars compiles it again with each of these.
_SPACED: tuple[Part, ...] = (
    (
        rf"\\['\x22]|\x22\x22|[ {_KEPT}]",
        (
            (_WORDY, _BY_RULES),
            (" ", lambda text: text.str.replace_all(" ", "", literal=True)),
            (_KEPT, lambda text: text.str.replace_all(_KEPT, " ", literal=True)),
        ),
    ),
)
_UNSLASHED: tuple[Part, ...] = (
    ("", _mark_slashes),
    (_SINGLE, lambda text: text.str.replace_all("/", "", literal=True)),
    ("/", lambda text: text.str.replace_all("/+", " ")),
    (f"{_KEPT}|{_SLASH}", _place_slashes),
    *_SPACED,
    ("^ | $", lambda text: text.str.strip_chars(" ")),
)

#: The parts of `join_spaced` and `join_slashed`.
PARTS: dict[Segmentation, tuple[Part, ...]] = {
    Segmentation.NONE: (),
    Segmentation.BLANK: _SPACED,
    Segmentation.SLASH: ((_SLASHED, _UNSLASHED),),
}

#: A pattern and the separator of each segmentation. Most segmented texts are plain and no rule applies to them. These
#: do not match the pattern: all that the first round of the table does to them is to drop the separators.
HARD: dict[Segmentation, tuple[str, str]] = {
    Segmentation.BLANK: (f"[^{PLAIN}]|  |{_WORDY}", " "),
    Segmentation.SLASH: (f"[^{PLAIN_CJK}/]|//", "/"),
}


def runs(options: TextOptions, traits: Traits) -> bool:
    """Whether the step runs: it needs segmented texts that are not structured."""
    return options.segmentation and not traits.structured and traits.segmentation is not Segmentation.NONE


def parts(_options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    """Return the parts of `join_spaced` or `join_slashed`; none for texts without segmentation."""
    return PARTS[traits.segmentation]


def plain_signs(_options: TextOptions, traits: Traits) -> tuple[Sign, ...]:
    """Return the signs of texts of plain characters that `parts` may change."""
    return {
        Segmentation.NONE: (),
        Segmentation.BLANK: (Sign(characters=" "), Sign(characters='"', length=2)),
        Segmentation.SLASH: (Sign(characters="/"),),
    }[traits.segmentation]


def drop_separators(texts: pl.Series, kind: Segmentation) -> pl.Series:
    r"""Drop the separators in a column of texts, none of which is null or matches the pattern of `HARD`.

    >>> drop_separators(pl.Series(["今天 天气", "", "好 。"]), Segmentation.BLANK).to_list()
    ['今天天气', '', '好。']
    """
    _, separator = HARD[kind]
    if not numpy_pays(int(texts.str.len_bytes().sum() or 0)):
        return texts.str.replace_all(separator, "", literal=True)
    from chat_corpus.pipeline.code_points import pieces

    # In pieces, because to allocate memory for a whole shard at once takes longer than to fill it.
    joined = pl.concat([_without(separator, piece) for piece in pieces(texts)], rechunk=True)
    return joined.alias(texts.name)


def _without(separator: str, texts: pl.Series) -> pl.Series:
    """Drop a separator from texts without line breaks; plain texts have none."""
    import numpy as np

    # To filter a column of bytes takes Polars a tenth of the time of a replacement in each text.
    column = pl.Series(np.frombuffer(texts.str.join("\n").cast(pl.Binary).item(), np.uint8))
    joined = column.filter(column != ord(separator)).to_numpy().tobytes()
    return numbered_lines(joined + b"\n", 1)["text"]


def join_spaced(text: pl.Expr) -> pl.Expr:
    r"""Drop the spaces that a segmenter put between words, and the escapes and doubled quotes that come with them.

    Spaces stay between words of Latin, Cyrillic and Hangul, between these and numbers, and next to ASCII punctuation of
    such words, where people write them. No space stays next to Han, kana or Chinese punctuation, or inside kaomoji.
    Spaces that the author wrote as pauses look like segmentation, and are lost.

    >>> pl.select(join_spaced(pl.lit(r"《 It \'s too late 。 》 ， 用 iPhone 5 拍 的 ( ﾉ´∀ ｀ * ) ﾉ"))).item()
    "《It's too late。》，用iPhone 5拍的(ﾉ´∀｀*)ﾉ"
    """
    return text.map_batches(lambda texts: apply_gated(texts, _SPACED), return_dtype=pl.String)


def join_slashed(text: pl.Expr) -> pl.Expr:
    """Drop the slashes that a segmenter put between words, with or without one at the end.

    A token that is itself a slash (`24///7`) stays, as ／ next to CJK; a token that is a space (`…/ / /这`) stays too.
    Latin words are separated by a space, unless every token is one character. A text with slashes only between ASCII
    characters (24/7, http://) does not count as segmented.

    >>> pl.select(join_slashed(pl.lit("这/是/什么/…/ / /I/love/you/，/24///7/"))).item()
    '这是什么… I love you，24/7'
    """
    return text.map_batches(lambda texts: apply_gated(texts, PARTS[Segmentation.SLASH]), return_dtype=pl.String)
