"""The `run` command: find every corpus, clean it, pair its turns and write the pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus import process_setup
from chat_corpus.cli.added import settled
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import option
from chat_corpus.cli.options import (
    CLEANING,
    JSON,
    LIMIT,
    MESSAGES,
    OUT,
    PROCESSES,
    READING,
    SELECTING,
    discovered,
    for_engine,
    read_settings,
    source_names,
)
from chat_corpus.cli.terminal import echo, echo_json, echo_rows
from chat_corpus.cli.usage import Whole
from chat_corpus.messages import safe

if TYPE_CHECKING:
    from chat_corpus.discovery.model import DiscoveredSource, Inventory
    from chat_corpus.outputs.report import Report
    from chat_corpus.runs.report_builder import SourceReport
    from chat_corpus.settings.model import Settings

_INCOMPLETE = 3
_EXAMPLES = (
    ("chat-corpus", "everything in raw_chat_corpus, into clean_chat_corpus"),
    ("chat-corpus run --raw ~/data --out clean", "other folders"),
    ("chat-corpus run --add mine=chat.jsonl", "your own data"),
    ("chat-corpus run -s ptt,weibo --limit 1000", "try two corpora on their first records"),
    ("chat-corpus run --exclude belle --dry-run", "show what would be read and written"),
)


@click.command(cls=Command, short_help="clean, convert and pair every corpus found", examples=_EXAMPLES)
@READING
@LIMIT
@SELECTING
@CLEANING
@OUT
@option("Output", "--force", is_flag=True, help="Replace files that were made with other settings.")
@option("Output", "--fresh", is_flag=True, help="Ignore the work of earlier runs and do everything again.")
@option("Output", "--no-page", is_flag=True, help="Do not write report.html.")
@option(
    "Output",
    "--store-dialogues",
    is_flag=True,
    help="Keep clean turns, for later runs with other filters or pairs.",
)
@option("Output", "--dry-run", is_flag=True, help="Show what would be read and written, and stop.")
@option(
    "Output",
    "--explain-conversion",
    "sample",
    type=Whole(min=1),
    metavar="N",
    help="Print N random turns before and after script conversion.",
)
@JSON
@PROCESSES
@MESSAGES
def run(
    included: tuple[str, ...],
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
    """Find every corpus in the raw folder, clean and convert its text, pair its turns, and write one .tsv per source.

    This is the default command. Files are recognised by name and content; sources that did not change since the last
    run are skipped, and an interrupted run resumes. Nothing is dropped without a reason and an entry in rejects/.
    """
    with process_setup.importing():
        from chat_corpus.cli import console, run_output
        from chat_corpus.runs.runner import run as do

    settings = run_settings(configs, rest)
    console.set_up(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    settings = settled(settings)
    inventory = discovered(settings)
    requested = source_names(included, inventory.found)
    chosen = chosen_sources(inventory, requested, source_names(exclude, inventory.found))
    run_output.report_unrecognised(inventory, settings)
    code = run_output.report_missing(chosen, settings.raw, requested=bool(requested))
    ready = readable_sources(inventory, chosen, settings, code)
    if dry_run:
        _print_plan(ready, settings, force=force, as_json=as_json)
        raise click.exceptions.Exit(code)
    with console.progress(ready, bar=not (rest["quiet"] or rest["log_json"])) as progress:
        done, report = do(ready, settings, progress, conversions=sample or 0, fresh=fresh, replace=force)
    _log_end(inventory, chosen, done, report, settings, as_json=rest["log_json"])
    _log_rest(chosen, done, report, settings, requested=bool(requested), everything=not (requested or exclude))
    _print_results(done, report, sample, as_json=as_json)
    codes = {code, *(source.exit_code for source in done.values())}
    raise click.exceptions.Exit(1 if 1 in codes else max(codes))


def run_settings(configs: tuple[Path, ...], flags: Mapping[str, Any]) -> Settings:
    """Return the settings of a run. Raises UsageError if they are wrong, or if the folders cannot be used."""
    from chat_corpus.settings.loading import check_apart, check_text

    settings = for_engine(read_settings(configs, flags))
    check_apart(settings)
    check_text(settings)
    return settings


def chosen_sources(inventory: Inventory, requested: list[str], excluded: list[str]) -> dict[str, DiscoveredSource]:
    """Return the sources that the user names, or all sources, without the excluded ones."""
    names = requested or list(inventory.found)
    return {name: inventory.found[name] for name in names if name not in excluded}


def readable_sources(
    inventory: Inventory, chosen: Mapping[str, DiscoveredSource], settings: Settings, code: int
) -> dict[str, DiscoveredSource]:
    """Return the chosen sources with files to read. Raises Exit with `code`, or 3 if it is 0, if there are none."""
    from chat_corpus.cli import logs, run_output

    ready = {name: source for name, source in chosen.items() if source.groups}
    if not ready:
        logs.warning(run_output.nothing_to_do(inventory.found, chosen, settings), "run.nothing")
        raise click.exceptions.Exit(code or _INCOMPLETE)
    return ready


def _print_plan(ready: Mapping[str, DiscoveredSource], settings: Settings, *, force: bool, as_json: bool) -> None:
    """Print what would be read and written. Raises UsageError if a run would: files must not be replaced."""
    from chat_corpus.cli import run_output
    from chat_corpus.runs import previous

    previous.check_raw_files(Path(settings.out), ready)
    if not force:
        previous.check_replaceable(Path(settings.out), settings, ready)
    rows = run_output.reads_and_writes(ready, settings)
    if as_json:
        echo_json(rows)
    else:
        echo_rows(*run_output.plan(rows), as_json=False)


def _log_end(
    inventory: Inventory,
    chosen: Mapping[str, DiscoveredSource],
    done: Mapping[str, SourceReport],
    report: Report,
    settings: Settings,
    *,
    as_json: bool,
) -> None:
    """Log the summary of a run or, with `as_json`, the counts of each source."""
    from chat_corpus.cli import logs, summary
    from chat_corpus.messages import message
    from chat_corpus.pipeline import counts

    if any(source.samples_left for source in inventory.found.values()):
        logs.info(message("The bundled samples were skipped because there is a real corpus."), "samples.left")
    if as_json:
        for name, source in done.items():
            facts = {"source": name, "seconds": round(source.seconds, 3), "summary": counts.builtins(source.counts)}
            logs.info(name, "source.summary", **facts)
        return
    program = click.get_current_context().find_root().command_path
    summary.log(chosen, done, settings, seconds=report.run.seconds, program=program)


def _log_rest(
    chosen: Mapping[str, DiscoveredSource],
    done: Mapping[str, SourceReport],
    report: Report,
    settings: Settings,
    *,
    requested: bool,
    everything: bool,
) -> None:
    """Log sources that are not complete and, if the user did not select sources, outputs of earlier runs."""
    from chat_corpus.cli import logs, run_output

    if everything and (left := run_output.leftover_outputs(Path(settings.out), report.sources, done)):
        logs.info(left, "outputs.left")
    if unfinished := run_output.unfinished_sources(chosen, done, requested=requested):
        logs.warning(unfinished, "run.incomplete")


def _print_results(done: Mapping[str, SourceReport], report: Report, sample: int | None, *, as_json: bool) -> None:
    """Print the requested results: a sample of conversions, and the report as JSON."""
    from chat_corpus.cli import run_output
    from chat_corpus.cli.language import translate
    from chat_corpus.pipeline import counts

    if sample:
        shown = run_output.conversions(done, sample)
        if as_json:
            click.echo(safe(translate(shown)), err=True)
        else:
            echo(shown)
    if as_json:
        echo_json(counts.builtins(report))
