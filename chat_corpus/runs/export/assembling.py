"""First step of an export: one chunk of a dialogue store becomes records, with the keys that later steps need."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from chat_corpus.errors import attributed
from chat_corpus.exports import splitting
from chat_corpus.exports.dialogues import MESSAGE, TurnBalance, assemble
from chat_corpus.exports.options import ExportOptions
from chat_corpus.files.atomic import write_atomic, write_blocks
from chat_corpus.messages import Message, message
from chat_corpus.outputs import dialogue_store
from chat_corpus.pipeline.filters import personal
from chat_corpus.runs.export.chunks import Chunk
from chat_corpus.schema import Pairing

_NEEDED = ("dialogue_id", "turn_index", "speaker", "text", "reason", "file", "record")
#: Columns of a part's records, sorted by `order`.
#:
#: row          number of the record in the chunk, from 0, in the order of the store
#: order        its place in the files of a split (`splitting.order_keys`)
#: content      key of its contents, from which its id is made
#: group        hash of its content group, which decides the split; 0 without splits
#: messages     as in `dialogues.DIALOGUES`
#: dialogue_id, file, record  its dialogue in the store, and the address of its first turn
RECORDS = pl.Schema(
    {
        "row": pl.UInt32(),
        "order": pl.UInt64(),
        "content": pl.UInt64(),
        "group": pl.UInt64(),
        "messages": pl.List(MESSAGE),
        "dialogue_id": pl.String(),
        "file": pl.String(),
        "record": pl.UInt32(),
    }
)


@dataclass(frozen=True, kw_only=True)
class RecordsPart:
    """The files of a chunk's records: the records, and what later steps find out about them."""

    folder: Path
    source: str
    number: int

    def _path(self, kind: str) -> Path:
        return self.folder / f"{self.source}-{self.number:06d}.{kind}.arrow"

    @property
    def records(self) -> Path:
        """The records: `RECORDS`."""
        return self._path("records")

    @property
    def keys(self) -> Path:
        """`low, high, row`, by which duplicates are found, as `dedup.exact` sorts them."""
        return self._path("keys")

    @property
    def contents(self) -> Path:
        """`low, high, row`, by which records with the same id would be found."""
        return self._path("contents")

    @property
    def duplicates(self) -> Path:
        """`row, same_as` of the records that are left out as duplicates; no file where there are none."""
        return self._path("duplicates")

    @property
    def occurrences(self) -> Path:
        """`row, id, order` of the records whose contents occurred before; no file where there are none."""
        return self._path("occurrences")

    @property
    def index(self) -> Path:
        """The rows of the index that belong to the chunk."""
        return self._path("index")


@dataclass(frozen=True, kw_only=True)
class AssembleTask:
    """A chunk of the store of a source, and the part that its records go to."""

    store: Path
    chunk: Chunk
    part: RecordsPart
    pairing: Pairing
    options: ExportOptions

    def __str__(self) -> Message:
        return message(
            "{source}: turns {first:,} to {last:,} of {store}",
            source=self.part.source,
            first=self.chunk.first + 1,
            last=self.chunk.first + self.chunk.rows,
            store=self.store,
        )


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """The outcome of a chunk: counts of turns, dialogues and masked personal data, and the bytes of all contents."""

    balance: TurnBalance
    masked: Counter[str]
    dialogues: int
    bytes: int


def assemble_chunk(task: AssembleTask) -> Assembled:
    """Make the records of a chunk, and write them and their keys. Any failure is raised as ChatCorpusError."""
    with attributed(str(task)):
        chunk, part = task.chunk, task.part
        turns = dialogue_store.scan(task.store).slice(chunk.first, chunk.rows).select(_NEEDED).collect()
        turns, masked = mask_personal(turns, task.options)
        assembly = assemble(turns, task.pairing, task.options)
        records = assembly.dialogues
        content = splitting.content_keys(records["messages"])
        frame = records.with_columns(
            row=pl.int_range(pl.len(), dtype=pl.UInt32),
            order=content,  # which the ids of all but repeated contents begin from
            content=content,
            group=_groups(records, task.options),
        )
        dialogues = turns["dialogue_id"].drop_nulls().rle_id()
        contents = {
            part.records: _arrow(frame.select(RECORDS.names()).sort("order", "row")),
            part.contents: _arrow(_sorted_keys(content, content)),
        }
        if task.options.duplicates == "drop":
            contents[part.keys] = _arrow(_sorted_keys(*splitting.equal_keys(records["messages"])))
    with attributed(str(task), part.folder):
        for path, data in contents.items():
            write_atomic(path, partial(write_blocks, data=data), sync=False)
    return Assembled(
        balance=assembly.balance,
        masked=masked,
        dialogues=dialogues.n_unique(),
        bytes=_text_bytes(records["messages"]),
    )


def _text_bytes(messages: pl.Series) -> int:
    """Bytes of the contents of records."""
    contents = messages.explode().struct.field("content")
    total: int = contents.str.len_bytes().cast(pl.Int64).to_frame("bytes").select(pl.col("bytes").sum()).item()
    return total


def _groups(records: pl.DataFrame, options: ExportOptions) -> pl.Series:
    """The group hash of each record; zeros without splits, since only they need it."""
    if options.split.test or options.split.validation:
        return splitting.group_hashes(records["opener"], records["reply"])
    return pl.repeat(0, len(records), dtype=pl.UInt64, eager=True)


def mask_personal(turns: pl.DataFrame, options: ExportOptions) -> tuple[pl.DataFrame, Counter[str]]:
    """Return turns with personal data masked, and counts of it by kind. Rejected turns stay as they are."""
    if options.personal == "keep":
        return turns, Counter()
    usable = pl.when(pl.col("reason").is_null()).then("text")
    texts, counts = personal.mask(turns.select(usable).to_series())
    return turns.with_columns(texts.alias("text")), counts


def _sorted_keys(low: pl.Series, high: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"low": low, "high": high}).with_row_index("row").select("low", "high", "row").sort("low")


def _arrow(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    return content.getvalue()
