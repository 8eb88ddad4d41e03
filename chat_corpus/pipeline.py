"""One shard through all stages: read, normalize, convert, check, pair. A pure function of shard, source and settings.

The stages between reading and pairing stand in two lists, `CLEANING` and `JUDGING`. Each gives columns of the rows that
it is given, and has a law: what it may do to them. One runner applies a stage and has the ledger hold it to its law.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl
from msgspec.structs import replace

from chat_corpus import ledger, rules, script
from chat_corpus.counts import Counts, PairCounts, RecordCounts
from chat_corpus.encodings import UTF8
from chat_corpus.errors import ChatCorpusError, FileError, LedgerError, place_of
from chat_corpus.formats.base import Format, Reading, Records
from chat_corpus.ledger import Law
from chat_corpus.lines import printable
from chat_corpus.pairing import pair
from chat_corpus.plan import Piece, Shard
from chat_corpus.raw import read_range
from chat_corpus.schema import TURNS, Markup, Reason, Traits
from chat_corpus.settings import SourceSettings
from chat_corpus.source import Source
from chat_corpus.text import normalizer
from chat_corpus.unfold import unfold

#: The raw text of a record is shown with so many of its rejects.
_SHOWN = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a shard became.

    turns    `schema.TURNS` with clean text, `raw`, the text as it was read, `unconverted`, before conversion, and the
             `script` that it was in
    pairs    the pairs to write: `query, answer, query_part, query_line, answer_part, answer_line`
    rejects  `source, file, line, reason, detail, raw`, by part and line; `raw` with a record's first few rejects only
    counts   the shard's accounts, balanced
    """

    turns: pl.DataFrame
    pairs: pl.DataFrame
    rejects: pl.DataFrame
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaned:
    """What the records of a shard became before they are filtered.

    turns    `schema.TURNS` with clean text, and `raw`, `unconverted` and `script` as in `Outcome`
    counts   the shard's accounts as far as they are known: records, and what was changed
    """

    turns: pl.DataFrame
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a stage knows besides the rows: the shard that they are of, its source, and the settings of that.

    `changed` counts the turns that each text step has changed, which the rows do not show.
    """

    shard: Shard
    source: Source
    own: SourceSettings
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def traits(self) -> Traits:
        """The traits of the text in the files of the shard."""
        return self.shard.traits(self.source.traits)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, the columns that it gives of rows, and the law that the ledger holds it to."""

    name: str
    apply: Callable[[pl.DataFrame, Context], pl.DataFrame]
    law: Law


def _bound(rows: pl.DataFrame, _context: Context) -> pl.DataFrame:
    """No later stage is given a turn that is too long for it."""
    return rules.bound(rows)


def _unfold(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Repost chains as dialogues, where that is wanted."""
    wanted = context.own.read.reposts == "dialogue" and Markup.MICROBLOG in context.source.traits.markup
    return unfold(rows) if wanted else rows


def _normalize(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The text steps. Gives `raw`, `text`, `notable`: where conversion must look, and why a text never settles."""
    traits, converter = context.traits, script.load(context.own.script)
    also = converter.questions(traits.script)
    texts = normalizer.sift(rows["text"], context.own.text, traits, also, context.changed)
    texts = texts.with_columns(raw=rows["text"])
    bad = texts["unsettled"]
    if not bad.any():
        return texts.drop("unsettled")
    bad &= rows["reason"].is_null()
    message = (
        f"still changing after {normalizer.ROUNDS} rounds of the text steps: markup nested deeper than people write it"
    )
    return texts.drop("unsettled").with_columns(
        reason=rows["reason"].set(bad, str(Reason.DAMAGED)), detail=rows["detail"].set(bad, message)
    )


def _convert(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Traditional to simplified script. Gives `text`, `unconverted` and `script`."""
    done = script.load(context.own.script).convert(
        rows["text"], declared=context.traits.script, dialogues=rows["dialogue"], where=rows["notable"]
    )
    return done.with_columns(unconverted=rows["text"])


def _check(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The rules that say when a turn is not kept. Gives `reason` and `detail`."""
    return rules.check(rows, context.own.rules, context.source)


#: What turns that were read go through until they are clean, in order.
CLEANING = (
    Stage("bound", _bound, Law.MAY_REJECT),
    Stage("unfold", _unfold, Law.MAY_SPLIT),
    Stage("normalize", _normalize, Law.MAY_REJECT),
    Stage("convert", _convert, Law.KEEPS_REASONS),
)
#: What clean turns go through before they are paired.
JUDGING = (Stage("check", _check, Law.MAY_REJECT),)


def process(shard: Shard, source: Source, own: SourceSettings) -> Outcome:
    """Run one shard through all stages. Raises ChatCorpusError where its files changed, LedgerError on imbalance."""
    raw = records(shard, source)
    return judge(clean(shard, source, own, raw), shard, source, own, lambda: raw)


def clean(shard: Shard, source: Source, own: SourceSettings, raw: tuple[Records, ...]) -> Cleaned:
    """The stages that know the files and the text, up to conversion. Raises LedgerError on imbalance."""
    counts, context = Counts.zero(), Context(shard=shard, source=source, own=own)
    turns = _run(CLEANING, _read(raw, context, counts), context).drop("notable")
    counts.turns.changed_by_normalization = int((turns["raw"] != turns["unconverted"]).sum())
    counts.turns.changed_by_conversion = int((turns["unconverted"] != turns["text"]).sum())
    counts.turns.changed_by_step = context.changed
    counts.turns.scripts = +Counter({name: int((turns["script"] == name).sum()) for name in script.NAMES})
    return Cleaned(turns=turns, counts=counts)


def judge(
    cleaned: Cleaned, shard: Shard, source: Source, own: SourceSettings, raw: Callable[[], tuple[Records, ...]]
) -> Outcome:
    """The stages that look at clean turns alone: check, pair. `raw` gives the records of those that are rejected.

    Raises LedgerError on imbalance.
    """
    where = shard.place
    turns = _run(JUDGING, cleaned.turns, Context(shard=shard, source=source, own=own))
    pairing = own.pairs.pairing(source.pairing)
    possible = pair(turns, pairing)
    ledger.check_pairs(turns, possible, pairing, where)
    pairs = possible.filter(pl.col("reason").is_null()).drop("reason")
    kept = turns["reason"].null_count()
    counts = replace(
        cleaned.counts,
        turns=replace(cleaned.counts.turns, read=len(turns), kept=kept, rejected=_by_reason(turns)),
        pairs=PairCounts(possible=len(possible), written=len(pairs), rejected=_by_reason(possible), duplicates=0),
    )
    counts.check(where)
    return Outcome(turns=turns, pairs=pairs, rejects=_rejects(turns, shard, raw), counts=counts)


def _run(stages: Iterable[Stage], rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Run rows through stages, each held to its law. Raises LedgerError."""
    for stage in stages:
        try:
            made = stage.apply(rows, context)
        except pl.exceptions.ShapeError as error:  # columns of other lengths were put together
            raise LedgerError(f"{context.shard.place}: stage '{stage.name}' lost or added turns: {error}") from error
        rows = ledger.checked(stage.law, rows, made, stage.name, context.shard.place)
    return rows


def _read(raw: tuple[Records, ...], context: Context, counts: Counts) -> pl.DataFrame:
    """The turns that the format makes of records, within the limit; counts the records. Raises LedgerError."""
    shard, source = context.shard, context.source
    read = format_of(shard, source).read
    reading = _checked(read(raw), read, shard)
    ledger.check_order(reading.rows, shard.place)
    reading, expected = _limited(shard, reading, context.own.read.limit)
    for part, piece in enumerate(shard.pieces):
        used, lost = ledger.check_reading(reading, part, piece.first, expected[part], shard.place)
        structural = len(reading.structural[part])
        file = ledger.file_counts(reading.rows, part, used, lost)
        file.unread_fields = Counter(field for _, field in reading.unread)
        records = RecordCounts(read=expected[part], structural=structural, used=used, rejected=lost)
        counts.add(replace(Counts.zero(), records=records, records_by_file={piece.file.name: file}))
    return _undecoded(reading.rows, shard)


def records(shard: Shard, source: Source) -> tuple[Records, ...]:
    """The numbered raw records of a shard, one frame a file. Raises ChatCorpusError where a file changed."""
    split = format_of(shard, source).split
    told = tuple(split(_content(piece), piece.first) for piece in shard.pieces)
    for one in told:
        if not isinstance(one, pl.DataFrame) or not {"line", "text", "bytes"}.issubset(one.columns):
            raise _misgiven(one, "split", split, shard, ", a frame with line, text and bytes expected of the function")
    return told


def _checked(reading: object, read: Callable[..., object], shard: Shard) -> Reading:
    """What the function of a format, which may be a plugin's, gave as a reading. Raises ChatCorpusError."""
    if not isinstance(reading, Reading):
        raise _misgiven(reading, "read", read, shard, ", a Reading expected of the function")
    rows, structural, unread = reading.rows, reading.structural, reading.unread
    if not isinstance(rows, pl.DataFrame):
        raise _misgiven(rows, "read", read, shard, " as rows, a frame expected")
    odd = [f"{name} is {rows.schema[name]}" for name, dtype in TURNS.items() if rows.schema.get(name, dtype) != dtype]
    odd = [f"no {name}" for name in TURNS if name not in rows.columns] or odd
    if odd:
        raise ChatCorpusError(f"{shard.extent}: columns given by read ({place_of(read)}): {', '.join(odd)}")
    whole = isinstance(structural, tuple) and len(structural) == len(shard.pieces)
    if not whole or not all(isinstance(one, pl.Series) for one in structural):
        raise _misgiven(structural, "read", read, shard, " as structural, a tuple with a series a part expected")
    for one in (unread,) if not isinstance(unread, Sequence) else unread:
        if not (isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], int) and isinstance(one[1], str)):
            raise _misgiven(one, "read", read, shard, " as unread, pairs of a record's number and a name expected")
    return reading


def _misgiven(given: object, name: str, function: Callable[..., object], shard: Shard, why: str) -> ChatCorpusError:
    return ChatCorpusError(f"{shard.extent}: {type(given).__name__} given by {name} ({place_of(function)}){why}")


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


def _undecoded(rows: pl.DataFrame, shard: Shard) -> pl.DataFrame:
    """Name the encoding, where it is another than UTF-8, in the details of records that did not decode."""
    if all(piece.file.encoding == UTF8 for piece in shard.pieces):
        return rows
    own = pl.Series([f"not {piece.file.encoding}" for piece in shard.pieces]).gather(rows["part"])
    return rows.with_columns(detail=pl.when(pl.col("reason") == str(Reason.ENCODING)).then(own).otherwise("detail"))


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
