"""All sources by name: the corpora of this package, and the sources of plugins, with the filters of plugins.

A plugin is a Python file, or an installed package with an entry point in the group ``chat_corpus.sources`` or, for
filters, ``chat_corpus.filters``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from chat_corpus.errors import UsageError
from chat_corpus.messages import message
from chat_corpus.schema import PAIR_REASON, Reason, is_source_name
from chat_corpus.sources import corpora
from chat_corpus.sources.base import Filter, Scope, Source
from chat_corpus.sources.definitions import Definitions, source_of

ENTRY_POINT_GROUP = "chat_corpus.sources"
FILTER_ENTRY_POINT_GROUP = "chat_corpus.filters"
#: Pattern of the names and reasons of filters.
_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The origin of a source: a `label` for messages, the name of its module, and its distribution with version.

    `digest` is the SHA-256 of a plugin's file when it was loaded.
    """

    label: str
    module: str
    distribution: str = ""
    digest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The sources and filters of this package and of plugins, each with its origin, and the digests of plugin files."""

    sources: Mapping[str, tuple[Source, Origin]]
    filters: tuple[tuple[Filter, Origin], ...]
    digests: Mapping[str, str]


def load(files: tuple[str, ...] = (), added: Definitions = ()) -> Mapping[str, Source]:
    """Return all sources by name, in the order of their names, then those that the user has `added` by settings.

    `files` are Python files that define a `SOURCE`, a `FILTER` or `FILTERS`. Each source gets the filters of plugins.
    Raises UsageError if a file or entry point fails or defines nothing, or if two sources or filters have the same
    name.
    """
    everything = declared(files)
    sources = {name: source for name, (source, _) in everything.sources.items()}
    for name, _ in added:
        if name in sources:
            raise UsageError(
                message("{name}: a source of this name exists already; add your corpus under another name", name=name)
            )
    whole = {**sources, **{name: source_of(name, definition) for name, definition in added}}
    return {name: _with_filters(source, everything) for name, source in whole.items()}


def _with_filters(source: Source, everything: Declared) -> Source:
    filters = tuple(item for item, _ in everything.filters)
    return replace(source, filters=filters) if filters else source


def source(
    name: str, files: tuple[str, ...], added: Definitions = (), filter_files: tuple[str, ...] | None = None
) -> Source:
    """Return one source with the filters of plugins. Raises KeyError if there is none, and the errors of `load`.

    `filter_files` are those of the `files` that define filters, if known: then no other file is loaded without need.
    """
    definition = dict(added).get(name)
    made = declaring(name, files)[name][0] if definition is None else source_of(name, definition)
    return _with_filters(made, declared(files if filter_files is None else filter_files))


def filter_files(files: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the plugin files that define a filter. Raises the errors of `load`."""
    labels = {origin.label for _, origin in declared(files).filters}
    return tuple(file for file in files if file in labels)


def declaring(name: str, files: tuple[str, ...]) -> Mapping[str, tuple[Source, Origin]]:
    """Return sources and their origins, including the source with this name if it exists; load `files` only if needed.

    So a plugin file that is deleted or fails before a worker starts affects only its source. Raises the errors of
    `load`.
    """
    without_files = declared(()).sources
    return without_files if name in without_files else declared(files).sources


def digests(files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the SHA-256 of each plugin file when it was loaded. Raises the errors of `load`."""
    return tuple(declared(files).digests[file] for file in files)


@cache
def declared(files: tuple[str, ...] = ()) -> Declared:
    """Return the sources and filters of `load` with their origins, loaded once. Raises the errors of `load`."""
    modules = [(origin, module) for origin, module in map(_from_file, files)]
    sources: dict[str, tuple[Source, Origin]] = {}
    own = ((origin, getattr(module, "SOURCE", None)) for origin, module in modules if not _defines_filters_only(module))
    for origin, source in (*_bundled(), *_installed(ENTRY_POINT_GROUP, "SOURCE"), *own):
        checked = _checked_source(origin, source)
        if checked.name in sources:
            raise UsageError(
                message(
                    "{file}: a source named '{name}' already exists; rename this one",
                    file=origin.label,
                    name=checked.name,
                )
            )
        sources[checked.name] = (checked, origin)
    digests_ = {origin.label: origin.digest for origin, _ in modules}
    return Declared(sources=dict(sorted(sources.items())), filters=_filters(modules), digests=digests_)


def _checked_source(origin: Origin, source: object) -> Source:
    if not isinstance(source, Source):
        raise UsageError(
            message(
                "{file}: defines no SOURCE of type chat_corpus.plugins.Source, and no FILTER; see docs/plugins.md",
                file=origin.label,
            )
        )
    if not is_source_name(source.name):
        raise UsageError(
            message(
                "{file}: {name!r} cannot be the name of a source; use a-z, 0-9, '-' and '_', and no name that "
                "Windows reserves for a device",
                file=origin.label,
                name=source.name,
            )
        )
    return source


def _defines_filters_only(module: ModuleType) -> bool:
    return not hasattr(module, "SOURCE") and (hasattr(module, "FILTER") or hasattr(module, "FILTERS"))


def _filters(modules: Iterable[tuple[Origin, ModuleType]]) -> tuple[tuple[Filter, Origin], ...]:
    """Return the filters of plugin files, and those of installed packages, which are off unless settings name them."""
    found: dict[str, tuple[Filter, Origin]] = {}
    listed = [(origin, one, True) for origin, module in modules for one in _filters_of(module)]
    for origin, loaded in _installed(FILTER_ENTRY_POINT_GROUP, ""):
        several = _filters_of(loaded) if isinstance(loaded, ModuleType) else loaded
        listed += [(origin, one, False) for one in (several if isinstance(several, (tuple, list)) else (several,))]
    for origin, item, enabled in listed:
        checked = _checked_filter(origin, item)
        if checked.name in found:
            raise UsageError(
                message(
                    "{file}: a filter named '{name}' already exists; rename this one",
                    file=origin.label,
                    name=checked.name,
                )
            )
        found[checked.name] = (replace(checked, enabled=enabled), origin)
    return tuple(found.values())


def _filters_of(module: ModuleType) -> tuple[object, ...]:
    several = getattr(module, "FILTERS", ())
    one = (module.FILTER,) if hasattr(module, "FILTER") else ()
    return (*one, *several) if isinstance(several, (tuple, list)) else (*one, several)


def _checked_filter(origin: Origin, item: object) -> Filter:
    if not isinstance(item, Filter):
        raise UsageError(
            message(
                "{file}: FILTER or FILTERS is not of type chat_corpus.plugins.Filter; see docs/plugins.md",
                file=origin.label,
            )
        )
    if not all(isinstance(text, str) and _NAME.fullmatch(text) for text in (item.name, item.reason)):
        raise UsageError(
            message(
                "{file}: filter {name!r}, reason {reason!r}: use a-z, 0-9 and '_' for both",
                file=origin.label,
                name=item.name,
                reason=item.reason,
            )
        )
    if item.reason.startswith(PAIR_REASON) != (item.scope is Scope.PAIR) or item.reason == Reason.DUPLICATE:
        raise UsageError(
            message(
                "{file}: filter '{name}', reason '{reason}': the reason of a pair begins with pair_, no other does",
                file=origin.label,
                name=item.name,
                reason=item.reason,
            )
        )
    return item


def _bundled() -> Iterator[tuple[Origin, object]]:
    for module in pkgutil.iter_modules(corpora.__path__):
        name = f"{corpora.__name__}.{module.name}"
        yield Origin(label=name, module=name), getattr(importlib.import_module(name), "SOURCE", None)


def _installed(group: str, attribute: str) -> Iterator[tuple[Origin, object]]:
    """Yield the object of each entry point in a group, or the `attribute` of this object, if it has one.

    Raises UsageError if a plugin cannot be loaded.
    """
    for point in entry_points(group=group):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        label = message("entry point {name}", name=point.value)
        origin = Origin(label=label, module=point.module, distribution=distribution)
        with _loading(label):
            loaded = point.load()
        yield origin, getattr(loaded, attribute, loaded) if attribute else loaded


def _from_file(file: str) -> tuple[Origin, ModuleType]:
    path = Path(file)
    unique = hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"chat_corpus_source_{path.stem}_{unique}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(message("{file}: not a Python file; expected one that defines a SOURCE", file=file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as `import` does, since dataclasses look up their module
    with _loading(file):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        spec.loader.exec_module(module)
    return Origin(label=file, module=spec.name, digest=digest), module


@contextmanager
def _loading(label: str) -> Iterator[None]:
    """Raise any exception of a plugin's code as a UsageError that names the plugin."""
    try:
        yield
    except (Exception, SystemExit) as error:
        kind, text = type(error).__name__, str(error)
        raise UsageError(
            message("{file}: cannot be loaded: {kind}: {error}", file=label, kind=kind, error=text)
        ) from error
