"""The `fetch` command: download corpora from their origins into the raw folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import CONFIG, JSON, LOG_JSON, PLUGIN, QUIET, RAW, VERBOSE, read_settings, source_names
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.errors import UsageError
from chat_corpus.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_corpus.fetching.download import Outcome
    from chat_corpus.fetching.plan import Item, Request

_FAILED, _INCOMPLETE = 1, 3


@click.command(
    cls=Command,
    short_help="download corpora from their origins",
    arguments=(("[SOURCE]...", "Sources to download (default: all that have an address)."),),
    examples=(
        ("chat-corpus fetch ptt egret --raw ~/data", "two corpora"),
        ("chat-corpus fetch --dry-run", "show addresses, sizes and licences of all corpora"),
        ("chat-corpus fetch belle --file train_3.5M_CN.json", "another file of a corpus"),
        ("chat-corpus fetch belle --from https://hub.example.org --yes", "from a mirror, without a question"),
    ),
)
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@RAW
@option(
    "Input",
    "--from",
    "mirror",
    metavar="URL",
    help="Download from this mirror. {url} in it is the address at the origin.",
)
@PLUGIN
@CONFIG
@option(
    "Selection",
    "--file",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Only files with such a name, also those that are not downloaded by default. Can be repeated.",
)
@option("Selection", "--accept-unstated", is_flag=True, help="Also download what states no licence.")
@option("Output", "-y", "--yes", is_flag=True, help="Do not ask before downloading.")
@option("Output", "--dry-run", is_flag=True, help="Show what would be downloaded, and stop.")
@JSON
@QUIET
@VERBOSE
@LOG_JSON
@LANG
def fetch(
    names: tuple[str, ...], configs: tuple[Path, ...], *, yes: bool, dry_run: bool, as_json: bool, **rest: Any
) -> None:
    """Download corpora into the raw folder, and check their digests. No other command uses the network.

    Shows origin, size and licence first, and asks. Nothing is unpacked, since packed files are read as they are, and no
    existing file is replaced. A file with a wrong digest is set aside with the ending .bad.
    """
    from chat_corpus.cli import console, fetch_output, logs
    from chat_corpus.fetching.plan import plan

    console.set_up(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    request = _request(names, configs, rest)
    items = plan(request)
    if items:
        echo(fetch_output.plan(items, request), to_stderr=as_json)
    code = _not_planned(items, request, requested=bool(names))
    if dry_run or not any(item.action == "download" for item in items):
        if as_json:
            echo_json(fetch_output.entries(items))
        raise click.exceptions.Exit(code)
    if not yes and not _is_confirmed(items, request.raw):
        logs.info(message("cancelled: nothing was downloaded"), "fetch.cancelled")
        raise click.exceptions.Exit(_FAILED)
    outcomes = _downloaded(items, request, bar=not (rest["quiet"] or rest["log_json"]))
    if as_json:
        echo_json(fetch_output.entries(items, outcomes))
    raise click.exceptions.Exit(_FAILED if any(outcome.fault for outcome in outcomes) else code)


def _request(names: tuple[str, ...], configs: tuple[Path, ...], flags: Mapping[str, Any]) -> Request:
    """Return the request to download, from the command line and the settings. Raises UsageError."""
    from chat_corpus import sources
    from chat_corpus.fetching.plan import Request

    mirror: str | None = flags["mirror"]
    settings = read_settings(configs, flags)
    if Path(settings.raw).is_file():
        raise UsageError(message("{path}: is a file; name a folder with --raw", path=settings.raw))
    known = sources.load(settings.plugins, settings.added)
    return Request(
        sources={name: known[name] for name in source_names(names, known) or known},
        raw=Path(settings.raw),
        patterns=flags["patterns"],
        mirror=mirror or "",
        accept_unstated=flags["accept_unstated"],
    )


def _not_planned(items: Sequence[Item], request: Request, *, requested: bool) -> int:
    """Log what is not downloaded, and why. Return the exit code for it."""
    from chat_corpus.cli import fetch_output, logs

    code = 0
    for text, event, is_failure in fetch_output.obstacles(items, request, requested=requested):
        (logs.warning if requested or is_failure else logs.info)(text, event)
        code = _FAILED if is_failure else code or (_INCOMPLETE if requested else 0)
    is_idle = not any(item.action in ("download", "present") for item in items)
    return code or (_INCOMPLETE if is_idle else 0)


def _is_confirmed(items: Sequence[Item], raw: Path) -> bool:
    """Ask for confirmation of the downloads. Raises UsageError if there is no terminal to ask on."""
    from chat_corpus.cli import fetch_output
    from chat_corpus.cli.language import translate

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(message("no terminal to ask on: repeat the command with --yes to download"))
    return click.confirm(translate(fetch_output.question(items, raw)), err=True)


def _downloaded(items: Sequence[Item], request: Request, *, bar: bool) -> list[Outcome]:
    """Download the files, show progress, and log the outcome of each file."""
    from chat_corpus.cli import fetch_output, logs
    from chat_corpus.cli.fetch_progress import meter
    from chat_corpus.fetching.download import download

    outcomes = []
    with meter(items, bar=bar) as progress:
        for outcome in download(items, request.raw, progress.arrived):
            outcomes.append(outcome)
            progress.finished()
            if not outcome.is_tried:
                continue
            text, event = fetch_output.outcome(outcome)
            (logs.warning if outcome.fault else logs.info)(text, event, source=outcome.item.source)
    for text in fetch_output.not_tried(outcomes):
        logs.warning(text, "fetch.not_tried")
    logs.info(fetch_output.end(outcomes, request.raw), "fetch.end")
    return outcomes
