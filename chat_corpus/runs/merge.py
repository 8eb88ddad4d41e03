"""From the parts of a source to its files: pairs, rejects, index, and the dialogue store if it is asked for.

Parts are joined in order while later ones are still being made, in files beside the parts. When all of them are whole,
checked and on the disk, each takes the place of what lies in the output folder: three renames, and the report after
them. A run killed in between leaves files of two runs, which `previous.interrupted` knows.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path

import polars as pl
from msgspec import structs

from chat_corpus.errors import LedgerError
from chat_corpus.files.atomic import BLOCK, blocks
from chat_corpus.outputs import dialogue_store, layout
from chat_corpus.outputs.parts import Part, crc32_of
from chat_corpus.outputs.report import StoreFacts
from chat_corpus.outputs.shard_index import Place, runs
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.pipeline.process import raw_for_some
from chat_corpus.schema import Reason

#: The raw records, `file, line, raw`, that the part at this place among the parts was made from.
RawOf = Callable[[int], pl.DataFrame]


#: Bytes after which a file in the making is brought to the disk, while workers go on; its end is then soon there too.
_SYNC = 1 << 25


class JoinedLines:
    """A file of whole lines that grows: how many lines it has, and how many bytes.

    `sound` says whether it holds what its parts were made with.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = self.bytes = self._synced = 0
        self.sound = True
        path.write_bytes(b"")  # what an interrupted run left there is made again from its parts

    def append(self, pieces: Iterable[bytes], lines: int | None = None) -> int:
        """Write pieces of whole lines, so many or as many as they hold; returns the CRC-32 of what was written."""
        written, counted = 0, 0
        with self.path.open("ab") as stream:
            for block in pieces:
                stream.write(block)
                written = zlib.crc32(block, written)
                self.bytes += len(block)
                counted += block.count(b"\n") if lines is None else 0
            if self.bytes - self._synced >= _SYNC:
                os.fsync(stream.fileno())
                self._synced = self.bytes
        self.lines += counted if lines is None else lines
        return written

    def expect(self, written: int, wanted: int) -> None:
        """Hold the CRC-32 of what was written against that of what was to be."""
        self.sound = self.sound and written == wanted

    def join(self, part: Path, lines: int) -> int:
        """Append a file that was made with so many lines; returns the CRC-32 of what was written."""
        with part.open("rb") as stream:
            return self.append(iter(lambda: stream.read(BLOCK), b""), lines)


class Merge:
    """The files of source `name` in the making, in `folder`; `finish` checks them, `publish` has them under `out`.

    With `store`, the parts have turns for the dialogue store. With `raw_of`, they have keys: each pair is
    written once, and the rejects show the raw records of the others.
    """

    def __init__(self, name: str, folder: Path, raw_of: RawOf | None = None, *, store: bool = False) -> None:
        self._name, self._folder, self._raw_of, self._store = name, folder, raw_of, store
        self._parts: list[Part] = []
        self._early: dict[int, Part] = {}
        #: Where the parts joined so far stand, in order.
        self.places: list[Place] = []
        self._pairs, self._rejects = JoinedLines(folder / "pairs.writing"), JoinedLines(folder / "rejects.writing")

    def add(self, number: int, part: Part) -> None:
        """Take a finished part; it is joined as soon as all before it have been."""
        self._early[number] = part
        while (following := self._early.pop(len(self._parts), None)) is not None:
            self._parts.append(following)
            self.places.append(Place(tsv=self._pairs.bytes, rejects=self._rejects.bytes))
            counts, pairs, rejects = following.accounts()
            self._rejects.expect(self._rejects.join(following.rejects, counts.turns.rejected.total()), rejects)
            if self._raw_of is None:
                self._pairs.expect(self._pairs.join(following.pairs, counts.pairs.written), pairs)

    @property
    def _dialogues(self) -> Path:
        """Where the dialogue store is written before it is put in its place."""
        return self._folder / "dialogues.writing"

    @property
    def index(self) -> Path:
        """Where the index is to be written before the files are put in their places."""
        return self._folder / "index.writing"

    def finish(self, counts: Counts) -> Counts:
        """Join what is left to join, and check the files. Returns `counts` with the repeats told apart.

        Raises LedgerError where the files do not hold what was counted.
        """
        repeats = self._distinct(self._raw_of) if self._raw_of and self._parts else None
        duplicates = 0 if repeats is None else len(repeats)
        written = counts.pairs.written - duplicates
        counts = structs.replace(counts, pairs=structs.replace(counts.pairs, written=written, duplicates=duplicates))
        counts.check(self._name)
        rejected = counts.turns.rejected.total() + duplicates
        for lines, expected, what in (
            (self._pairs, counts.pairs.written, "pairs"),
            (self._rejects, rejected, "rejects"),
        ):
            if lines.lines != expected or not lines.sound:
                raise LedgerError(
                    f"{self._name}: stage 'merge' lost, added, changed or moved {what}: {lines.lines} rows were "
                    f"written, {expected} accounted for; the old file was left as it was"
                )
        return counts

    def join_turns(self, counts: Counts) -> StoreFacts | None:
        """Write the dialogue store, if there is to be one, and return its facts.

        Raises LedgerError where it does not hold the turns that were counted.
        """
        if not self._store:
            return None
        turns = [part.turns for part in self._parts]
        sound = all(crc32_of(part.turns) == part.crc_of(part.turns) for part in self._parts)
        dialogue_store.write(turns, self._dialogues, self._name)
        rows = dialogue_store.scan(self._dialogues).select(pl.len()).collect().item()
        if not sound or rows != counts.turns.read:
            raise LedgerError(
                f"{self._name}: stage 'merge' lost, added or changed turns: {rows} rows were written to the dialogue "
                f"store, {counts.turns.read} turns read; the old file was left as it was"
            )
        return StoreFacts(
            schema=dialogue_store.SCHEMA_VERSION, rows=rows, sha256=dialogue_store.sha256(self._dialogues)
        )

    def publish(self, out: Path, announce: Callable[[], None]) -> None:
        """Move the files and the index to their places under `out`, after `announce` has left word of it.

        Raises OSError before anything is moved where one of them cannot be there.
        """
        made = (self._pairs.path, self._rejects.path, self.index)
        moves = dict(zip(made, layout.places(out, self._name), strict=True))
        store = layout.dialogues(out, self._name)
        if self._store:
            moves[self._dialogues] = store
        for place in moves.values():
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
        announce()
        for path in moves:  # so that a power cut cannot leave an empty file in its place
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
        for path, place in moves.items():
            path.replace(place)
        if not self._store and store.is_file():
            store.unlink()  # it was made with the rows that have just been replaced

    def _distinct(self, raw_of: RawOf) -> pl.DataFrame:
        """Write the pairs that are no repeats, and add the repeats, which it returns, to the rejects."""
        keys = [part.keys for part in self._parts]
        repeats = dedup.find_duplicates(keys)
        for number, (part, limits) in enumerate(zip(self._parts, pairwise(dedup.row_offsets(keys)), strict=True)):
            begin, end = (repeats["row"].search_sorted(row, "left") for row in limits)
            dropped = repeats[begin:end].with_columns(pl.col("row") - limits[0])
            lengths = runs(dropped["row"].to_list())
            self.places[number] = replace(
                self.places[number], tsv=self._pairs.bytes, duplicates=self._rejects.bytes, dropped=lengths
            )
            if dropped.is_empty():
                self._pairs.expect(self._pairs.join(part.pairs, limits[1] - limits[0]), part.accounts()[1])
                continue
            data = part.pairs.read_bytes()
            self._pairs.expect(zlib.crc32(data), part.accounts()[1])
            pieces = _cut(data, part.keys, lengths)
            if not _are_lines(pieces, [*lengths, limits[1] - limits[0] - sum(lengths)]):
                self._pairs.sound = False
            kept = b"".join(pieces[::2])
            written = self._pairs.append(blocks(kept), limits[1] - limits[0] - len(dropped))
            self._pairs.expect(written, zlib.crc32(kept))
            told = _duplicates(self._name, part, dropped, raw_of(number))
            self._rejects.expect(self._rejects.append(blocks(told)), zlib.crc32(told))
        return repeats


def _cut(data: bytes, keys: Path, lengths: Sequence[int]) -> list[bytes]:
    """The lines of a part in pieces, kept and left out in turn, `lengths` as in `outputs.shard_index.Place`."""
    borders = pl.Series("row", list(accumulate(lengths)), dtype=pl.UInt32)
    return [
        data[begin:end]
        for begin, end in pairwise([0, *dedup.byte_offsets(keys, borders).fill_null(len(data)), len(data)])
    ]


def _are_lines(pieces: Sequence[bytes], lengths: Sequence[int]) -> bool:
    """Whether each piece is so many whole lines."""
    return len(pieces) == len(lengths) and all(
        piece.count(b"\n") == length and (piece.endswith(b"\n") or not piece)
        for piece, length in zip(pieces, lengths, strict=True)
    )


def _duplicates(name: str, part: Part, dropped: pl.DataFrame, raw: pl.DataFrame) -> bytes:
    """The rejects of repeated pairs: the address of the query, its raw record, and `same_as`, where the pair stands."""
    own = dedup.addresses(part.keys, dropped["row"])
    told = own.with_columns(
        source=pl.lit(name),
        reason=pl.lit(str(Reason.DUPLICATE)),
        message=pl.format(dedup.DUPLICATE_OF, dropped["file"], dropped["record"]),
        same_as=dropped.select(pl.struct("file", "record")).to_series(),
    )
    raw = raw.filter(pl.col("record").is_in(own["record"].unique().implode()))
    whole = told.join(raw, on=["file", "record"], how="left", maintain_order="left")
    told = whole.select("source", "file", "record", "reason", "message", "same_as", "raw")
    return raw_for_some(told).write_ndjson().encode()
