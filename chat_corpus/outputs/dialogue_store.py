"""The dialogue store: `dialogues/<source>.parquet` holds every turn that was read, rejected ones too, in a fixed order.

Rows are in the order of the raw files, dialogue by dialogue; a record without a dialogue is sorted by its number. Order
and bytes depend only on the raw data and the settings, not on the shards: row groups have a fixed number of rows.
The Parquet metadata has the version of the schema and the name of the source; report.json has the SHA-256 of the file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from chat_corpus.formats.base import SPEAKER
from chat_corpus.messages import message
from chat_corpus.outputs.shard_index import Entry
from chat_corpus.pipeline.counts import Counts, PairCounts
from chat_corpus.pipeline.process import CleanTurns, ShardResult
from chat_corpus.pipeline.reading import format_of
from chat_corpus.pipeline.shard import Shard
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Source

#: Version of `SCHEMA`. Stores of other versions are not read.
SCHEMA_VERSION = 1
#: Keys of the Parquet metadata.
VERSION_KEY, SOURCE_KEY = "chat_corpus.dialogue_store", "chat_corpus.source"
#: Rows of a row group; the last one may have fewer.
ROW_GROUP = 65_536

#: Columns of the store, in order.
#:
#: source             name of the source
#: dialogue_id        address of the record in which the dialogue begins, as `folder/file.txt:23`, with `#2` for the
#:                    second dialogue that begins in it; stable as long as the file keeps its name and the records keep
#:                    their numbers. Null for a record that is in no dialogue
#: turn_index         position within the dialogue, from 0
#: alternative        0; 1, 2, ... for further responses at the same position
#: speaker            the speaker as in the raw file: a name, an identifier, or `user` or `assistant` in a chat with a
#:                    model; null if the format has no speakers
#: text               the clean text; null if the record could not be read
#: raw                the text as it was read; null if it equals `text`
#: before_conversion  the clean text before script conversion; null if it equals `text`
#: script             the script of the turn before conversion
#: reason, message    why the turn is not used (`schema.Reason`), and the details; null for a usable turn
#: filtered           whether a filter gave the reason; different filters may accept the turn
#: label              for a response in a response-selection set: 1, or 0 if it was drawn at random; else null
#: file, record       address: name of the raw file, and number of the record in it, from 1
SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "dialogue_id": pl.String(),
        "turn_index": pl.UInt32(),
        "alternative": pl.UInt32(),
        "speaker": pl.String(),
        "text": pl.String(),
        "raw": pl.String(),
        "before_conversion": pl.String(),
        "script": pl.String(),
        "reason": pl.String(),
        "message": pl.String(),
        "filtered": pl.Boolean(),
        "label": pl.Int8(),
        "file": pl.String(),
        "record": pl.UInt32(),
    }
)
#: Schema of a store with the column that some runs add: the score of an answer with its query, from
#: `pair_passes.relatedness`. It is null for a turn that is not the answer of a pair, and for a pair without a score.
SCORED = pl.Schema({**SCHEMA, "relatedness": pl.Float32()})
_TEXTS = ("raw", "before_conversion")
#: Column of the rows of a shard until they have scores: the number of the pair in which the turn is the answer.
_PAIR = "pair"
_INDEX = pl.int_range(pl.len(), dtype=pl.UInt32)


def rows(
    cleaned: CleanTurns, result: ShardResult, shard: Shard, source: Source, *, pairs: bool = False
) -> pl.DataFrame:
    """Return the rows of the store (`SCHEMA`) for a shard, from its turns before (`cleaned`) and after the filters.

    With `pairs`, the rows also have the numbers of pairs that `add_scores` needs.
    """
    turns, schema = result.turns, SCHEMA
    if pairs:
        turns, schema = _with_pairs(result), pl.Schema({**SCHEMA, _PAIR: pl.UInt32()})
    if turns.is_empty():
        return schema.to_frame()
    begins = pl.col("dialogue_id").is_not_null() & pl.col("dialogue_id").ne_missing(pl.col("dialogue_id").shift(1))
    names = pl.Series("file", [piece.file.name for piece in shard.pieces], dtype=pl.String)
    frame = turns.with_columns(
        file=names.gather(turns["file_index"]),
        begin=pl.when(pl.col("dialogue_id").is_not_null()).then(pl.when(begins).then(_INDEX).forward_fill()),
        filtered=cleaned.turns["reason"].is_null() & turns["reason"].is_not_null(),
        unread=cleaned.turns["reason"],
        same_place=(~begins & (pl.col("turn_index") == pl.col("turn_index").shift(1))).fill_null(value=False),
    )
    frame = frame.with_columns(dialogue_id=_identifiers(frame), label=_labels(frame, shard, source))
    alternative = _INDEX - pl.when(~pl.col("same_place")).then(_INDEX).forward_fill()
    frame = frame.with_columns(
        *(pl.when(pl.col(name).ne_missing(pl.col("text"))).then(name).alias(name) for name in _TEXTS),
        source=pl.lit(shard.source),
        alternative=pl.when(pl.col("dialogue_id").is_not_null()).then(alternative),
        speaker=SPEAKER if SPEAKER in frame.columns else pl.lit(None),
    )
    return _ordered(frame).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _with_pairs(result: ShardResult) -> pl.DataFrame:
    """Return the turns of a shard with `pair`: the number of the pair in which the turn is the answer, or null."""
    none = pl.Series(_PAIR, [None], dtype=pl.UInt32).new_from_index(0, len(result.turns))
    numbers = pl.int_range(len(result.pairs), dtype=pl.UInt32, eager=True)
    return result.turns.with_columns(none.scatter(result.links["answer_at"], numbers))


def add_scores(rows: pl.DataFrame, scores: pl.Series) -> pl.DataFrame:
    """Return the rows of a shard, made with `pairs`, with the scores of its pairs: the columns `SCORED`."""
    return rows.drop(_PAIR).with_columns(relatedness=scores.gather(rows[_PAIR]).cast(pl.Float32)).select(SCORED.names())


def _identifiers(frame: pl.DataFrame) -> pl.Series:
    """Return the `dialogue_id` of each row: the address of the record in which its dialogue begins."""
    firsts = frame.filter(pl.col("begin") == _INDEX).select("file", "record")
    twice = firsts.is_duplicated().any()
    names = firsts.select(pl.format("{}:{}", "file", "record")).to_series()
    if twice:
        number = firsts.select(pl.int_range(pl.len(), dtype=pl.UInt32).over("file", "record") + 1).to_series()
        names = names.zip_with(number == 1, names + "#" + number.cast(pl.String))
    rank = frame.select((pl.col("begin") == _INDEX).fill_null(value=False).cum_sum().cast(pl.UInt32) - 1).to_series()
    rank = rank.set(frame["begin"].is_null(), None)
    return names.gather(rank)


def _labels(frame: pl.DataFrame, shard: Shard, source: Source) -> pl.Series:
    """Return the `label` of each row; the responses of a response-selection set end their dialogues."""
    if not format_of(shard, source).labelled:
        return pl.Series("label", [None], dtype=pl.Int8).new_from_index(0, len(frame))
    last = pl.col("turn_index") == pl.col("turn_index").max().over("begin")
    sound = pl.col("unread").ne_missing(str(Reason.NEGATIVE)).cast(pl.Int8)
    return frame.select(pl.when(pl.col("begin").is_not_null() & last).then(sound)).to_series()


def _ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order of records: sorted by the first record of the dialogue, or by the record without one."""
    first = frame["record"].gather(frame["begin"])
    key = first.zip_with(first.is_not_null(), frame["record"])
    return frame if key.is_sorted() else frame[key.arg_sort()]


def write(parts: Sequence[Path], path: Path, source: str) -> None:
    """Join Arrow files of `rows`, in order, into a store. The bytes do not depend on which rows are in which file."""
    metadata = {VERSION_KEY: str(SCHEMA_VERSION), SOURCE_KEY: source}
    frames = [pl.scan_ipc(part, glob=False) for part in parts] or [SCHEMA.to_frame().lazy()]
    pl.concat(frames).sink_parquet(
        path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, metadata=metadata, maintain_order=True
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal. Raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_schema(path: Path, source: str) -> None:
    """Raise ValueError if a file is not a dialogue store of this version for this source, OSError if it is missing."""
    try:
        with path.open("rb") as stream:  # Polars would read some paths as patterns
            metadata = pl.read_parquet_metadata(stream)
        schema = scan(path).collect_schema()
    except pl.exceptions.PolarsError as error:
        raise ValueError(message("not a Parquet file: {error}", error=str(error))) from error
    version = metadata.get(VERSION_KEY)
    if version != str(SCHEMA_VERSION):
        if version is None:
            raise ValueError(message("not a dialogue store"))
        raise ValueError(
            message(
                "version {version} of the dialogue store, expected {expected}", version=version, expected=SCHEMA_VERSION
            )
        )
    if metadata.get(SOURCE_KEY) != source:
        actual = str(metadata.get(SOURCE_KEY))
        raise ValueError(message("holds source {source}, expected {expected}", source=actual, expected=source))
    if dict(schema) not in (dict(SCHEMA), dict(SCORED)):
        raise ValueError(message("its columns are not those of a dialogue store"))


def scan(path: Path) -> pl.LazyFrame:
    """Return the rows of a store, which are read later; the path is taken literally, not as a glob pattern."""
    return pl.scan_parquet(path, glob=False)


def read(path: Path, first: int = 0, count: int | None = None) -> pl.DataFrame:
    """Return `count` rows of a store from row `first` on, counted from 0; all remaining rows if `count` is None."""
    return scan(path).slice(first, count).collect()


def clean_turns(frame: pl.DataFrame, counts: Counts, shard: Shard) -> CleanTurns:
    """Return the turns of a shard before the filters, from its rows in a store and its counts after the filters."""
    names = {piece.file.name: index for index, piece in enumerate(shard.pieces)}
    index = frame["file"].replace_strict(names, return_dtype=pl.UInt8) if len(frame) else pl.Series(dtype=pl.UInt8)
    begins = pl.col("dialogue_id").is_not_null() & pl.col("dialogue_id").ne_missing(
        pl.when(pl.col("dialogue_id").is_not_null()).then("dialogue_id").forward_fill().shift(1)
    )
    turns = frame.with_columns(pl.coalesce(name, "text") for name in _TEXTS).select(
        "record",
        "turn_index",
        "text",
        *_TEXTS,
        "script",
        SPEAKER,
        dialogue_id=pl.when(pl.col("dialogue_id").is_not_null()).then(begins.cum_sum().cast(pl.UInt32) - 1),
        reason=pl.when(~pl.col("filtered")).then("reason"),
        message=pl.when(~pl.col("filtered")).then("message"),
        file_index=index,
    )
    empty = replace(counts.turns, read=0, kept=0, rejected=Counter())
    before_filters = Counts.zero()
    before_filters.add(replace(counts, turns=empty, pairs=PairCounts.zero()))
    return CleanTurns(turns=turns, counts=before_filters)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTurns:
    """The turns of one shard in a dialogue store, which begin at row `first` (from 0), and its entry in the index."""

    path: Path
    first: int
    entry: Entry

    def clean_turns(self, shard: Shard) -> CleanTurns:
        """Return the clean turns of the shard before the filters.

        Raises OSError, and PolarsError for a damaged file.
        """
        counts = self.entry.counts
        frame = read(self.path, self.first, counts.turns.read)
        return clean_turns(frame, counts, shard)
