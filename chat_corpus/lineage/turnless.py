"""Explain why a raw record has no turn: it continues an earlier record, is a placeholder for media, or has no text.

A layout has no list of the records that it joins, so their texts are compared with the text that was read.
"""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.files.lines import printable
from chat_corpus.formats.base import Records
from chat_corpus.formats.placeholders import MEDIA
from chat_corpus.lineage.replayed_shard import ReplayedShard
from chat_corpus.messages import Message, message

_MEDIA = re.compile(MEDIA)
#: What is between the fields of a record with a time, a speaker and a text.
_BETWEEN = re.compile(r"[\t,|\"]|[:：] ?")


def why_no_turn(shard: ReplayedShard, file_index: int, number: int) -> Message:
    """Return the reason why a record of a file of the shard has no turn."""
    records, turns = shard.records[file_index], shard.turns.filter(pl.col("file_index") == file_index)
    (at,) = records.with_row_index("at").filter(pl.col("record") == number)["at"]
    if "continues" in records.columns and records["continues"][at]:
        return _continues(shard, file_index, records[:at].filter(~pl.col("continues"))["record"][-1])
    text = _text(records["text"][at], records["bytes"][at])
    if any(map(_MEDIA.match, (text, *_BETWEEN.split(text)))):
        return message(
            "not a turn: a placeholder for media, such as a picture, or a notice of the program, which is left out"
        )
    before = turns.filter(pl.col("record") < number)["record"].max()
    if isinstance(before, int) and text:
        read = turns.filter(pl.col("record") == before)["raw"].drop_nulls()
        lines = records.filter(pl.col("record").is_between(before, number))
        if number in _joined("\n".join(read), lines):
            return _continues(shard, file_index, before)
    return message("not a turn: records of this kind, such as headers and notices, hold none")


def _continues(shard: ReplayedShard, file_index: int, record: int) -> Message:
    file = shard.shard.pieces[file_index].file.name
    return message("continues {file}:{record}: the text is in the turn of that record", file=file, record=record)


def _joined(read: str, records: Records) -> set[int]:
    r"""Return the numbers of the records with parts of the text that was read, which are in order.

    >>> lines = ["21:15 小明: 在吗", "", "21:16 小红 left", "我到了"]
    >>> _joined("在吗\n我到了", pl.DataFrame({"record": [1, 2, 3, 4], "text": lines, "bytes": [None] * 4}))
    {1, 4}
    """
    joined, rest = set(), read.strip()
    for record, line, data in records.select("record", "text", "bytes").iter_rows():
        text, first = _text(line, data), rest.split("\n", 1)[0].strip()
        if not first:
            break
        if text and rest.startswith(text):
            joined.add(record)
            rest = rest[len(text) :].strip()
        elif first in _BETWEEN.split(text) or text.endswith(f" {first}"):
            joined.add(record)
            rest = rest[len(first) :].strip()
    return joined


def _text(text: str | None, data: bytes | None) -> str:
    """Return the text of a record without blanks and quotes around it."""
    return str(printable(data) if text is None and data is not None else text or "").strip().strip('"')
