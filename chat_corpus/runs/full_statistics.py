"""The full statistics of an output folder, from the pairs in its TSV files."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.exports import tsv
from chat_corpus.messages import message
from chat_corpus.outputs import shard_index
from chat_corpus.outputs.layout import index, places
from chat_corpus.outputs.report import FinishedSource, report_entry
from chat_corpus.statistics.full import full_statistics_of
from chat_corpus.statistics.schema import FullStatistics
from chat_corpus.system_texts import system_text

#: Bytes of a TSV file that are read at once.
_BLOCK = 1 << 23


def full_statistics(out: Path) -> FullStatistics:
    """Return the full statistics of the sources that the report of an output folder lists.

    Keys of pairs are written to a temporary folder in `out`, about 150 bytes per pair. Raises UsageError if the report
    cannot be read, IncompleteError if there is no report or no source has output, ChatCorpusError if a file is missing
    or was changed since the run.
    """
    entries = {name: entry for name, entry in report_entry(out).items() if isinstance(entry, FinishedSource)}
    if not entries:
        raise IncompleteError(message("{folder}: no output of a run found; run chat-corpus first", folder=out))
    for name, entry in entries.items():
        _check_unchanged(out, name, entry)
    pairs = sum(entry.pairs.written for entry in entries.values())
    readers = {name: _Reader(places(out, name)[0]) for name in entries}
    try:
        with tempfile.TemporaryDirectory(dir=out, prefix=".statistics-") as scratch:
            return full_statistics_of(readers, pairs, Path(scratch))
    except OSError as error:
        fault = message("{file}: {error}", file=error.filename or out, error=system_text(error))
        raise ChatCorpusError(fault) from error


def _check_unchanged(out: Path, name: str, entry: FinishedSource) -> None:
    """Raise ChatCorpusError if the TSV file of a source is not the one that the report describes.

    If only the time of modification differs, as for a copy, the content is compared with the checksums of the index.
    """
    path = places(out, name)[0]
    size, modified = entry.outputs.get(path.name, (-1, -1))
    try:
        facts = path.stat()
        same = facts.st_size == size and (
            facts.st_mtime_ns == modified or _has_checksums(path, index(out, name), entry)
        )
    except OSError:
        same = False
    if not same:
        fault = message(
            "{file}: missing, or changed since the run that {report} describes; run again",
            file=path,
            report="report.json",
        )
        raise ChatCorpusError(fault)


def _has_checksums(path: Path, index_path: Path, entry: FinishedSource) -> bool:
    """Return whether the rows of each shard have the CRC-32 that the index lists. Raises OSError.

    If the index cannot be read or lists none, return whether the number of lines is the reported one.
    """
    try:
        shards = shard_index.read(index_path)
    except (OSError, ValueError):
        shards = []
    if not shards or any(shard.crc is None for shard in shards):
        return _lines(path) == entry.pairs.written
    ends = [*(shard.tsv for shard in shards[1:]), path.stat().st_size]
    with path.open("rb") as stream:
        return all(_crc(stream, end - shard.tsv) == shard.crc for shard, end in zip(shards, ends, strict=True))


def _crc(stream: IO[bytes], size: int) -> int:
    """Return the CRC-32 of the next `size` bytes."""
    crc = 0
    while size > 0 and (block := stream.read(min(size, _BLOCK))):
        crc, size = zlib.crc32(block, crc), size - len(block)
    return crc


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(_BLOCK), b""))


class _Reader:
    """A function that yields the pairs of a TSV file in frames: `query, answer`.

    Raises OSError if the file cannot be read, or if its last line is cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> Iterator[pl.DataFrame]:
        with self._path.open("rb") as stream:
            rest = b""
            while block := stream.read(_BLOCK):
                lines, end, rest_ = (rest + block).rpartition(b"\n")
                rest = rest_
                if end:
                    yield _pairs(lines)
        if rest:
            raise OSError(0, "the last line is cut off", str(self._path))


def _pairs(lines: bytes) -> pl.DataFrame:
    column = pl.Series("line", [lines.decode()]).str.split("\n").explode()
    fields = column.str.split_exact("\t", 1).struct.rename_fields(["query", "answer"]).struct.unnest()
    return tsv.texts(fields)
