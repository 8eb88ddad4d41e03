"""An earlier run of one source. Its shards can be processed again, and the result is checked against the output.

Only outputs that the raw files, the recorded settings and this code reproduce byte for byte are traced.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl
from msgspec import UNSET

from chat_corpus.discovery.walk import find
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import tsv
from chat_corpus.files.content import digest
from chat_corpus.files.lines import lines_end
from chat_corpus.files.raw_file import RawFile
from chat_corpus.lineage.replayed_shard import DroppedPair, ReplayedShard
from chat_corpus.messages import Message, count_noun, message
from chat_corpus.outputs import layout
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.outputs.shard_index import Entry
from chat_corpus.pipeline import process, reading
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source

#: Advice if an output cannot be traced.
RERUN = message("run it again for an output that can be traced")
#: Maximum number of replayed shards in memory: rows near each other are mostly in one shard, and a dropped pair may
#: repeat a pair of a second one.
_CACHED = 2


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """The outputs of one source in the folder `out`, as the report describes them. Created by `open_run.load`."""

    out: Path
    name: str
    report: FinishedSource
    settings: Settings
    source: Source
    entries: list[Entry]
    #: By name of raw file: size in bytes, modification time in nanoseconds, and SHA-256, None if it was not read fully.
    inputs: Mapping[str, tuple[int, int, str | None]]
    _replayed: dict[int, ReplayedShard] = field(default_factory=dict)
    _files: dict[str, RawFile] = field(default_factory=dict)

    @property
    def tsv(self) -> Path:
        """The path of the file of pairs."""
        return self.out / f"{self.name}.tsv"

    @property
    def source_settings(self) -> SourceSettings:
        """The settings that the source was made with."""
        return self.settings.of(self.name)

    @property
    def rows(self) -> int:
        """The number of rows in the file of pairs."""
        last = self.entries[-1] if self.entries else None
        return last.row + last.rows - 1 if last else 0

    def entry_of_row(self, row: int) -> Entry:
        """Return the index entry of the shard that wrote a row, numbered from 1. Raises UsageError if it is missing."""
        if not 1 <= row <= self.rows:
            rows = count_noun(self.rows, "row")
            raise UsageError(
                message("{file}:{row}: no such row; the file has {rows}", file=self.tsv, row=row, rows=rows)
            )
        return self.entries[bisect_right(self.entries, row, key=lambda entry: entry.row) - 1]

    def entry_of_record(self, file: str, record: int) -> Entry | None:
        """Return the index entry of the shard that read a record; None if none did."""
        return next((entry for entry in self.entries if _holds(entry, file, record)), None)

    def replay(self, entry: Entry) -> ReplayedShard:
        """Process a shard again and return the result.

        Raises UsageError if the raw folder is not found. Raises ChatCorpusError if a raw file is missing or changed, or
        if the result differs from the output.
        """
        if entry.shard not in self._replayed:
            while len(self._replayed) >= _CACHED:
                del self._replayed[next(iter(self._replayed))]
            self._replayed[entry.shard] = self._process(entry)
        return self._replayed[entry.shard]

    def _process(self, entry: Entry) -> ReplayedShard:
        shard = entry.again(self.name, {span.file: self._input(span.file) for span in entry.pieces})
        records = reading.records(shard, self.source)
        cleaned = process.clean_turns(shard, self.source, self.source_settings, records)
        unread = cleaned.turns["reason"].is_not_null()
        outcome = process.filter_and_pair(cleaned, shard, self.source, self.source_settings, lambda: records)
        if outcome.counts != entry.counts:
            raise ChatCorpusError(
                message(
                    "{source}, shard {number} ({file} from record {record}): counts differ from those in {index}; "
                    "{advice}",
                    source=self.name,
                    number=shard.number,
                    file=shard.pieces[0].file.name,
                    record=shard.pieces[0].first,
                    index=layout.index(self.out, self.name),
                    advice=RERUN,
                )
            )
        rows = pl.Series("row", entry.rows_of_pairs(len(outcome.pairs)), dtype=pl.UInt32)
        self._check_rows(entry, outcome.pairs.filter(rows.is_not_null()))
        place = pl.int_range(pl.len(), dtype=pl.UInt32).over("file_index", "record")
        turns = outcome.turns.with_row_index("at").with_columns(place=place, unread=unread)
        possible = process.possible_pairs(turns, self.source, self.source_settings, shard.label)
        written = possible["reason"].is_null().arg_true()
        row_numbers = pl.Series("row", [None], dtype=pl.UInt32).new_from_index(0, len(possible)).scatter(written, rows)
        return ReplayedShard(
            entry=entry,
            shard=shard,
            turns=turns,
            pairs=possible.with_columns(row=row_numbers).with_columns(dropped=_numbered(_DROPPED)),
            records=records,
            rejects=layout.places(self.out, self.name)[1],
        )

    @property
    def _flag(self) -> str:
        """The flag with which a user names the new location of the raw files."""
        return "--raw" if self.report.definition is UNSET else f"--add {self.name}=PATH"

    def _input(self, name: str) -> RawFile:
        """Return a raw file by its name in the report. Raises as `replay` if it is not the file that the run read."""
        if name not in self._files:
            self._files[name] = self._find_input(name)
        return self._files[name]

    def _find_input(self, name: str) -> RawFile:
        folder = Path(self.settings.raw)
        if not folder.is_dir():
            raise UsageError(
                message(
                    "{folder}: no such folder, but {source} was made from it; name its new location with {flag}",
                    folder=folder,
                    flag=self._flag,
                    source=self.name,
                )
            )
        if name not in self.inputs:
            raise ChatCorpusError(
                message(
                    "{file}: in the index of {source}, but not in {report}; {advice}",
                    file=name,
                    source=self.name,
                    report=layout.REPORT,
                    advice=RERUN,
                )
            )
        file = find(folder, name)
        if file is None:
            raise ChatCorpusError(
                message(
                    "{file}: no longer in {folder}; name its new location with {flag}",
                    file=name,
                    folder=folder,
                    flag=self._flag,
                )
            )
        self._check_input(name, file)
        return file

    def _check_input(self, name: str, file: RawFile) -> None:
        """Raise ChatCorpusError if the size of a raw file changed, or if its modification time and its SHA-256 did."""
        size, modified, sha256 = self.inputs[name]
        if file.size != size:
            raise ChatCorpusError(
                message(
                    "{file}: changed after the run of {source}: {old:,} bytes then, {new:,} now; {advice}",
                    file=file.path,
                    source=self.name,
                    old=size,
                    new=file.size,
                    advice=RERUN,
                )
            )
        # A file that was not read fully has no digest; the replayed shard is checked in any case.
        if file.modified != modified and sha256 is not None and digest(file) != sha256:
            raise ChatCorpusError(
                message(
                    "{file}: changed after the run of {source}: same size, but another time and SHA-256 ({new}, not "
                    "{old}); {advice}",
                    file=file.path,
                    source=self.name,
                    new=digest(file),
                    old=sha256,
                    advice=RERUN,
                )
            )

    def _check_rows(self, entry: Entry, pairs: pl.DataFrame) -> None:
        """Raise ChatCorpusError if the rows of a shard in the file of pairs are not exactly these pairs."""
        expected = tsv.encode(pairs)
        with self.tsv.open("rb") as stream:
            stream.seek(entry.tsv)
            actual = stream.read(len(expected))
        if actual != expected:
            raise ChatCorpusError(self._first_difference(entry, actual.split(b"\n"), expected.split(b"\n")))

    def _first_difference(self, entry: Entry, actual: list[bytes], expected: list[bytes]) -> Message:
        lines = enumerate(zip(actual, expected, strict=False))
        number, (line, expected_line) = next((number, both) for number, both in lines if both[0] != both[1])
        values = {
            "file": self.tsv,
            "row": entry.row + number,
            "line": repr(line.decode(errors="backslashreplace")),
            "expected": repr(expected_line.decode()),
            "advice": RERUN,
        }
        status = self.tsv.stat()
        if (status.st_size, status.st_mtime_ns) != self.report.outputs[self.tsv.name]:
            return message(
                "{file}:{row}: found {line}, but the raw data give {expected}; the file was edited after the run; "
                "{advice}",
                **values,
            )
        return message(
            "{file}:{row}: found {line}, but the raw data give {expected}, although the file was not edited after the "
            "run; {advice}",
            **values,
        )

    def line(self, row: int) -> str:
        """Return the text of a row, numbered from 1, without the line break. Raises UsageError if it is missing."""
        entry = self.entry_of_row(row)
        with self.tsv.open("rb") as stream:
            stream.seek(entry.tsv)
            data = stream.read(self.tsv_bytes(entry))
        start = lines_end(data, row - entry.row)
        return data[start : data.index(b"\n", start)].decode("utf-8")

    def tsv_bytes(self, entry: Entry | None) -> int:
        """Return the size in bytes of the rows of a shard in the file of pairs; 0 for None."""
        if entry is None:
            return 0
        is_last = entry.shard + 1 == len(self.entries)
        size = self.report.outputs[self.tsv.name][0]
        return (size if is_last else self.entries[entry.shard + 1].tsv) - entry.tsv

    def reject_of_dropped(self, shard: ReplayedShard, number: int) -> DroppedPair:
        """Return the reject of a dropped pair by its number among those of the shard, from 0.

        Raises ChatCorpusError if the line in the rejects is not valid JSON of such a reject.
        """
        try:
            return msgspec.json.decode(shard.dropped_lines[number], type=DroppedPair)
        except ValueError as error:
            raise ChatCorpusError(
                message(
                    "{file}: edited after the run: {error}; {advice}", file=shard.rejects, error=error, advice=RERUN
                )
            ) from error


#: Mask of the pairs that a pass over all pairs dropped.
_DROPPED = pl.col("reason").is_null() & pl.col("row").is_null()


def _numbered(mask: pl.Expr) -> pl.Expr:
    """Return an expression that numbers the rows where the mask is true, from 0; null in the other rows."""
    return pl.when(mask).then(mask.cum_sum() - 1)


def _holds(entry: Entry, file: str, record: int) -> bool:
    """Whether the shard of an index entry read a record of a file."""
    return any(span.file == file and span.first <= record < span.first + span.records for span in entry.pieces)
