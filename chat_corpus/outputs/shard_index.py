"""The index of a source, `index/<source>.jsonl`: one line per shard, with the positions of its rows in the outputs.

`trace` uses it to find the shard of a row or a record, and the bytes of the outputs that belong to the shard. It is not
in report.json, since it grows with the input and is not for people to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from pathlib import Path

import msgspec

from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import message
from chat_corpus.pipeline.counts import Counts, decode, encode
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.schema import Segmentation


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One shard in the merged files: the bytes at which its lines begin, and what passes over all pairs dropped.

    tsv         begin of its rows
    rejects     begin of its rejects
    crc         CRC-32 of its rows
    duplicates  begin of the rejects of its pairs that passes dropped; 0 without passes
    dropped     lengths of runs of its pairs, alternately written and dropped by passes: (3, 1) means that the fourth
                pair was dropped, and that all others were written
    """

    tsv: int
    rejects: int
    crc: int
    duplicates: int = 0
    dropped: tuple[int, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The byte range `start:stop` of a raw file that is read in `encoding`: `records` records, numbered from `first`.

    `crc` is the CRC-32 of its bytes as UTF-8 when they were counted.
    """

    file: str
    encoding: str
    start: int
    stop: int
    first: int
    records: int
    crc: int | None = None

    @classmethod
    def of(cls, piece: ByteRange) -> Span:
        """Return the span of a piece of a shard."""
        return cls(
            file=piece.file.name,
            encoding=piece.file.encoding,
            start=piece.start,
            stop=piece.stop,
            first=piece.first,
            records=piece.records,
            crc=piece.crc,
        )


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One shard: its pieces, its counts before passes over all pairs dropped pairs, and its position in the outputs.

    `row` is the number, from 1, of the first of its `rows` rows, and `crc` the CRC-32 of these rows; null in the index
    of an earlier version. `tsv`, `rejects`, `duplicates` and `dropped` are as in `Place`.
    """

    shard: int
    input: int
    segmentation: Segmentation
    dialect: str
    pieces: tuple[Span, ...]
    counts: Counts
    row: int
    rows: int
    tsv: int
    rejects: int
    duplicates: int
    dropped: tuple[int, ...]
    crc: int | None = None

    def again(self, source: str, files: Mapping[str, RawFile]) -> Shard:
        """Return the shard as it was planned; `files` are the raw files by name."""
        pieces = tuple(
            ByteRange(
                file=replace(files[piece.file], encoding=piece.encoding),
                start=piece.start,
                stop=piece.stop,
                first=piece.first,
                records=piece.records,
            )
            for piece in self.pieces
        )
        return Shard(
            source=source,
            input=self.input,
            number=self.shard,
            pieces=pieces,
            segmentation=self.segmentation,
            dialect=self.dialect,
        )

    def is_of(self, shard: Shard) -> bool:
        """Return whether a planned shard is the same as this one: the same bytes of the same files, read alike."""
        planned = (self.shard, self.input, self.segmentation, self.dialect, self.pieces)
        return planned == (
            shard.number,
            shard.input,
            shard.segmentation,
            shard.dialect,
            tuple(map(Span.of, shard.pieces)),
        )

    def rows_of_pairs(self, pairs: int) -> list[int | None]:
        """Return the row of each of the shard's pairs (`pairs` is their number); None for a pair that was dropped."""
        rows: list[int | None] = []
        row = self.row
        for number, length in enumerate((*self.dropped, pairs - sum(self.dropped))):
            if number % 2:
                rows.extend([None] * length)
            else:
                rows.extend(range(row, row + length))
                row += length
        return rows


def runs(dropped: Iterable[int]) -> tuple[int, ...]:
    """Return ascending numbers as the lengths of runs, alternately of numbers (from 0) that are missing and present.

    >>> runs([3, 4, 6]), runs([0]), runs([])
    ((3, 2, 1, 1), (0, 1), ())
    """
    lengths: list[int] = []
    end = 0
    for _, run in groupby(enumerate(dropped), lambda at: at[1] - at[0]):
        places = [place for _, place in run]
        lengths += [places[0] - end, len(places)]
        end = places[-1] + 1
    return tuple(lengths)


def write(path: Path, shards: Sequence[Shard], counts: Sequence[Counts], places: Sequence[Place]) -> None:
    """Write the index of a source; `counts` and `places` are those of its `shards`, in the same order."""
    rows = [shard.pairs.written - sum(place.dropped[1::2]) for shard, place in zip(counts, places, strict=True)]
    firsts = accumulate(rows, initial=1)
    entries = [
        Entry(
            shard=shard.number,
            input=shard.input,
            segmentation=shard.segmentation,
            dialect=shard.dialect,
            pieces=tuple(map(Span.of, shard.pieces)),
            counts=shard_counts,
            row=first,
            rows=many,
            tsv=place.tsv,
            rejects=place.rejects,
            duplicates=place.duplicates,
            dropped=place.dropped,
            crc=place.crc,
        )
        for shard, shard_counts, place, many, first in zip(shards, counts, places, rows, firsts, strict=False)
    ]
    path.write_bytes(b"".join(encode(entry) + b"\n" for entry in entries))


def read(path: Path) -> list[Entry]:
    """Return the entries of an index. Raises OSError, and ValueError if the file is not an index."""
    entries = [decode(line, Entry) for line in path.read_bytes().splitlines()]
    firsts = accumulate((entry.rows for entry in entries), initial=1)
    if any((entry.shard, entry.row) != at for entry, at in zip(entries, enumerate(firsts), strict=False)):
        raise ValueError(message("the numbers of its rows have gaps"))
    return entries
