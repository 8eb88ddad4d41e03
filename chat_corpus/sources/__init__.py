"""The corpora, one a module, each with one `SOURCE`; found by looking, so that a new one edits no list.

A third party's source comes in through the entry point group ``chat_corpus.sources`` or from a Python file.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from chat_corpus.errors import UsageError
from chat_corpus.source import Source

ENTRY_POINT_GROUP = "chat_corpus.sources"


@cache
def load(files: tuple[str, ...] = ()) -> Mapping[str, Source]:
    """All sources by name, in the order of their names; `files` are Python files that hold a `SOURCE` each.

    Raises UsageError where a file or entry point holds none, or two sources have one name.
    """
    found: dict[str, Source] = {}
    for origin, source in (*_bundled(), *_installed(), *(_from_file(file) for file in files)):
        if not isinstance(source, Source):
            raise UsageError(f"{origin}: no SOURCE of type chat_corpus.source.Source; see 'Add a source' in README.md")
        if source.name in found:
            raise UsageError(f"{origin}: a source named {source.name!r} exists already; rename this one")
        found[source.name] = source
    return dict(sorted(found.items()))


def _bundled() -> Iterator[tuple[str, object]]:
    for module in pkgutil.iter_modules(__path__):
        name = f"{__name__}.{module.name}"
        yield name, getattr(importlib.import_module(name), "SOURCE", None)


def _installed() -> Iterator[tuple[str, object]]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        loaded = point.load()
        yield f"entry point {point.value}", getattr(loaded, "SOURCE", loaded)


def _from_file(file: str) -> tuple[str, object]:
    path = Path(file)
    spec = importlib.util.spec_from_file_location(f"chat_corpus_source_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{file}: no Python file to load a source from")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return file, getattr(module, "SOURCE", None)
