"""One exchange a line: query and response with a separator between them that occurs exactly once.

A header that names the columns, and other separators that all lines have, are found; see `formats.tables`.
"""

from __future__ import annotations

from chat_corpus.formats.base import Format
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format


def delimited(separator: str) -> Format:
    """The layout `query separator response`, one a line; a line with more or fewer separators is rejected."""
    return table_format(Table(separator=separator))
