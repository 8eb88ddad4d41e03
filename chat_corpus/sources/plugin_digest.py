"""A digest of the code of a plugin: results depend on it as they depend on the code of this package."""

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

#: Packages that the digest leaves out: Python, and this package and `versions.PACKAGES`, which `versions` covers.
_EXCLUDED = {"chat_corpus", *(name.replace("-", "_") for name in versions.PACKAGES), *sys.stdlib_module_names}
_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES, ".json")
_SITES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib"))


@cache
def code(
    source: str, plugins: tuple[str, ...], added: Definitions = (), filter_files: tuple[str, ...] | None = None
) -> str:
    """Return a short digest of the code of a source and of filters, as far as it comes from plugins; otherwise empty.

    `filter_files` are those of the plugin files that define filters, if they are known. For a corpus that the user has
    `added`, the digest covers its definition.
    """
    files = sources.filter_files(plugins) if filter_files is None else filter_files
    origins = [origin for _, origin in sources.declared(files).filters]
    of_source = _source_code(source, plugins, added)
    if not origins:
        return of_source
    parts = [of_source, *sorted({_code_of(origin.module, origin.distribution) for origin in origins})]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _source_code(source: str, plugins: tuple[str, ...], added: Definitions) -> str:
    """Return a short digest of the code of a plugin's source, besides `code_digest`; empty for a bundled source.

    It covers the file or package that defines the SOURCE, and all modules that its `import` statements lead to: local
    modules and packages by their files; installed ones, including the distribution of the source, by name, version and
    RECORD. A module that is imported by other means is covered only if a loaded module has one of its objects. For a
    corpus that the user has `added`, it is the digest of the definition.
    """
    if definition := dict(added).get(source):
        return definition.digest()
    if source not in (declared := sources.declaring(source, plugins)):
        return ""
    _, origin = declared[source]
    return "" if origin.module.split(".")[0] == "chat_corpus" else _code_of(origin.module, origin.distribution)


def _code_of(module: str, distribution_: str) -> str:
    """Return a short digest of a module, of the modules that its `import` statements lead to, and its distribution."""
    digest = hashlib.sha256(distribution_.encode())
    for name, content in sorted(_reached(module)):
        digest.update(f"\n{name}\n".encode() + content)
    return digest.hexdigest()[:16]


def _reached(module: str) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the files that a module depends on, each top-level module or package once."""
    root = module.split(".")[0]
    pending, seen = [root], {root}
    while pending:
        name = pending.pop()
        installed = "" if name == root else _installed(name)
        if installed:
            yield name, installed.encode()
            continue
        imported = set(_from_globals(name))
        for path, label in _files(name):
            content = path.read_bytes()
            yield label, content
            if path.suffix in SOURCE_SUFFIXES:
                imported |= _imported(content)
        pending += imported - seen - _EXCLUDED
        seen |= imported


def _files(name: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of a top-level module or package, with names relative to it."""
    spec = _spec(name)
    folders = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]
    for folder in folders:
        for path in folder.rglob("*"):
            if path.name.endswith(_SUFFIXES) and path.is_file():
                yield path, f"{name}/{path.relative_to(folder).as_posix()}"
    if spec is not None and not folders and spec.origin and Path(spec.origin).is_file():
        yield Path(spec.origin), Path(spec.origin).name


def _spec(name: str) -> ModuleSpec | None:
    """Return the spec of a top-level module; None if it is missing, which is allowed for optional modules."""
    loaded = sys.modules.get(name)
    try:
        return loaded.__spec__ if loaded is not None else find_spec(name)
    except (ImportError, ValueError):
        return None


def _installed(name: str) -> str:
    """Return version and RECORD of the distribution that installed a top-level module; empty if none did."""
    spec = _spec(name)
    paths = [] if spec is None else [*(spec.submodule_search_locations or ()), spec.origin or ""]
    if not any(Path(path).resolve().is_relative_to(folder) for path in paths for folder in _SITES):
        return ""
    try:
        installed = distribution(name)
    except (PackageNotFoundError, ValueError):
        return ""
    return f"{installed.version}\n{installed.read_text('RECORD') or ''}"


def _imported(code_: bytes) -> set[str]:
    """Return the top-level names in all `import` statements of a module, nested ones too."""
    try:
        tree = ast.parse(code_)
    except (SyntaxError, ValueError):  # a template, or code for another Python version: it is not imported
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def _from_globals(name: str) -> Iterator[str]:
    """Yield top-level names of the modules that define the globals of a loaded module or package."""
    for loaded in [module for key, module in sys.modules.items() if key.split(".")[0] == name]:
        for value in vars(loaded).values():
            module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(module, str) and module in sys.modules:
                yield module.split(".")[0]
