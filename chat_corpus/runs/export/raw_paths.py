"""The files and folders that raw corpora are read from, which an export must leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UnsetType

from chat_corpus.discovery.added import matching_paths
from chat_corpus.outputs.report import SourceEntry
from chat_corpus.settings.model import Settings
from chat_corpus.sources.definitions import Definition


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPaths:
    """Paths of raw corpora: folders, and the files that the user added singly."""

    folders: set[Path] = field(default_factory=set)
    files: set[Path] = field(default_factory=set)


def raw_paths(settings: Settings, entries: Mapping[str, SourceEntry]) -> RawPaths:
    """Return the paths that the settings name, and those that the sources of a report were read from."""
    paths = RawPaths(folders={Path(settings.raw)})
    for definition in settings.corpora.values():
        for path in (path for given in definition.paths for path in matching_paths(given)):
            (paths.folders if path.is_dir() else paths.files).add(path)
    for entry in entries.values():
        if isinstance(entry.definition, UnsetType) or not _is_of_files(entry, entry.definition):
            paths.folders.add(Path(entry.raw))
        else:
            paths.files.update(Path(entry.raw) / file.file for file in entry.files)
    return paths


def _is_of_files(entry: SourceEntry, definition: Definition) -> bool:
    """Return whether every path of an added corpus is a file, or a pattern of files.

    Paths are relative to the working folder of the run, which the report does not have, so they are compared with the
    ends of the paths of the files that it read.
    """
    root = Path(entry.raw)
    read = [root / file.file for file in entry.files]
    files = {path for file in read for path in (file, *file.parents) if path.is_relative_to(root) and not path.is_dir()}
    return all(Path(given).is_file() or any(file.match(_end(given)) for file in files) for given in definition.paths)


def _end(given: str) -> str:
    """Return the part of a path after its last `..`.

    >>> _end("../texts/chat.jsonl"), _end("chat.jsonl")
    ('texts/chat.jsonl', 'chat.jsonl')
    """
    parts = Path(given).parts
    after = len(parts) - parts[::-1].index("..") if ".." in parts else 0
    return str(Path(*parts[after:]))
