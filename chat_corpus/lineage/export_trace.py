"""Where a record of an export came from: its dialogue is read again, and must give the same record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus import sources, versions
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import manifest, splitting
from chat_corpus.exports.dialogues import assemble, turns_of_records
from chat_corpus.exports.manifest import MANIFEST, ExportFile, ExportSource, ExportSummary
from chat_corpus.exports.options import ExportOptions
from chat_corpus.lineage.export_shards import AGAIN, shards_of_records
from chat_corpus.lineage.open_run import permitted_plugins
from chat_corpus.messages import message
from chat_corpus.outputs import dialogue_store
from chat_corpus.pipeline import process, reading
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.export.assembling import mask_personal
from chat_corpus.schema import Pairing
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import Definition


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTurn:
    """A turn that a message was made of: its address, the text as it was read, the clean text, and the raw record."""

    file: str
    record: int
    turn_index: int
    read: str
    text: str
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedMessage:
    """A message of a record, and the turns it was made of; a system message has none."""

    role: str
    content: str
    turns: tuple[SourceTurn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedRecord:
    """A record of an export, its split, its dialogue in the dialogue store, and its messages."""

    id: str
    source: str
    split: str | None
    dialogue_id: str
    messages: tuple[TracedMessage, ...]


@dataclass(frozen=True, kw_only=True)
class OpenExport:
    """An export, and how the sources that it was made from can be read again."""

    folder: Path
    summary: ExportSummary
    raw: str | None
    plugins: tuple[str, ...]

    @property
    def options(self) -> ExportOptions:
        """The options that the export was made with. Raises ChatCorpusError for those of another version."""
        try:
            return msgspec.convert(self.summary.settings["export"], ExportOptions)
        except (KeyError, msgspec.ValidationError) as error:
            raise ChatCorpusError(f"{self.folder / MANIFEST}: settings of another version: {error}; {AGAIN}") from error


def find_export(path: Path) -> Path | None:
    """The folder of the export that a file is in; None for a file that is in none."""
    return next((folder for folder in path.absolute().parents if (folder / MANIFEST).is_file()), None)


def open_export(folder: Path, raw: str | None = None, plugins: Sequence[str] = ()) -> OpenExport:
    """An export by its folder; `raw` is the folder of raw corpora, if it is another one now.

    Raises UsageError where the folder is no export, ChatCorpusError where its manifest cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            message(
                "{folder}: has no {file}; name the folder that 'chat-corpus export' wrote", folder=folder, file=MANIFEST
            )
        )
    try:
        summary = manifest.decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ChatCorpusError(f"{path}: {error}; {AGAIN}") from error
    return OpenExport(folder=folder, summary=summary, raw=raw, plugins=tuple(plugins))


def id_of_row(export: OpenExport, path: Path, row: int) -> str:
    """The id of a row of a data file, from 1; a header is no row.

    Raises UsageError where the file is no data file of the export, or has no such row.
    """
    name = path.absolute().relative_to(export.folder.absolute()).as_posix()
    file = next((one for one in export.summary.files if one.path == name and one.split), None)
    if file is None:
        raise UsageError(message("{path}: not a data file of the export in {folder}", path=path, folder=export.folder))
    if not 1 <= row <= (file.rows or 0):
        raise UsageError(f"{path}:{row}: no such row; there are {file.rows or 0:,}")
    try:
        return _id_in(path, file, row)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise ChatCorpusError(f"{path}:{row}: cannot be read: {error}; {AGAIN}") from error


def _id_in(path: Path, file: ExportFile, row: int) -> str:
    if file.format in ("hf", "csv"):
        lazy = pl.scan_parquet(path, glob=False) if file.format == "hf" else pl.scan_csv(path, glob=False)
        return str(lazy.select("id").slice(row - 1, 1).collect().item())
    beside = path.with_name(f"{path.name}.ids.jsonl")
    with (beside if beside.is_file() else path).open("rb") as stream:
        line = next(line for number, line in enumerate(stream, 1) if number == row)
    record = json.loads(line)
    return str(record["id"] if "id" in record else record["conversation_id"])  # as Firefly calls it


def trace_record(export: OpenExport, record_id: str) -> TracedRecord:
    """Where the record with an id came from.

    Raises UsageError for an id that the export does not hold, ChatCorpusError where raw files, settings or code are
    not those that it was made with.
    """
    return trace_records(export, [record_id])[0]


def trace_records(export: OpenExport, record_ids: Sequence[str]) -> list[TracedRecord]:
    """Where the records with these ids came from; each raw file is checked once. Raises as `trace_record`."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for record_id in record_ids:
        name = record_id.rpartition("-")[0]
        known = any(one.name == name for one in export.summary.sources)
        place = _place(export, name, record_id) if known else None
        if place is None:
            raise UsageError(message("{id}: {folder} has no record with this id", id=record_id, folder=export.folder))
        found.setdefault(name, []).append((record_id, place))
    traced = {one.id: one for name, places in found.items() for one in _trace_source(export, name, places)}
    return [traced[record_id] for record_id in record_ids]


def _trace_source(
    export: OpenExport, name: str, places: Sequence[tuple[str, dict[str, Any]]]
) -> Iterator[TracedRecord]:
    """Yield where records of one source came from, shard by shard."""
    (entry,) = (one for one in export.summary.sources if one.name == name)
    source, settings = _source(export, entry)
    pairing = settings.pairs.pairing(source.pairing)
    addresses = {(place["file"], place["record"]) for _, place in places}
    for shard, held in shards_of_records(export.folder, entry, source, settings, addresses):
        rows, raw = _rows(shard, source, settings.of(name))
        for record_id, place in places:
            if (place["file"], place["record"]) in held:
                turns = rows.filter(pl.col("dialogue_id") == place["dialogue_id"])
                yield TracedRecord(
                    id=record_id,
                    source=name,
                    split=place["split"],
                    dialogue_id=place["dialogue_id"],
                    messages=tuple(_traced(export, record_id, turns, place, raw, pairing)),
                )


def _place(export: OpenExport, name: str, record_id: str) -> dict[str, Any] | None:
    """The row of the index that has an id, and its `number`, from 0, among the records of its dialogue.

    `rows` is the number of records in the index. Records that are left out count too: the index has all of them, in
    the order of the dialogue store.
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
        raise ChatCorpusError(f"{path}: cannot be read: {error}; {AGAIN}") from error
    return {**place, "number": ids.index_of(record_id), "rows": rows}


def _source(export: OpenExport, entry: ExportSource) -> tuple[Source, Settings]:
    """A source as it was, and the settings that it was made with. Raises ChatCorpusError where that is not known."""
    fingerprint, name = entry.fingerprint, entry.name
    if fingerprint.get("code") != versions.code_digest():
        raise ChatCorpusError(f"{name}: exported by another version of chat-corpus, or of its packages; {AGAIN}")
    plugins = permitted_plugins(name, tuple(fingerprint["plugin_files"]), tuple(fingerprint["plugins"]), export.plugins)
    try:
        own = msgspec.convert(fingerprint["settings_of_source"], SourceSettings)
    except msgspec.ValidationError as error:
        raise ChatCorpusError(f"{export.folder / MANIFEST}: settings of another version: {error}; {AGAIN}") from error
    if own.digest() != fingerprint.get("settings"):
        raise ChatCorpusError(f"{export.folder / MANIFEST}: settings of {name}: edited, or incomplete; {AGAIN}")
    sections = {section: getattr(own, section) for section in SourceSettings.__struct_fields__}
    corpora = {name: msgspec.convert(fingerprint["definition"], Definition)} if "definition" in fingerprint else {}
    settings = Settings(raw=export.raw or _raw_folder(export, entry), plugins=plugins, corpora=corpora, **sections)
    source = sources.load(plugins, settings.added).get(name)
    if source is None or plugin_digest.code(name, plugins, settings.added) != fingerprint["source"]:
        raise ChatCorpusError(f"{name}: the code of its source is not there, or changed; {AGAIN}")
    return source, settings


def _raw_folder(export: OpenExport, entry: ExportSource) -> str:
    """The folder of raw corpora in the manifest, if relative beside the export, above it, or in the working directory.

    The digests of its files are verified, so that a different folder of this name is refused.
    """
    raw = entry.raw_folder or ""
    found = (folder / raw for folder in export.folder.absolute().parents if (folder / raw).is_dir())
    return str(next(found, raw)) if raw else raw


def _rows(shard: Shard, source: Source, own: SourceSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the dialogue store for a shard, and its raw records as `file, record, text`."""
    records = reading.records(shard, source)
    cleaned = process.clean_turns(shard, source, own, records)
    result = process.filter_and_pair(cleaned, shard, source, own, lambda: records)
    named = zip(shard.pieces, records, strict=True)
    raw = pl.concat(frame.select("record", "text", file=pl.lit(piece.file.name)) for piece, frame in named)
    return dialogue_store.rows(cleaned, result, shard, source), raw


def _traced(
    export: OpenExport, record_id: str, turns: pl.DataFrame, place: dict[str, Any], raw: pl.DataFrame, pairing: Pairing
) -> list[TracedMessage]:
    """The messages of the record at a place of the index, with the turns of its dialogue that they are made of.

    Raises ChatCorpusError where the dialogue gives a different record there.
    """
    masked, _ = mask_personal(turns, export.options)
    made = assemble(masked, pairing, export.options).dialogues["messages"]
    number = place["number"]
    keys = splitting.content_keys(made[number : number + 1]) if number is not None else pl.Series()
    is_id = len(keys) and splitting.is_id_of(record_id, keys, place["rows"])
    if number is None or not is_id:
        raise ChatCorpusError(
            message("{id}: the raw data give a different record now: a defect; please report it", id=record_id)
        )
    found = turns_of_records(masked, pairing, export.options).filter(pl.col("record") == number)
    wanted = raw.join(turns.select("file", "record").unique(), on=["file", "record"], how="semi")
    texts = {(file, record): text for file, record, text in wanted.select("file", "record", "text").iter_rows()}
    members: dict[int, list[SourceTurn]] = {}
    for position, row in found.select("position", "row").iter_rows():
        members.setdefault(position, []).append(_turn(turns.row(row, named=True), texts))
    messages = made[number].to_list()
    prompts = 1 if messages[0]["role"] == "system" else 0
    return [
        TracedMessage(role=one["role"], content=one["content"], turns=tuple(members.get(position, ())))
        for position, one in enumerate(messages, -prompts)
    ]


def _turn(row: dict[str, Any], texts: dict[tuple[str, int], str | None]) -> SourceTurn:
    return SourceTurn(
        file=row["file"],
        record=row["record"],
        turn_index=row["turn_index"],
        read=row["text"] if row["raw"] is None else row["raw"],
        text=row["text"],
        raw=texts[row["file"], row["record"]] or "",
    )
