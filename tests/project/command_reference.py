"""The pages on the command line and on settings, generated from click's commands and the structs of settings."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import click
import msgspec

from chat_corpus.cli import help as help_
from chat_corpus.cli import main
from chat_corpus.messages import load_catalogue
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from tests.project.references import prose, table, words
from tests.settings.field_comments import described


def commands(language: str) -> str:
    """The command line: what each command does, its usage and its options."""
    group = main.main
    parent = click.Context(group, info_name="chat-corpus", **group.context_settings)
    catalogue = load_catalogue(language) if language != "en" else {}
    parts = []
    for name, command in sorted(group.commands.items()):
        context = click.Context(command, info_name=name, parent=parent)
        options = [option for option in command.params if isinstance(option, click.Option)]
        rows = [words(language, "Option", "Meaning"), *(_option(option, catalogue) for option in options)]
        usage = f"```text\n{context.get_usage()}\n```"
        paragraphs = help_.paragraphs(inspect.cleandoc(command.help or ""))
        text = "\n\n".join(catalogue.get(paragraph, paragraph) for paragraph in paragraphs)
        parts.append(f"## {name}\n\n{prose(text)}\n\n{usage}\n\n{table(rows)}\n")
    return "\n".join(parts).rstrip("\n")


def _option(option: click.Option, catalogue: Mapping[str, str]) -> tuple[str, str]:
    value = ", ".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else option.metavar
    names = ", ".join(f"`{name}`" for name in option.opts)
    meaning = " ".join((option.help or "").split())
    return f"{names} `{value}`" if value else names, catalogue.get(meaning, meaning)


def configuration(language: str) -> str:
    """Every setting: key, default, allowed values, meaning; a table for the run and one for each section."""
    settings = Settings()
    own = [name for name in Settings.__struct_fields__ if name not in SourceSettings.__struct_fields__]
    (title,) = words(language, "The whole run")
    parts = [f"## {title}\n\n{_settings_table(settings, own, '', language)}"]
    for section in SourceSettings.__struct_fields__:
        value = getattr(settings, section)
        head = f"## {section}\n\n{_meaning(settings, section, language)}"
        parts.append(f"{head}\n\n{_settings_table(value, value.__struct_fields__, f'{section}.', language)}")
    return "\n\n".join(parts)


@cache
def settings_in_chinese() -> Mapping[str, str]:
    """The Chinese of each text about a setting, by the English one."""
    translations: dict[str, str] = json.loads(Path(__file__).with_name("settings_zh.json").read_text("utf-8"))
    return translations


def settings_texts() -> set[str]:
    """Every text about a setting, in English."""
    return set(_texts(Settings()))


def _texts(struct: Any) -> Iterator[str]:
    for name in struct.__struct_fields__:
        yield described(struct, name)
        if isinstance(value := getattr(struct, name), msgspec.Struct):
            yield from _texts(value)


def _meaning(struct: Any, name: str, language: str) -> str:
    text = described(struct, name)
    return settings_in_chinese().get(text, text) if language == "zh" else text


def _settings_table(struct: Any, names: Sequence[str], prefix: str, language: str) -> str:
    head = words(language, "Key", "Default", "Values", "Meaning")
    return table([head, *_settings(struct, names, prefix, language)])


def _settings(struct: Any, names: Sequence[str], prefix: str, language: str) -> Iterator[tuple[str, ...]]:
    hints = typing.get_type_hints(type(struct), include_extras=True)
    for name in names:
        value = getattr(struct, name)
        if isinstance(value, msgspec.Struct):
            yield f"`{prefix}{name}`", "", *words(language, "section"), _meaning(struct, name, language)
            yield from _settings(value, value.__struct_fields__, f"{prefix}{name}.", language)
        else:
            default = json.dumps(msgspec.to_builtins(value)).replace('"', "") or '""'
            yield f"`{prefix}{name}`", f"`{default}`", _values(hints[name], language), _meaning(struct, name, language)


def _values(hint: Any, language: str) -> str:
    """The values that a type allows, in words."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    comma, between = ("，", "、") if language == "zh" else (", ", ", ")
    if origin is typing.Annotated:
        bounds = next((one for one in args[1:] if isinstance(one, msgspec.Meta)), msgspec.Meta())
        limits = zip(words(language, "at least", "above", "at most", "below"), (
            bounds.ge, bounds.gt, bounds.le, bounds.lt
        ), strict=True)  # fmt: skip
        shown = [f"{limit} {bound}" for limit, bound in limits if bound is not None]
        return comma.join([_values(args[0], language), *shown])
    if origin is typing.Literal:
        return between.join(f"`{value}`" for value in args)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return between.join(f"`{value}`" for value in hint)
    if origin in (types.UnionType, typing.Union):
        return words(language, " or ")[0].join(_values(one, language) for one in args)
    names = {bool: f"`true`{between}`false`", int: "integer", float: "number", str: "text", types.NoneType: "`null`"}
    return words(language, names.get(hint) or ("list of texts" if origin is tuple else "mapping"))[0]
