"""A shard that was processed again, with its turns, its pairs and what passes over all pairs dropped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from chat_corpus.formats.base import Records
from chat_corpus.outputs.shard_index import Entry
from chat_corpus.pipeline.shard import Shard


class PairAddress(msgspec.Struct, frozen=True):
    """The record that holds the query of a pair."""

    file: str
    record: int


class DroppedPair(msgspec.Struct, frozen=True):
    """The reject of a pair that a pass over all pairs dropped: its address, and that of the pair that it repeats."""

    file: str
    record: int
    reason: str
    message: str
    same_as: PairAddress | None


@dataclass(frozen=True, kw_only=True)
class ReplayedShard:
    """A shard that was processed again.

    turns    the turns of `ShardResult`, with `at`, the number of the row in the frame, `place`, the number of the turn
             in its record, both from 0, and `unread`, whether the turn was rejected before the filters
    pairs    all pairs of `process.possible_pairs`, with `query_at` and `answer_at`, which refer to `turns.at`; `row`,
             the row of the TSV, from 1, null for a pair with a reason and for one that a pass over all pairs dropped;
             `dropped`, the number of such a pair, from 0
    records  the raw records of each piece
    """

    entry: Entry
    shard: Shard
    turns: pl.DataFrame
    pairs: pl.DataFrame
    records: tuple[Records, ...]
    rejects: Path

    @cached_property
    def dropped_lines(self) -> list[bytes]:
        """Lines of the pairs in the rejects file that passes over all pairs dropped, in order."""
        with self.rejects.open("rb") as stream:
            stream.seek(self.entry.duplicates)
            return [stream.readline() for _ in range(sum(self.entry.dropped[1::2]))]
