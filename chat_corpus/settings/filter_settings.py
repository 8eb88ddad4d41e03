"""Settings of filters with checks beyond the type of a value: word lists, and filters of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from chat_corpus.errors import UsageError
from chat_corpus.messages import joined, message
from chat_corpus.pipeline.filters import table, word_lists
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.settings import yaml_lines
from chat_corpus.settings.model import Settings


def with_word_lists(data: dict[str, Any], locations: yaml_lines.Locations) -> dict[str, Any]:
    """Return settings with the absolute path and the SHA-256 of each word list.

    Raises UsageError if a list cannot be used, or if its SHA-256 differs from the one in the settings.
    """
    by_source = data.get("sources")
    sections = dict(by_source) if isinstance(by_source, Mapping) else {}
    changed = {
        name: {**section, "filters": _digested(section["filters"], ("sources", str(name), "filters"), locations)}
        for name, section in sections.items()
        if isinstance(section, Mapping) and "filters" in section
    }
    filters = {"filters": _digested(data["filters"], ("filters",), locations)} if "filters" in data else {}
    return {**data, **filters, **({"sources": {**sections, **changed}} if changed else {})}


def _digested(section: Any, under: yaml_lines.Key, locations: yaml_lines.Locations) -> Any:
    """Return a section `filters` with `path, sha256` in place of each file name."""
    if not isinstance(section, Mapping):
        return section
    changed = {}
    for name in ("deny", "allow"):
        if isinstance(value := section.get(name), list | str):
            items = [value] if isinstance(value, str) else value
            changed[name] = [_word_list(item, (*under, name), locations) for item in items]
    return {**section, **changed}


def _word_list(item: Any, key: yaml_lines.Key, locations: yaml_lines.Locations) -> Any:
    """Return `path, sha256` of a word list; `item` itself if it has no path, which a later check reports.

    Raises UsageError if the list cannot be used, or if the digest in `item` is not that of the file.
    """
    path = item.get("path") if isinstance(item, Mapping) else item
    if not isinstance(path, str):
        return item
    try:
        made = word_lists.digested(path)
    except UsageError as error:
        fault = message(
            "{location}{key}: {error}",
            location=yaml_lines.location(key, locations),
            key=".".join(key),
            error=error.message,
        )
        raise UsageError(fault) from error
    expected = item.get("sha256") if isinstance(item, Mapping) else ""
    if expected and expected != made.sha256:
        fault = message(
            "{location}{key}: found {value}, expected {expected}",
            location=yaml_lines.location(key, locations),
            key=".".join((*key, "sha256")),
            value=made.sha256,
            expected=expected,
        )
        raise UsageError(fault)
    return msgspec.to_builtins(replace(made, path=str(Path(path).expanduser().absolute())))


def check_custom(settings: Settings, filters: Iterable[str]) -> None:
    """Raise UsageError if no plugin defines a filter in `filters.custom`, or a filter of a plugin has a built-in name.

    `filters` are the names of the filters of plugins.
    """
    names = list(filters)
    for name in names:
        if name in FilterOptions.__struct_fields__ or name in {item.name for item in table.FILTERS}:
            raise UsageError(message("filter '{name}': chat-corpus has a filter of this name; rename yours", name=name))
    custom = {"filters.custom": settings.filters.custom}
    custom |= {f"sources.{name}.filters.custom": settings.of(name).filters.custom for name in settings.sources}
    for key, values in custom.items():
        for name in values:
            if name not in names:
                fault = message(
                    "{key}.{name}: no plugin defines a filter of this name; {hint}",
                    key=key,
                    name=name,
                    hint=message("the filters of plugins are: {names}", names=joined(", ", names))
                    if names
                    else message("load it with --plugin FILE"),
                )
                raise UsageError(fault)
