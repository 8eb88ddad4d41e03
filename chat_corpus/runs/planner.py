"""Divide files into shards: byte ranges cut at record boundaries, each with the number of its first record.

Cuts depend only on the content and the shard size, so the same input always gives the same shards.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chat_corpus.errors import IncompleteError
from chat_corpus.files import encodings
from chat_corpus.files.encoding_detection import choose_encoding
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile, check_unchanged, read_range, read_some
from chat_corpus.formats.base import Format
from chat_corpus.messages import count_noun, joined, message
from chat_corpus.pipeline.settings import ReadOptions
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.pipeline.text.segmentation import observed
from chat_corpus.runs.cutting import FileSummary, ParallelReader, cut_file, whole_file
from chat_corpus.schema import Segmentation
from chat_corpus.settings.model import Settings

if TYPE_CHECKING:  # workers receive shards, and need no code that discovers files
    from chat_corpus.discovery.model import DiscoveredSource, FileGroup

#: A sample of this many bytes shows whether the words of a text are segmented. It is from this many places of a file.
_SAMPLE_BYTES = 1 << 18
_SAMPLE_PLACES = 8

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class ShardPlanner:
    """Plans the shards of one source. `summaries` is complete once `shards` has yielded all shards."""

    found: DiscoveredSource
    settings: Settings
    summaries: list[FileSummary] = field(default_factory=list)

    @property
    def _options(self) -> ReadOptions:
        return self.settings.of(self.found.source.name).read

    def shards(self) -> Iterator[Shard]:
        """Yield all shards in order. Raises IncompleteError if parallel files have different lengths."""
        number, limit = 0, self._options.limit
        for group in self.found.groups:
            summaries = self._summaries(group)
            self.summaries.extend(summaries)
            format_ = self.found.source.inputs[group.input].format
            dialect = format_.dialect_of(_head(summaries[0].file)) if format_.in_dialect else ""
            for pieces in self._pieces(format_.of(dialect), summaries):
                if limit and all(piece.first > limit for piece in pieces):
                    break
                yield Shard(
                    source=self.found.source.name,
                    input=group.input,
                    number=number,
                    pieces=pieces,
                    segmentation=summaries[0].segmentation,
                    dialect=dialect,
                )
                number += 1

    def _summaries(self, group: FileGroup) -> list[FileSummary]:
        files = [self._with_encoding(file) for file in group.files]
        segmentation = self._segmentation(files[0][0])
        return [FileSummary(file=file, evidence=evidence, segmentation=segmentation) for file, evidence in files]

    def _segmentation(self, file: RawFile) -> Segmentation:
        """Return the user's choice; without one, what the source declares if the text confirms it."""
        choice = self._options.segmentation
        if choice != "auto":
            return Segmentation(choice)
        return observed(sample_text(file), self.found.source.traits.segmentation)

    def _with_encoding(self, file: RawFile) -> tuple[RawFile, str]:
        """Return a file with its encoding, and the evidence for it. Log every encoding but UTF-8, and every doubt."""
        source = self.found.source.name
        decision = choose_encoding(file, self.found.source.traits.script, self._options.encoding)
        if decision.doubt:
            doubtful = message(
                "{source}: {file}: {doubt}; it is read as {encoding}, and records that do not decode are rejected. If "
                "that is wrong, give its encoding with --encoding {source}=NAME, or convert the file to UTF-8",
                source=source,
                file=file.name,
                doubt=decision.doubt,
                encoding=decision.encoding,
            )
            _log.warning("%s", doubtful, extra={"event": "encoding.doubtful", "source": source})
        elif decision.encoding != encodings.UTF8:
            detected = message(
                "{source}: {file} is read as {encoding}: {evidence}",
                source=source,
                file=file.name,
                encoding=decision.encoding,
                evidence=decision.evidence,
            )
            _log.info("%s", detected, extra={"event": "encoding.detected", "source": source})
        return replace(file, encoding=decision.encoding), str(decision.evidence)

    def _pieces(self, format_: Format, summaries: list[FileSummary]) -> Iterator[tuple[ByteRange, ...]]:
        if format_.cut is None:
            yield tuple(whole_file(summary, format_) for summary in summaries)
        elif format_.parts == 1:
            for piece in cut_file(summaries[0], format_, self.settings.shard_bytes):
                yield (piece,)
        else:
            yield from self._parallel(format_, summaries)

    def _parallel(self, format_: Format, summaries: list[FileSummary]) -> Iterator[tuple[ByteRange, ...]]:
        """Yield ranges of parallel files with equal numbers of records, then the rest of the longer file by itself."""
        leading, following = summaries
        size, limit = self.settings.shard_bytes, self._options.limit or sys.maxsize
        with following.file.content() as content:
            follower = ParallelReader(content, following, size)
            end, first = 0, 1
            for piece in cut_file(leading, format_, size):
                yield piece, follower.take(piece.records)
                end, first = piece.stop, piece.first + piece.records
                if first > limit:
                    break
            while first <= limit and (rest := follower.take(max(1, size >> 7))).records:
                yield ByteRange(file=leading.file, start=end, stop=end, first=first, records=0), rest
                first += rest.records
        check_unchanged(following.file)
        self._check_lengths({summary.file.name: min(summary.records, limit) for summary in summaries})

    def _check_lengths(self, lengths: dict[str, int]) -> None:
        """Raise IncompleteError if parallel files have different numbers of lines, unless the settings allow it."""
        if len(set(lengths.values())) == 1 or self._options.unequal_lengths != "error":
            return
        listed = [message("{file} has {count}", file=name, count=count_noun(n, "line")) for name, n in lengths.items()]
        raise IncompleteError(
            message(
                "{source}: parallel files have different lengths: {lengths}. Get the complete files, or read the part "
                "that both have with --unequal-lengths common",
                source=self.found.source.name,
                lengths=joined(", ", listed),
            )
        )


def _head(file: RawFile) -> bytes:
    """Return the first bytes of a file as UTF-8, which show its dialect of the format."""
    with file.open() as stream:
        return read_some(stream, HEAD_BYTES, file)


def sample_text(file: RawFile) -> bytes:
    """Return text from several places of a file, or from its beginning if it is compressed or not in UTF-8."""
    if file.streamed:
        with file.open() as stream:
            return read_some(stream, _SAMPLE_BYTES, file)
    size = min(_SAMPLE_BYTES // _SAMPLE_PLACES, file.size)
    starts = (place * (file.size - size) // (_SAMPLE_PLACES - 1) for place in range(_SAMPLE_PLACES))
    return b"\n".join(read_range(file, start, start + size) for start in starts)
