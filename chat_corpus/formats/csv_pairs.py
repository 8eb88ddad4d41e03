"""Tables of question and answer with quoted fields (RFC 4180), such as CSV; see `formats.tables`."""

from __future__ import annotations

from chat_corpus.formats.base import Format
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format


def quoted(separator: str = ",") -> Format:
    """Return the format `query,response` with quoted fields, unless the first lines show a different table."""
    return table_format(Table(separator=separator, quoted=True))
