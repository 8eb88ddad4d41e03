"""Load settings: built-in defaults, then YAML files, then flags. Errors name the location of the wrong value.

configs/default.yaml has every key with its default. A key under `sources: {name: …}` applies to that source only.
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
from chat_corpus.messages import Message, error_text, joined, message
from chat_corpus.pipeline.filters.options import WordList
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings import corpora, unknown_keys, yaml_lines
from chat_corpus.settings.filter_settings import with_word_lists
from chat_corpus.settings.model import Settings, merge_values
from chat_corpus.sources.definitions import Definition

#: Maximum length of a wrong value in a message, in characters.
_LONGEST = 60


def load(files: Iterable[Path] = (), flags: Mapping[str, Any] | None = None) -> Settings:
    """Return the defaults, changed by `files` in the given order, then by `flags`.

    Flags override the settings of single sources too. Raises UsageError, with file and line, for an unknown key or a
    wrong value.
    """
    data: dict[str, Any] = {}
    locations: yaml_lines.Locations = {}
    for file in files:
        values, lines = yaml_lines.load(file)
        data, locations = merge_values(data, values), {**locations, **lines}
    data = with_word_lists(_expanded(merge_values(data, flags or {})), locations)
    _check_keys(data, Settings, (), locations)
    by_source = data.get("sources")
    for name, section in by_source.items() if isinstance(by_source, Mapping) else ():
        if not isinstance(section, Mapping):
            raise _wrong_value(("sources", name), section, message("a section"), locations)
    definitions = data.get("corpora")
    for name, definition in definitions.items() if isinstance(definitions, Mapping) else ():
        if not isinstance(definition, Mapping):
            raise _wrong_value(("corpora", name), definition, message("a path or a section"), locations)
        _check_keys(definition, Definition, ("corpora", name), locations)
        corpora.check(name, definition, locations)
        _converted(definition, Definition, ("corpora", name), locations)
    # Merged with the defaults of `Settings`: a section there may have other defaults than its type.
    settings: Settings = _converted(merge_values(msgspec.to_builtins(Settings()), data), Settings, (), locations)
    for name, section in settings.sources.items():
        _check_keys(section, SourceSettings, ("sources", name), locations)
        _converted(
            merge_values(msgspec.to_builtins(SourceSettings()), section), SourceSettings, ("sources", name), locations
        )
    by_source = {name: _with_flags(section, flags or {}) for name, section in settings.sources.items()}
    return replace(settings, sources=by_source)


def _with_flags(section: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a single source, with the values of flags in its sections."""
    return {key: merge_values(value, flags[key]) if key in flags else value for key, value in section.items()}


def _expanded(data: dict[str, Any]) -> dict[str, Any]:
    """Return settings with `~` in paths expanded, and with empty sections in place of null ones.

    A section is null in YAML if all of its keys are commented out.
    """

    def home(value: Any) -> Any:
        try:
            return str(Path(value).expanduser()) if isinstance(value, str) else value
        except RuntimeError:  # `~name` is an ordinary path if there is no user `name`
            return value

    filled = {
        key: {} if value is None and key not in ("raw", "out", "scheduler") else value for key, value in data.items()
    }
    plugins = filled.get("plugins")
    paths: dict[str, Any] = {key: home(filled[key]) for key in ("raw", "out") if key in filled}
    if "corpora" in filled:
        paths["corpora"] = corpora.expanded(filled["corpora"])
    return {**filled, **paths, **({"plugins": [home(file) for file in plugins]} if isinstance(plugins, list) else {})}


def with_absolute_paths(settings: Settings) -> Settings:
    """Return the settings with absolute paths, which are the same in every process and on every machine."""
    raw, out, *plugins = (str(Path(path).absolute()) for path in (settings.raw, settings.out, *settings.plugins))
    definitions = {name: replace(one, path=corpora.absolute(one.path)) for name, one in settings.corpora.items()}
    return replace(settings, raw=raw, out=out, plugins=tuple(plugins), corpora=definitions)


def check_apart(settings: Settings) -> None:
    """Raise UsageError if `out` is a file, or if it is, contains or is inside the raw folder.

    The output folder must not be inside an added folder either.
    """
    raw, out = Path(settings.raw).resolve(), Path(settings.out).resolve()
    if out.exists() and not out.is_dir():
        raise UsageError(message("--out {out}: a file; name a folder", out=settings.out))
    names = {"out": settings.out, "raw": settings.raw}
    if raw == out:
        raise UsageError(message("--out {out}: the same folder as --raw {raw}; use another folder for --out", **names))
    if out.is_relative_to(raw):
        raise UsageError(message("--out {out}: inside the folder --raw {raw}; use another folder for --out", **names))
    if raw.is_relative_to(out):
        raise UsageError(message("--out {out}: contains the folder --raw {raw}; use another folder for --out", **names))
    corpora.check_apart(settings.corpora, out)


def check_text(settings: Settings) -> None:
    """Raise UsageError if a path of a folder, a plugin or an added corpus is not UTF-8: report.json cannot hold it."""
    paths = [("--raw", settings.raw), ("--out", settings.out), *(("--plugin", file) for file in settings.plugins)]
    paths += [("--add", path) for definition in settings.corpora.values() for path in definition.paths]
    for flag, path in paths:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                message(
                    "{flag} {path}: report.json cannot hold a name that is not UTF-8; rename the file or folder, or "
                    "use a link to it",
                    flag=flag,
                    path=path,
                )
            ) from error


def check_sources(files: Iterable[Path], settings: Settings, names: Iterable[str]) -> None:
    """Raise UsageError, with file and line, if the settings of a single source name a source that does not exist.

    `names` are the names of all sources.
    """
    names = list(names)
    for name in settings.sources:
        if name not in names:
            locations = [location for file in files if (location := yaml_lines.load(file)[1].get(("sources", name)))]
            nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
            fault = message(
                "{location}sources.{name}: no source has this name; {hint}",
                location=f"{locations[-1]}: " if locations else "",
                name=name,
                hint=unknown_keys.meant(nearest[0])
                if nearest
                else message("the sources are: {names}", names=joined(", ", names)),
            )
            raise UsageError(fault)


def _converted(data: Mapping[str, Any], kind: type[Any], under: yaml_lines.Key, locations: yaml_lines.Locations) -> Any:
    """Return data with checked keys as a struct of `kind`. Raises UsageError for the first wrong value."""
    for field in msgspec.structs.fields(kind):
        if field.name not in data:
            continue
        key, value = (*under, field.name), data[field.name]
        section = unknown_keys.section_of(field.type)
        if section is not None and isinstance(value, Mapping):
            _converted(value, section, key, locations)
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError as error:
            raise _wrong_value(key, value, _expected(field.type), locations) from error
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:  # a struct refuses a combination of values
        fault = message(
            "{location}{section}: {error}",
            location=yaml_lines.location(under, locations),
            section=".".join(under),
            error=error_text(error.__cause__ or error),
        )
        raise UsageError(fault) from error


def _wrong_value(key: yaml_lines.Key, value: object, expected: Message, locations: yaml_lines.Locations) -> UsageError:
    text = message("a section") if isinstance(value, Mapping) else json.dumps(value, ensure_ascii=False, default=str)
    fault = message(
        "{location}{key}: found {value}, expected {expected}",
        location=yaml_lines.location(key, locations),
        key=".".join(key),
        expected=expected,
        value=text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…",
    )
    return UsageError(fault)


def _expected(kind: Any) -> Message:
    """Return a description of the values of a type."""
    if get_origin(kind) is Literal:  # choices in the order of the declaration, which msgspec does not preserve
        return message("one of {choices}", choices=joined(", ", map(str, get_args(kind))))
    return _described(msgspec.inspect.type_info(kind))


def _described(info: msgspec.inspect.Type) -> Message:
    inspect = msgspec.inspect
    if isinstance(info, inspect.UnionType):
        return joined(" or ", map(_described, info.types))
    if isinstance(info, inspect.EnumType):
        return message("one of {choices}", choices=joined(", ", map(str, info.cls)))
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _described_number(info)
    if isinstance(info, inspect.VarTupleType) and getattr(info.item_type, "cls", None) is WordList:
        return message("a list of files")
    if isinstance(info, inspect.VarTupleType | inspect.ListType):
        return message("a list of {items}", items=_described(info.item_type))
    if isinstance(info, inspect.BoolType):
        return message("true or false")
    if isinstance(info, inspect.StrType):
        return message("text")
    return message("null") if isinstance(info, inspect.NoneType) else message("a section")


def _described_number(info: msgspec.inspect.IntType | msgspec.inspect.FloatType) -> Message:
    is_whole = isinstance(info, msgspec.inspect.IntType)
    noun = message("a whole number") if is_whole else message("a number")
    if info.ge is not None and info.le is not None:
        return message("{noun} from {least} to {most}", noun=noun, least=info.ge, most=info.le)
    if info.ge is not None:
        return message("{noun} of at least {least}", noun=noun, least=info.ge)
    return noun if info.le is None else message("{noun} of at most {most}", noun=noun, most=info.le)


def _check_keys(
    data: Mapping[str, Any],
    kind: type[Any],
    under: yaml_lines.Key,
    locations: yaml_lines.Locations,
    whole: tuple[type[Any], yaml_lines.Key] | None = None,
) -> None:
    """Raise UsageError for a key that `kind` does not have. `whole` is the outermost struct, and its key."""
    whole = whole or (kind, under)
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in data.items():
        key = (*under, str(name))
        if name not in fields:
            fault = message(
                "{location}unknown key '{key}'; {hint}",
                location=yaml_lines.location(key, locations),
                key=".".join(key),
                hint=unknown_keys.hint(str(name), fields, whole[0], under, whole[1]),
            )
            raise UsageError(fault)
        section = unknown_keys.section_of(fields[name])
        if section is not None and isinstance(value, Mapping):
            _check_keys(value, section, key, locations, whole)
