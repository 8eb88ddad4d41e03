"""The table of report.json: every key with its type, read off the structs that the report is written from."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from chat_corpus.outputs.report import FailedSource, FinishedSource, LastFailure, Report
from chat_corpus.pipeline.counts import FileCounts
from chat_corpus.statistics.schema import Distribution
from tests.project.references import table, words


@cache
def report_keys() -> dict[str, str]:
    """Every key of report.json with its JSON type; `<name>` is any source, `<file>` any raw file."""
    finished, failed = ({*kind.__struct_fields__} for kind in (FinishedSource, FailedSource))
    unset = {name for name, hint in typing.get_type_hints(FinishedSource).items() if "UnsetType" in str(hint)}
    sometimes = {f"sources.<name>.{name}" for name in finished ^ failed | unset}
    types_ = dict(_keys(Report, ""))
    return {key: f"{kind}, optional" if key in sometimes else kind for key, kind in types_.items()}


def _keys(kind: type[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        if name not in kind.__struct_fields__:
            continue
        yield f"{prefix}{name}", _json_type(hint)
        if kind is LastFailure:  # its files and records are those of the source once more
            continue
        if hint is Distribution and name != "query_chars":  # the others have the same keys
            continue
        for below, struct in _structs(hint):
            yield from _keys(struct, f"{prefix}{name}{below}.")


def _structs(hint: Any) -> Iterator[tuple[str, type[Any]]]:
    """The structs that a type holds, with what their place adds to the key."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield "", hint
    elif origin is dict:
        yield from ((f".<{'file' if below == '' and struct is FileCounts else 'name'}>{below}", struct)
                    for below, struct in _structs(args[1]))  # fmt: skip
    elif origin is tuple:
        yield from ((f"[]{below}", struct) for below, struct in _structs(args[0]))
    elif origin in (types.UnionType, typing.Union):
        for one in args:
            yield from _structs(one)


def _json_type(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _json_type(args[0])
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_json_type(one) for one in args if one is not msgspec.UnsetType))
    if origin is tuple:
        kinds = [_json_type(one) for one in args if one is not ...]
        return f"array of {kinds[0]}" if ... in args else f"[{', '.join(kinds)}]"
    names = {bool: "boolean", int: "integer", float: "number", types.NoneType: "null"}
    if hint in names:
        return names[hint]
    return "string" if isinstance(hint, type) and issubclass(hint, str) else "object"


def report(meanings: Mapping[str, str], language: str) -> str:
    """The table of report.json: keys and types from the code, `meanings` from the page as it is."""
    head = words(language, "Key", "Type", "Meaning")
    return table([head, *((f"`{key}`", kind, meanings.get(key, "")) for key, kind in report_keys().items())])
