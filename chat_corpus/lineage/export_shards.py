"""The shards of raw files that records of an export came from."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import FileGroup
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports.manifest import ExportSource
from chat_corpus.files.content import digest
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source

#: Advice on records that cannot be traced.
AGAIN = "export again to have records that can be traced"


def shards_of_records(
    folder: Path, entry: ExportSource, source: Source, settings: Settings, addresses: Set[tuple[str, int]]
) -> Iterator[tuple[Shard, set[tuple[str, int]]]]:
    """Yield the shards that hold records of raw files, and the addresses of these records in each.

    Raises ChatCorpusError where a file is another one now.
    """
    raw = Path(settings.raw)
    if not raw.is_dir():
        raise UsageError(f"{raw}: no such folder, but {source.name} was made from it; name its place with --raw")
    found = discover(raw, sources.load(settings.plugins, settings.added), settings.added).found[source.name]
    for file in sorted({file for file, _ in addresses}):
        groups = [group for group in found.groups if file in [one.name for one in group.files]]
        if not groups:
            raise ChatCorpusError(f"{file}: not under {raw} any more; name the folder of raw corpora with --raw")
        _check_digests(folder, entry, groups[0])
        records = {record for name, record in addresses if name == file}
        for shard in ShardPlanner(found=replace(found, groups=groups[:1]), settings=settings).shards():
            if held := {record for record in records if shard.holds(file, record)}:
                yield shard, {(file, record) for record in held}
                records -= held
            if not records:
                break
        if records:
            raise ChatCorpusError(f"{file}:{min(records)}: no such record; {AGAIN}")


def _check_digests(folder: Path, entry: ExportSource, group: FileGroup) -> None:
    """Raise ChatCorpusError where a file of a group is not the one that the export was made from."""
    known = {one.file: one.sha256 for one in entry.raw}
    for one in group.files:
        if known.get(one.name) and digest(one) != known[one.name]:
            raise ChatCorpusError(f"{one.path}: changed since {folder} was made; {AGAIN}")
