"""The shape of report.json, as far as later runs and the verbs that look back rely on it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chat_corpus.schema import is_source_name

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Reasons = dict[str, _Count]


class _MadeWith(msgspec.Struct):
    code: str
    source: str
    settings: str
    unequal: str
    plugins: list[str]
    input: list[tuple[str, int, int]]


class _File(msgspec.Struct):
    file: str
    sha256: str | None


class _Records(msgspec.Struct):
    read: _Count
    structural: _Count
    used: _Count
    rejected: _Count


class _Example(msgspec.Struct):
    line: _Count
    reason: str
    detail: str


class _FileRecords(msgspec.Struct):
    used: _Count
    rejected: _Count
    unreadable: _Reasons
    example: _Example | None
    unread_fields: _Reasons


class _Turns(msgspec.Struct):
    read: _Count
    kept: _Count
    rejected: _Reasons
    changed_by_normalization: _Count
    changed_by_conversion: _Count
    scripts: _Reasons
    changed_by_step: dict[str, _Count] = {}  # not in the reports of earlier versions


class _Pairs(msgspec.Struct):
    possible: _Count
    written: _Count
    rejected: _Reasons
    duplicates: _Count


class _Failed(msgspec.Struct):
    state: str
    error: str
    files: list[_File]
    settings: dict[str, Any]
    raw: str


class _Finished(msgspec.Struct):
    state: str
    made_with: _MadeWith
    raw: str
    plugins: list[str]
    settings: dict[str, Any]
    files: list[_File]
    records: _Records
    records_by_file: dict[str, _FileRecords]
    turns: _Turns
    pairs: _Pairs
    outputs: dict[str, tuple[int, int]]


class _Report(msgspec.Struct):
    sources: dict[str, dict[str, Any]]


def decode(data: bytes) -> dict[str, Any]:
    """A report, all of it. Raises ValueError, which names the place, for anything that does not have its shape."""
    try:
        told: dict[str, Any] = msgspec.json.decode(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    _check(told, _Report, "")
    for name, source in told["sources"].items():
        place = f"sources.{name}"
        if not is_source_name(name):
            raise ValueError(f"sources: {name[:60]!r} cannot be the name of a source")
        if "outputs" not in source:
            _check(source, _Failed, place)
            continue
        _check(source, _Finished, place)
        outputs = {f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl"}
        if f"{name}.tsv" not in source["outputs"]:
            raise ValueError(f"{place}.outputs: no {name}.tsv")
        if not outputs.issuperset(source["outputs"]):
            raise ValueError(f"{place}.outputs: others than {', '.join(sorted(outputs))}")
        if len(source["plugins"]) != len(source["made_with"]["plugins"]):
            raise ValueError(f"{place}.plugins: not as many as in made_with")
    return told


def _check(told: object, kind: type[msgspec.Struct], place: str) -> None:
    try:
        msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$", f"`{place or '$'}")) from error
