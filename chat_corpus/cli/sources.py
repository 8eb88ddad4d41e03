"""The commands `list` and `check`: what is known of each source, and what is there of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chat_corpus.cli.group import Verb
from chat_corpus.cli.options import CONFIG, JSON, PLUGIN, RAW, discovered, read_settings
from chat_corpus.cli.terminal import echo, echo_json, echo_rows


@click.command(name="list", cls=Verb)
@PLUGIN
@RAW
@CONFIG
@JSON
def list_(configs: tuple[Path, ...], *, as_json: bool, **rest: Any) -> None:
    """Every source: title, licence, origin, where it is looked for, found or not."""
    from chat_corpus import sources
    from chat_corpus.cli import console, list_output
    from chat_corpus.discovery.inventory import discover_sources
    from chat_corpus.discovery.model import DiscoveredSource

    console.Console(quiet=False, verbose=False, as_json=False)
    settings = read_settings(configs, rest)
    known, raw = sources.load(settings.plugins), Path(settings.raw)
    found = (
        discover_sources(raw, known)
        if raw.is_dir()
        else {name: DiscoveredSource(source=source) for name, source in known.items()}
    )
    echo_rows(list_output.listing(found), list_output.LIST_COLUMNS, as_json=as_json)


@click.command(cls=Verb)
@PLUGIN
@RAW
@CONFIG
@JSON
@click.option("--sha256", "hashes", is_flag=True, help="Read every file found to its end, and tell its SHA-256.")
def check(configs: tuple[Path, ...], *, as_json: bool, hashes: bool, **rest: Any) -> None:
    """What is in the raw folder: found, renamed, partial, damaged, absent; sizes, records, and how to obtain the rest.

    Records are counted in the first 64 kB of each file, and estimated (~) from there on. Exit code 0 whatever is found.
    """
    from chat_corpus.cli import check_output, console
    from chat_corpus.cli.check_output import inventory

    console.Console(quiet=False, verbose=False, as_json=False)
    told = inventory(discovered(read_settings(configs, rest)), hashes=hashes)
    if as_json:
        echo_json(told)
    else:
        echo(check_output.check(told))
