"""The `run` command: every corpus found, cleaned, paired and written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.group import Verb
from chat_corpus.cli.options import CONFIG, JSON, PLUGIN, RAW, discovered, for_engine, known_names, read_settings
from chat_corpus.cli.terminal import echo, echo_json, echo_rows
from chat_corpus.messages import safe

if TYPE_CHECKING:
    from chat_corpus.outputs.report import Report
    from chat_corpus.runs.report_builder import SourceReport

_INCOMPLETE = 3


@click.command(cls=Verb)
@click.option("-s", "--source", "wanted", multiple=True, metavar="NAME[,NAME]", help="Only these; may be given again.")
@click.option("--exclude", multiple=True, metavar="NAME[,NAME]", help="All but these; may be given again.")
@RAW
@click.option("--out", metavar="DIR", help="Folder to write to.  [default: clean_chat_corpus]")
@CONFIG
@PLUGIN
@click.option("--pairs", type=click.Choice(["adjacent", "exchange", "first"]), help="How turns become pairs.")
@click.option("--unequal-lengths", type=click.Choice(["error", "common"]), help="Parallel files of unequal length.")
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
@click.option(
    "--store-dialogues",
    is_flag=True,
    help="Write dialogues/NAME.parquet: every turn, for exports and for runs with other filters or pairs.",
)
@click.option("--fresh", is_flag=True, help="Forget what earlier runs have done, and do all of it again.")
@click.option("--force", is_flag=True, help="Replace files that were made with other settings.")
@JSON
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
    from chat_corpus.cli import console, run_output
    from chat_corpus.runs import previous
    from chat_corpus.runs.runner import run as do
    from chat_corpus.settings.loading import check_apart, check_text

    settings = for_engine(read_settings(configs, rest))
    check_apart(settings)
    check_text(settings)
    talk = console.Console(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    seen = discovered(settings)
    found = seen.found
    asked = known_names(wanted, found)
    chosen = {name: found[name] for name in (asked or found) if name not in known_names(exclude, found)}
    run_output.report_unrecognised(seen, settings, talk)
    lacking = run_output.report_missing(chosen, talk, asked=bool(asked))
    ready = {name: one for name, one in chosen.items() if one.groups}
    if not ready:
        talk.warning(run_output.nothing(found, chosen, settings), "run.nothing")
        raise click.exceptions.Exit(lacking or _INCOMPLETE)
    if dry_run:
        if not force:
            previous.check_replaceable(Path(settings.out), settings, ready)
        echo_rows(run_output.reads_and_writes(ready, settings), run_output.PLAN_COLUMNS, as_json=as_json)
        raise click.exceptions.Exit(lacking)
    with talk.progress(ready) as progress:
        done, told = do(ready, settings, progress, conversions=sample or 0, fresh=fresh, replace=force)
    talk.summary(chosen, done, settings, samples_left=any(one.samples_left for one in found.values()))
    if not (asked or exclude) and (left := run_output.leftover_outputs(Path(settings.out), told.sources, done)):
        talk.info(left, "outputs.left")
    if undone := run_output.unfinished_sources(chosen, done, asked=bool(asked)):
        talk.warning(undone, "run.incomplete")
    _print_run(done, told, sample, as_json=as_json)
    codes = {lacking, *(one.exit_code for one in done.values())}
    raise click.exceptions.Exit(1 if 1 in codes else max(codes))


def _print_run(done: Mapping[str, SourceReport], told: Report, sample: int | None, *, as_json: bool) -> None:
    """Print what of a run is a result: conversions and the report, as far as they were asked for."""
    from chat_corpus.cli import run_output
    from chat_corpus.pipeline import counts

    if sample:
        shown = run_output.conversions(done, sample)
        if as_json:
            click.echo(safe(shown), err=True)
        else:
            echo(shown)
    if as_json:
        echo_json(counts.builtins(told))
