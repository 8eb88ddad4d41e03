"""One shard through all stages: read, normalize, convert, check, pair. A pure function of shard and settings.

Each stage maps a frame of turns to a frame with the same rows; the ledger looks at what goes in and what comes out.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from chat_corpus import ledger, rules, script, sources
from chat_corpus.encodings import UTF8
from chat_corpus.errors import ChatCorpusError, FileError
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records
from chat_corpus.ledger import Counts
from chat_corpus.lines import printable
from chat_corpus.pairing import pair
from chat_corpus.plan import Piece, Shard
from chat_corpus.raw import read_range
from chat_corpus.schema import Markup, Reason
from chat_corpus.settings import Settings, SourceSettings
from chat_corpus.source import Source
from chat_corpus.text import steps
from chat_corpus.unfold import unfold

#: The raw text of a record is shown with so many of its rejects.
_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a shard became.

    turns    `schema.TURNS` with clean text, `raw`, the text as it was read, `unconverted`, before conversion, the
             `script` that it was in, and whether it is `notable`, as `text.steps.sift` tells it
    pairs    the pairs to write: `query, answer, query_part, query_line, answer_part, answer_line`, and whether either
             turn is `notable`
    rejects  `source, file, line, reason, detail, raw`, by part and line; `raw` with a record's first few rejects only
    counts   the shard's accounts, balanced
    """

    turns: pl.DataFrame
    pairs: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """What the records of a shard became before they are judged.

    turns    `schema.TURNS` with clean text, and `raw`, `unconverted`, `script` and `notable` as in `Outcome`
    counts   the shard's accounts as far as they are known: records, and what was changed
    """

    turns: pl.DataFrame
    counts: Counts


def process(shard: Shard, settings: Settings) -> Outcome:
    """Run one shard through all stages. Raises ChatCorpusError where its files changed, LedgerError on imbalance."""
    raw = records(shard, sources.load(settings.plugins)[shard.source])
    return judge(clean(shard, settings, raw), shard, settings, lambda: raw)


def clean(shard: Shard, settings: Settings, raw: tuple[Records, ...]) -> Cleaned:
    """The stages that know the files and the text: read, normalize, convert. Raises LedgerError on imbalance."""
    source = sources.load(settings.plugins)[shard.source]
    own = settings.of(source.name)
    where, counts = shard.place, Counts()
    reading = format_of(shard, source).read(raw)
    ledger.check_order(reading.rows, where)
    reading, expected = _limited(shard, reading, own.read.limit)
    for part, piece in enumerate(shard.pieces):
        used, lost = ledger.check_reading(reading, part, piece.first, expected[part], where)
        counts.records += expected[part]
        counts.structural += len(reading.structural[part])
        counts.used += used
        counts.records_rejected += lost
        file = ledger.file_counts(reading.rows, part, used, lost, raw[part])
        file.unread = Counter(field for _, field in reading.unread)
        counts.files.setdefault(piece.file.name, ledger.FileCounts()).add(file)
    rows = _undecoded(_given(reading.rows, source, own, where), shard)
    return Cleaned(turns=_changed(rows, shard, source, own, counts), counts=counts)


def judge(cleaned: Cleaned, shard: Shard, settings: Settings, raw: Callable[[], tuple[Records, ...]]) -> Outcome:
    """The stages that look at clean turns alone: check, pair. `raw` gives the records of those that are rejected.

    Adds to the counts of `cleaned`. Raises LedgerError on imbalance.
    """
    source = sources.load(settings.plugins)[shard.source]
    own = settings.of(source.name)
    where, counts = shard.place, cleaned.counts
    turns = rules.check(cleaned.turns, own.rules, source)
    ledger.check_rows(cleaned.turns, turns, "check", where, judges=True)
    counts.turns, counts.kept = len(cleaned.turns), turns["reason"].null_count()
    counts.turns_rejected = _by_reason(turns)
    pairing = own.pairs.pairing(source.pairing)
    possible = pair(turns, pairing)
    ledger.check_pairs(turns, possible, pairing, where)
    pairs = possible.filter(pl.col("reason").is_null()).drop("reason")
    counts.pairs, counts.written = len(possible), len(pairs)
    counts.pairs_rejected = _by_reason(possible)
    counts.check(where)
    return Outcome(turns=turns, pairs=pairs, rejects=_rejects(turns, shard, raw), counts=counts)


def records(shard: Shard, source: Source) -> tuple[Records, ...]:
    """The numbered raw records of a shard, one frame a file. Raises ChatCorpusError where a file changed."""
    split = format_of(shard, source).split
    return tuple(split(_content(piece), piece.first) for piece in shard.pieces)


def _content(piece: Piece) -> bytes:
    data = read_range(piece.file, piece.start, piece.stop)
    if piece.crc is not None and zlib.crc32(data) != piece.crc:
        raise FileError(piece.file.name, "it changed while it was read; wait until it is whole, and run again")
    return data


def format_of(shard: Shard, source: Source) -> Format:
    """The format that reads a shard, in the dialect of its file. Raises ChatCorpusError where an index has another."""
    try:
        return source.inputs[shard.input].format.of(shard.dialect)
    except ValueError as error:
        raise ChatCorpusError(f"{shard.place}: {error}; run again with --fresh") from error


def _limited(shard: Shard, reading: Reading, limit: int) -> tuple[Reading, list[int]]:
    """The reading as if each file ended after `limit` records, and how many records of each piece that leaves."""
    counts = [piece.records for piece in shard.pieces]
    if not limit or all(piece.first + piece.records - 1 <= limit for piece in shard.pieces):
        return reading, counts
    counts = [max(0, min(piece.records, limit + 1 - piece.first)) for piece in shard.pieces]
    within = tuple(series.filter(series <= limit) for series in reading.structural)
    unread = [(line, field) for line, field in reading.unread if line <= limit]
    return Reading(rows=reading.rows.filter(pl.col("line") <= limit), structural=within, unread=unread), counts


def _given(read: pl.DataFrame, source: Source, own: SourceSettings, where: str) -> pl.DataFrame:
    """What the stages are given of the rows that were read: no monsters, and chains as dialogues if they are wanted."""
    rows = rules.bound(read)
    ledger.check_rows(read, rows, "bound", where, judges=True)
    if own.read.reposts != "dialogue" or Markup.MICROBLOG not in source.traits.markup:
        return rows
    unfolded = unfold(rows)
    ledger.check_unfolded(rows, unfolded, where)
    return unfolded


def _undecoded(rows: pl.DataFrame, shard: Shard) -> pl.DataFrame:
    """Name the encoding, where it is another than UTF-8, in the details of records that did not decode."""
    if all(piece.file.encoding == UTF8 for piece in shard.pieces):
        return rows
    own = pl.Series([f"not {piece.file.encoding}" for piece in shard.pieces]).gather(rows["part"])
    return rows.with_columns(detail=pl.when(pl.col("detail") == NOT_UTF8).then(own).otherwise("detail"))


def _changed(rows: pl.DataFrame, shard: Shard, source: Source, own: SourceSettings, counts: Counts) -> pl.DataFrame:
    """The stages that change texts: normalize, convert."""
    where = shard.place
    traits = shard.traits(source.traits)
    read = rows.with_columns(raw=pl.col("text"))
    converter = script.load(own.script)
    texts = steps.sift(read["text"], own.text, traits, converter.questions(traits.script), counts.changed)
    ledger.check_length(read, len(texts), "normalize", where)
    normalized = _settled(read.with_columns(texts.drop("unsettled")), texts["unsettled"])
    ledger.check_rows(read, normalized, "normalize", where, judges=True)
    told = converter.convert(
        texts["text"], declared=traits.script, dialogues=normalized["dialogue"], where=texts["notable"]
    )
    ledger.check_length(read, len(told), "convert", where)
    converted = normalized.with_columns(told["text"], unconverted=texts["text"], script=told["script"])
    ledger.check_rows(normalized, converted, "convert", where)
    counts.normalized = int((read["text"] != normalized["text"]).sum())
    counts.converted = int((normalized["text"] != converted["text"]).sum())
    counts.scripts = +Counter({name: int((told["script"] == name).sum()) for name in script.NAMES})
    return converted


def _settled(rows: pl.DataFrame, unsettled: pl.Series) -> pl.DataFrame:
    """The rows, with a reason for those whose text no number of rounds would settle."""
    if not unsettled.any():
        return rows
    bad = unsettled & rows["reason"].is_null()
    message = f"still changing after {steps.ROUNDS} rounds of the text steps: markup nested deeper than people write it"
    return rows.with_columns(
        reason=pl.when(bad).then(pl.lit(str(Reason.DAMAGED))).otherwise("reason"),
        detail=pl.when(bad).then(pl.lit(message)).otherwise("detail"),
    )


def _by_reason(frame: pl.DataFrame) -> Counter[str]:
    return Counter(dict(frame["reason"].drop_nulls().value_counts().iter_rows()))


def _rejects(turns: pl.DataFrame, shard: Shard, raw: Callable[[], tuple[Records, ...]]) -> pl.DataFrame:
    """The rejected turns with the raw text of their records."""
    rejected = turns.filter(pl.col("reason").is_not_null()).select("part", "line", "turn", "reason", "detail")
    found = []
    for part, (piece, records) in enumerate(zip(shard.pieces, raw(), strict=True)):
        mine = rejected.filter(pl.col("part") == part)
        told = mine.join(_shown(records, mine), on="line", how="left", maintain_order="left")
        found.append(told.with_columns(source=pl.lit(shard.source), file=pl.lit(piece.file.name)))
    whole = pl.concat(found).sort("line", "part", "turn", maintain_order=True)
    return raw_for_some(whole.select("source", "file", "line", "reason", "detail", "raw"))


def _shown(records: Records, rejected: pl.DataFrame) -> pl.DataFrame:
    """`line, raw` of the records that have a reject, what is not text as it can be shown."""
    wanted = records.filter(pl.col("line").is_in(rejected["line"].unique().implode()))
    shown = pl.Series([None if data is None else printable(data) for data in wanted["bytes"]], dtype=pl.String)
    return wanted.select("line", raw=wanted["text"].zip_with(wanted["bytes"].is_null(), shown))


def raw_for_some(rejects: pl.DataFrame) -> pl.DataFrame:
    """Rejects with `file`, `line` and `raw`, the text of a record that has many of them with the first few alone.

    A record of a thousand rejected turns would else be written a thousand times.
    """
    some = pl.int_range(pl.len()).over("file", "line") < _SHOWN
    return rejects.with_columns(raw=pl.when(some).then("raw")) if len(rejects) > _SHOWN else rejects
