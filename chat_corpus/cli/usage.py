"""Messages about wrong command lines, with hints at what was probably meant, and types of arguments.

Errors of click are recognised by their types and fields, never by their texts.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from chat_corpus.cli.language import lookup
from chat_corpus.errors import UsageError
from chat_corpus.messages import Message, joined, message

#: Words that users try as commands, and the commands that they probably mean.
SYNONYMS = {
    "split": "export",
    "convert": "export",
    "download": "fetch",
    "get": "fetch",
    "status": "check",
    "verify": "check",
    "find": "check",
    "clean": "run",
    "build": "run",
    "start": "run",
    "process": "run",
    "all": "run",
    "filter": "normalize",
    "corpora": "list",
    "sources": "list",
    "ls": "list",
    "info": "list",
    "stats": "report",
    "statistics": "report",
    "page": "report",
    "html": "report",
    "head": "sample",
    "show": "sample",
    "diff": "compare",
    "why": "explain",
    "example": "demo",
    "samples": "demo",
    "test": "demo",
}


#: Endings and names of files in outputs and exports that a page must not replace.
_DATA = (".tsv", ".jsonl", ".parquet", ".csv")
_RECORDS = ("report.json", "manifest.json", "statistics.json", "dataset_info.json", "README.md")


class Choice(click.Choice[str]):
    """One of a set of words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word. Raises BadParameter if it is not one of the choices."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            choices = joined(", ", map(str, self.choices))
            raise click.BadParameter(
                message("'{value}' found, one of {choices} expected", value=value, choices=choices), ctx, param
            ) from None


class Whole(click.IntRange):
    """A whole number with a minimum and, optionally, a maximum."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number. Raises BadParameter if it is not a whole number in the range."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            fault = message("'{value}' found, a whole number from {least} on expected", value=value, least=self.min)
            if self.max is not None:
                fault = message(
                    "'{value}' found, a whole number from {least} to {most:,} expected",
                    value=value,
                    least=self.min,
                    most=self.max,
                )
            raise click.BadParameter(fault, ctx, param) from None


class Share(click.FloatRange):
    """A number from 0 to 1; without 0 if `min_open` is true."""

    def __init__(self, *, min_open: bool = False) -> None:
        super().__init__(min=0, max=1, min_open=min_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises BadParameter if it is not in the range, or is `nan`, which click accepts."""
        with contextlib.suppress(click.BadParameter):
            if not math.isnan(share := float(super().convert(value, param, ctx))):
                return share
        if self.min_open:
            fault = message("'{value}' found, a number above 0 and up to 1 expected", value=value)
        else:
            fault = message("'{value}' found, a number from 0 to 1 expected", value=value)
        raise click.BadParameter(fault, ctx, param)


class Folder(click.Path):
    """An existing folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, exists=True, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises BadParameter."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            if os.path.lexists(value):
                fault = message("{path}: not a folder that can be read", path=value)
            else:
                fault = message("{path}: no such folder", path=value)
            raise click.BadParameter(fault, ctx, param) from None


class NewFolder(click.Path):
    """A folder that does not have to exist. The content of an existing one is checked later."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Raises BadParameter if it is a file, or empty, as a shell variable that is not set."""
        if not str(value):
            raise click.BadParameter(message("the name is empty; name a folder"), ctx, param)
        with contextlib.suppress(OSError):  # an impossible name fails when the folder is made
            if Path(str(value)).is_file():
                raise click.BadParameter(message("{path}: a file; name a folder", path=value), ctx, param)
        return super().convert(value, param, ctx)


class File(click.Path):
    """A path that is not a folder. The file may be missing: this is checked when it is read."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Raises BadParameter."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            raise click.BadParameter(message("{path}: not a file that can be read", path=value), ctx, param) from None


class Target(click.Path):
    """A file to write. Its folder must exist, so that writing does not fail after long work."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Raises BadParameter if it is empty, a folder or a device, or if its folder is missing."""
        path = Path(str(super().convert(value, param, ctx)))
        if not str(value):
            fault = message("the name is empty; name a file")
        elif path.is_dir():
            fault = message("{path}: a folder; name a file", path=value)
        elif path.exists() and not path.is_file():  # a device or a pipe, which a file must not replace
            fault = message("{path}: not a regular file; name a file, or redirect the output", path=value)
        elif not path.parent.is_dir():
            fault = message("{path}: its folder {folder} does not exist", path=value, folder=path.parent)
        else:
            return path
        raise click.BadParameter(fault, ctx, param)


def check_target(path: Path, *folders: Path, is_page: bool = True) -> None:
    """Raise UsageError if a path is a data file or report in one of these outputs, or a raw file of one of them.

    A page of an output may be replaced only by its own page (`is_page`).
    """
    from chat_corpus.outputs.layout import PAGE
    from chat_corpus.outputs.report import reported_sources

    records = _RECORDS if is_page else (*_RECORDS, PAGE)
    for folder in folders:
        for name, entry in reported_sources(folder).items() if path.is_file() else ():
            if any(path.samefile(raw) for file in entry.files if (raw := Path(entry.raw) / file.file).is_file()):
                raise UsageError(message("{file}: a raw file of {source}; name a new file", file=path, source=name))
        inside = path.resolve().is_relative_to(folder.resolve())
        if inside and path.is_file() and (path.suffix in _DATA or path.name in records):
            raise UsageError(
                message("{file}: a file of the output in {folder}; name a new file", file=path, folder=folder)
            )


def described(error: click.ClickException) -> str:
    """Return a message that explains a usage error and can be translated; other errors keep their messages."""
    match error:
        case click.NoSuchOption():
            return _no_such_option(error)
        case click.BadOptionUsage():
            return _without_value(error)
        case click.MissingParameter():
            return message("{name} is missing", name=_name(error))
        case click.BadParameter():
            return message("{name}: {fault}", name=_name(error), fault=error.message)
    return error.message


def _name(error: click.BadParameter) -> str:
    """Return the parameter as the user types it: the long option, or the name of the argument."""
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    if error.param is not None and error.ctx is not None:
        return lookup(error.param.make_metavar(error.ctx))
    return ""


def _no_such_option(error: click.NoSuchOption) -> Message:
    known = [name for parameter in (error.ctx.command.params if error.ctx else ()) for name in parameter.opts]
    hint = nearest(error.option_name, known) if error.option_name.startswith("--") else None
    if hint:
        return message("no option {name}; did you mean {nearest}?", name=error.option_name, nearest=hint)
    return message("no option {name}", name=error.option_name)


def _without_value(error: click.BadOptionUsage) -> str:
    """Return the message about an option without its value, or about a flag with a value."""
    for parameter in error.ctx.command.params if error.ctx else ():
        if isinstance(parameter, click.Option) and error.option_name in parameter.opts:
            if parameter.is_flag:
                return message("{name} takes no value", name=error.option_name)
            return message("{name} needs a value", name=error.option_name)
    return error.message


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the most similar of the known names; None if no name is similar."""
    return next(iter(difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.5)), None)


def no_command(word: str, commands: Mapping[str, click.Command]) -> Message:
    """Return the message that a word is not a command.

    It has a hint if the word is a folder, a source, a synonym of a command, or similar to one.
    """
    if Path(word).is_dir():
        return message("'{word}' is no command; for the folder, use: --raw {word}", word=word)
    if word in _sources():
        return message("'{word}' is no command; for the source, use: -s {word}", word=word)
    if word == "help":
        return message("no command '{word}'; did you mean '--help'?", word=word)
    meant = SYNONYMS.get(word.lower())
    hint = meant if meant in commands else None if meant else nearest(word, commands)
    if hint:
        return message("no command '{word}'; did you mean '{nearest}'?", word=word, nearest=hint)
    return message("no command '{word}'; commands: {commands}", word=word, commands=joined(", ", commands))


def late_command(command: str, words: Sequence[str], ctx: click.Context) -> Message:
    """Return the message that the command must come before its options, with the corrected command line."""
    rest = list(words)
    rest.remove(command)
    return message(
        "the command comes first: {program} {command} {arguments}",
        program=ctx.command_path,
        command=command,
        arguments=shlex.join(rest),
    )


def extra_arguments(words: list[str], ctx: click.Context) -> Message:
    """Return the message that arguments are unexpected, with the option that was probably meant."""
    options = {name for parameter in ctx.command.params for name in parameter.opts}
    shown = joined(" ", words)
    if "--raw" in options and Path(words[0]).is_dir():
        return message(
            "unexpected argument: {words}; did you mean: {command} --raw {folder}",
            words=shown,
            command=ctx.command_path,
            folder=words[0],
        )
    if "--source" in options and set(words) <= _sources():
        return message(
            "unexpected argument: {words}; did you mean: {command} -s {names}",
            words=shown,
            command=ctx.command_path,
            names=",".join(words),
        )
    return message("unexpected argument: {words}", words=shown)


def _sources() -> set[str]:
    from chat_corpus import sources  # imported here, since only wrong command lines need it

    return set(sources.load())
