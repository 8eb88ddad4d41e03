"""The raw records of a shard, and the turns that its format makes of them: the first stage, which knows the files."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import polars as pl
from msgspec.structs import replace

from chat_corpus.errors import ChatCorpusError, FileError, place_of
from chat_corpus.files.encodings import UTF8
from chat_corpus.files.raw_file import read_range
from chat_corpus.formats.base import Format, Reading, Records
from chat_corpus.pipeline import ledger
from chat_corpus.pipeline.counts import Counts, RecordCounts
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.schema import TURNS, Reason
from chat_corpus.sources.base import Source


def records(shard: Shard, source: Source) -> tuple[Records, ...]:
    """Return the numbered raw records of a shard, a frame per file. Raises ChatCorpusError if a file changed."""
    split = format_of(shard, source).split
    frames = tuple(split(_content(piece), piece.first) for piece in shard.pieces)
    for frame in frames:
        if not isinstance(frame, pl.DataFrame) or not {"record", "text", "bytes"}.issubset(frame.columns):
            raise _misgiven(
                frame, "split", split, shard, ", a frame with record, text and bytes expected of the function"
            )
    return frames


def turns(raw: tuple[Records, ...], shard: Shard, source: Source, limit: int, counts: Counts) -> pl.DataFrame:
    """The turns that the format makes of records, as `schema.TURNS`; of each file as if it ended after `limit` records.

    Counts the records. Raises LedgerError unless each of them is accounted for, ChatCorpusError where a plugin's format
    gives something else.
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
    """What the function of a format, which may be a plugin's, gave as a reading. Raises ChatCorpusError."""
    if not isinstance(reading, Reading):
        raise _misgiven(reading, "read", read, shard, ", a Reading expected of the function")
    rows, non_turns, unread = reading.rows, reading.non_turns, reading.unread
    if not isinstance(rows, pl.DataFrame):
        raise _misgiven(rows, "read", read, shard, " as rows, a frame expected")
    odd = [f"{name} is {rows.schema[name]}" for name, dtype in TURNS.items() if rows.schema.get(name, dtype) != dtype]
    odd = [f"no {name}" for name in TURNS if name not in rows.columns] or odd
    if odd:
        raise ChatCorpusError(f"{shard.extent}: columns given by read ({place_of(read)}): {', '.join(odd)}")
    whole = isinstance(non_turns, tuple) and len(non_turns) == len(shard.pieces)
    if not whole or not all(isinstance(one, pl.Series) for one in non_turns):
        raise _misgiven(non_turns, "read", read, shard, " as non_turns, a tuple with a series a part expected")
    for one in (unread,) if not isinstance(unread, Sequence) else unread:
        if not (isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], int) and isinstance(one[1], str)):
            raise _misgiven(one, "read", read, shard, " as unread, pairs of a record's number and a name expected")
    return reading


def _misgiven(given: object, name: str, function: Callable[..., object], shard: Shard, why: str) -> ChatCorpusError:
    return ChatCorpusError(f"{shard.extent}: {type(given).__name__} given by {name} ({place_of(function)}){why}")


def _content(piece: ByteRange) -> bytes:
    data = read_range(piece.file, piece.start, piece.stop)
    if piece.crc is not None and zlib.crc32(data) != piece.crc:
        raise FileError(piece.file.name, "it changed while it was read; wait until it is whole, and run again")
    return data


def format_of(shard: Shard, source: Source) -> Format:
    """The format that reads a shard, in the dialect of its file. Raises ChatCorpusError where an index has another."""
    try:
        return source.inputs[shard.input].format.of(shard.dialect)
    except ValueError as error:
        raise ChatCorpusError(f"{shard.label}: {error}; run again with --fresh") from error


def _limited(shard: Shard, reading: Reading, limit: int) -> tuple[Reading, list[int]]:
    """The reading as if each file ended after `limit` records, and how many records of each piece that leaves."""
    counts = [piece.records for piece in shard.pieces]
    if not limit or all(piece.first + piece.records - 1 <= limit for piece in shard.pieces):
        return reading, counts
    counts = [max(0, min(piece.records, limit + 1 - piece.first)) for piece in shard.pieces]
    within = tuple(series.filter(series <= limit) for series in reading.non_turns)
    unread = [(line, field) for line, field in reading.unread if line <= limit]
    return Reading(rows=reading.rows.filter(pl.col("record") <= limit), non_turns=within, unread=unread), counts


def _undecoded(rows: pl.DataFrame, shard: Shard) -> pl.DataFrame:
    """Name the encoding, where it is another than UTF-8, in the details of records that did not decode."""
    if all(piece.file.encoding == UTF8 for piece in shard.pieces):
        return rows
    messages = pl.Series([f"not {piece.file.encoding}" for piece in shard.pieces]).gather(rows["file_index"])
    return rows.with_columns(
        message=pl.when(pl.col("reason") == str(Reason.ENCODING)).then(messages).otherwise("message")
    )
