"""Joins the parts of a source into its files: pairs, rejects, and, if requested, the dialogue store.

Parts are joined in order while later ones are still being made; the growing files are in the folder of the parts. When
all files are complete, checked and on disk, they replace those in the output folder: one rename per file, then the
report. A run that is killed in between leaves files of two runs, which `previous.was_interrupted` detects.
"""

from __future__ import annotations

import errno
import logging
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from pathlib import Path

import polars as pl
from msgspec import structs

from chat_corpus.errors import LedgerError
from chat_corpus.files.atomic import BLOCK, blocks, sync_files
from chat_corpus.messages import message
from chat_corpus.outputs import dialogue_store, layout
from chat_corpus.outputs.parts import Part, crc32_of
from chat_corpus.outputs.report import StoreFacts
from chat_corpus.outputs.shard_index import Place, runs
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.output_checks import reject_lines
from chat_corpus.pipeline.pair_passes.table import Dropped
from chat_corpus.runs.dropped_pairs import Selection, cut
from chat_corpus.schema import Reason
from chat_corpus.statistics import tally
from chat_corpus.statistics.schema import Statistics
from chat_corpus.statistics.summary import summarize
from chat_corpus.statistics.texts import tally_of_dropped

_log = logging.getLogger(__name__)

#: Bytes after which a growing file is synced to disk while workers continue, so that the last sync is short.
_SYNC = 1 << 25


class JoinedLines:
    """A growing file of whole lines, with its numbers of lines and bytes.

    `sound` is whether its content matches the CRC-32 of its parts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = self.bytes = self._synced = 0
        self.sound = True
        path.write_bytes(b"")  # replaces the file of an interrupted run: it is made again from the parts

    def append(self, pieces: Iterable[bytes | memoryview], lines: int | None = None) -> int:
        """Append pieces of whole lines and return their CRC-32. `lines` is their number; None to count them."""
        written, counted = 0, 0
        with self.path.open("ab") as stream:
            for block in pieces:
                stream.write(block)
                written = zlib.crc32(block, written)
                self.bytes += len(block)
                counted += bytes(block).count(b"\n") if lines is None else 0
            if self.bytes - self._synced >= _SYNC:
                os.fsync(stream.fileno())
                self._synced = self.bytes
        self.lines += counted if lines is None else lines
        return written

    def expect(self, written: int, expected: int) -> None:
        """Set `sound` to False if the CRC-32 of written bytes is not the expected one."""
        self.sound = self.sound and written == expected

    def join(self, part: Path, lines: int) -> int:
        """Append a file that has this number of lines, and return its CRC-32."""
        with part.open("rb") as stream:
            return self.append(iter(lambda: stream.read(BLOCK), b""), lines)


class Merge:
    """The growing files of source `name` in `folder`; `finish` checks them, `publish` moves them to `out`.

    With `store`, the parts have turns for the dialogue store. With `selection`, they have facts about pairs, and passes
    drop pairs, which are added to the rejects.
    """

    def __init__(self, name: str, folder: Path, selection: Selection | None = None, *, store: bool = False) -> None:
        self._name, self._folder, self._selection, self._store = name, folder, selection, store
        self._parts: list[Part] = []
        self._early: dict[int, Part] = {}
        #: Positions of the parts joined so far, in order.
        self.places: list[Place] = []
        self._tally = tally.Sum()
        self._dropped_lines = bytearray()
        self._pairs, self._rejects = JoinedLines(folder / "pairs.writing"), JoinedLines(folder / "rejects.writing")

    def add(self, number: int, part: Part) -> None:
        """Take a finished part, which is joined as soon as all parts before it are. Raises LedgerError."""
        self._early[number] = part
        while (following := self._early.pop(len(self._parts), None)) is not None:
            self._parts.append(following)
            counts, pairs, rejects, counters = following.counts_and_crcs()
            self._add_tally(following, counters)
            self.places.append(Place(tsv=self._pairs.bytes, rejects=self._rejects.bytes, crc=pairs))
            self._rejects.expect(self._rejects.join(following.rejects, reject_lines(counts)), rejects)
            if self._selection is None:
                self._pairs.expect(self._pairs.join(following.pairs, counts.pairs.written), pairs)

    def _add_tally(self, part: Part, crc: int) -> None:
        """Add the counters of a part to the statistics. Raises LedgerError if the CRC-32 of their file is not `crc`."""
        data = part.tally.read_bytes()
        if zlib.crc32(data) != crc:
            fault = message(
                "{source}: stage 'merge' found changed statistics in {file}; the old file is unchanged",
                source=self._name,
                file=part.tally.name,
            )
            raise LedgerError(fault)
        self._tally.add(pl.read_ipc_stream(data))

    @property
    def _dialogues(self) -> Path:
        """The path of the dialogue store before it is published."""
        return self._folder / "dialogues.writing"

    @property
    def index(self) -> Path:
        """The path of the index before it is published."""
        return self._folder / "index.writing"

    def finish(self, counts: Counts) -> Counts:
        """Write the pairs and rejects that depend on passes, check the files, and return the final counts.

        `counts` do not include the pairs that passes dropped; the result does. Raises LedgerError if the files do not
        match the counts.
        """
        dropped = self._write_remaining(self._selection) if self._selection and self._parts else None
        rejected = reject_lines(counts)
        if dropped is not None:
            counts, rejected = _with_dropped(counts, dropped), rejected + len(dropped.rows)
        counts.check(self._name)
        for lines, expected, kind in (
            (self._pairs, counts.pairs.written, message("pairs")),
            (self._rejects, rejected, message("rejects")),
        ):
            if lines.lines != expected or not lines.sound:
                fault = message(
                    "{source}: stage 'merge' lost, added, changed or moved {kind}: {rows:,} rows written, {expected:,} "
                    "expected; the old file is unchanged",
                    source=self._name,
                    kind=kind,
                    rows=lines.lines,
                    expected=expected,
                )
                raise LedgerError(fault)
        return counts

    def statistics(self) -> Statistics:
        """Return the statistics of the pairs that `finish` joined, and of the dialogues and filters of all parts."""
        return summarize(self._tally.total)

    def join_turns(self, counts: Counts) -> StoreFacts | None:
        """Write the dialogue store and return its facts; None if no store is requested.

        Raises LedgerError if it does not match the counts of turns.
        """
        if not self._store:
            return None
        sound = all(crc32_of(part.turns) == part.crc_of(part.turns) for part in self._parts)
        dialogue_store.write(self._turns(), self._dialogues, self._name)
        rows = dialogue_store.scan(self._dialogues).select(pl.len()).collect().item()
        if not sound or rows != counts.turns.read:
            fault = message(
                "{source}: stage 'merge' lost, added or changed turns: {rows:,} rows written to the dialogue store, "
                "{expected:,} expected; the old file is unchanged",
                source=self._name,
                rows=rows,
                expected=counts.turns.read,
            )
            raise LedgerError(fault)
        return StoreFacts(
            schema=dialogue_store.SCHEMA_VERSION, rows=rows, sha256=dialogue_store.sha256(self._dialogues)
        )

    def _turns(self) -> list[Path]:
        """Return the files with the rows of the dialogue store; write them first if rows have scores."""
        if self._selection is None or not self._selection.settings.relatedness.column:
            return [part.turns for part in self._parts]
        limits = pairwise(exact.row_offsets([part.keys for part in self._parts]))
        parts = zip(self._parts, limits, strict=True)
        return [self._selection.with_scores(part, pairs, self._folder) for part, pairs in parts]

    def publish(self, out: Path, announce: Callable[[], None]) -> None:
        """Move the files and the index to `out`, after a call of `announce`, which records that they will be replaced.

        A dialogue store of an earlier run is deleted, with a warning, if this run has none. Raises OSError, before
        anything is moved, if the path of a file is a folder.
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
        sync_files(moves)  # so that a power failure cannot leave an empty file
        for path, place in moves.items():
            path.replace(place)
        if not self._store and store.is_file():
            store.unlink()  # it belongs to the files that were just replaced
            text = message(
                "{source}: deleted the dialogue store of the earlier run; add --store-dialogues to write a new one",
                source=self._name,
            )
            _log.warning("%s", text, extra={"event": "store.deleted", "source": self._name})

    def _write_remaining(self, selection: Selection) -> Dropped:
        """Write the pairs that passes do not drop, add the dropped ones to the rejects, and return the dropped ones."""
        keys = [part.keys for part in self._parts]
        dropped = selection.find_dropped(self._parts, self._folder)
        rows = exact.with_addresses(dropped.rows, keys, dropped.starts)
        limits_in_rows = exact.part_limits(rows["row"], dropped.starts)
        parts = zip(self._parts, pairwise(dropped.starts), limits_in_rows, strict=True)
        for number, (part, limits, (begin, end)) in enumerate(parts):
            of_part = rows[begin:end].with_columns(row=rows["row"][begin:end] - limits[0])
            lengths = runs(of_part["row"].to_list())
            self.places[number] = replace(
                self.places[number], tsv=self._pairs.bytes, duplicates=self._rejects.bytes, dropped=lengths
            )
            if lengths:
                self._write_some(number, of_part, selection)
            else:
                self._pairs.expect(self._pairs.join(part.pairs, limits[1] - limits[0]), part.counts_and_crcs()[1])
        self._tally.add(tally_of_dropped(bytes(self._dropped_lines)))
        return dropped

    def _write_some(self, number: int, rows: pl.DataFrame, selection: Selection) -> None:
        """Write the pairs of part `number` that passes do not drop, and the rejects of the dropped ones, `rows`."""
        part = self._parts[number]
        data, keys = part.pairs.read_bytes(), exact.read(part.keys, "begin", *exact.ADDRESS)
        self._pairs.expect(zlib.crc32(data), part.counts_and_crcs()[1])
        pieces = cut(data, keys["begin"], self.places[number].dropped)
        if pieces is None:
            self._pairs.sound = False
            return
        written = self._pairs.append(pieces[::2], len(keys) - len(rows))
        self._pairs.expect(written, reduce(lambda crc, piece: zlib.crc32(piece, crc), pieces[::2], 0))
        self.places[number] = replace(self.places[number], crc=written)
        rejects = selection.rejects(self._name, number, exact.addresses(keys, rows["row"]), rows)
        self._rejects.expect(self._rejects.append(blocks(rejects)), zlib.crc32(rejects))
        self._dropped_lines += b"".join(pieces[1::2])
        if len(self._dropped_lines) > BLOCK:
            self._tally.add(tally_of_dropped(bytes(self._dropped_lines)))
            self._dropped_lines.clear()


def _with_dropped(counts: Counts, dropped: Dropped) -> Counts:
    """Return the counts of a source with the pairs that passes dropped, by reason; duplicates have a separate count."""
    by_reason = {str(each.reason): dropped.count(each.reason) for each in dropped.passes}
    duplicates = by_reason.pop(str(Reason.DUPLICATE), 0)
    pairs = counts.pairs
    pairs = structs.replace(
        pairs,
        written=pairs.written - len(dropped.rows),
        rejected=pairs.rejected + Counter(by_reason),
        duplicates=duplicates,
    )
    return structs.replace(counts, pairs=pairs)
