"""Options for corpora that the user adds, and the settings that the options give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.help import option
from chat_corpus.errors import UsageError
from chat_corpus.messages import joined, message

if TYPE_CHECKING:
    from chat_corpus.settings.model import Settings

ADD = option(
    "Input",
    "--add",
    "added",
    multiple=True,
    metavar="NAME=PATH",
    help="Read your own file or folder as the source NAME. Can be repeated.",
)
LAYOUT = option(
    "Input",
    "--layout",
    "layouts",
    multiple=True,
    metavar="NAME=LAYOUT",
    help="Layout of an added corpus, if its content does not show it. Can be repeated.",
)
MOVED = option(
    "Input",
    "--add",
    "added",
    multiple=True,
    metavar="NAME=PATH",
    help="File or folder of an added corpus, if it was moved since the run.",
)


def from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section `corpora` of the settings, from `--add` and `--layout`. Raises UsageError for wrong values."""
    from chat_corpus.settings import corpora

    return corpora.from_flags(flags.get("added") or (), flags.get("layouts") or ())


def added_names(flags: Mapping[str, Any]) -> list[str]:
    """Return the names of the corpora that `--add` adds."""
    return [given.partition("=")[0] for given in flags.get("added") or ()]


def settled(settings: Settings) -> Settings:
    """Return settings in which the layouts of added corpora are detected from their content.

    Raises UsageError if a corpus has no files, or if its layout is not recognised.
    """
    if not settings.corpora:
        return settings
    from msgspec.structs import replace

    from chat_corpus.discovery.added_layouts import settle_all

    return replace(settings, corpora=settle_all(settings.corpora))


def check_command(settings: Settings) -> str:
    """Return the command `check` for the input of this command: raw folder, and added corpora as the user gave them.

    With added corpora, a raw folder that does not exist is left out.
    """
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    arguments = ["--raw", settings.raw] if has_raw(settings) else []
    for option_, key in (("--config", "configs"), ("--add", "added"), ("--layout", "layouts")):
        for value in (given.get(key) or ()) if settings.added else ():
            arguments += [option_, str(value)]
    return " ".join(["check", *map(quote, arguments)])


def has_raw(settings: Settings) -> bool:
    """Return whether sources of the raw folder count: the folder exists, or there are no added corpora."""
    return not settings.added or Path(settings.raw).exists()


def places(added: tuple[str, ...], *outs: Path) -> dict[str, str]:
    """Return the paths of moved corpora by name, from values of `--add`.

    Raises UsageError if a value is not NAME=PATH, or if no run into the folders `outs` added a corpus of this name.
    """
    paths = {}
    for given in added:
        name, sign, path = given.partition("=")
        if not (sign and name and path):
            raise UsageError(message("--add {given}: NAME=PATH expected, as in --add mine=chat.jsonl", given=given))
        paths[name] = path
    if paths:
        _check_names(paths, outs)
    return paths


def _check_names(names: Iterable[str], outs: tuple[Path, ...]) -> None:
    """Raise UsageError for a name of no added corpus in the reports; does nothing if one of them cannot be read."""
    from msgspec import UNSET

    from chat_corpus.outputs.report import reported_sources

    reports = [reported_sources(out) for out in outs]
    known = {name for report in reports for name, entry in report.items() if entry.definition is not UNSET}
    for name in names if reports and all(reports) else ():
        if name not in known:
            raise UsageError(
                message(
                    "--add {name}: no corpus of this name was added to the run; added: {names}",
                    name=name,
                    names=joined(", ", sorted(known) or ["-"]),
                )
            )
