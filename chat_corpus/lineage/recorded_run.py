"""What an earlier run wrote of one source: single shards of it done again, and held against the output.

Nothing is told of an output that the raw files, the recorded settings and this code do not give byte for byte.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import msgspec
import polars as pl

from chat_corpus.discovery.walk import find
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import tsv
from chat_corpus.files.content import digest
from chat_corpus.files.lines import lines_end
from chat_corpus.files.raw_file import RawFile
from chat_corpus.formats.base import Records
from chat_corpus.outputs import layout
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.outputs.shard_index import Entry, Span
from chat_corpus.pipeline import process, reading
from chat_corpus.pipeline.pairing import pair
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source

#: What to do about outputs that cannot be traced.
AGAIN = "run it again to have an output that can be traced"
#: Shards kept once they were done again: neighbouring rows mostly are of one, and a repeat refers to another.
_KEPT = 2


class PairPlace(msgspec.Struct, frozen=True):
    """The record that the query of a pair stands in."""

    file: str
    record: int


class Repeat(msgspec.Struct, frozen=True):
    """The reject of a pair that was left out, as far as it is needed: its address, and where the same pair stands."""

    file: str
    record: int
    same_as: PairPlace


@dataclass(frozen=True, kw_only=True)
class ReplayedShard:
    """A shard done again.

    turns    as `pipeline.Outcome.turns`, with `at`, the row's number in the frame, `place`, its place among the
             turns of its record, and `unread`, whether it was rejected before any filter was asked
    pairs    all possible pairs as `pair` makes them, with `query_at` and `answer_at`, which point into `turns`,
             `row`, the row of the TSV, from 1, null for a pair with a reason and for a repeat, and `repeat`, the number
             of a repeat, from 0
    records  the raw records of each piece
    """

    entry: Entry
    shard: Shard
    turns: pl.DataFrame
    pairs: pl.DataFrame
    records: tuple[Records, ...]
    rejects: Path

    @cached_property
    def repeats(self) -> list[bytes]:
        """The rejects of the repeats, in order."""
        with self.rejects.open("rb") as stream:
            stream.seek(self.entry.duplicates)
            return [stream.readline() for _ in range(sum(self.entry.dropped[1::2]))]


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """The outputs of one source under `out`, as their report tells of them; made by `load`."""

    out: Path
    name: str
    told: FinishedSource
    settings: Settings
    source: Source
    entries: list[Entry]
    #: Size, time of modification in nanoseconds, and SHA-256 of each raw file; None where it was not read to its end.
    inputs: Mapping[str, tuple[int, int, str | None]]
    _done: dict[int, ReplayedShard] = field(default_factory=dict)
    _files: dict[str, RawFile] = field(default_factory=dict)

    @property
    def tsv(self) -> Path:
        """The file of pairs."""
        return self.out / f"{self.name}.tsv"

    @property
    def own(self) -> SourceSettings:
        """The settings that the source was made with."""
        return self.settings.of(self.name)

    @property
    def rows(self) -> int:
        """How many rows the file of pairs has."""
        last = self.entries[-1] if self.entries else None
        return last.row + last.rows - 1 if last else 0

    def of_row(self, row: int) -> Entry:
        """The entry of the shard that row `row`, from 1, is of. Raises UsageError where there is no such row."""
        if not 1 <= row <= self.rows:
            raise UsageError(f"{self.tsv}:{row}: no such row; there are {self.rows:,}")
        return self.entries[bisect_right(self.entries, row, key=lambda entry: entry.row) - 1]

    def of_record(self, file: str, record: int) -> Entry | None:
        """The entry of the shard that read a record; None where none did."""
        held = (entry for entry in self.entries if _span(entry, file, record))
        return next(held, None)

    def again(self, entry: Entry) -> ReplayedShard:
        """Do a shard again. Raises ChatCorpusError where it does not come out as it was written."""
        if entry.shard not in self._done:
            while len(self._done) >= _KEPT:
                del self._done[next(iter(self._done))]
            self._done[entry.shard] = self._do(entry)
        return self._done[entry.shard]

    def _do(self, entry: Entry) -> ReplayedShard:
        shard = entry.again(self.name, {span.file: self._input(span.file) for span in entry.pieces})
        records = reading.records(shard, self.source)
        cleaned = process.clean_turns(shard, self.source, self.own, records)
        unread = cleaned.turns["reason"].is_not_null()
        outcome = process.filter_and_pair(cleaned, shard, self.source, self.own, lambda: records)
        where = f"{self.name}, shard {shard.number} ({shard.pieces[0].file.name} from record {shard.pieces[0].first})"
        if outcome.counts != entry.counts:
            raise ChatCorpusError(f"{where}: other accounts now than in {layout.index(self.out, self.name)}; {AGAIN}")
        rows = pl.Series("row", entry.rows_of_pairs(len(outcome.pairs)), dtype=pl.UInt32)
        self._check_rows(entry, outcome.pairs.filter(rows.is_not_null()))
        place = pl.int_range(pl.len(), dtype=pl.UInt32).over("file_index", "record")
        turns = outcome.turns.with_row_index("at").with_columns(place=place, unread=unread)
        possible = pair(turns, self.own.pairs.pairing(self.source.pairing))
        written = possible["reason"].is_null().arg_true()
        placed = pl.Series("row", [None], dtype=pl.UInt32).new_from_index(0, len(possible)).scatter(written, rows)
        return ReplayedShard(
            entry=entry,
            shard=shard,
            turns=turns,
            pairs=possible.with_columns(row=placed).with_columns(repeat=_numbered(_REPEAT)),
            records=records,
            rejects=layout.places(self.out, self.name)[1],
        )

    def _input(self, name: str) -> RawFile:
        """A raw file. Raises ChatCorpusError where it is not the one that was read."""
        if name in self._files:
            return self._files[name]
        folder = Path(self.settings.raw)
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder, but {self.name} was made from it; name its place with --raw")
        if name not in self.inputs:
            raise ChatCorpusError(f"{name}: in the index of {self.name}, and not in {layout.REPORT}; {AGAIN}")
        size, modified, known = self.inputs[name]
        file = find(folder, name)
        if file is None:
            raise ChatCorpusError(f"{name}: not under {self.settings.raw} any more; name its place with --raw")
        if file.size != size:
            told = f"{size:,} bytes when {self.name} was made, {file.size:,} now"
            raise ChatCorpusError(f"{file.path}: changed: {told}; {AGAIN}")
        # Of a file that was not read to its end no digest is known; the shard has to come out as it was all the same.
        if file.modified != modified and known is not None and digest(file) != known:
            told = f"as long as before, but of another time and of SHA-256 {digest(file)}, not {known}"
            raise ChatCorpusError(f"{file.path}: changed: {told}; {AGAIN}")
        self._files[name] = file
        return file

    def _check_rows(self, entry: Entry, pairs: pl.DataFrame) -> None:
        """Raise ChatCorpusError where the file of pairs does not have these in the place of the shard."""
        expected = tsv.encode(pairs)
        with self.tsv.open("rb") as stream:
            stream.seek(entry.tsv)
            met = stream.read(len(expected))
        if met == expected:
            return
        lines = zip(met.split(b"\n"), expected.split(b"\n"), strict=False)
        number, (line, wanted) = next((at, both) for at, both in enumerate(lines) if both[0] != both[1])
        told = f"is {line.decode(errors='backslashreplace')!r}, where the raw data give {wanted.decode()!r}"
        facts = self.tsv.stat()
        edited = (facts.st_size, facts.st_mtime_ns) != self.told.outputs[self.tsv.name]
        why = "the file was edited since it was written" if edited else "the file is as it was written"
        raise ChatCorpusError(f"{self.tsv}:{entry.row + number}: {told}; {why}; {AGAIN}")

    def line(self, row: int) -> str:
        """The text of a row, without its line break."""
        entry = self.of_row(row)
        with self.tsv.open("rb") as stream:
            stream.seek(entry.tsv)
            data = stream.read(self.extent(entry))
        start = lines_end(data, row - entry.row)
        return data[start : data.index(b"\n", start)].decode("utf-8")

    def extent(self, entry: Entry | None) -> int:
        """How many bytes of the file of pairs are of a shard."""
        if entry is None:
            return 0
        last = entry.shard + 1 == len(self.entries)
        size = self.told.outputs[self.tsv.name][0]
        return (size if last else self.entries[entry.shard + 1].tsv) - entry.tsv

    def repeat(self, again: ReplayedShard, number: int) -> Repeat:
        """The reject of the `number`th repeat, from 0, among the pairs of a shard."""
        try:
            return msgspec.json.decode(again.repeats[number], type=Repeat)
        except ValueError as error:
            raise ChatCorpusError(f"{again.rejects}: edited since it was written: {error}; {AGAIN}") from error


#: What makes a pair a repeat.
_REPEAT = pl.col("reason").is_null() & pl.col("row").is_null()


def _numbered(those: pl.Expr) -> pl.Expr:
    """The number of each of `those` rows among them, from 0; null for the others."""
    return pl.when(those).then(those.cum_sum() - 1)


def _span(entry: Entry, file: str, record: int) -> Span | None:
    held = (one for one in entry.pieces if one.file == file and one.first <= record < one.first + one.records)
    return next(held, None)
