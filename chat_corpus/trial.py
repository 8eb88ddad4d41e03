"""What a format makes of the beginning of a file: how many of its records can be read."""

from __future__ import annotations

from collections import Counter

from chat_corpus.detection import text_head
from chat_corpus.encodings import UTF8_SHARE, utf8_share
from chat_corpus.formats.base import Format
from chat_corpus.heads import text_of
from chat_corpus.ledger import FileCounts, check_reading, file_counts
from chat_corpus.lines import BOM, cut_at_line
from chat_corpus.signature import HEAD_BYTES, share

#: Of a corpus that is known by its content alone at least so many records can be read.
_READABLE = 0.8
#: Of a file that is read together with another at least so many lines have the layout.
_MOSTLY = 0.5


def trial(format_: Format, head: bytes) -> FileCounts | None:
    """The figures of the whole records in a head.

    None where a head alone does not tell: its first record does not end in it, or the file is read together with
    another one.
    """
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
    reading = format_.read((records,))
    used, rejected = check_reading(reading, 0, 1, len(records), "the beginning of a file")
    counts = file_counts(reading.rows, 0, used, rejected, records)
    counts.unread = Counter(field for _, field in reading.unread)
    return counts


def is_most_of(format_: Format, layout: str, head: bytes, text: str) -> bool:
    """Whether a file is of a layout as a whole, and not a document, script or log that quotes some of it."""
    if format_.parts > 1:
        return not layout or (share(layout, text, fewest=1) or 0) >= _MOSTLY
    figures = trial(format_, head)
    return figures is not None and figures.records > 0 and figures.share <= 1 - _READABLE
