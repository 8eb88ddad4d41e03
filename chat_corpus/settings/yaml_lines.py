"""YAML files as plain data, with the line of each key, so that an error message can name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from chat_corpus.errors import UsageError
from chat_corpus.files.yaml_safety import LOADER, check_nesting
from chat_corpus.messages import error_text, message

#: A key, with the keys of its sections before it, outermost first.
Key = tuple[str, ...]
#: The location `file:line` of each key; the last one if several files set it.
Locations = dict[Key, str]

#: Maximum number of values in a document. A value counts once for each alias that refers to it.
_MOST_VALUES = 100_000
_NAMES = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"})


def load(file: Path) -> tuple[dict[str, Any], Locations]:
    """Return the mapping in a file, and the location of each key. Raises UsageError for a file that is not valid."""
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(message("{file}: no such file; check the path after --config", file=file)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            message(
                "{file}: cannot be read as UTF-8 text: {error}; check the path after --config",
                file=file,
                error=error_text(error),
            )
        ) from error
    try:
        check_nesting(text)
        loader = LOADER(text)
        node = loader.get_single_node()
        if _values(node, {}) > _MOST_VALUES:
            raise ValueError(
                message("more than {most:,} values, counting each as often as aliases refer to it", most=_MOST_VALUES)
            )
        locations: Locations = {}
        if node is not None:
            # Before `construct_document`, which adds the keys that `<<` merges to the nodes.
            _walk(node, (), file, locations)
        data = {} if node is None else loader.construct_document(node)
        if not isinstance(data, dict):
            raise UsageError(message("{file}:1: expected a mapping of settings; see configs/default.yaml", file=file))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        fault = message("{location}: invalid YAML: {error}", location=f"{file}:{line}", error=str(error.problem))
        raise UsageError(fault) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(
            message("{location}: invalid YAML: {error}", location=file, error=error_text(error))
        ) from error
    return data, locations


def _values(node: Any, counts: dict[int, float]) -> float:
    """Return the number of values of a node, with all aliases followed; infinity for a node that contains itself."""
    if id(node) not in counts:
        counts[id(node)] = float("inf")
        children = node.value if isinstance(node, yaml.CollectionNode) else ()
        pairs = (child if isinstance(child, tuple) else (child,) for child in children)
        counts[id(node)] = 1 + sum(_values(value, counts) for pair in pairs for value in pair)
    return counts[id(node)]


def _walk(node: yaml.Node, under: Key, file: Path, locations: Locations) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for name, value in node.value:
        where = f"{file}:{name.start_mark.line + 1}"
        if name.tag not in _NAMES:
            text = name.value if isinstance(name, yaml.ScalarNode) else "?"
            fault = message(
                "{location}: YAML does not read the key '{key}' as text; expected the name of a setting or of a source",
                location=where,
                key=text,
            )
            raise UsageError(fault)
        key = (*under, str(name.value))
        if key in seen:
            fault = message(
                "{location}: the key '{key}' is set twice; remove one of them", location=where, key=".".join(key)
            )
            raise UsageError(fault)
        seen.add(key)
        locations[key] = where
        _walk(value, key, file, locations)


def location(key: Key, locations: Locations) -> str:
    """Return `file:line: ` of a key or of the nearest section around it; empty if no file sets it.

    >>> location(("text", "width", "enabled"), {("text",): "my.yaml:3"})
    'my.yaml:3: '
    """
    for length in range(len(key), 0, -1):
        if key[:length] in locations:
            return message("{location}: ", location=locations[key[:length]])
    return ""
