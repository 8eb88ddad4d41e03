"""First step of an export: make records from a chunk of a dialogue store, with the keys that later steps use."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from chat_corpus.errors import attributed
from chat_corpus.exports import splitting
from chat_corpus.exports.dialogues import MESSAGE, TurnBalance, assemble
from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.preference import PREFERENCE, REJECTED_TYPE
from chat_corpus.files.atomic import write_atomic, write_blocks
from chat_corpus.outputs import dialogue_store
from chat_corpus.pipeline.filters import personal
from chat_corpus.pipeline.pairing import pair
from chat_corpus.runs.export.chunks import Chunk
from chat_corpus.schema import Pairing, Reason
from chat_corpus.statistics.conversions import ConversionTally

#: Rows of a batch in a file of records. Polars reads whole batches, and a frame with a few of the rows of a batch holds
#: all of the batch in memory.
BATCH_ROWS = 512
#: Columns of the dialogue store that records are made of.
NEEDED = ("dialogue_id", "turn_index", "speaker", "text", "reason", "file", "record", "before_conversion")
#: Columns of a part's records, sorted by `order`.
#:
#: row          number of the record in the chunk, from 0, in the order of the store
#: order        key by which the records of a split are sorted (`splitting.order_keys`); the id has it in hexadecimal
#: group        hash of its content group, which decides the split; 0 without splits
#: messages     as in `dialogues.DIALOGUES`
#: rejected     texts of responses that the source labels as wrong
#: dialogue_id, file, record  its dialogue in the store, and the address of its first turn
RECORDS = pl.Schema(
    {
        "row": pl.UInt32(),
        "order": pl.UInt64(),
        "group": pl.UInt64(),
        "messages": pl.List(MESSAGE),
        "rejected": REJECTED_TYPE,
        "dialogue_id": pl.String(),
        "file": pl.String(),
        "record": pl.UInt32(),
    }
)


@dataclass(frozen=True, kw_only=True)
class RecordsPart:
    """The files with the records of a chunk or a shard, and those that later steps write about these records.

    The paths of files that are written with the records begin with `base`; files of later steps are in `folder`.
    """

    folder: Path
    source: str
    number: int
    base: Path

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.source}-{self.number:06d}.{kind}.arrow"

    def _made(self, kind: str) -> Path:
        return self.base.with_name(f"{self.base.name}.{kind}.arrow")

    @property
    def records(self) -> Path:
        """The records: `RECORDS`."""
        return self._made("records")

    @property
    def keys(self) -> Path:
        """Keys by which duplicates are found, in the order that `dedup.exact` needs: `low, high, row`."""
        return self._made("keys")

    @property
    def contents(self) -> Path:
        """Keys by which records that would have the same id are found: `low, high, row`; `low` is the content key."""
        return self._made("contents")

    @property
    def characters(self) -> Path:
        """The counts of characters in the pairs, if records get scores: `pair_passes.relatedness.COUNTS`."""
        return self._made("characters")

    @property
    def scores(self) -> Path:
        """The relatedness of each row of `records`, if requested: a 32-bit float, NaN for none."""
        return self._path("scores")

    @property
    def duplicates(self) -> Path:
        """`row, same_as` of the records that are left out as duplicates; there is no file if there are none."""
        return self._path("duplicates")

    @property
    def evaluation(self) -> Path:
        """The pairs of its records that are in validation or test: `twin_index.EVALUATION`."""
        return self._path("evaluation")

    @property
    def twins(self) -> Path:
        """`row, id, similarity` of the records that resemble an evaluation pair; there is no file if there are none."""
        return self._path("twins")

    @property
    def splits(self) -> Path:
        """A byte for each row of `records`: the number of its split in `splitting.SPLITS`, or 255 for none."""
        return self._path("splits")

    @property
    def index(self) -> Path:
        """The rows of the index for the records."""
        return self._path("index")


@dataclass(frozen=True, kw_only=True)
class AssembleTask:
    """A chunk of the store of a source, and the part to which its records are written."""

    store: Path
    chunk: Chunk
    part: RecordsPart
    pairing: Pairing
    options: ExportOptions

    def __str__(self) -> str:
        return (
            f"{self.part.source}: turns {self.chunk.first + 1} to {self.chunk.first + self.chunk.rows} of {self.store}"
        )


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """Counts of the turns of a chunk or a shard, and of what became of them.

    balance      turns that were read, exported and dropped, and the number of records
    masked       personal data that was masked, by kind
    dialogues    number of dialogues
    bytes        bytes of the texts of all records, as UTF-8
    conversions  how script conversion changed the turns
    """

    balance: TurnBalance
    masked: Counter[str]
    dialogues: int
    bytes: int
    conversions: ConversionTally


@dataclass(frozen=True, kw_only=True)
class Records:
    """Records that are not written yet.

    dialogues   the columns `dialogues.ASSEMBLED`
    characters  the counts of characters in the pairs, if records get scores: `pair_passes.relatedness.COUNTS`
    assembled   counts of the turns and of what was changed
    """

    dialogues: pl.DataFrame
    characters: pl.DataFrame | None
    assembled: Assembled


def assemble_chunk(task: AssembleTask) -> Assembled:
    """Make the records of a chunk, and write them with their keys. Raises ChatCorpusError for any failure."""
    with attributed(str(task)):
        chunk = task.chunk
        turns = dialogue_store.scan(task.store).slice(chunk.first, chunk.rows).select(NEEDED).collect()
        records = assemble_turns(turns, task.pairing, task.options)
        contents = encode_frames(part_frames(records, task.part, task.options), task.part)
    with attributed(str(task), task.part.folder):
        for path, data in contents.items():
            write_atomic(path, partial(write_blocks, data=data), sync=False)
    return records.assembled


def assemble_turns(turns: pl.DataFrame, pairing: Pairing, options: ExportOptions) -> Records:
    """Return the records of `turns`, which are whole dialogues with the columns `NEEDED`."""
    conversions = ConversionTally()
    conversions.add(turns["before_conversion"], turns["text"])
    turns = turns.drop("before_conversion")
    characters = count_pairs(turns, pairing) if options.relatedness else None
    turns, masked = mask_personal(turns, options)
    made = assemble(turns, pairing, options)
    assembled = Assembled(
        balance=made.balance,
        masked=masked,
        dialogues=turns["dialogue_id"].drop_nulls().rle_id().n_unique(),
        bytes=_text_bytes(made.dialogues["messages"]),
        conversions=conversions,
    )
    return Records(dialogues=made.dialogues, characters=characters, assembled=assembled)


def part_frames(records: Records, part: RecordsPart, options: ExportOptions) -> dict[Path, pl.DataFrame]:
    """Return the frame of each file of a part: records, keys, and counts of characters."""
    found = records.dialogues
    content, frames = _keys(found["messages"], part, options)
    if records.characters is not None:
        frames[part.characters] = records.characters
    frame = found.with_columns(
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        order=content,  # `repeats.mark_occurrences` changes it for repeated contents
        group=_groups(found, options),
    )
    frames[part.records] = frame.select(RECORDS.names()).sort("order", maintain_order=True)
    return frames


def _keys(messages: pl.Series, part: RecordsPart, options: ExportOptions) -> tuple[pl.Series, dict[Path, pl.DataFrame]]:
    """Return the content key of each record, and the frames of keys by file."""
    contents = splitting.contents_of(messages)
    content = splitting.hash_contents(contents)
    frames = {part.contents: _sorted_keys(content, content)}
    if options.duplicates == "drop":
        frames[part.keys] = _sorted_keys(*splitting.equal_keys_of(contents))
    return content, frames


def encode_frames(frames: Mapping[Path, pl.DataFrame], part: RecordsPart) -> dict[Path, bytes]:
    """Return the content of each file of a part, from its `part_frames`."""
    return {path: encode_arrow(frame, BATCH_ROWS if path == part.records else None) for path, frame in frames.items()}


def count_pairs(turns: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    """Return the counts of characters in the pairs of the usable turns: `pair_passes.relatedness.COUNTS`."""
    from chat_corpus.pipeline.pair_passes.relatedness import count_characters

    pairs = pair(turns.rename({"file": "file_index"}), pairing).filter(pl.col("reason").is_null())
    return count_characters(splitting.canonical(pairs["query"]), splitting.canonical(pairs["answer"]))


def _text_bytes(messages: pl.Series) -> int:
    """Return the number of bytes of the contents of records, as UTF-8."""
    contents = messages.explode().struct.field("content")
    total: int = contents.str.len_bytes().cast(pl.Int64).to_frame("bytes").select(pl.col("bytes").sum()).item()
    return total


def _groups(found: pl.DataFrame, options: ExportOptions) -> pl.Series:
    """Return the group hash of each record; zeros without splits, since only splits need hashes."""
    if options.split.test or options.split.validation:
        return splitting.group_hashes(found["opener"], found["reply"])
    return pl.repeat(0, len(found), dtype=pl.UInt64, eager=True)


def mask_personal(turns: pl.DataFrame, options: ExportOptions) -> tuple[pl.DataFrame, Counter[str]]:
    """Return turns with masked personal data, and how much was masked by kind. Masks nothing if `personal` is `keep`.

    Rejected turns lose their text and do not count. Responses that are labelled as wrong have their masked text if they
    are exported.
    """
    if options.personal == "keep":
        return turns, Counter()
    usable = pl.when(pl.col("reason").is_null()).then("text")
    texts, counts = personal.mask(turns.select(usable).to_series())
    if PREFERENCE in options.formats:
        wrong = pl.when(pl.col("reason") == str(Reason.NEGATIVE)).then("text")
        others, _ = personal.mask(turns.select(wrong).to_series())
        texts = texts.zip_with(texts.is_not_null(), others)
    return turns.with_columns(texts.alias("text")), counts


def _sorted_keys(low: pl.Series, high: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"low": low, "high": high}).with_row_index("row").select("low", "high", "row").sort("low")


def leave(path: Path, frame: pl.DataFrame, batch_rows: int | None = None) -> None:
    """Write a frame to an Arrow file of a part, in batches as in `encode_arrow`."""
    write_atomic(path, partial(write_blocks, data=encode_arrow(frame, batch_rows)), sync=False)


def compacted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a copy of a filtered frame, without the texts of the other rows, which Polars leaves in memory."""
    return pl.read_ipc(io.BytesIO(encode_arrow(frame)))


def encode_arrow(frame: pl.DataFrame, batch_rows: int | None = None) -> bytes:
    """Return a frame as the bytes of an Arrow file, in batches of `batch_rows` rows, or in one batch if it is None.

    To read some rows, Polars reads only the batches that contain them.
    """
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed", record_batch_size=batch_rows)
    return content.getvalue()
