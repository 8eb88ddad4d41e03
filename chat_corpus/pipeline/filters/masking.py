"""Replace links and personal data by placeholders, for the kinds that the settings `mask`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

import polars as pl
from msgspec.structs import replace

from chat_corpus.pipeline.filters import personal
from chat_corpus.pipeline.filters.options import KINDS, FilterOptions
from chat_corpus.pipeline.filters.personal import Personal
from chat_corpus.row_masks import matches

#: A link with a scheme or `www.`; Han and full-width punctuation end it. `{boundary}` is the boundary of an ASCII word.
_LINK_TEXT = r"(?i)(?:(?:https?|ftp)://|{boundary}www\.)[A-Za-z0-9][A-Za-z0-9_.~:/?#\[\]@!$&'()*+,;=%-]*"
#: The pattern of a link for Polars.
LINK = _LINK_TEXT.replace("{boundary}", r"(?-u:\b)")
_LINK = re.compile(_LINK_TEXT.replace("{boundary}", r"\b"), re.ASCII)
_LINK_CANDIDATE = r"://|[wW]{3}\."
_URL = "url"
_PLACEHOLDER = "<(?:LINK|" + "|".join(kind.upper() for kind in KINDS if kind != _URL) + ")>"


def link_candidates(texts: pl.Series) -> pl.Series:
    """Return a mask of the texts that may have a link: all that have one, and few others."""
    return matches(texts, _LINK_CANDIDATE)


def mask_personal(texts: pl.Series, options: FilterOptions) -> tuple[pl.Series, Counter[str]]:
    """Return the texts with placeholders for the kinds to mask, and the number of changed texts by kind.

    A text with data of a kind to drop stays as it is, so that the filter of that kind finds the data.

    >>> mask_personal(pl.Series(["加我QQ：123456789", "打10086"]), FilterOptions(qq="mask"))[0].to_list()
    ['加我QQ：<QQ>', '打10086']
    """
    changed: Counter[str] = Counter()
    masked, dropped = options.kinds("mask"), options.kinds("drop")
    possible = personal.candidates(texts)
    possible = (possible | link_candidates(texts) if _URL in masked else possible).arg_true()
    if not masked or not len(possible):
        return texts, changed
    before = texts[possible]
    after = pl.Series([_masked(text, masked, dropped, changed) for text in before], dtype=pl.String)
    different = after != before
    return texts.clone().scatter(possible.filter(different), after.filter(different)), changed


def hide_personal(texts: pl.Series, options: FilterOptions) -> pl.Series:
    """Return texts for display: masked as by `mask_personal`, but also texts with data of a kind to drop.

    >>> hide_personal(pl.Series(["QQ：123456789，a@b.cn"]), FilterOptions(qq="mask", email="drop")).to_list()
    ['QQ：<QQ>，a@b.cn']
    """
    return mask_personal(texts, replace(options, **dict.fromkeys(options.kinds("drop"), "keep")))[0]


def placeholders(text: pl.Expr) -> pl.Expr:
    """Return the number of placeholders of `mask_personal` in a text; 0 for null."""
    return text.str.count_matches(_PLACEHOLDER).fill_null(0)


def _masked(text: str, masked: Collection[str], dropped: Collection[str], changed: Counter[str]) -> str:
    if _found(text, dropped):
        return text
    counts: Counter[str] = Counter()
    if _URL in masked:
        text, counts[_URL] = _LINK.subn("<LINK>", text)
    text = personal.mask_kinds(text, masked, counts)
    changed.update(kind for kind, number in counts.items() if number)
    return text


def _found(text: str, kinds: Collection[str]) -> bool:
    """Whether a text has a link or personal data of one of these kinds."""
    if _URL in kinds and _LINK.search(text):
        return True
    return any(personal.first_in(text, Personal(kind)) for kind in kinds if kind != _URL)
