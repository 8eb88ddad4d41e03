"""Find the shards of raw files that the records of an export came from."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path

from chat_corpus import sources
from chat_corpus.discovery.added import discover_added
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import DiscoveredSource, FileGroup
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports.manifest import ExportSource
from chat_corpus.files.content import digest
from chat_corpus.lineage.open_export import AGAIN, OpenExport
from chat_corpus.messages import message
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source


def shards_of_records(
    export: OpenExport, entry: ExportSource, source: Source, settings: Settings, addresses: Set[tuple[str, int]]
) -> Iterator[tuple[Shard, set[tuple[str, int]]]]:
    """Yield each shard that contains some of the raw records at `addresses`, and the addresses in it.

    Addresses are (file name, record number). Raises UsageError if the raw folder or the files of an added corpus are
    not found. Raises ChatCorpusError if a file is missing or changed, or has no such record.
    """
    found = _discovered(entry, source, settings)
    for file in sorted({file for file, _ in addresses}):
        groups = [group for group in found.groups if file in [one.name for one in group.files]]
        if not groups:
            raise ChatCorpusError(
                message(
                    "{file}: not under {folder} any more; {advice}",
                    file=file, folder=settings.raw, advice=_where(entry),
                )
            )  # fmt: skip
        _check_digests(export, entry, groups[0])
        records = {record for name, record in addresses if name == file}
        for shard in ShardPlanner(found=replace(found, groups=groups[:1]), settings=settings).shards():
            if held := {record for record in records if shard.holds(file, record)}:
                yield shard, {(file, record) for record in held}
                records -= held
            if not records:
                break
        if records:
            raise ChatCorpusError(
                message("{file}:{record}: no such record; {advice}", file=file, record=min(records), advice=AGAIN)
            )


def _check_digests(export: OpenExport, entry: ExportSource, group: FileGroup) -> None:
    """Raise ChatCorpusError if the SHA-256 of a file in a group is not the one in the manifest."""
    known = {one.file: one.sha256 for one in entry.raw}
    for one in group.files:
        if known.get(one.name) and digest(one) != known[one.name]:
            raise ChatCorpusError(
                message(
                    "{file}: not the file that {folder} was made from. If that one is elsewhere, {advice}; if the "
                    "file was changed, export again to have records that can be traced",
                    file=one.path, folder=export.folder, advice=_where(entry),
                )
            )  # fmt: skip


def _discovered(entry: ExportSource, source: Source, settings: Settings) -> DiscoveredSource:
    """Return the current files of a source. Raises UsageError if they are not found."""
    definition = dict(settings.added).get(source.name)
    if definition is not None:
        try:
            return discover_added(source.name, definition, source)
        except UsageError as error:
            raise UsageError(_missing(entry, ", ".join(definition.paths))) from error
    if not Path(settings.raw).is_dir():
        raise UsageError(_missing(entry, settings.raw))
    return discover(Path(settings.raw), sources.load(settings.plugins)).found[source.name]


def _missing(entry: ExportSource, path: str) -> str:
    return message(
        "{path}: not found, but {source} was exported from it; {advice}",
        path=path, source=entry.name, advice=_where(entry),
    )  # fmt: skip


def _where(entry: ExportSource) -> str:
    """Return the advice on the option that names the location of the files of a source."""
    if entry.fingerprint.definition is None:
        return message("name the folder of raw corpora with --raw")
    return message("name its file or folder with --add {source}=PATH", source=entry.name)
