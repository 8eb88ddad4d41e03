"""Full-width and ASCII forms of the same character."""

from __future__ import annotations

import re
import string
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text import segmentation
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.numbers import FULL, PARTED
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.schema import Segmentation, Traits

_ASCII = string.ascii_letters + string.digits
_FULL = [chr(ord(character) + 0xFEE0) for character in _ASCII]
_FOLDED = str.maketrans(dict(zip(_FULL, _ASCII, strict=True)))
_POINT = lazy("(?<=[0-9])．(?=[0-9])")
_CJK = "\u3001-\u3020\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff60“”‘’…—"
# Evidence that a line is segmented: a space, or a slash next to CJK or at the end. Without it, １/２ is a half.
_SEGMENTED = {Segmentation.BLANK: lazy(" "), Segmentation.SLASH: lazy(rf"[{_CJK}]/|/(?:[{_CJK}]|\Z)")}
_MARKS = dict(zip(",?!:;", "，？！：；", strict=True))
# The left context may be any CJK character, also punctuation; the right context is CJK or the end of the line.
_BETWEEN = lazy(rf"(?<=[{_CJK}])[,?!:;]+(?=[{_CJK}]|$)", re.MULTILINE)
_BRACKETS = lazy(rf"\(([{_CJK}]+)\)")
_STOP = lazy("(?<=[\u4e00-\u9fff])\\.(?=[\u4e00-\u9fff]|$)", re.MULTILINE)

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {"fold_width": f"[{FULL}]", "point_decimals": "．", "unify_punctuation": r"[,?!:;.)]"}
#: Every text that `unify_punctuation` changes has this sign.
PUNCTUATION = Sign(characters=",?!:;.)")


def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    """Return the parts: fold letters and digits, except those that `segmentation` must join first; point decimals."""
    parted = segmentation.runs(options, traits)
    fold = partial(fold_joined, segmentation=traits.segmentation) if parted else fold_width
    return ((GATES["fold_width"], fold), (GATES["point_decimals"], point_decimals))


def fold_width(text: pl.Expr) -> pl.Expr:
    """Write full-width Latin letters and digits in ASCII.

    Full-width punctuation stays, because it is correct in Chinese (ftfy and NFKC turn it into ASCII). Half-width kana
    stay, because kaomoji contain them.

    >>> pl.select(fold_width(pl.lit("ＰＣ版，２０１４年！"))).item()
    'PC版，2014年！'
    """
    return text.str.replace_many(_FULL, list(_ASCII))


def fold_joined(text: pl.Expr, *, segmentation: Segmentation) -> pl.Expr:
    """Do as `fold_width`, but leave what a segmenter split (`１ ９ ９`), which `segmentation` must join first.

    >>> pl.select(fold_joined(pl.lit("ＰＣ 版 ， １ ９ ９ 元"), segmentation=Segmentation.BLANK)).item()
    'PC 版 ， １ ９ ９ 元'
    """
    runs = re.compile(f"({PARTED[segmentation]})|[{FULL}]+")

    def fold(line: str) -> str:
        if not _SEGMENTED[segmentation]().search(line):
            return line.translate(_FOLDED)
        return runs.sub(lambda found: found[1] or found[0].translate(_FOLDED), line)

    return text.map_elements(fold, return_dtype=pl.String)


def point_decimals(text: pl.Expr) -> pl.Expr:
    """Write a full-width stop between ASCII digits as a decimal point; other full-width stops stay.

    >>> pl.select(point_decimals(pl.lit("8．25，１．好"))).item()
    '8.25，１．好'
    """
    return text.map_elements(lambda line: _POINT().sub(".", line), return_dtype=pl.String)


def _unify(text: str) -> str:
    text = _BETWEEN().sub(lambda found: "".join(map(_MARKS.__getitem__, found[0])), text)
    return _STOP().sub("。", _BRACKETS().sub(r"（\1）", text))


def unify_punctuation(text: pl.Expr) -> pl.Expr:
    """Write ASCII punctuation between CJK characters, or between one and the end of a line, in its full-width form.

    Punctuation next to a Latin letter or a digit stays (3:30, OK!). Runs of dots, and brackets around anything but CJK,
    stay too: they may be kaomoji.

    >>> pl.select(unify_punctuation(pl.lit("好,走吧!! 3:30见(真的).OK?"))).item()
    '好，走吧!! 3:30见（真的）.OK?'
    """
    return text.map_elements(_unify, return_dtype=pl.String)
