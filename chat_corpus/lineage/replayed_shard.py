"""A shard that was processed again: its turns, and its pairs with those that passes over all pairs dropped."""

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
    """The address of a pair: file and number of the record that contains its query."""

    file: str
    record: int


class DroppedPair(msgspec.Struct, frozen=True):
    """The reject of a pair that a pass over all pairs dropped.

    `file` and `record` are the address of the record with its query. `same_as` is the address of the pair that it
    repeats; null if it was dropped for a different reason.
    """

    file: str
    record: int
    reason: str
    message: str
    same_as: PairAddress | None


@dataclass(frozen=True, kw_only=True)
class ReplayedShard:
    """A shard that was processed again.

    turns    the turns of `ShardResult`, with three more columns: `at`, the row number in the frame, from 0; `place`,
             the number of the turn in its record, from 0; `unread`, whether the turn was rejected before the filters
    pairs    all pairs of `process.possible_pairs`. `query_at` and `answer_at` are values of `turns.at`. There are two
             more columns: `row`, the row number in the TSV, from 1, null for pairs that were not written; `dropped`,
             the number of the pair among those that passes over all pairs dropped, from 0, null for the others
    records  the raw records of each piece of the shard
    rejects  path of the rejects file of the source
    """

    entry: Entry
    shard: Shard
    turns: pl.DataFrame
    pairs: pl.DataFrame
    records: tuple[Records, ...]
    rejects: Path

    @cached_property
    def dropped_lines(self) -> list[bytes]:
        """The lines of the rejects file for the pairs that passes over all pairs dropped, in the order of the pairs."""
        with self.rejects.open("rb") as stream:
            stream.seek(self.entry.duplicates)
            return [stream.readline() for _ in range(sum(self.entry.dropped[1::2]))]
