"""The code that a third party's source is made of: it decides over results as this package does."""

from __future__ import annotations

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ModuleSpec
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from chat_corpus import sources, versions
from chat_corpus.sources.definitions import Definitions

#: What is not looked into: this package and those of `identity`, which have digest and versions there, and Python.
_KNOWN = {"chat_corpus", *(name.replace("-", "_") for name in versions.PACKAGES), *sys.stdlib_module_names}
_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES, ".json")
_SITES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib"))


@cache
def code(source: str, plugins: tuple[str, ...], added: Definitions = ()) -> str:
    """A short digest of the code that a source is made of, besides `code_digest`; empty for one of the package's own.

    It is of the file or package that defines the SOURCE, and of all that its `import` statements lead to: modules and
    packages by their files, installed ones by name, version and record of what was installed, as is the source's own
    distribution. What is imported by other means is known only where a loaded module still has something of it.
    Of a corpus that the user has `added`, it is the digest of its definition.
    """
    if definition := dict(added).get(source):
        return definition.digest()
    if source not in (declared := sources.declaring(source, plugins)):
        return ""
    _, origin = declared[source]
    if origin.module.split(".")[0] == "chat_corpus":
        return ""
    digest = hashlib.sha256(origin.distribution.encode())
    for told, content in sorted(_reached(origin.module)):
        digest.update(f"\n{told}\n".encode() + content)
    return digest.hexdigest()[:16]


def _reached(module: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what a module is made of, each top-level module or package once."""
    own = module.split(".")[0]
    waiting, seen = [own], {own}
    while waiting:
        name = waiting.pop()
        installed = "" if name == own else _installed(name)
        if installed:
            yield name, installed.encode()
            continue
        found = set(_held(name))
        for path, told in _files(name):
            content = path.read_bytes()
            yield told, content
            if path.suffix in SOURCE_SUFFIXES:
                found |= _imported(content)
        waiting += found - seen - _KNOWN
        seen |= found


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """The files of a top-level module or package, with names that do not tell where it lies."""
    spec = _spec(name)
    folders = [] if spec is None else [Path(place) for place in spec.submodule_search_locations or ()]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.name.endswith(_SUFFIXES) and path.is_file():
                yield path, f"{name}/{path.relative_to(folder).as_posix()}"
    if spec is not None and not folders and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin), Path(spec.origin).name


def _spec(name: str) -> ModuleSpec | None:
    """How a top-level module is found; none for one that is not there, as an optional one may be."""
    loaded = sys.modules.get(name)
    try:
        return loaded.__spec__ if loaded is not None else find_spec(name)
    except (ImportError, ValueError):
        return None


def _installed(name: str) -> str:
    """Version and record of the distribution that a top-level module is known to have been installed with, if any."""
    spec = _spec(name)
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), spec.origin or ""]
    if not any(Path(place).resolve().is_relative_to(folder) for place in places for folder in _SITES):
        return ""
    try:
        told = distribution(name)
    except (PackageNotFoundError, ValueError):
        return ""
    return f"{told.version}\n{told.read_text('RECORD') or ''}"


def _imported(code_: bytes) -> set[str]:
    """The top-level names that a module's `import` statements lead to, wherever they stand."""
    try:
        tree = ast.parse(code_)
    except (SyntaxError, ValueError):  # a template, or for another Python: nobody has imported it
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def _held(name: str) -> Iterator[str]:
    """The top-level names of the modules that a loaded module or package has something of among its globals."""
    for loaded in [one for told, one in sys.modules.items() if told.split(".")[0] == name]:
        for value in vars(loaded).values():
            known = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(known, str) and known in sys.modules:
                yield known.split(".")[0]
