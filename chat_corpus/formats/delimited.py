"""One exchange a line: query and response with a separator between them that occurs exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from chat_corpus.formats.base import Format, Reading, Records, exchanges, mark_empty, two_fields


def _read(parts: Sequence[Records], *, separator: str) -> Reading:
    (records,) = parts
    fields = two_fields(records, separator)
    rows = exchanges(fields.good, fields.bad)
    return Reading(rows=mark_empty(rows), structural=(fields.blank,))


def delimited(separator: str) -> Format:
    """The layout `query separator response`, one a line; a line with more or fewer separators is rejected."""
    return Format(read=partial(_read, separator=separator))
