"""One exchange per line: query and response, with a separator that occurs exactly once.

A header that names the columns, and other separators that all lines have, are detected; see `formats.tables`.
"""

from __future__ import annotations

from chat_corpus.formats.base import Format
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format


def delimited(separator: str) -> Format:
    """Return the format `query separator response`; lines with more or fewer separators are rejected."""
    return table_format(Table(separator=separator))
