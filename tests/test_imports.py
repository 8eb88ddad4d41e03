"""Imports run one way: a module imports from lower layers only, wherever in its code the import stands."""

from __future__ import annotations

import ast
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "chat_corpus"

#: Lowest first. Modules of one layer do not import each other, but for those of one package in `TOGETHER`.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "schema",
        "errors",
        "encodings",
        "identity",
        "sealed",
        "stream_cache",
        "progress",
        "signature",
        "writers",
        "engines",
    ),
    ("streams",),
    ("terminal",),
    ("rows", "lines", "compressed", "transcoding", "counts", "parquet"),
    ("report_schema", "raw", "archives", "yaml_places", "unread", "engines.local"),
    ("formats", "formats.base", "formats.names", "detection", "walk", "samples"),
    ("formats.json_layout", "formats.record_fields", "formats.table_rows"),
    ("formats.conversations", "formats.tables"),
    ("formats.*", "heads"),
    ("source",),
    (
        "sources",
        "sources.*",
        "text",
        "text.*",
        "script",
        "script.*",
        "rules",
        "pairing",
        "writers.*",
        "ledger",
        "distinct",
    ),
    ("naming", "trial", "plugins"),
    ("recognise",),
    ("company",),
    ("settings", "foreign", "survey", "unfold", "engines.agreement", "engines.connection"),
    ("engines.cluster",),
    ("plan", "engines.choose"),
    ("reading", "usable"),
    ("pipeline",),
    ("kept", "earlier"),
    ("work",),
    ("index", "report", "drive"),
    ("merge",),
    ("job",),
    ("run", "summary", "findings", "inventory"),
    ("console", "filter", "lineage", "lineage.*"),
    ("api", "cli_group"),
    ("cli_trace",),
    ("", "cli"),  # the package itself, which opens `api` when it is asked for
    ("__main__",),
)
TOGETHER = frozenset({"text", "script", "lineage"})


def _modules() -> dict[str, Path]:
    """All modules by their name below the package; the package itself is the empty name."""
    paths = (file.relative_to(PACKAGE).with_suffix("") for file in PACKAGE.rglob("*.py"))
    return {".".join(path.parts).removesuffix("__init__").rstrip("."): PACKAGE / f"{path}.py" for path in paths}


MODULES = _modules()


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


@cache
def _imported(name: str) -> frozenset[str]:
    """The modules of ours that a module imports, anywhere in it, by their names below the package."""
    found = set[str]()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute here"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name.partition(".")[2] in MODULES else str(node.module) for name in whole]
        else:
            continue
        found.update(name.partition(".")[2] for name in names if name.split(".")[0] == "chat_corpus")
    return frozenset(found)


def _layers(name: str) -> list[int]:
    exact = [number for number, layer in enumerate(LAYERS) if name in layer]
    return exact or [number for number, layer in enumerate(LAYERS) if any(fnmatch(name, known) for known in layer)]


def _package(name: str) -> str:
    return name.partition(".")[0]


def test_every_module_has_its_layer_and_one_only() -> None:
    assert {name: _layers(name) for name in MODULES if len(_layers(name)) != 1} == {}


def test_every_name_in_the_table_is_a_module() -> None:
    known = [name for layer in LAYERS for name in layer]
    assert [name for name in known if not any(fnmatch(module, name) for module in MODULES)] == []


def test_a_module_imports_from_lower_layers_only() -> None:
    upward = [
        (name, other)
        for name in MODULES
        for other in _imported(name)
        if _layers(other)[0] >= _layers(name)[0]
        and not (_package(other) == _package(name) and _package(name) in TOGETHER)
    ]
    assert upward == []


def test_there_is_no_cycle() -> None:
    list(TopologicalSorter({name: _imported(name) for name in MODULES}).static_order())


def test_a_source_declares_facts_and_imports_formats_alone() -> None:
    declaring = [name for name in MODULES if name.startswith("sources.")]
    imported = [(name, other) for name in declaring for other in _imported(name) if not other.startswith("formats.")]
    assert len(declaring) >= 11
    assert [(name, other) for name, other in imported if other not in {"schema", "signature", "source"}] == []


def test_formats_text_and_writers_know_nothing_of_each_other() -> None:
    rooms = {"formats", "text", "writers", "script", "sources"}
    told = [name for name in MODULES if _package(name) in ("formats", "text", "writers")]
    imported = [(name, other) for name in told for other in _imported(name) if _package(other) in rooms]
    assert {_package(name) for name in told} == {"formats", "text", "writers"}
    assert [(name, other) for name, other in imported if _package(other) != _package(name)] == []


def test_help_need_not_wait_for_heavy_packages() -> None:
    code = "import sys, chat_corpus.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {"chat_corpus.cli", "click"} <= set(loaded)
    assert {"polars", "tqdm", "yaml", "msgspec", "chat_corpus.settings"} & set(loaded) == set()


def _silent(tree: ast.Module) -> list[str]:
    """What of a module is public and has no docstring."""
    silent = [] if ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            inner = [one for one in getattr(node, "body", []) if isinstance(one, ast.FunctionDef)]
            methods = inner if isinstance(node, ast.ClassDef) else []
            told = [node, *(one for one in methods if not one.name.startswith("_"))]
            silent += [one.name for one in told if not ast.get_docstring(one)]
    return silent


def test_what_is_public_has_a_docstring() -> None:
    assert {name: silent for name in MODULES if (silent := _silent(_tree(name)))} == {}
