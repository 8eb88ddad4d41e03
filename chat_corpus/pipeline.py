"""One shard through all stages: read, normalize, convert, check, pair. A pure function of shard and settings.

Each stage maps a frame of turns to a frame with the same rows; the ledger looks at what goes in and what comes out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import polars as pl

from chat_corpus import ledger, rules, script, sources
from chat_corpus.encodings import UTF8
from chat_corpus.formats.base import NOT_UTF8, Reading, Records
from chat_corpus.ledger import Counts
from chat_corpus.pairing import pair
from chat_corpus.plan import Shard
from chat_corpus.raw import printable, read_range
from chat_corpus.schema import Markup
from chat_corpus.settings import Settings, SourceSettings
from chat_corpus.source import Source
from chat_corpus.text import steps
from chat_corpus.unfold import unfold


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a shard became.

    turns    `schema.TURNS` with clean text, `raw`, the text as it was read, `unconverted`, before conversion, and the
             `script` that it was in
    pairs    the pairs to write: `query, answer, query_part, query_line, answer_part, answer_line`
    rejects  `source, file, line, reason, detail, raw`, by part and line
    counts   the shard's accounts, balanced
    """

    turns: pl.DataFrame
    pairs: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counts


def process(shard: Shard, settings: Settings) -> Outcome:
    """Run one shard through all stages. Raises ChatCorpusError where its files changed, LedgerError on imbalance."""
    source = sources.load(settings.plugins)[shard.source]
    own = settings.of(source.name)
    where = f"{source.name}, shard {shard.number} ({shard.pieces[0].file.name} from record {shard.pieces[0].first})"
    counts = Counts()
    raw = records(shard, source)
    reading = source.inputs[shard.input].format.read(raw)
    reading, expected = _limited(shard, reading, own.read.limit)
    for part, piece in enumerate(shard.pieces):
        used, lost = ledger.check_reading(reading, part, piece.first, expected[part], where)
        counts.records += expected[part]
        counts.structural += len(reading.structural[part])
        counts.used += used
        counts.records_rejected += lost
    chains = own.read.reposts == "dialogue" and Markup.MICROBLOG in source.traits.markup
    rows = _undecoded(unfold(reading.rows) if chains else reading.rows, shard)
    turns = _clean(rows, shard, source, own, counts, where)
    possible = pair(turns, own.pairs.pairing(source.pairing))
    pairs = possible.filter(pl.col("reason").is_null()).drop("reason")
    counts.pairs, counts.written = len(possible), len(pairs)
    counts.pairs_rejected = _by_reason(possible)
    counts.check(where)
    return Outcome(turns=turns, pairs=pairs, rejects=_rejects(turns, shard, raw), counts=counts)


def records(shard: Shard, source: Source) -> tuple[Records, ...]:
    """The numbered raw records of a shard, one frame a file. Raises ChatCorpusError where a file changed."""
    split = source.inputs[shard.input].format.split
    return tuple(split(read_range(piece.file, piece.start, piece.stop), piece.first) for piece in shard.pieces)


def _limited(shard: Shard, reading: Reading, limit: int) -> tuple[Reading, list[int]]:
    """The reading as if each file ended after `limit` records, and how many records of each piece that leaves."""
    counts = [piece.records for piece in shard.pieces]
    if not limit or all(piece.first + piece.records - 1 <= limit for piece in shard.pieces):
        return reading, counts
    counts = [max(0, min(piece.records, limit + 1 - piece.first)) for piece in shard.pieces]
    within = tuple(series.filter(series <= limit) for series in reading.structural)
    return Reading(rows=reading.rows.filter(pl.col("line") <= limit), structural=within), counts


def _undecoded(rows: pl.DataFrame, shard: Shard) -> pl.DataFrame:
    """Name the encoding, where it is another than UTF-8, in the details of records that did not decode."""
    if all(piece.file.encoding == UTF8 for piece in shard.pieces):
        return rows
    own = pl.Series([f"not {piece.file.encoding}" for piece in shard.pieces]).gather(rows["part"])
    return rows.with_columns(detail=pl.when(pl.col("detail") == NOT_UTF8).then(own).otherwise("detail"))


def _clean(
    rows: pl.DataFrame, shard: Shard, source: Source, own: SourceSettings, counts: Counts, where: str
) -> pl.DataFrame:
    """The stages that change or judge turns: normalize, convert, check."""
    traits = replace(source.traits, segmentation=shard.segmentation)
    read = rows.with_columns(raw=pl.col("text"))
    normalized = read.with_columns(steps.normalize(read["text"], own.text, traits))
    ledger.check_rows(read, normalized, "normalize", where)
    told = script.load(own.script).convert(normalized["text"], declared=traits.script, dialogues=normalized["dialogue"])
    converted = normalized.with_columns(told["text"], unconverted=normalized["text"], script=told["script"])
    ledger.check_rows(normalized, converted, "convert", where)
    checked = rules.check(converted, own.rules, source)
    ledger.check_rows(converted, checked, "check", where)
    counts.turns = len(read)
    counts.kept = checked["reason"].null_count()
    counts.turns_rejected = _by_reason(checked)
    counts.normalized = int((read["text"] != normalized["text"]).sum())
    counts.converted = int((normalized["text"] != converted["text"]).sum())
    counts.scripts = Counter(dict(told["script"].drop_nulls().value_counts().iter_rows()))
    return checked


def _by_reason(frame: pl.DataFrame) -> Counter[str]:
    return Counter(dict(frame["reason"].drop_nulls().value_counts().iter_rows()))


def _rejects(turns: pl.DataFrame, shard: Shard, records: tuple[Records, ...]) -> pl.DataFrame:
    """The rejected turns with the raw text of their records."""
    rejected = turns.filter(pl.col("reason").is_not_null()).select("part", "line", "turn", "reason", "detail")
    found = []
    for part, piece in enumerate(shard.pieces):
        mine = rejected.filter(pl.col("part") == part)
        told = mine.join(records[part], on="line", how="left", maintain_order="left")
        found.append(told.with_columns(source=pl.lit(shard.source), file=pl.lit(piece.file.name)))
    whole = pl.concat(found).sort("line", "part", "turn", maintain_order=True)
    raw = whole["text"].zip_with(whole["bytes"].is_null(), _printable(whole["bytes"]))
    return whole.select("source", "file", "line", "reason", "detail", raw=raw)


def _printable(records: pl.Series) -> pl.Series:
    return pl.Series([None if data is None else printable(data) for data in records], dtype=pl.String)
