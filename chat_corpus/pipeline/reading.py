"""The first stage, which reads files: the raw records of a shard, and the turns that its format makes of them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl
from msgspec.structs import replace

from chat_corpus.errors import ChatCorpusError, FileError, place_of
from chat_corpus.files.encodings import UTF8
from chat_corpus.files.lines import BOM, numbered_lines
from chat_corpus.files.raw_file import read_range
from chat_corpus.formats.base import Format, Reading, Records
from chat_corpus.messages import Message, error_text, joined, message
from chat_corpus.pipeline import ledger
from chat_corpus.pipeline.counts import Counts, RecordCounts
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.schema import TURNS, Reason
from chat_corpus.sources.base import Source


def records(shard: Shard, source: Source) -> tuple[Records, ...]:
    """Return the numbered raw records of a shard, a frame per file. Raises ChatCorpusError if a file changed."""
    split = format_of(shard, source).split
    frames = tuple(split(content(piece), piece.first) for piece in shard.pieces)
    for frame in frames:
        if not isinstance(frame, pl.DataFrame) or not {"record", "text", "bytes"}.issubset(frame.columns):
            expected = message("expected a frame with the columns record, text and bytes")
            raise _wrong_result(frame, "split", split, shard, expected)
    return frames


def line_offsets(raw: Sequence[Records], shard: Shard, source: Source) -> list[pl.Series] | None:
    """Return the position of each line in the content of its piece, in bytes: u32.

    None if records are not lines, or if line breaks differ. The positions are wrong unless `has_offsets` is true.
    """
    offsets = []
    is_plain = format_of(shard, source).split is numbered_lines
    for piece, records in zip(shard.pieces, raw, strict=True):
        if not is_plain and ("continues" not in records.columns or records["continues"].any()):
            return None
        sizes = records["text"].str.len_bytes()
        breaks = piece.stop - piece.start - int(sizes.sum())
        if sizes.null_count() or breaks not in (len(sizes), 2 * len(sizes)):
            return None
        sizes += breaks // max(len(sizes), 1)
        offsets.append((sizes.cum_sum() - sizes).cast(pl.UInt32))
    return offsets


def has_offsets(data: bytes, first: int) -> bool:
    """Whether `line_offsets` are right for content from record `first` on: no byte order mark, a final line break."""
    return data.endswith(b"\n") and not (first == 1 and data.startswith(BOM))


def turns(raw: tuple[Records, ...], shard: Shard, source: Source, limit: int, counts: Counts) -> pl.DataFrame:
    """Return the turns that the format reads from records, as `schema.TURNS`, and add the records to `counts`.

    Each file is read as if it ended after `limit` records, 0 for no limit. Raises LedgerError if a record is missing
    from the result, and ChatCorpusError if the format of a plugin returns a wrong type.
    """
    read = format_of(shard, source).read
    reading = _checked(read(raw), read, shard)
    ledger.check_order(reading.rows, shard.label)
    reading, expected = _limited(shard, reading, limit)
    for part, piece in enumerate(shard.pieces):
        used, lost = ledger.check_reading(reading, part, piece.first, expected[part], shard.label)
        non_turns = len(reading.non_turns[part])
        file = ledger.file_counts(reading.rows, part, used, lost)
        file.unread_fields = Counter(field for _, field in reading.unread)
        records = RecordCounts(read=expected[part], non_turns=non_turns, used=used, rejected=lost)
        counts.add(replace(Counts.zero(), records=records, records_by_file={piece.file.name: file}))
    return _undecoded(reading.rows, shard)


def _checked(reading: object, read: Callable[..., object], shard: Shard) -> Reading:
    """Return the result of a format's function, which may be a plugin's. Raises ChatCorpusError for wrong types."""
    if not isinstance(reading, Reading):
        raise _wrong_result(reading, "read", read, shard, message("expected a Reading"))
    rows, non_turns, unread = reading.rows, reading.non_turns, reading.unread
    if not isinstance(rows, pl.DataFrame):
        raise _wrong_result(rows, "read", read, shard, message("expected a frame as rows"))
    if faults := _column_faults(rows.schema):
        fault = message(
            "{shard}: columns returned by read ({function}): {faults}",
            shard=shard.extent,
            function=place_of(read),
            faults=joined(", ", faults),
        )
        raise ChatCorpusError(fault)
    whole = isinstance(non_turns, tuple) and len(non_turns) == len(shard.pieces)
    if not whole or not all(isinstance(series, pl.Series) for series in non_turns):
        expected = message("expected a tuple with one series per file as non_turns")
        raise _wrong_result(non_turns, "read", read, shard, expected)
    for pair in (unread,) if not isinstance(unread, Sequence) else unread:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], int) and isinstance(pair[1], str)):
            expected = message("expected pairs of a record number and a field name as unread")
            raise _wrong_result(pair, "read", read, shard, expected)
    return reading


def _column_faults(schema: pl.Schema) -> list[Message]:
    """Return a message for each missing column of `schema.TURNS`, or else for each column with a wrong type."""
    missing = [message("{column} is missing", column=name) for name in TURNS if name not in schema]
    return missing or [
        message("{column} is {type}, expected {expected}", column=name, type=str(schema[name]), expected=str(dtype))
        for name, dtype in TURNS.items()
        if schema[name] != dtype
    ]


def _wrong_result(
    value: object, name: str, function: Callable[..., object], shard: Shard, expected: Message
) -> ChatCorpusError:
    return ChatCorpusError(
        message(
            "{shard}: {name} ({function}) returned {type}; {expected}",
            shard=shard.extent,
            name=name,
            function=place_of(function),
            type=type(value).__name__,
            expected=expected,
        )
    )


def content(piece: ByteRange) -> bytes:
    """Return the bytes of a piece, as UTF-8. Raises FileError if they changed since they were counted."""
    data = read_range(piece.file, piece.start, piece.stop)
    if piece.crc is not None and zlib.crc32(data) != piece.crc:
        raise FileError(piece.file.name, message("changed during the run; wait until it is complete, and run again"))
    return data


def format_of(shard: Shard, source: Source) -> Format:
    """Return the format of a shard, in the dialect of its file. Raises ChatCorpusError for an unknown dialect."""
    try:
        return source.inputs[shard.input].format.of(shard.dialect)
    except ValueError as error:
        fault = message("{shard}: {error}; run again with --fresh", shard=shard.label, error=error_text(error))
        raise ChatCorpusError(fault) from error


def _limited(shard: Shard, reading: Reading, limit: int) -> tuple[Reading, list[int]]:
    """Return the reading as if each file ended after `limit` records, and the remaining records of each piece."""
    counts = [piece.records for piece in shard.pieces]
    if not limit or all(piece.first + piece.records - 1 <= limit for piece in shard.pieces):
        return reading, counts
    counts = [max(0, min(piece.records, limit + 1 - piece.first)) for piece in shard.pieces]
    within = tuple(series.filter(series <= limit) for series in reading.non_turns)
    unread = [(line, field) for line, field in reading.unread if line <= limit]
    return Reading(rows=reading.rows.filter(pl.col("record") <= limit), non_turns=within, unread=unread), counts


def _undecoded(rows: pl.DataFrame, shard: Shard) -> pl.DataFrame:
    """Name the encoding in the messages of records that did not decode, if it is not UTF-8."""
    if all(piece.file.encoding == UTF8 for piece in shard.pieces):
        return rows
    messages = pl.Series([f"not {piece.file.encoding}" for piece in shard.pieces]).gather(rows["file_index"])
    return rows.with_columns(
        message=pl.when(pl.col("reason") == str(Reason.ENCODING)).then(messages).otherwise("message")
    )
