"""All sources by name: the corpora of this package, and the sources of plugins.

A plugin is a Python file, or a package with an entry point in the group ``chat_corpus.sources``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.messages import message
from chat_corpus.schema import is_source_name
from chat_corpus.sources import corpora
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import Definitions, source_of

ENTRY_POINT_GROUP = "chat_corpus.sources"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a source comes from: a `label` for messages, the name of its module, and its distribution with version.

    `digest` is the SHA-256 of a plugin's file when it was loaded.
    """

    label: str
    module: str
    distribution: str = ""
    digest: str = ""


def load(files: tuple[str, ...] = (), added: Definitions = ()) -> Mapping[str, Source]:
    """Return all sources by name, in the order of their names, then those that the user has `added` by settings.

    `files` are Python files that define a `SOURCE` each. Raises UsageError if a file or entry point fails or defines
    no source, or if two sources have the same name.
    """
    sources = {name: source for name, (source, _) in declared(files).items()}
    for name, _ in added:
        if name in sources:
            raise UsageError(
                message("{name}: a source of this name exists already; add your corpus under another name", name=name)
            )
    return {**sources, **{name: source_of(name, definition) for name, definition in added}}


def source(name: str, files: tuple[str, ...], added: Definitions = ()) -> Source:
    """Return one source. Raises KeyError if there is none of that name, and the errors of `load`."""
    definition = dict(added).get(name)
    return declaring(name, files)[name][0] if definition is None else source_of(name, definition)


def declaring(name: str, files: tuple[str, ...]) -> Mapping[str, tuple[Source, Origin]]:
    """Return sources among which is the one with that name, if it exists; load `files` only if needed.

    So a file that is deleted, or fails, before a worker starts fails its own source only. Raises the errors of `load`.
    """
    without_files = declared()
    return without_files if name in without_files else declared(files)


def digests(files: tuple[str, ...]) -> tuple[str, ...]:
    """Return the SHA-256 of each plugin file when it was loaded. Raises the errors of `load`."""
    by_file = {origin.label: origin.digest for _, origin in declared(files).values() if origin.digest}
    return tuple(by_file[file] for file in files)


@cache
def declared(files: tuple[str, ...] = ()) -> Mapping[str, tuple[Source, Origin]]:
    """Return the sources of `load` with their origins; they are loaded once. Raises the errors of `load`."""
    sources: dict[str, tuple[Source, Origin]] = {}
    for origin, source in (*_bundled(), *_installed(), *(_from_file(file) for file in files)):
        label = origin.label
        if not isinstance(source, Source):
            raise UsageError(
                message(
                    "{file}: defines no SOURCE of type chat_corpus.plugins.Source; see docs/plugins.md",
                    file=label,
                )
            )
        if not is_source_name(source.name):
            raise UsageError(
                message(
                    "{file}: {name!r} cannot be the name of a source; use a-z, 0-9, '-' and '_', and no name that "
                    "Windows reserves for a device",
                    file=label,
                    name=source.name,
                )
            )
        if source.name in sources:
            raise UsageError(
                message("{file}: a source named '{name}' already exists; rename this one", file=label, name=source.name)
            )
        sources[source.name] = (source, origin)
    return dict(sorted(sources.items()))


def _bundled() -> Iterator[tuple[Origin, object]]:
    for module in pkgutil.iter_modules(corpora.__path__):
        name = f"{corpora.__name__}.{module.name}"
        yield Origin(label=name, module=name), getattr(importlib.import_module(name), "SOURCE", None)


def _installed() -> Iterator[tuple[Origin, object]]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        label = message("entry point {name}", name=point.value)
        origin = Origin(label=label, module=point.module, distribution=distribution)
        with _loading(label):
            loaded = point.load()
        yield origin, getattr(loaded, "SOURCE", loaded)


def _from_file(file: str) -> tuple[Origin, object]:
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
    return Origin(label=file, module=spec.name, digest=digest), getattr(module, "SOURCE", None)


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
