"""Raw records for a page: without the personal data that the settings mask, which raw records still have."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from chat_corpus.pipeline import script
from chat_corpus.pipeline.filters.masking import hide_personal
from chat_corpus.pipeline.filters.options import KINDS, FilterOptions
from chat_corpus.pipeline.script import ScriptOptions
from chat_corpus.schema import Script

_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_BLANKS = re.compile(r"\s+")


def masking_options(settings: Mapping[str, Any]) -> FilterOptions | None:
    """Return the options with which a source masks personal data, from its recorded settings; None if it masks nothing.

    Raises ValueError for a value that this version does not know.
    """
    filters = settings.get("filters", {})
    kinds = {kind: filters[kind] for kind in KINDS if kind in filters}
    return msgspec.convert(kinds, FilterOptions) if "mask" in kinds.values() else None


def without_personal(records: Sequence[str], options: FilterOptions) -> list[str | None]:
    """Return raw records with placeholders for the personal data that the settings mask.

    A record is None if cleaning would find more personal data in it: in traditional script, in full-width characters,
    between blanks, or in escapes of JSON or HTML.

    >>> without_personal(["電話13800138000", "QQ號碼是123456789", "好"], FilterOptions(phone="mask", qq="mask"))
    ['電話<PHONE>', None, '好']
    """
    masked = hide_personal(pl.Series(records, dtype=pl.String), options)
    plain = pl.Series([_plain(record) for record in masked], dtype=pl.String)
    converter = script.load(ScriptOptions(mode="t2s"))
    converted = converter.convert(plain, declared=Script.HANT)["text"]
    dense = pl.Series([_BLANKS.sub("", text) for text in converted], dtype=pl.String)
    shown = pl.Series([True]).new_from_index(0, len(masked))
    for texts in (plain, converted, dense):
        shown &= hide_personal(texts, options) == texts
    return masked.set(~shown, None).to_list()


def _plain(record: str) -> str:
    """Return a record without escapes and full-width characters."""
    unescaped = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), record)
    return unicodedata.normalize("NFKC", html.unescape(unescaped).encode("utf-8", "replace").decode())
