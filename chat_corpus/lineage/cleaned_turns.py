"""Turns of an earlier run before and after cleaning, from its dialogue store or by processing its shards again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import polars as pl

from chat_corpus.files.raw_file import RawFile
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.outputs import dialogue_store, layout
from chat_corpus.outputs.shard_index import Entry
from chat_corpus.runs.stored_turns import store_fault
from chat_corpus.schema import TURNS, Traits

#: Maximum number of shards in memory.
_CACHED = 2


@dataclass(frozen=True, kw_only=True)
class CleanedTurns:
    """All turns of a source, in the order of their records. Shards are read when they are needed."""

    run: RecordedRun
    _frames: dict[int, pl.DataFrame] = field(default_factory=dict)

    @property
    def entries(self) -> list[Entry]:
        """The index entries of the shards."""
        return self.run.entries

    @cached_property
    def firsts(self) -> list[int]:
        """The number of the first turn of each shard, from 0; the last item is the total number of turns."""
        return list(accumulate((entry.counts.turns.read for entry in self.entries), initial=0))

    @cached_property
    def _stored(self) -> bool:
        return store_fault(self.run.out, self.run.name, self.run.report) is None

    def shard_at(self, turn: int) -> int:
        """Return the number of the shard that contains the turn with this number, from 0."""
        return bisect_right(self.firsts, turn) - 1

    def shard(self, number: int) -> pl.DataFrame:
        """Return the turns of a shard.

        Columns: `file, file_index, record, dialogue_id, turn_index`; `raw`, the text as read; `before_conversion` and
        `converted`, the text before and after script conversion; `text`, the clean text; `reason` and `message`, for
        rejects; `filtered`, whether a filter rejected the turn. Raises ChatCorpusError if the raw files do not
        reproduce the output.
        """
        if number not in self._frames:
            while len(self._frames) >= _CACHED:
                del self._frames[next(iter(self._frames))]
            self._frames[number] = self._read(number) if self._stored else self._replay(number)
        return self._frames[number]

    def span(self, first: int, count: int) -> Iterator[pl.DataFrame]:
        """Yield `count` turns from turn `first` on, as frames with the columns of `shard`. Raises as `shard`."""
        while count > 0:
            number = self.shard_at(first)
            turns = self.shard(number)[first - self.firsts[number] :][:count]
            yield turns
            first, count = first + len(turns), count - len(turns)

    def traits(self, number: int) -> Traits:
        """Return the traits of the texts in a shard."""
        entry = self.entries[number]
        files = {span.file: RawFile(path=span.file, name=span.file, size=0) for span in entry.pieces}
        return entry.again(self.run.name, files).traits(self.run.source.traits)

    def _read(self, number: int) -> pl.DataFrame:
        path = layout.dialogues(self.run.out, self.run.name)
        first, last = self.firsts[number : number + 2]
        turns = dialogue_store.read(path, first, last - first)
        texts = (pl.coalesce(name, "text") for name in ("raw", "before_conversion"))
        names = pl.Series([piece.file for piece in self.entries[number].pieces], dtype=pl.String)
        file_index = pl.col("file").replace_strict(names, range(len(names)), return_dtype=TURNS["file_index"])
        return turns.with_columns(*texts, converted="text", file_index=file_index).sort("record", maintain_order=True)

    def _replay(self, number: int) -> pl.DataFrame:
        shard = self.run.replay(self.entries[number])
        names = pl.Series("file", [piece.file.name for piece in shard.shard.pieces], dtype=pl.String)
        converted = "before_masking" if "before_masking" in shard.turns.columns else "text"
        turns = shard.turns.with_columns(
            names.gather(shard.turns["file_index"]),
            converted=converted,
            filtered=~pl.col("unread") & pl.col("reason").is_not_null(),
        )
        return turns.sort("record", "file_index", "place")
