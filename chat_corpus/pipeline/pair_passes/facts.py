"""Facts that each shard writes besides its pairs, so that passes can compare the pairs of all shards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import polars as pl

from chat_corpus.exports.splitting import canonical, fold_spelled
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.dedup.options import Ignoring
from chat_corpus.pipeline.pair_passes.pass_input import PairFacts
from chat_corpus.pipeline.process import ShardResult
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard

#: Separator of query and answer in canonical form, which does not contain this character.
_SEPARATOR = "\x1f"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardPairs:
    """The pairs of a shard.

    pairs       `query, answer, query_file_index, query_record`
    dialogue    the number of the dialogue of each pair
    files       names of the raw files
    begins      offset of the bytes of each pair in the file of the shard
    ignoring    differences that are ignored when texts are compared
    raw_begins  offset of the record of each query in the raw content of its piece; None if unknown
    """

    pairs: pl.DataFrame
    dialogue: pl.Series
    files: Sequence[str]
    begins: pl.Series
    ignoring: Ignoring
    raw_begins: pl.Series | None = None

    @classmethod
    def of(
        cls,
        result: ShardResult,
        shard: Shard,
        settings: SourceSettings,
        begins: pl.Series | None = None,
        offsets: Sequence[pl.Series] | None = None,
    ) -> ShardPairs:
        """Return the pairs in the result of a shard; `offsets` are those of `reading.line_offsets`, if known."""
        return cls(
            pairs=result.pairs,
            dialogue=result.turns["dialogue_id"].gather(result.links["answer_at"]),
            files=[piece.file.name for piece in shard.pieces],
            begins=pl.repeat(0, len(result.pairs), eager=True) if begins is None else begins,
            ignoring=settings.dedup.ignoring,
            raw_begins=None if offsets is None else _raw_begins(result.pairs, shard, offsets),
        )

    def leave(self, folder: Path, number: int, names: Sequence[str]) -> PairFacts:
        """Write the facts in `names` to files `<number>.<name>.arrow` of a folder. Return the files by name."""
        files = {name: folder / f"{number}.{name}.arrow" for name in names}
        for name, path in files.items():
            FACTS[name](self).write_ipc(path, compression="uncompressed")
        return files

    def compared(self, side: str) -> pl.Series:
        """Return the queries or the answers (`side`) in the form in which they are compared."""
        texts = self.pairs[side]
        return fold_spelled(texts) if self.ignoring == "punctuation" else texts


def _raw_begins(pairs: pl.DataFrame, shard: Shard, offsets: Sequence[pl.Series]) -> pl.Series:
    """Return the offset of the record of each query, from the offsets of the records of each piece."""
    if len(offsets) == 1:
        return offsets[0].gather(pairs["query_record"] - shard.pieces[0].first)
    before = accumulate((len(each) for each in offsets), initial=0)
    shifts = pl.Series([number - piece.first for number, piece in zip(before, shard.pieces, strict=False)])
    return pl.concat(offsets).gather(shifts.gather(pairs["query_file_index"]) + pairs["query_record"])


def _keys(shard: ShardPairs) -> pl.DataFrame:
    compared = shard.pairs.with_columns(query=shard.compared("query"), answer=shard.compared("answer"))
    return exact.pair_keys(compared, shard.files, shard.begins, shard.raw_begins)


def _sides(side: str) -> Callable[[ShardPairs], pl.DataFrame]:
    return lambda shard: exact.text_keys(shard.compared(side))


def _dialogues(shard: ShardPairs) -> pl.DataFrame:
    """Return a row for each dialogue: `row` (its first pair), `pairs` (their number), `low, high` (their hash)."""
    texts = {side: shard.compared(side) for side in ("query", "answer")}
    lengths = pl.format("{},{}:", *(pl.col(side).str.len_bytes() for side in texts))
    frame = pl.DataFrame(texts).select(
        text=pl.concat_str(lengths, "query", "answer"),
        dialogue=shard.dialogue,
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    whole = frame.group_by("dialogue", maintain_order=True).agg(
        pl.col("text").str.join(""), pl.col("row").first(), pairs=pl.len().cast(pl.UInt32)
    )
    return whole.select("row", "pairs", low=pl.col("text").hash(seed=1), high=pl.col("text").hash(seed=2)).sort("low")


def _texts(shard: ShardPairs) -> pl.DataFrame:
    """Return `query, answer` of each pair in canonical form."""
    return shard.pairs.select(canonical(shard.pairs[side]).alias(side) for side in ("query", "answer"))


def _similar(shard: ShardPairs) -> pl.DataFrame:
    """Return `low, high, row` of each pair in canonical form."""
    texts = _texts(shard)
    return exact.text_keys(texts["query"] + _SEPARATOR + texts["answer"])


def _characters(shard: ShardPairs) -> pl.DataFrame:
    from chat_corpus.pipeline.pair_passes.relatedness import count_characters

    texts = _texts(shard)
    return count_characters(texts["query"], texts["answer"])


#: Functions that return the facts of a shard, by name; file names contain it too.
FACTS: dict[str, Callable[[ShardPairs], pl.DataFrame]] = {
    "keys": _keys,
    "dialogues": _dialogues,
    "queries": _sides("query"),
    "answers": _sides("answer"),
    "texts": _texts,
    "canonical": _similar,
    "characters": _characters,
}
