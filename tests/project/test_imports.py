"""Imports run one way: a module imports from its own folder and those below, wherever in its code the import is."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from tests.conftest import ROOT

PACKAGE = ROOT / "chat_corpus"

#: Folders, and modules at the top of the package, lowest first; those of one row do not import each other.
ROWS: tuple[tuple[str, ...], ...] = (
    ("schema", "row_masks", "json_lines", "messages", "versions"),
    ("system_texts", "terms"),
    ("errors",),
    ("process_setup",),
    ("files/", "exports/"),
    ("formats/",),
    ("sources/",),
    ("pipeline/",),
    ("statistics/",),
    ("discovery/",),
    ("outputs/", "settings/", "fetching/"),
    ("page/",),
    ("engines/",),
    ("runs/",),
    ("lineage/",),
    ("api_arguments",),
    ("cli/", "api", "plugins"),
    ("", "__main__"),
)


def _modules() -> dict[str, Path]:
    """All modules by their name below the package; the package itself is the empty name."""
    paths = (file.relative_to(PACKAGE).with_suffix("") for file in PACKAGE.rglob("*.py"))
    return {".".join(path.parts).removesuffix("__init__").rstrip("."): PACKAGE / f"{path}.py" for path in paths}


MODULES = _modules()


def _imported(file: Path) -> Iterator[str]:
    """The modules of ours that a file imports, anywhere in it, by their names below the package."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute here"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name.partition(".")[2] in MODULES else str(node.module) for name in whole]
        else:
            continue
        yield from (name.partition(".")[2] for name in names if name.split(".")[0] == "chat_corpus")


IMPORTS = {name: frozenset(_imported(file)) for name, file in MODULES.items()}


def _folder(name: str) -> str:
    """The folder of a module, or its own name if it is at the top of the package."""
    first, dot, _ = name.partition(".")
    return f"{first}/" if dot or (name and MODULES[name].name == "__init__.py") else first


def _row(name: str) -> int:
    """The row of a module's folder."""
    (row,) = [number for number, row in enumerate(ROWS) if _folder(name) in row]
    return row


def _imports(modules: Iterable[str], forbidden: Callable[[str, str], bool]) -> list[str]:
    """What modules import and must not, as `module imports other`."""
    return [f"{name} imports {other}" for name in modules for other in IMPORTS[name] if forbidden(name, other)]


def test_a_module_imports_from_its_folder_and_those_below_only() -> None:
    def upward(name: str, other: str) -> bool:
        return _folder(other) != _folder(name) and _row(other) >= _row(name)

    assert _imports(MODULES, upward) == []


def test_a_source_declares_facts_and_imports_formats_alone() -> None:
    allowed = {"schema", "sources.signature", "sources.base", "sources.origins"}
    corpora = [name for name in MODULES if name.startswith("sources.corpora.")]
    assert len(corpora) == 11
    assert _imports(corpora, lambda _, other: other not in allowed and not other.startswith("formats.")) == []


#: Packages of the pipeline that know nothing of each other; what binds them is in the modules beside them.
APART = ("pipeline.text", "pipeline.script", "pipeline.filters", "pipeline.dedup")


def test_text_script_filters_and_dedup_know_nothing_of_each_other() -> None:
    def sideways(name: str, other: str) -> bool:
        others = set(APART) - {name.rpartition(".")[0]}
        return other in others or other.rpartition(".")[0] in others

    modules = [name for name in MODULES if name.rpartition(".")[0] in APART]
    assert len(modules) > len(APART)
    assert _imports(modules, sideways) == []


def test_the_pipeline_is_given_its_source_and_settings() -> None:
    modules = [name for name in MODULES if name.startswith("pipeline.")]
    assert len(modules) > len(APART)
    assert _imports(modules, lambda _, other: other in ("sources", "sources.plugin_digest")) == []


def test_there_is_no_cycle() -> None:
    list(TopologicalSorter(IMPORTS).static_order())


def test_help_need_not_wait_for_heavy_packages() -> None:
    code = "import sys, chat_corpus.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {"chat_corpus.cli.main", "click"} <= set(loaded)
    assert {"polars", "tqdm", "yaml", "msgspec", "chat_corpus.settings"} & set(loaded) == set()


def test_a_run_in_one_process_without_a_terminal_does_not_wait_for_what_others_need() -> None:
    code = (
        "import sys, chat_corpus.cli.console, chat_corpus.cli.run_output, chat_corpus.runs.runner; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {"chat_corpus.runs.runner", "chat_corpus.engines.inline"} <= set(loaded)
    assert {"asyncio", "multiprocessing", "tqdm", "numpy", "jinja2"} & set(loaded) == set()


def test_a_worker_of_main_py_does_not_import_the_command_line() -> None:
    """A spawned process runs the file of its parent under this name."""
    code = "import runpy, sys; runpy.run_path('main.py', run_name='__mp_main__'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert {"click", "chat_corpus"} & set(run.stdout.split()) == set()


def _undocumented(file: Path) -> Iterator[str]:
    """What of a module is public and has no docstring."""
    tree = ast.parse(file.read_text("utf-8"))
    if not ast.get_docstring(tree):
        yield f"{file}"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            inner = node.body if isinstance(node, ast.ClassDef) else []
            methods = [one for one in inner if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")]
            yield from (f"{file}: {one.name}" for one in (node, *methods) if not ast.get_docstring(one))


def test_what_is_public_has_a_docstring() -> None:
    assert [name for file in MODULES.values() for name in _undocumented(file)] == []
