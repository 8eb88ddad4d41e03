"""The sources by name: the corpora of this package, and those that third parties declare.

A third party's source comes in through the entry point group ``chat_corpus.sources`` or from a Python file.
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
from chat_corpus.schema import is_source_name
from chat_corpus.sources import corpora
from chat_corpus.sources.base import Source

ENTRY_POINT_GROUP = "chat_corpus.sources"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a source is from: `told` in messages, the name of its module, and its distribution with its version.

    `digest` is the SHA-256 of the file that was named for it, as it was when it was loaded.
    """

    told: str
    module: str
    distribution: str = ""
    digest: str = ""


def load(files: tuple[str, ...] = ()) -> Mapping[str, Source]:
    """All sources by name, in the order of their names; `files` are Python files that hold a `SOURCE` each.

    Raises UsageError where a file or entry point holds none or fails, or two sources have one name.
    """
    return {name: source for name, (source, _) in declared(files).items()}


def declaring(name: str, files: tuple[str, ...]) -> Mapping[str, tuple[Source, Origin]]:
    """Sources of which one has that name, if any has: `files` are loaded for one of theirs only. Raises as `load`.

    A file that is gone, or fails, in a worker that starts late then costs its own source, and no other.
    """
    known = declared()
    return known if name in known else declared(files)


def digests(files: tuple[str, ...]) -> tuple[str, ...]:
    """The SHA-256 of each of the files that hold a source, as they were when they were loaded. Raises as `load`."""
    told = {origin.told: origin.digest for _, origin in declared(files).values() if origin.digest}
    return tuple(told[file] for file in files)


@cache
def declared(files: tuple[str, ...] = ()) -> Mapping[str, tuple[Source, Origin]]:
    """The sources of `load`, looked for once, each with its origin. Raises as `load`."""
    found: dict[str, tuple[Source, Origin]] = {}
    for known, source in (*_bundled(), *_installed(), *(_from_file(file) for file in files)):
        origin = known.told
        if not isinstance(source, Source):
            raise UsageError(f"{origin}: no SOURCE of type chat_corpus.sources.base.Source; see docs/plugins.md")
        if not is_source_name(source.name):
            raise UsageError(
                f"{origin}: {source.name!r} cannot be a source's name; use a-z, 0-9, '-' and '_', and no name that "
                "Windows keeps for a device"
            )
        if source.name in found:
            raise UsageError(f"{origin}: a source named {source.name!r} exists already; rename this one")
        found[source.name] = (source, known)
    return dict(sorted(found.items()))


def _bundled() -> Iterator[tuple[Origin, object]]:
    for module in pkgutil.iter_modules(corpora.__path__):
        name = f"{corpora.__name__}.{module.name}"
        yield Origin(told=name, module=name), getattr(importlib.import_module(name), "SOURCE", None)


def _installed() -> Iterator[tuple[Origin, object]]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        held = f"{point.dist.name} {point.dist.version}" if point.dist else ""
        origin = Origin(told=f"entry point {point.value}", module=point.module, distribution=held)
        with _faults_of(origin.told):
            loaded = point.load()
        yield origin, getattr(loaded, "SOURCE", loaded)


def _from_file(file: str) -> tuple[Origin, object]:
    path = Path(file)
    unique = hashlib.sha256(str(path.absolute()).encode(errors="surrogateescape")).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"chat_corpus_source_{path.stem}_{unique}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{file}: no Python file to load a source from")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as `import` does: dataclasses look their module up
    with _faults_of(file):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        spec.loader.exec_module(module)
    return Origin(told=file, module=spec.name, digest=digest), getattr(module, "SOURCE", None)


@contextmanager
def _faults_of(origin: str) -> Iterator[None]:
    """Whatever a third party's code raises while it is loaded is told as its fault."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise UsageError(f"{origin}: cannot be loaded: {type(error).__name__}: {error}") from error
