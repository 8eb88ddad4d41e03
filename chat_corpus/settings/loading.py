"""Settings: built-in defaults, changed by YAML files, changed by flags; checked strictly, with the place of each fault.

configs/default.yaml holds every key with its default. A key under `sources: {name: …}` holds for that source alone.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import msgspec.inspect
from msgspec.structs import replace

from chat_corpus.errors import UsageError
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings import corpora as added
from chat_corpus.settings import yaml_lines
from chat_corpus.settings.model import Settings, merge_values
from chat_corpus.sources.definitions import Definition

#: Characters of a wrong value that a message shows.
_LONGEST = 60


def load(files: Iterable[Path] = (), flags: Mapping[str, Any] | None = None) -> Settings:
    """Defaults, changed by `files` in their order, changed by `flags`, which win over settings of single sources too.

    Raises UsageError that names file, line and the nearest valid key.
    """
    data: dict[str, Any] = {}
    places: yaml_lines.Places = {}
    for file in files:
        told, where = yaml_lines.load(file)
        data, places = merge_values(data, told), {**places, **where}
    data = _expanded(merge_values(data, flags or {}))
    _check_keys(data, Settings, (), places)
    singles = data.get("sources")
    for name, single in singles.items() if isinstance(singles, Mapping) else ():
        if not isinstance(single, Mapping):
            raise _unfit(("sources", name), single, "a section", places)
    corpora = data.get("corpora")
    for name, one in corpora.items() if isinstance(corpora, Mapping) else ():
        if not isinstance(one, Mapping):
            raise _unfit(("corpora", name), one, "a path or a section", places)
        _check_keys(one, Definition, ("corpora", name), places)
        added.check(name, one, places)
        _converted(one, Definition, ("corpora", name), places)
    settings: Settings = _converted(data, Settings, (), places)
    for name, single in settings.sources.items():
        _check_keys(single, SourceSettings, ("sources", name), places)
        _converted(
            merge_values(msgspec.to_builtins(SourceSettings()), single), SourceSettings, ("sources", name), places
        )
    return replace(settings, sources={name: _won(one, flags or {}) for name, one in settings.sources.items()})


def _won(single: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a single source, where flags are on the same sections with what flags say."""
    return {key: merge_values(value, flags[key]) if key in flags else value for key, value in single.items()}


def _expanded(data: dict[str, Any]) -> dict[str, Any]:
    """Settings with `~` in paths as the home folder, and sections all of whose keys are commented out as empty."""

    def home(value: Any) -> Any:
        try:
            return str(Path(value).expanduser()) if isinstance(value, str) else value
        except RuntimeError:  # `~` and no user of that name: a name like any other
            return value

    filled = {
        key: {} if value is None and key not in ("raw", "out", "scheduler") else value for key, value in data.items()
    }
    plugins = filled.get("plugins")
    paths: dict[str, Any] = {key: home(filled[key]) for key in ("raw", "out") if key in filled}
    if "corpora" in filled:
        paths["corpora"] = added.expanded(filled["corpora"])
    return {**filled, **paths, **({"plugins": [home(one) for one in plugins]} if isinstance(plugins, list) else {})}


def everywhere(settings: Settings) -> Settings:
    """The settings with absolute paths, which mean the same in every process and on every machine that shares them."""
    raw, out, *plugins = (str(Path(path).absolute()) for path in (settings.raw, settings.out, *settings.plugins))
    corpora = {name: replace(one, path=added.absolute(one.path)) for name, one in settings.corpora.items()}
    return replace(settings, raw=raw, out=out, plugins=tuple(plugins), corpora=corpora)


def check_apart(settings: Settings) -> None:
    """Raise UsageError where the raw folder and the output folder are the same, or one lies within the other."""
    raw, out = Path(settings.raw).resolve(), Path(settings.out).resolve()
    if raw.is_relative_to(out) or out.is_relative_to(raw):
        how = "the same folder as" if raw == out else "inside" if out.is_relative_to(raw) else "a folder around"
        raise UsageError(
            f"--out {settings.out}: {how} --raw {settings.raw}; raw files and output must lie apart: use another --out"
        )
    added.check_apart(settings.corpora, out)


def check_text(settings: Settings) -> None:
    """Raise UsageError where report.json, which is UTF-8, cannot tell with which folders and plugins a run was made."""
    named = [("--raw", settings.raw), ("--out", settings.out), *(("--plugin", file) for file in settings.plugins)]
    named += [("--add", path) for one in settings.corpora.values() for path in one.paths]
    for flag, path in named:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"{flag} {path}: a name that is not UTF-8, which report.json cannot hold; rename it, or reach it by a "
                "link or from another folder"
            ) from error


def check_sources(files: Iterable[Path], settings: Settings, known: Iterable[str]) -> None:
    """Raise UsageError, with file and line, where `settings` of a single source name one that is not `known`."""
    names = list(known)
    for name in settings.sources:
        if name not in names:
            places = [where for file in files if (where := yaml_lines.load(file)[1].get(("sources", name)))]
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(names)}"
            raise UsageError(f"{f'{places[-1]}: ' if places else ''}sources.{name}: no source of that name; {hint}")


def _converted(data: Mapping[str, Any], kind: type[Any], under: yaml_lines.Key, places: yaml_lines.Places) -> Any:
    """Data as a struct of `kind`, whose keys are known. Raises UsageError at the first value of another type."""
    for field in msgspec.structs.fields(kind):
        if field.name not in data:
            continue
        key, value = (*under, field.name), data[field.name]
        section = _section(field.type)
        if section is not None and isinstance(value, Mapping):
            _converted(value, section, key, places)
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            raise _unfit(key, value, _expected(field.type), places) from error
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:  # values that do not go together, in the words of the struct itself
        reason = error.__cause__ or error
        raise UsageError(f"{yaml_lines.place(under, places)}{'.'.join(under)}: {reason}") from error


def _unfit(key: yaml_lines.Key, value: object, expected: str, places: yaml_lines.Places) -> UsageError:
    found = "a section" if isinstance(value, Mapping) else json.dumps(value, ensure_ascii=False, default=str)
    found = found if len(found) <= _LONGEST else f"{found[:_LONGEST]}…"
    return UsageError(f"{yaml_lines.place(key, places)}{'.'.join(key)}: {found} found, {expected} expected")


def _expected(kind: Any) -> str:
    """What a value of this type is, in words."""
    if get_origin(kind) is Literal:  # in the order in which they are declared, which msgspec does not keep
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return _described(msgspec.inspect.type_info(kind))


def _described(info: msgspec.inspect.Type) -> str:
    inspect = msgspec.inspect
    if isinstance(info, inspect.UnionType):
        return " or ".join(_described(one) for one in info.types)
    if isinstance(info, inspect.EnumType):
        return f"one of {', '.join(map(str, info.cls))}"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        noun = "a whole number" if isinstance(info, inspect.IntType) else "a number"
        least, most = info.ge, info.le
        limits = [
            *(() if least is None else (f"of at least {least}",)),
            *(() if most is None else (f"at most {most}",)),
        ]
        return " ".join([noun, " and ".join(limits)]).strip()
    if isinstance(info, inspect.VarTupleType | inspect.ListType):
        return f"a list of {_described(info.item_type)}"
    words = {inspect.BoolType: "true or false", inspect.StrType: "text", inspect.NoneType: "null"}
    return words.get(type(info), "a section")


def _check_keys(data: Mapping[str, Any], kind: type[Any], under: yaml_lines.Key, places: yaml_lines.Places) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in data.items():
        key = (*under, str(name))
        if name not in fields:
            nearest = difflib.get_close_matches(str(name), fields, n=1, cutoff=0.5)
            hint = f"did you mean '{'.'.join((*under, *nearest))}'?" if nearest else f"valid: {', '.join(fields)}"
            raise UsageError(f"{yaml_lines.place(key, places)}unknown key '{'.'.join(key)}'; {hint}")
        section = _section(fields[name])
        if section is not None and isinstance(value, Mapping):
            _check_keys(value, section, key, places)


def _section(kind: Any) -> type[msgspec.Struct] | None:
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None
