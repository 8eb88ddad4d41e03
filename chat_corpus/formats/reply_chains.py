"""Threads flattened into exchanges: if the query of a line is the response of the line before, the thread continues.

A thread of n turns has n - 1 lines `query TAB response`. The reader returns each turn once; a blank or malformed line
ends a thread. A header that names the two columns is not an exchange; other tables of questions and answers are read as
tables (`formats.tables`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from chat_corpus.formats.base import Format, Reading, Records, mark_empty, position_within, turns_frame, two_fields
from chat_corpus.formats.table_rows import Table, without_headings
from chat_corpus.formats.tables import table_format
from chat_corpus.row_masks import filtered

_SEPARATOR = "\t"
_CHAIN = Table(separator=_SEPARATOR)
_TABLE = table_format(_CHAIN)


def _read(parts: Sequence[Records], *, table: Table) -> Reading:
    (lines,) = parts
    records, above = without_headings(lines, table)
    fields = two_fields(records, _SEPARATOR)
    record, texts = fields.good["record"], fields.good["text"].explode()
    query, response = texts.gather_every(2), texts.gather_every(2, offset=1)
    starts = (query.slice(1) != response.head(-1)) | (record.slice(1) != record.head(-1) + 1)
    starts = pl.concat([pl.repeat(value=True, n=min(len(record), 1), eager=True), starts])
    index = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
    line, is_response = index // 2, index % 2 == 1
    columns = {"record": record.gather(line), "text": texts, "dialogue_id": starts.cum_sum().gather(line)}
    rows = filtered(pl.DataFrame(columns), is_response | starts.gather(line))
    rows = rows.with_columns(turn_index=position_within("dialogue_id"))
    return Reading(rows=mark_empty(turns_frame(rows, fields.bad)), non_turns=(pl.concat([above, fields.blank]),))


def _cut(data: bytes) -> int:
    """Return the offset after the last line break between two threads; 0 if there is none."""
    end = data.rfind(b"\n")
    after = None
    while end >= 0:
        begin = data.rfind(b"\n", 0, end) + 1
        before = data[begin:end].removesuffix(b"\r").split(_SEPARATOR.encode())
        if after is not None and (len(before) != 2 or len(after) != 2 or before[1] != after[0]):
            return end + 1
        after, end = before, begin - 1
    return 0


def _in_dialect(dialect: str) -> Format:
    table = Table.of(dialect)
    if table == replace(_CHAIN, header=table.header):
        return replace(CHAINED, read=partial(_read, table=table))
    return replace(_TABLE.of(dialect), repeats=CHAINED.repeats)


CHAINED = Format(
    read=partial(_read, table=_CHAIN), cut=_cut, repeats=1, dialect_of=_TABLE.dialect_of, in_dialect=_in_dialect
)
