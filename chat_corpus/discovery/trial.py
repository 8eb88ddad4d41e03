"""Trial reads of the first bytes of a file, to count the records that a format can read."""

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

#: Minimum share of readable records in a corpus that is recognised only by its content.
_MIN_READABLE = 0.95
#: Minimum share of lines in the layout if files are read together: records may have further lines.
_MIN_IN_LAYOUT = 0.7
#: Number of records that are checked at either end of a file: a document that quotes a corpus begins and ends with
#: other text.
_ENDS = 5
#: Beginnings of lines of logs, quotations, patches and listings; lines of a corpus have none of them.
_QUOTED = r"^(?:> ?|[+][^+]|\[?\d{4}-\d\d-\d\d|\[?\d\d:\d\d|\d+[:.)] |\[?(?:DEBUG|INFO|WARN|ERROR)\b)"
#: Maximum share of such lines in a corpus.
_MAX_QUOTED = 0.5
#: A line that begins or ends a block of code.
_FENCE = re.compile(r"^(?:```|~~~)\w*$", re.MULTILINE)


def trial(format_: Format, head: bytes) -> tuple[FileCounts, str] | None:
    """Return the counts of the whole records in a head, and the beginning of an unreadable record, or empty.

    Returns None if the head is not enough: its first record is longer, or the format reads several files together.
    """
    result = _read(format_, head)
    if result is None:
        return None
    records, reading = result
    used, rejected = check_reading(reading, 0, 1, len(records), "the beginning of a file")
    counts = file_counts(reading.rows, 0, used, rejected)
    counts.unread_fields = Counter(field for _, field in reading.unread)
    return counts, "" if counts.example is None else _beginning(records, counts.example.record)


def readable_texts(format_: Format, head: bytes) -> pl.Series | None:
    """Return the texts of the turns in a head; None if `trial` returns None."""
    result = _read(format_, head)
    return None if result is None else result[1].rows["text"]


def _beginning(records: Records, number: int) -> str:
    text, data = records.filter(pl.col("record") == number).select("text", "bytes").row(0)
    return beginning(printable(data) if text is None else text)


def _read(format_: Format, head: bytes) -> tuple[Records, Reading] | None:
    """Return the whole records in a head, and their reading; None if the head is not enough."""
    if format_.parts > 1:
        return None
    data, text = text_head(head).removeprefix(BOM), text_of(head)
    if text is not None and utf8_share(data) < UTF8_SHARE:
        data = text.encode("utf-8", "surrogatepass")  # GB18030 or Big5: the planner detects the same
    format_ = format_.fitted(data)
    if len(head) >= HEAD_BYTES:
        data = data[: (format_.cut or cut_at_line)(data)]
        if not data:
            return None
    records = format_.split(data, 1)
    return records, format_.read((records,))


def is_most_of(format_: Format, layout: str, head: bytes, text: str) -> bool:
    """Return whether a whole file has a layout, unlike a document, script or log that quotes a part of a corpus."""
    if _FENCE.search(text) or (share(_QUOTED, text, fewest=1) or 0) > _MAX_QUOTED:
        return False
    if format_.parts > 1:
        return not layout or (share(layout, text, fewest=1) or 0) >= _MIN_IN_LAYOUT
    result = _read(format_, head)
    if result is None:
        return False
    rows = result[1].rows
    is_lost = pl.col("reason").is_in(UNREADABLE).fill_null(value=False)
    readable = (~rows.group_by("record").agg(is_lost.all()).sort("record")["reason"]).to_list()
    ends = readable[:_ENDS] + (readable[_ENDS:][-_ENDS:] if len(head) < HEAD_BYTES else [])
    return bool(readable) and sum(readable) >= _MIN_READABLE * len(readable) and len(ends) - sum(ends) <= 1
