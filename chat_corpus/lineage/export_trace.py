"""Origin of a record of an export. Its dialogue is read again from the raw files and must give the same record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import splitting
from chat_corpus.exports.dialogues import assemble, turns_of_records
from chat_corpus.exports.preference import PREFERENCE
from chat_corpus.lineage.export_shards import shards_of_records
from chat_corpus.lineage.open_export import AGAIN, OpenExport, source_of
from chat_corpus.messages import error_text, message
from chat_corpus.outputs import dialogue_store
from chat_corpus.pipeline import process, reading
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.export.assembling import mask_personal
from chat_corpus.schema import Pairing
from chat_corpus.sources.base import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTurn:
    """A turn in a message: its address, the text before cleaning (`read`), the clean text, and the raw record."""

    file: str
    record: int
    turn_index: int
    read: str
    text: str
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedMessage:
    """A message of a record, and the turns that it was made from; a system message has no turns."""

    role: str
    content: str
    turns: tuple[SourceTurn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedRecord:
    """A record of an export.

    split        null if the record is in no split
    dialogue_id  id of its dialogue in the dialogue store
    rejected     the wrong answers in the format `preference`; empty if the export does not have this format
    """

    id: str
    source: str
    split: str | None
    dialogue_id: str
    messages: tuple[TracedMessage, ...]
    rejected: tuple[str, ...] = ()


def trace_record(export: OpenExport, record_id: str) -> TracedRecord:
    """Return the origin of the record with an id.

    Raises UsageError if the export has no such record, or if the raw files are not found. Raises ChatCorpusError if raw
    files, settings or code are not those that the export was made with.
    """
    return trace_records(export, [record_id])[0]


def trace_records(export: OpenExport, record_ids: Sequence[str]) -> list[TracedRecord]:
    """Return the origin of the records with these ids, in the same order. Raises as `trace_record`.

    One call for many records is faster, because the digest of a raw file is checked once for all of them.
    """
    places: dict[str, list[dict[str, Any]]] = {}
    for record_id in record_ids:
        name = record_id.rpartition("-")[0]
        known = any(one.name == name for one in export.summary.sources)
        place = _place(export, name, record_id) if known else None
        if place is None:
            raise UsageError(message("{id}: {folder} has no record with this id", id=record_id, folder=export.folder))
        places.setdefault(name, []).append(place)
    traced = {one.id: one for name, some in places.items() for one in _trace_source(export, name, some)}
    return [traced[record_id] for record_id in record_ids]


def _trace_source(export: OpenExport, name: str, places: Sequence[dict[str, Any]]) -> Iterator[TracedRecord]:
    """Yield the origin of records of one source, shard by shard. `places` are rows of `_place`."""
    (entry,) = (one for one in export.summary.sources if one.name == name)
    source, settings = source_of(export, entry)
    pairing = settings.pairs.pairing(source.pairing)
    addresses = {(place["file"], place["record"]) for place in places}
    for shard, held in shards_of_records(export, entry, source, settings, addresses):
        rows, raw = _rows(shard, source, settings.of(name))
        for place in places:
            if (place["file"], place["record"]) in held:
                turns = rows.filter(pl.col("dialogue_id") == place["dialogue_id"])
                messages, rejected = _traced(export, place["id"], turns, place, raw, pairing)
                yield TracedRecord(
                    id=place["id"],
                    source=name,
                    split=place["split"],
                    dialogue_id=place["dialogue_id"],
                    messages=tuple(messages),
                    rejected=tuple(rejected),
                )


def _place(export: OpenExport, name: str, record_id: str) -> dict[str, Any] | None:
    """Return the row of the index with an id, extended by `number` and `rows`; None if there is none.

    `number` is the position of the record among those of its dialogue, from 0, and `rows` the number of records in the
    index. Both include records in no split: the index has all records, in the order of the dialogue store.
    """
    path = export.folder / "index" / f"{name}.parquet"
    try:
        index = pl.scan_parquet(path, glob=False)
        found = index.filter(pl.col("id") == record_id).collect()
        if found.is_empty():
            return None
        place = found.row(0, named=True)
        ids = index.filter(pl.col("dialogue_id") == place["dialogue_id"]).select("id").collect()["id"]
        rows = index.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        fault = message("{file}: cannot be read: {error}; {advice}", file=path, error=error_text(error), advice=AGAIN)
        raise ChatCorpusError(fault) from error
    return {**place, "number": ids.index_of(record_id), "rows": rows}


def _rows(shard: Shard, source: Source, own: SourceSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of the dialogue store for a shard, and its raw records with the columns `record, text, file`."""
    records = reading.records(shard, source)
    cleaned = process.clean_turns(shard, source, own, records)
    result = process.filter_and_pair(cleaned, shard, source, own, lambda: records)
    named = zip(shard.pieces, records, strict=True)
    raw = pl.concat(frame.select("record", "text", file=pl.lit(piece.file.name)) for piece, frame in named)
    return dialogue_store.rows(cleaned, result, shard, source), raw


def _traced(
    export: OpenExport, record_id: str, turns: pl.DataFrame, place: dict[str, Any], raw: pl.DataFrame, pairing: Pairing
) -> tuple[list[TracedMessage], list[str]]:
    """Return the messages of a record with their turns, and its wrong answers.

    `turns` are the turns of its dialogue, `place` its row of `_place`. Raises ChatCorpusError if the dialogue gives a
    different record there.
    """
    masked, _ = mask_personal(turns, export.options)
    dialogues = assemble(masked, pairing, export.options).dialogues
    made = dialogues["messages"]
    number = place["number"]
    keys = splitting.content_keys(made[number : number + 1]) if number is not None else pl.Series()
    is_id = len(keys) and splitting.is_id_of(record_id, keys, place["rows"])
    if number is None or not is_id:
        raise ChatCorpusError(
            message("{id}: the raw data give a different record now: a defect; please report it", id=record_id)
        )
    found = turns_of_records(masked, pairing, export.options).filter(pl.col("record") == number)
    records = raw.join(turns.select("file", "record").unique(), on=["file", "record"], how="semi")
    texts = {(file, record): text for file, record, text in records.select("file", "record", "text").iter_rows()}
    members: dict[int, list[SourceTurn]] = {}
    for position, row in found.select("position", "row").iter_rows():
        members.setdefault(position, []).append(_turn(turns.row(row, named=True), texts))
    messages = made[number].to_list()
    prompts = 1 if messages[0]["role"] == "system" else 0
    traced = [
        TracedMessage(role=one["role"], content=one["content"], turns=tuple(members.get(position, ())))
        for position, one in enumerate(messages, -prompts)
    ]
    return traced, dialogues["rejected"][number].to_list() if PREFERENCE in export.options.formats else []


def _turn(row: dict[str, Any], texts: dict[tuple[str, int], str | None]) -> SourceTurn:
    return SourceTurn(
        file=row["file"],
        record=row["record"],
        turn_index=row["turn_index"],
        read=row["text"] if row["raw"] is None else row["raw"],
        text=row["text"],
        raw=texts[row["file"], row["record"]] or "",
    )
