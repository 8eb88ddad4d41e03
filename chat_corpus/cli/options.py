"""Options that several commands have, and what they ask for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.errors import UsageError

if TYPE_CHECKING:
    from chat_corpus.discovery.model import Inventory
    from chat_corpus.settings.model import Settings

RAW = click.option("--raw", metavar="DIR", help="Folder with the raw corpora.  [default: raw_chat_corpus]")
CONFIG = click.option(
    "--config", "configs", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="YAML file that changes some settings; may be given again, the last wins.",
)  # fmt: skip
PLUGIN = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE",
    help="Python file with a SOURCE; may be given again.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON to stdout.")


def read_settings(configs: tuple[Path, ...], flags: Mapping[str, Any]) -> Settings:
    """The settings that files and flags ask for. Raises UsageError."""
    from chat_corpus import sources
    from chat_corpus.settings import loading

    places = ("raw", "out", "workers", "store_dialogues", "engine", "scheduler")
    empty = [name for name in ("raw", "out", "scheduler") if flags.get(name) == ""]
    if empty:  # of a shell, a variable that is not set
        raise UsageError(f"--{empty[0]} '': nothing is named; leave the option out to have the default")
    told: dict[str, Any] = {name: flags[name] for name in places if flags.get(name)}
    if flags.get("engine") == "local":
        if flags.get("scheduler"):
            raise UsageError("--engine local has no scheduler: leave out one of --engine and --scheduler")
        told["scheduler"] = None
    if flags.get("plugins"):
        told["plugins"] = list(flags["plugins"])
    if flags.get("pairs"):
        told["pairs"] = {"mode": flags["pairs"]}
    read = {name: flags[name] for name in ("limit", "unequal_lengths") if flags.get(name)}
    if read:
        told["read"] = read
    if flags.get("export"):
        told["export"] = flags["export"]
    if flags.get("encodings"):
        told["sources"] = {name: {"read": {"encoding": one}} for name, one in map(_encoding, flags["encodings"])}
    # Of a checkout, whose main.py names it; an installed package has the same values built in.
    checkout = click.get_current_context().obj
    files = [*([checkout] if checkout is not None and checkout.is_file() else []), *configs]
    loaded = loading.load(files, told)
    loading.check_sources(files, loaded, sources.load(loaded.plugins))
    return loaded


def _encoding(given: str) -> tuple[str, str]:
    """The source and the encoding of `SOURCE=NAME`. Raises UsageError, with the nearest name for an unknown one."""
    from chat_corpus.files.encoding_detection import CHOICES

    source, _, name = given.partition("=")
    if not source or not name:
        raise UsageError(f"--encoding {given}: SOURCE=NAME expected, as in --encoding ptt=big5")
    if name.lower() not in CHOICES:
        nearest = difflib.get_close_matches(name.lower(), CHOICES, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"there are {', '.join(CHOICES)}"
        raise UsageError(f"--encoding {given}: no encoding named '{name}'; {hint}")
    return source, name.lower()


def for_engine(settings: Settings) -> Settings:
    """Settings fit for the engine. Raises UsageError, before anything is done, where it is not installed."""
    if settings.engine == "local" and not settings.scheduler:
        return settings
    from chat_corpus.engines import dask_client
    from chat_corpus.settings.loading import with_absolute_paths

    dask_client.dask()
    return with_absolute_paths(settings)


def discovered(settings: Settings) -> Inventory:
    """What lies in the raw folder. Raises UsageError."""
    from chat_corpus import sources
    from chat_corpus.discovery.inventory import discover

    return discover(Path(settings.raw), sources.load(settings.plugins))


def known_names(given: tuple[str, ...], known: Mapping[str, object]) -> list[str]:
    """Names from repeated, comma-separated values. Raises UsageError with the nearest name for an unknown one."""
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(known)}"
            raise UsageError(f"no source named '{name}'; {hint}")
    return list(dict.fromkeys(names))
