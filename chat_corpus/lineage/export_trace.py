"""The origin of a record of an export: its dialogue is read again, and must give the same record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus import sources, versions
from chat_corpus.discovery.inventory import discover
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import manifest, special_tokens, splitting
from chat_corpus.exports.dialogues import assemble
from chat_corpus.exports.manifest import MANIFEST, ExportFile, ExportSource, ExportSummary
from chat_corpus.exports.options import ExportOptions
from chat_corpus.files.content import digest
from chat_corpus.lineage.open_run import permitted_plugins
from chat_corpus.messages import Message, error_text, message
from chat_corpus.outputs import dialogue_store
from chat_corpus.pipeline import process, reading
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.export.assembling import mask_personal
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source

_AGAIN = message("export again to trace records")
#: Maximum number of equal records of an export with duplicates among which an id is found.
_MOST_OCCURRENCES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTurn:
    """A turn of a message: its address, the text as it was read, the clean text, and the raw record."""

    file: str
    record: int
    turn_index: int
    read: str
    text: str
    raw: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TracedMessage:
    """A message of a record, and the turns that it consists of; a system message has none."""

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
    """An export, and the raw folder and plugins to read its sources again."""

    folder: Path
    summary: ExportSummary
    raw: str | None
    plugins: tuple[str, ...]

    @property
    def options(self) -> ExportOptions:
        """The options of the export. Raises ChatCorpusError if a different version of chat-corpus wrote them."""
        try:
            return msgspec.convert(self.summary.settings["export"], ExportOptions)
        except (KeyError, msgspec.ValidationError) as error:
            raise _other_version(self.folder, error) from error


def _other_version(folder: Path, error: Exception) -> ChatCorpusError:
    fault = message(
        "{file}: has settings of a different version: {error}; {advice}",
        file=folder / MANIFEST,
        error=error_text(error),
        advice=_AGAIN,
    )
    return ChatCorpusError(fault)


def _unreadable(where: object, error: Exception) -> ChatCorpusError:
    fault = message("{where}: cannot be read: {error}; {advice}", where=where, error=error_text(error), advice=_AGAIN)
    return ChatCorpusError(fault)


def _changed(where: object, reason: Message) -> ChatCorpusError:
    return ChatCorpusError(message("{where}: {reason}; {advice}", where=where, reason=reason, advice=_AGAIN))


def find_export(path: Path) -> Path | None:
    """Return the folder of the export that a file belongs to; None if there is none."""
    return next((folder for folder in path.absolute().parents if (folder / MANIFEST).is_file()), None)


def open_export(folder: Path, raw: str | None = None, plugins: Sequence[str] = ()) -> OpenExport:
    """Return the export in a folder; `raw` is the folder of raw corpora, if it was moved.

    Raises UsageError if the folder is not an export, ChatCorpusError if its manifest cannot be read.
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
        fault = message("{file}: {error}; {advice}", file=path, error=error_text(error), advice=_AGAIN)
        raise ChatCorpusError(fault) from error
    return OpenExport(folder=folder, summary=summary, raw=raw, plugins=tuple(plugins))


def id_of_row(export: OpenExport, path: Path, row: int) -> str:
    """Return the id of a row of a data file. Rows count from 1; a header is not a row.

    Raises UsageError if the file is not a data file of the export, or has no such row.
    """
    name = path.absolute().relative_to(export.folder.absolute()).as_posix()
    file = next((file for file in export.summary.files if file.path == name and file.split), None)
    if file is None:
        raise UsageError(message("{file}: not a data file of the export in {folder}", file=path, folder=export.folder))
    if not 1 <= row <= (file.rows or 0):
        fault = message("{file}:{row}: no such row; the file has {rows:,}", file=path, row=row, rows=file.rows or 0)
        raise UsageError(fault)
    try:
        return _id_in(path, file, row)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise _unreadable(f"{path}:{row}", error) from error


def _id_in(path: Path, file: ExportFile, row: int) -> str:
    if file.format in ("hf", "csv"):
        lazy = pl.scan_parquet(path, glob=False) if file.format == "hf" else pl.scan_csv(path, glob=False)
        return str(lazy.select("id").slice(row - 1, 1).collect().item())
    ids = path.with_name(f"{path.name}.ids.jsonl")
    with (ids if ids.is_file() else path).open("rb") as stream:
        line = next(line for number, line in enumerate(stream, 1) if number == row)
    return str(json.loads(line)["id"])


def trace_record(export: OpenExport, record_id: str) -> TracedRecord:
    """Return the origin of the record with an id.

    Raises UsageError if the export has no such record, ChatCorpusError if raw files, settings or code have changed.
    """
    name = record_id.rpartition("-")[0]
    entry = next((source for source in export.summary.sources if source.name == name), None)
    row = None if entry is None else _index_row(export, name, record_id)
    if entry is None or row is None:
        raise UsageError(message("{id}: {folder} has no record with this id", id=record_id, folder=export.folder))
    source, settings = _source(export, entry)
    shard = _shard(export, entry, source, settings, row["file"], row["record"])
    rows, raw = _rows(shard, source, settings.of(name))
    turns = rows.filter(pl.col("dialogue_id") == row["dialogue_id"])
    messages = _messages(export, turns, record_id, name, source, settings)
    return TracedRecord(
        id=record_id,
        source=name,
        split=row["split"],
        dialogue_id=row["dialogue_id"],
        messages=tuple(_traced(messages, turns, row, raw, export.options)),
    )


def _index_row(export: OpenExport, name: str, record_id: str) -> dict[str, Any] | None:
    """The row of the index with an id."""
    path = export.folder / "index" / f"{name}.parquet"
    try:
        rows = pl.scan_parquet(path, glob=False).filter(pl.col("id") == record_id).collect()
        return rows.row(0, named=True) if len(rows) else None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, error) from error


def _source(export: OpenExport, entry: ExportSource) -> tuple[Source, Settings]:
    """Return a source and the settings of its export. Raises ChatCorpusError if code or settings have changed."""
    fingerprint, name = entry.fingerprint, entry.name
    if fingerprint.get("code") != versions.code_digest():
        raise _changed(name, message("a different version of chat-corpus, or of its packages, exported it"))
    plugin_files, digests = tuple(fingerprint["plugin_files"]), tuple(fingerprint["plugins"])
    plugins = permitted_plugins(name, plugin_files, digests, export.plugins)
    try:
        source_settings = msgspec.convert(fingerprint["settings_of_source"], SourceSettings)
    except msgspec.ValidationError as error:
        raise _other_version(export.folder, error) from error
    if source_settings.digest() != fingerprint.get("settings"):
        raise _changed(export.folder / MANIFEST, message("the settings of {source} were edited", source=name))
    sections = {section: getattr(source_settings, section) for section in SourceSettings.__struct_fields__}
    settings = Settings(raw=export.raw or entry.raw_folder or "", plugins=plugins, **sections)
    source = sources.load(plugins).get(name)
    if source is None or plugin_digest.code(name, plugins) != fingerprint["source"]:
        raise _changed(name, message("the code of its source is missing or has changed"))
    return source, settings


def _shard(
    export: OpenExport, entry: ExportSource, source: Source, settings: Settings, file: str, record: int
) -> Shard:
    """Return the shard with a record of a raw file. Raises ChatCorpusError if the file has changed."""
    folder = Path(settings.raw)
    if not folder.is_dir():
        fault = message(
            "{folder}: no such folder, but {source} was made from it; name its new location with --raw",
            folder=folder,
            source=source.name,
        )
        raise UsageError(fault)
    discovered = discover(folder, sources.load(settings.plugins)).found[source.name]
    groups = [group for group in discovered.groups if file in [raw.name for raw in group.files]]
    if not groups:
        fault = message("{file}: no longer in {folder}; name its new location with --raw", file=file, folder=folder)
        raise ChatCorpusError(fault)
    digests = {raw.file: raw.sha256 for raw in entry.raw}
    for raw in groups[0].files:
        if digests.get(raw.name) and digest(raw) != digests[raw.name]:
            raise _changed(raw.path, message("changed since {folder} was made", folder=export.folder))
    planner = ShardPlanner(found=replace(discovered, groups=groups[:1]), settings=settings)
    shard = next((shard for shard in planner.shards() if shard.holds(file, record)), None)
    if shard is None:
        raise _changed(f"{file}:{record}", message("no such record"))
    return shard


def _rows(shard: Shard, source: Source, settings: SourceSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the dialogue store for a shard, and its raw records as `file, record, text`."""
    records = reading.records(shard, source)
    cleaned = process.clean_turns(shard, source, settings, records)
    result = process.filter_and_pair(cleaned, shard, source, settings, lambda: records)
    named = zip(shard.pieces, records, strict=True)
    raw = pl.concat(frame.select("record", "text", file=pl.lit(piece.file.name)) for piece, frame in named)
    return dialogue_store.rows(cleaned, result, shard, source), raw


def _messages(
    export: OpenExport, turns: pl.DataFrame, record_id: str, name: str, source: Source, settings: Settings
) -> list[dict[str, str]]:
    """Return the messages of the record of a dialogue with an id. Raises ChatCorpusError if there is none."""
    pairing = settings.pairs.pairing(source.pairing)
    masked, _ = mask_personal(turns, export.options)
    candidates = assemble(masked, pairing, export.options).dialogues["messages"]
    keys = splitting.content_keys(candidates)
    for number in range(1, _MOST_OCCURRENCES):
        same = splitting.record_ids(name, keys, pl.Series([number] * len(keys), dtype=pl.UInt32)) == record_id
        if same.any():
            messages: list[dict[str, str]] = candidates.filter(same)[0].to_list()
            return messages
    fault = message(
        "{id}: the raw files now give a different record; this is a bug in chat-corpus, please report it", id=record_id
    )
    raise ChatCorpusError(fault)


def _traced(
    messages: list[dict[str, str]],
    turns: pl.DataFrame,
    index_row: dict[str, Any],
    raw: pl.DataFrame,
    options: ExportOptions,
) -> list[TracedMessage]:
    """Messages with their turns: the first rows, in order, whose joined texts are the message."""
    masked, _ = mask_personal(turns, options)
    rows = [
        (row, text)
        for row, text in zip(turns.iter_rows(named=True), masked["text"], strict=True)
        if row["reason"] is None and text is not None
    ]
    records = raw.join(turns.select("file", "record").unique(), on=["file", "record"], how="semi")
    texts = {(file, record): text for file, record, text in records.select("file", "record", "text").iter_rows()}
    traced = []
    address = index_row["file"], index_row["record"]
    begins = (number for number, (row, _) in enumerate(rows) if (row["file"], row["record"]) == address)
    next_row = next(begins, 0)
    for entry in messages:
        used: list[SourceTurn] = []
        if entry["role"] != "system":
            next_row, used = _turns_of(entry["content"], rows, next_row, texts)
        traced.append(TracedMessage(role=entry["role"], content=entry["content"], turns=tuple(used)))
    return traced


def _turns_of(
    content: str, rows: list[tuple[dict[str, Any], str]], first: int, texts: dict[tuple[str, int], str | None]
) -> tuple[int, list[SourceTurn]]:
    """The row after the turns of a message, which are searched from row `first` on; and these turns."""
    for begin in range(first, len(rows)):
        rest, used = content, []
        for row, clean in rows[begin:]:
            text = clean if clean in rest else str(special_tokens.escape(pl.Series([clean]))[0])
            if rest != text and not rest.startswith(text + "\n"):
                break
            used.append(_turn(row, texts))
            if rest == text:
                return begin + len(used), used
            rest = rest[len(text) + 1 :]
    return first, []


def _turn(row: dict[str, Any], texts: dict[tuple[str, int], str | None]) -> SourceTurn:
    return SourceTurn(
        file=row["file"],
        record=row["record"],
        turn_index=row["turn_index"],
        read=row["text"] if row["raw"] is None else row["raw"],
        text=row["text"],
        raw=texts[row["file"], row["record"]] or "",
    )
