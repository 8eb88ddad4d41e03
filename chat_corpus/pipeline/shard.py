"""The unit of work: byte ranges of files that are read together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chat_corpus.files import encodings
from chat_corpus.files.parquet_lines import PARQUET
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import Message, joined, message
from chat_corpus.schema import Markup, Segmentation, Traits


@dataclass(frozen=True, kw_only=True, slots=True)
class ByteRange:
    """The byte range `start:stop` of one file: `records` records, numbered from `first`.

    `crc` is the CRC-32 of its bytes when they were counted, so that a file with other content but the same size and
    time is detected; None if it is unknown.
    """

    file: RawFile
    start: int
    stop: int
    first: int
    records: int
    crc: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """The unit of work: a range of each file that is read together, and what was detected in the whole files."""

    source: str
    input: int
    number: int
    pieces: tuple[ByteRange, ...]
    segmentation: Segmentation
    dialect: str = ""

    @property
    def bytes(self) -> int:
        """Size of the raw content in bytes."""
        return sum(piece.stop - piece.start for piece in self.pieces)

    def traits(self, declared: Traits) -> Traits:
        """Return the traits that the source declares, as far as they apply to these files.

        If a file is not in Unicode, private-use characters in it are not SoftBank emoji.
        """
        unicode = all(piece.file.encoding in (*encodings.UNICODE, PARQUET) for piece in self.pieces)
        markup = declared.markup if unicode else declared.markup - {Markup.SOFTBANK}
        return replace(declared, segmentation=self.segmentation, markup=markup)

    def holds(self, file: str, record: int) -> bool:
        """Whether a record of a file, by the file's name, is in this shard."""
        return any(
            piece.file.name == file and piece.first <= record < piece.first + piece.records for piece in self.pieces
        )

    @property
    def label(self) -> Message:
        """The source, the number of the shard, and its first record, for messages."""
        first = self.pieces[0]
        return message(
            "{source}, shard {number} ({file} from record {record})",
            source=self.source,
            number=self.number,
            file=first.file.name,
            record=first.first,
        )

    @property
    def extent(self) -> Message:
        """The source, and the records of each file that are in this shard, for messages."""
        ranges = (
            message(
                "{file}, records {first} to {last}",
                file=piece.file.name,
                first=piece.first,
                last=piece.first + piece.records - 1,
            )
            for piece in self.pieces
        )
        return message("{source}: {ranges}", source=self.source, ranges=joined("; ", ranges))
