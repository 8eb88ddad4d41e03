"""The page on the Python interface: signatures and docstrings of functions, fields of results, errors."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from typing import Any

import chat_corpus
from chat_corpus import api, errors
from chat_corpus.lineage import comparison_model
from chat_corpus.lineage.trace_model import Address, PairOutcome, Record, Row, TurnOutcome, TurnTrace
from chat_corpus.pipeline.text.normalizer import Change
from chat_corpus.schema import Traits
from chat_corpus.sources.base import Source
from tests.project.references import prose, table, words

_ERRORS = ("UsageError", "IncompleteError", "EngineError", "GateError", "FileError", "LedgerError")


def python_api(language: str) -> str:
    """The Python interface: functions with their signatures, what they return, errors with their exit codes."""
    functions = [_function(name) for name in chat_corpus.__all__ if name not in ("sources", "__version__")]
    results = [Row, Record, TurnTrace, TurnOutcome, PairOutcome, Address, Change]
    compared = [comparison_model.Compared, comparison_model.Cause, comparison_model.Row]
    classes = [_class(kind, language) for kind in (Source, Traits, *results, *compared)]
    failures = [words(language, "Error", "Exit code", "Meaning")]
    for name in ("ChatCorpusError", *_ERRORS):
        kind = getattr(errors, name)
        failures.append((f"`{name}`", str(kind.exit_code), _first(kind)))
    heads = [f"## {head}" for head in words(language, "Functions", "Classes", "Errors")]
    return "\n\n".join([heads[0], *functions, heads[1], *classes, heads[2], table(failures)])


def _function(name: str) -> str:
    function = getattr(api, name)
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    return f"### {name}\n\n```python\n{_folded(name, signature)}\n```\n\n{prose(inspect.getdoc(function) or '')}"


def _folded(name: str, signature: str) -> str:
    """A signature, one parameter a line where it is long."""
    if len(name + signature) <= 100:
        return name + signature
    inside, _, after = signature[1:].rpartition(")")
    parameters = re.split(r", (?=\*|\w+[:=]|\w+:)", inside)
    return f"{name}(\n" + "".join(f"    {one},\n" for one in parameters) + f"){after}"


def _class(kind: type[Any], language: str) -> str:
    module = kind.__module__
    members = [one.name for one in fields(kind)] if is_dataclass(kind) else list(getattr(kind, "_fields", ()))
    rows = [words(language, "Field", "Type"), *((f"`{name}`", f"`{_annotation(kind, name)}`") for name in members)]
    return f"### {module}.{kind.__name__}\n\n{prose(inspect.getdoc(kind) or '')}\n\n{table(rows)}"


def _annotation(kind: type[Any], name: str) -> str:
    return str(inspect.get_annotations(kind)[name])


def _first(kind: Any) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
