"""Decode JSON values as they are found in corpora: with trailing commas, raw line breaks and marks before them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

from chat_corpus.formats.base import RecordError

#: Characters before values besides blanks: byte order marks, and the record separator of RFC 7464.
MARKS = "\ufeff\x1e"
_BLANKS = re.compile(rf"[\s{MARKS}]*")
#: Maximum number of trailing commas in the objects and arrays of a record, which Python does not accept.
_MOST_COMMAS = 100


def decode(text: str) -> object:
    """Return the value of a JSON text. Raw tabs and line breaks in texts, and trailing commas, are allowed.

    NaN, which exporters write for a missing value, becomes None. Raises ValueError for invalid JSON, RecursionError for
    too deep nesting, and RecordError for a repeated key, because one of its values would be lost.
    """
    bare = text.strip(f"{MARKS} \t\r\n").removesuffix(",")
    for _ in range(_MOST_COMMAS):
        try:
            return _DECODER.decode(bare)
        except json.JSONDecodeError as error:
            comma = _last_comma(bare, error.pos)
            if comma < 0:
                raise
            bare = f"{bare[:comma]} {bare[comma + 1 :]}"
    return _DECODER.decode(bare)


def _last_comma(text: str, at: int) -> int:
    """Return the offset of a trailing comma, or -1; `at` is the offset of the comma or of the bracket after it."""
    bracket = at if text[at : at + 1] in ("}", "]") else skip_blanks(text, at + 1) if text[at : at + 1] == "," else -1
    comma = len(text[:bracket].rstrip()) - 1
    return comma if bracket > 0 and text[bracket : bracket + 1] in ("}", "]") and text[comma] == "," else -1


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        ((repeated, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise RecordError(f"a repeated key: {repeated[:40]}")
    return record


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_object, parse_constant=lambda name: None)  # noqa: ARG005


def decode_container(text: str) -> object:
    """Return the value of a text that is a single object or array; None for any other text.

    The value of an object with a repeated key is an empty dict.
    """
    try:
        value = decode(text)
    except RecordError:
        return {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (list, Mapping)) else None


def value_at(text: str, at: int) -> tuple[object, int]:
    """Return the value at `at` and its end; an end of 0 if it is incomplete or not JSON."""
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, 0


def skip_blanks(text: str, at: int) -> int:
    """Return the offset of the next character that is neither a blank nor a mark."""
    match = _BLANKS.match(text, at)
    return match.end() if match else at
