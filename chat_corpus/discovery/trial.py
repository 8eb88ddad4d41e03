"""What a format makes of the beginning of a file: how many of its records can be read."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

from chat_corpus.discovery.sniff import text_of
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.encodings import UTF8_SHARE, utf8_share
from chat_corpus.files.lines import BOM, cut_at_line, printable
from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats.base import Format, Reading, Records
from chat_corpus.messages import beginning
from chat_corpus.pipeline.counts import FileCounts
from chat_corpus.pipeline.ledger import UNREADABLE, check_reading, file_counts
from chat_corpus.sources.signature import share

#: Of a corpus that is known by its content alone at least so many records can be read.
_READABLE = 0.95
#: Of a file that is read together with another so many lines have the layout: records may have lines without it.
_MOSTLY = 0.7
#: So many records at either end of a file are looked at: where a document quotes a corpus, the quotation is inside.
_ENDS = 5
#: What lines of logs, quotations, patches and listings begin with, and no line of a corpus.
_QUOTED = r"^(?:> ?|[+][^+]|\[?\d{4}-\d\d-\d\d|\[?\d\d:\d\d|\d+[:.)] |\[?(?:DEBUG|INFO|WARN|ERROR)\b)"
#: More such lines, and a file is no corpus.
_FEW = 0.5
#: A line that begins or ends a block of code.
_FENCE = re.compile(r"^(?:```|~~~)\w*$", re.MULTILINE)


def trial(format_: Format, head: bytes) -> tuple[FileCounts, str] | None:
    """The figures of the whole records in a head, and how the example of an unreadable one begins.

    None where a head alone does not tell: its first record does not end in it, or the file is read together with
    another one.
    """
    read = _read(format_, head)
    if read is None:
        return None
    records, reading = read
    used, rejected = check_reading(reading, 0, 1, len(records), "the beginning of a file")
    counts = file_counts(reading.rows, 0, used, rejected)
    counts.unread_fields = Counter(field for _, field in reading.unread)
    return counts, "" if counts.example is None else _beginning(records, counts.example.record)


def _beginning(records: Records, line: int) -> str:
    text, data = records.filter(pl.col("record") == line).select("text", "bytes").row(0)
    return beginning(printable(data) if text is None else text)


def _read(format_: Format, head: bytes) -> tuple[Records, Reading] | None:
    """The whole records in a head, as they are and as they are read; None as for `trial`."""
    if format_.parts > 1:
        return None
    data, text = text_head(head).removeprefix(BOM), text_of(head)
    if text is not None and utf8_share(data) < UTF8_SHARE:
        data = text.encode("utf-8", "surrogatepass")  # GB18030 or Big5, where a plan would find the same
    format_ = format_.fitted(data)
    if len(head) >= HEAD_BYTES:
        data = data[: (format_.cut or cut_at_line)(data)]
        if not data:
            return None
    records = format_.split(data, 1)
    return records, format_.read((records,))


def is_most_of(format_: Format, layout: str, head: bytes, text: str) -> bool:
    """Whether a file is of a layout as a whole, and not a document, script or log that quotes some of it."""
    if _FENCE.search(text) or (share(_QUOTED, text, fewest=1) or 0) > _FEW:
        return False
    if format_.parts > 1:
        return not layout or (share(layout, text, fewest=1) or 0) >= _MOSTLY
    read = _read(format_, head)
    if read is None:
        return False
    rows = read[1].rows
    lost = pl.col("reason").is_in(UNREADABLE).fill_null(value=False)
    readable = (~rows.group_by("record").agg(lost.all()).sort("record")["reason"]).to_list()
    ends = readable[:_ENDS] + (readable[_ENDS:][-_ENDS:] if len(head) < HEAD_BYTES else [])
    return bool(readable) and sum(readable) >= _READABLE * len(readable) and len(ends) - sum(ends) <= 1
