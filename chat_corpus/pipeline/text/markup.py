"""Markup that software wrote: HTML entities and tags, subtitle tags, answer templates."""

from __future__ import annotations

import html
import re
from functools import partial

import polars as pl

from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.options import Policy, TextOptions
from chat_corpus.schema import Traits

_NAMED = "(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_ENTITY = re.compile(f"&{_NAMED}")
# The `&amp;` of text that was escaped many times, all at once: removing one level per pass would take quadratic time.
_ESCAPED = re.compile(f"&(?:(?:amp|AMP|#0{{0,5}}38|#[xX]0{{0,4}}26);)+(?={_NAMED})")
_SURROGATES = re.compile(
    r"&#(5529[6-9]|55[3-9][0-9]{2}|56[0-2][0-9]{2}|563[01][0-9]);&#(56[3-9][0-9]{2}|57[0-2][0-9]{2}|573[0-3][0-9]|5734[0-3]);"
)
_NAMES = (
    "big|blockquote|br|center|code|dd|div|dl|dt|em|font|h[1-6]|hr|img|li|ol|p|pre|small|span|strike|strong|sub|sup|"
    "table|tbody|td|th|thead|tr|tt|ul"
)
# Tags of one letter. People also write single letters between angle brackets: i<s>m, (<a>).
_LETTERS = "abisu"
_ATTRIBUTE = r"""\s+[A-Za-z][A-Za-z0-9:_-]*\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+)"""
_TAG = rf"(?i)</?(?:{_NAMES})(?:{_ATTRIBUTE})*\s*/?>|<[{_LETTERS}](?:{_ATTRIBUTE})+\s*/?>|</[{_LETTERS}]\s*>"
_BREAK = r"(?i)<br\s*/?>"
_BETWEEN_BLOCKS = r"(?i)</(?:p|div|li|tr|h[1-6])>\s*<(p|div|li|tr|h[1-6])\b"
#: Maximum number of decoding passes. Only entities that are spelled with entities need more than one, and no platform
#: writes those.
_DEPTH = 4

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {
    "decode_entities": "&#?[0-9A-Za-z]+;",
    "strip_tags": r"<[/A-Za-z]",
    "strip_subtitle_tags": r"\{[\\A-Za-z]|\\[Nh]",
    "expand_templates": r"\{(?:br|face|r[+-])|【换行】",
}


def _decode(text: str) -> str:
    for _ in range(_DEPTH):
        before = text
        text = _SURROGATES.sub(
            lambda pair: chr(((int(pair[1]) - 0xD800) << 10) + int(pair[2]) - 0xDC00 + 0x10000),
            _ESCAPED.sub("&", text),
        )
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
        if text == before:
            break
    return text


def decode_entities(text: pl.Expr) -> pl.Expr:
    """Decode HTML entities, however often they were escaped, and entities spelled with entities up to `_DEPTH` levels.

    Only complete entities, with the semicolon, are decoded: HTML's lenient rules would read `?a=1&region=2` as
    `?a=1®ion=2`. An emoji that is written as two surrogate references becomes one character.

    >>> pl.select(decode_entities(pl.lit("(&gt;_&amp;lt;) AT&T ?a=1&region=2"))).item()
    '(>_<) AT&T ?a=1&region=2'
    """
    return text.map_elements(_decode, return_dtype=pl.String)


def strip_tags(text: pl.Expr) -> pl.Expr:
    r"""Remove HTML tags; write `<br>` and the boundary between two blocks as a line break. Text between tags stays.

    A tag must have an HTML name for formatted text, and well-formed attributes. An opening tag of one letter without
    attributes counts only if a closing tag follows. `<_<`, `a<b`, `i<s>m`, `<TIME>` and `<大风车>` stay.

    >>> pl.select(strip_tags(pl.lit("<b>粗</b><br/>a<b i<s>m <TIME>"))).item()
    '粗\na<b i<s>m <TIME>'
    """
    for letter in _LETTERS:
        text = text.str.replace_all(rf"(?is)<{letter}>(.*?)</{letter}\s*>", "${1}")
    lines = text.str.replace_all(_BREAK, "\n").str.replace_all(_BETWEEN_BLOCKS, "\n<${1}")
    return lines.str.replace_all(_TAG, "")


def strip_subtitle_tags(text: pl.Expr) -> pl.Expr:
    r"""Remove the tags of ASS (`{\an8}`) and MicroDVD (`{y:i}`); `\N` becomes a line break, `\h` a space.

    Other text in braces stays, because it may be kaomoji or words.

    >>> pl.select(strip_subtitle_tags(pl.lit(r"{\an8}{\fs16}走吧\N{y:i}快{笑}"))).item()
    '走吧\n快{笑}'
    """
    bare = text.str.replace_all(r"\{\\[^{}\n]*\}|\{[yYfFsScCpPoO]:[^{}\n]*\}", "")
    return bare.str.replace_all(r"\N", "\n", literal=True).str.replace_all(r"\h", " ", literal=True)


def template_parts(options: TextOptions, _traits: Traits) -> tuple[Part, ...]:
    """Return `expand_templates`, which treats faces as the options say."""
    return ((GATES["expand_templates"], partial(expand_templates, faces=options.templates.faces)),)


def expand_templates(text: pl.Expr, *, faces: Policy = Policy.REMOVE) -> pl.Expr:
    r"""Write `{br}` and `【换行】` as line breaks, drop `{r+}` and `{r-}`, and treat `{face:N}` as `faces` says.

    Other text in braces stays.

    >>> pl.select(expand_templates(pl.lit("一{br}二{face:51}{r+}{笑}"))).item()
    '一\n二{笑}'
    """
    text = text.str.replace_all(r"\{br\}|【换行】", "\n").str.replace_all(r"\{r[+-]\}", "")
    if faces is Policy.KEEP:
        return text
    return text.str.replace_all(r"\{face:[0-9]+\}", "<FACE>" if faces is Policy.PLACEHOLDER else "")
