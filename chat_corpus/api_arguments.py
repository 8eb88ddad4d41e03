"""Arguments of the Python interface: read the settings and find the sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from chat_corpus import sources
from chat_corpus.discovery.added_layouts import settle_all
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import IncompleteError, UsageError
from chat_corpus.messages import joined, message
from chat_corpus.settings import filter_settings, loading
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source

#: Settings as nested dicts, with the keys of configs/default.yaml.
SettingsDict = Mapping[str, Any]


def discovered(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path], settings: SettingsDict | None
) -> tuple[DiscoveredSource, Settings]:
    """Return the discovered source and all settings. Raises UsageError and IncompleteError."""
    all_settings = read_settings(raw, config, settings)
    return chosen_sources((name,), all_settings)[name], all_settings


def read_settings(
    raw: str | Path,
    config: str | Path | Iterable[str | Path],
    settings: SettingsDict | None,
    out: str | Path = "clean_chat_corpus",
) -> Settings:
    """Return the settings from files and a dict, where the dict takes priority.

    Raises UsageError for unknown keys and wrong values.
    """
    files = [Path(config)] if isinstance(config, str | Path) else [Path(file) for file in config]
    flags = {"workers": 1, **_without_paths(settings or {}), "raw": str(raw), "out": str(out)}
    all_settings = loading.load(files, flags)
    all_settings = replace(all_settings, corpora=settle_all(all_settings.corpora))
    loading.check_sources(files, all_settings, sources.load(all_settings.plugins, all_settings.added))
    filter_settings.check_custom(
        all_settings, (item.name for item, _ in sources.declared(all_settings.plugins).filters)
    )
    return all_settings


def _without_paths(value: Any) -> Any:
    """Return settings with paths converted to text."""
    if isinstance(value, Mapping):
        return {name: _without_paths(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_paths(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def chosen_sources(names: Iterable[str], settings: Settings) -> dict[str, DiscoveredSource]:
    """Return the named sources, or all discovered sources if there are no names.

    Raises UsageError for an unknown name, and IncompleteError if a source is missing or none is found.
    """
    all_sources = check_names(names, settings)
    found = discover_sources(Path(settings.raw), all_sources, settings.added)
    chosen = {name: found[name] for name in names} or {name: source for name, source in found.items() if source.groups}
    for name, source in chosen.items():
        if not source.groups:
            state = message("{source}: {state} in {folder}", source=name, state=source.state, folder=settings.raw)
            raise IncompleteError(joined("; ", [state, *source.damaged, source.source.obtain]))
    if not chosen:
        raise IncompleteError(message("{folder}: no corpus found", folder=settings.raw))
    return chosen


def check_names(names: Iterable[str], settings: Settings) -> Mapping[str, Source]:
    """Return all sources by name. Raises UsageError if one of `names` is unknown."""
    all_sources = sources.load(settings.plugins, settings.added)
    for name in names:
        if name not in all_sources:
            names_of_all = ", ".join(all_sources)
            raise UsageError(
                message("no source is named '{name}'; the sources are: {names}", name=name, names=names_of_all)
            )
    return all_sources


def places(added: Mapping[str, str | Path] | None) -> dict[str, str]:
    """Return the paths of added corpora as text, by name of the corpus."""
    return {name: str(path) for name, path in (added or {}).items()}


def name_of(folder: str | Path | None) -> str | None:
    """Return the path of a folder as text, or None without a folder."""
    return None if folder is None else str(folder)
