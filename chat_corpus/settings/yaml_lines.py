"""A YAML file as plain data, with the place of each key, so that a fault in it can be shown to its author."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chat_corpus.errors import UsageError
from chat_corpus.files.yaml_safety import LOADER, check_nesting

#: A key and the keys of the sections around it, outermost first.
Key = tuple[str, ...]
#: Where each key was set last: `file:line`.
Places = dict[Key, str]

#: Values in a document, each counted as often as it is referred to.
_MOST_VALUES = 100_000
_NAMES = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})


def load(file: Path) -> tuple[dict[str, Any], Places]:
    """The mapping that a file holds, and the place of each key. Raises UsageError with file and line."""
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"{file}: no such file; check the path given to --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as UTF-8 text: {error}; check the path given to --config") from error
    try:
        check_nesting(text)
        loader = LOADER(text)
        node = loader.get_single_node()
        if _values(node, {}) > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES:,} values, each counted as often as it is referred to")
        places: Places = {}
        if node is not None:
            # First, because building the data puts what `<<` merges into the nodes, as if it had been written there.
            _walk(node, (), file, places)
        data = {} if node is None else loader.construct_document(node)
        if not isinstance(data, dict):
            raise UsageError(f"{file}:1: a mapping of settings expected; see configs/default.yaml")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{file}:{line}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{file}: not valid YAML: {error}") from error
    return data, places


def _values(node: Any, known: dict[int, float]) -> float:
    """How many values a node has under it, once every alias is followed: without end where it holds itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        below = node.value if isinstance(node, yaml.CollectionNode) else ()
        pairs = (one if isinstance(one, tuple) else (one,) for one in below)
        known[id(node)] = 1 + sum(_values(one, known) for pair in pairs for one in pair)
    return known[id(node)]


def _walk(node: yaml.Node, under: Key, file: Path, places: Places) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for name, value in node.value:
        where = f"{file}:{name.start_mark.line + 1}"
        if name.tag not in _NAMES:
            told = name.value if isinstance(name, yaml.ScalarNode) else "?"
            raise UsageError(f"{where}: key '{told}' is no text to YAML; the name of a setting or source expected")
        key = (*under, str(name.value))
        if key in seen:
            raise UsageError(f"{where}: key '{'.'.join(key)}' stands twice; keep one")
        seen.add(key)
        places[key] = where
        _walk(value, key, file, places)


def place(key: Key, places: Places) -> str:
    """`file:line: ` of a key or of the nearest section around it; nothing for one that no file set.

    >>> place(("text", "width", "enabled"), {("text",): "my.yaml:3"})
    'my.yaml:3: '
    """
    for length in range(len(key), 0, -1):
        if key[:length] in places:
            return f"{places[key[:length]]}: "
    return ""
