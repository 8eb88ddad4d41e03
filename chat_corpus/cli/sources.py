"""The commands `list` and `check`: the facts of each source, and its files in the raw folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from chat_corpus.cli.added import ADD, LAYOUT, has_raw, settled
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import CONFIG, JSON, PLUGIN, PROFILE, RAW, discovered, read_settings
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.errors import UsageError
from chat_corpus.messages import message


@click.command(
    name="list",
    cls=Command,
    short_help="list all sources with licence and origin",
    examples=(
        ("chat-corpus list --json", "for programs"),
        ("chat-corpus list --profiles", "the profiles, and the settings that they change"),
    ),
)
@RAW
@ADD
@LAYOUT
@PLUGIN
@CONFIG
@option("Selection", "--profiles", "of_profiles", is_flag=True, help="List the profiles instead of the sources.")
@JSON
@LANG
def list_(configs: tuple[Path, ...], *, of_profiles: bool, as_json: bool, **rest: Any) -> None:
    """List every source: title, licence, origin, expected files, and whether it was found."""
    if of_profiles:
        if configs or any(rest[name] for name in ("raw", "added", "layouts", "plugins")):
            raise UsageError(
                message("--profiles: lists no sources; omit --raw, --add, --layout, --plugin and --config")
            )
        _list_profiles(as_json=as_json)
        return
    from chat_corpus import sources
    from chat_corpus.cli import list_output
    from chat_corpus.discovery.inventory import discover_sources
    from chat_corpus.discovery.model import DiscoveredSource

    settings = settled(read_settings(configs, rest))
    known, raw = sources.load(settings.plugins, settings.added), Path(settings.raw)
    found = (
        discover_sources(raw, known, settings.added)
        if raw.is_dir() or settings.added or rest["raw"]
        else {name: DiscoveredSource(source=source) for name, source in known.items()}
    )
    rows = list_output.listing(found)
    if as_json:
        echo_json(rows)
    else:
        echo(list_output.table(rows))


def _list_profiles(*, as_json: bool) -> None:
    """Print the profiles: name, purpose, and the settings that each changes."""
    from chat_corpus.cli import list_output

    rows = list_output.profiles()
    if as_json:
        echo_json(rows)
    else:
        echo(list_output.profile_text(rows))


@click.command(
    cls=Command,
    short_help="show what the raw folder contains, and what is missing",
    examples=(
        ("chat-corpus check --raw ~/data", "before the first run"),
        ("chat-corpus check --json --sha256 > check.json", "a list of all files for programs"),
    ),
)
@RAW
@ADD
@LAYOUT
@PLUGIN
@PROFILE
@CONFIG
@JSON
@option("Output", "--sha256", "hashes", is_flag=True, help="Read every file found to its end, and print its SHA-256.")
@LANG
def check(configs: tuple[Path, ...], *, as_json: bool, hashes: bool, **rest: Any) -> None:
    """Show what the raw folder contains: found, renamed, partial, damaged or absent sources, and how to get the rest.

    Records are counted in the first 64 kB of each file and estimated (~) for the rest. The exit code is 0, whatever is
    found.
    """
    from chat_corpus.cli import check_output

    settings = settled(read_settings(configs, rest))
    found = discovered(settings)
    if not has_raw(settings):
        found = replace(found, found={name: found.found[name] for name, _ in settings.added})
    inventory = check_output.inventory(found, hashes=hashes, raw=settings.raw)
    if as_json:
        echo_json(inventory)
    else:
        echo(check_output.check(inventory))
