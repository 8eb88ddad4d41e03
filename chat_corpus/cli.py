"""The command line: arguments, logging, progress, exit codes. stdout is data, stderr is talk."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from chat_corpus import cli_trace, streams
from chat_corpus.cli_group import RunByDefault
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.messages import safe
from chat_corpus.terminal import SafeBytes, columns, echo, echo_json
from chat_corpus.versions import installed

if TYPE_CHECKING:
    from io import BufferedReader

    from chat_corpus.discovery.model import Survey
    from chat_corpus.outputs.report import Report
    from chat_corpus.runs.report_builder import SourceReport
    from chat_corpus.settings.model import Settings

_INCOMPLETE = 3


@click.group(cls=RunByDefault, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(installed("chat-corpus"), prog_name="chat-corpus")
def main() -> None:
    """Public Chinese chat corpora in, one clean query<TAB>answer file each; nothing lost without a reason.

    Without a command, `run` is meant. Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done, but a
    source that was asked for is missing or incomplete; 4 done, but a check that was asked for tripped.
    """
    # Read by Polars when it is imported: for frames of a shard's size, more threads only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


_RAW = click.option("--raw", metavar="DIR", help="Folder with the raw corpora.  [default: raw_chat_corpus]")
_CONFIG = click.option(
    "--config", "configs", multiple=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="YAML file that changes some settings; may be given again, the last wins.",
)  # fmt: skip
_PLUGIN = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE",
    help="Python file with a SOURCE; may be given again.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON to stdout.")


@main.command()
@click.option("-s", "--source", "wanted", multiple=True, metavar="NAME[,NAME]", help="Only these; may be given again.")
@click.option("--exclude", multiple=True, metavar="NAME[,NAME]", help="All but these; may be given again.")
@_RAW
@click.option("--out", metavar="DIR", help="Folder to write to.  [default: clean_chat_corpus]")
@_CONFIG
@_PLUGIN
@click.option("--pairs", type=click.Choice(["adjacent", "exchange", "first"]), help="How turns become pairs.")
@click.option("--unequal", type=click.Choice(["error", "common"]), help="Parallel files of unequal length.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes to use.  [default: all cores]")
@click.option(
    "--encoding",
    "encodings",
    multiple=True,
    metavar="SOURCE=NAME",
    help="Read a source's files in this encoding, whatever they look like; may be given again.",
)
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), help="Processes of this machine, or Dask.  [default: local]"
)
@click.option("--scheduler", metavar="ADDRESS", help="Work with the Dask cluster of this scheduler.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N records of each raw file.")
@click.option(
    "--explain-conversion",
    "sample",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Show N random conversions.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be read and written, and stop.")
@click.option("--keep-turns", is_flag=True, help="Keep clean turns, for later runs with other rules or pairs.")
@click.option("--fresh", is_flag=True, help="Forget what earlier runs have done, and do all of it again.")
@click.option("--force", is_flag=True, help="Replace files that were made with other settings.")
@_JSON
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say what happens to each shard.")
@click.option("--log-json", is_flag=True, help="Write messages to stderr as JSON, one a line.")
def run(
    wanted: tuple[str, ...],
    exclude: tuple[str, ...],
    configs: tuple[Path, ...],
    *,
    sample: int | None,
    dry_run: bool,
    force: bool,
    fresh: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Extract, clean, convert, pair and write every corpus found (the default command)."""
    from chat_corpus import console, findings, summary
    from chat_corpus.runs import previous
    from chat_corpus.runs.runner import run as do
    from chat_corpus.settings.loading import check_apart, check_text

    settings = _located(_settings(configs, rest))
    check_apart(settings)
    check_text(settings)
    talk = console.Console(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    seen = _look(settings)
    found = seen.found
    asked = _names(wanted, found)
    chosen = {name: found[name] for name in (asked or found) if name not in _names(exclude, found)}
    findings.tell_strays(seen, settings, talk)
    lacking = findings.tell_missing(chosen, talk, asked=bool(asked))
    ready = {name: one for name, one in chosen.items() if one.groups}
    if not ready:
        talk.warning(findings.nothing(found, chosen, settings), "run.nothing")
        raise click.exceptions.Exit(lacking or _INCOMPLETE)
    if dry_run:
        if not force:
            previous.check_replaceable(Path(settings.out), settings, ready)
        _echo(console.reads_and_writes(ready, settings), console.PLAN_COLUMNS, as_json=as_json)
        raise click.exceptions.Exit(lacking)
    with talk.progress(ready) as progress:
        done, told = do(ready, settings, progress, conversions=sample or 0, fresh=fresh, replace=force)
    talk.summary(chosen, done, settings, samples_left=any(one.samples_left for one in found.values()))
    if not (asked or exclude) and (left := summary.left(Path(settings.out), told.sources, done)):
        talk.info(left, "outputs.left")
    if undone := summary.undone(chosen, done, asked=bool(asked)):
        talk.warning(undone, "run.incomplete")
    _print_run(done, told, sample, as_json=as_json)
    codes = {lacking, *(one.exit_code for one in done.values())}
    raise click.exceptions.Exit(1 if 1 in codes else max(codes))


def _print_run(done: Mapping[str, SourceReport], told: Report, sample: int | None, *, as_json: bool) -> None:
    """Print what of a run is a result: conversions and the report, as far as they were asked for."""
    from chat_corpus import console
    from chat_corpus.pipeline import counts

    if sample:
        shown = console.conversions(done, sample)
        if as_json:
            click.echo(safe(shown), err=True)
        else:
            echo(shown)
    if as_json:
        echo_json(counts.builtins(told))


def _settings(configs: tuple[Path, ...], flags: Mapping[str, Any]) -> Settings:
    from chat_corpus import sources
    from chat_corpus.settings import loading

    places = ("raw", "out", "workers", "keep_turns", "engine", "scheduler")
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
    read = {name: flags[name] for name in ("limit", "unequal") if flags.get(name)}
    if read:
        told["read"] = read
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


def _located(settings: Settings) -> Settings:
    """Settings fit for the engine. Raises UsageError, before anything is done, where it is not installed."""
    if settings.engine == "local" and not settings.scheduler:
        return settings
    from chat_corpus.engines import dask_client
    from chat_corpus.settings.loading import everywhere

    dask_client.dask()
    return everywhere(settings)


def _look(settings: Settings) -> Survey:
    from chat_corpus import sources
    from chat_corpus.discovery.inventory import look

    return look(Path(settings.raw), sources.load(settings.plugins))


def _names(given: tuple[str, ...], known: Mapping[str, object]) -> list[str]:
    """Names from repeated, comma-separated values. Raises UsageError with the nearest name for an unknown one."""
    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(known)}"
            raise UsageError(f"no source named '{name}'; {hint}")
    return list(dict.fromkeys(names))


@main.command()
@click.option("-s", "--source", "name", metavar="NAME", help="Treat the lines as turns of this source.")
@_CONFIG
@_PLUGIN
@click.option("--explain", is_flag=True, help="Print each step that changes a line, and what to.")
def normalize(name: str | None, configs: tuple[Path, ...], *, explain: bool, **rest: Any) -> None:
    """The text steps and the script conversion as a filter: lines from stdin to stdout, one for one.

    With -s NAME, word segmentation is undone where all files of that source are segmented (douban, weibo). Where some
    are not (subtitle, xiaohuangji), a line alone does not tell: its blanks and slashes stay. `read: {segmentation: …}`
    in --config says otherwise.

    A line that is not UTF-8, longer than 1 MiB, or nested too deep goes out as it came; if there was any, their numbers
    are told and the exit code is 1.
    """
    from chat_corpus import filter as filter_
    from chat_corpus import sources

    settings = _settings(configs, rest)
    known = sources.load(settings.plugins)
    if name is not None and _names((name,), known) != [name]:
        raise UsageError(f"-s {name}: one source expected, or none for text of your own")
    told = filter_.Filter.of(settings.of(name or ""), known.get(name or ""))
    if "stdin" in streams.missing:
        raise UsageError("<stdin>: closed; chat-corpus normalize reads lines from stdin and writes to stdout")
    stdin = cast("BufferedReader", sys.stdin.buffer)
    unchanged = filter_.Unchanged()
    if explain:
        for line in filter_.explain(told, stdin, unchanged):
            echo(line)
    else:
        with streams.results():
            shown = SafeBytes(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer
            unchanged = filter_.run(told, stdin, shown)
    if unchanged:
        raise ChatCorpusError(f"<stdin>: {filter_.in_words(unchanged)}")


@main.command(name="list")
@_PLUGIN
@_RAW
@_CONFIG
@_JSON
def list_(configs: tuple[Path, ...], *, as_json: bool, **rest: Any) -> None:
    """Every source: title, licence, origin, where it is looked for, found or not."""
    from chat_corpus import console, sources
    from chat_corpus.discovery.inventory import survey
    from chat_corpus.discovery.model import Found

    console.Console(quiet=False, verbose=False, as_json=False)
    settings = _settings(configs, rest)
    known, raw = sources.load(settings.plugins), Path(settings.raw)
    found = survey(raw, known) if raw.is_dir() else {name: Found(source=source) for name, source in known.items()}
    _echo(console.listing(found), console.LIST_COLUMNS, as_json=as_json)


@main.command()
@_PLUGIN
@_RAW
@_CONFIG
@_JSON
@click.option("--sha256", "hashes", is_flag=True, help="Read every file found to its end, and tell its SHA-256.")
def check(configs: tuple[Path, ...], *, as_json: bool, hashes: bool, **rest: Any) -> None:
    """What is in the raw folder: found, renamed, partial, damaged, absent; sizes, records, and how to obtain the rest.

    Records are counted in the first 64 kB of each file, and estimated (~) from there on. Exit code 0 whatever is found.
    """
    from chat_corpus import console
    from chat_corpus.inventory import inventory

    console.Console(quiet=False, verbose=False, as_json=False)
    told = inventory(_look(_settings(configs, rest)), hashes=hashes)
    if as_json:
        echo_json(told)
    else:
        echo(console.check(told))


for verb in (cli_trace.trace, cli_trace.explain, cli_trace.compare):
    main.add_command(verb)


def _echo(rows: list[dict[str, Any]], names: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        echo_json(rows)
    else:
        echo(columns(rows, names))
