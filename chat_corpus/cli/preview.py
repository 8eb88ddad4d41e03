"""The `preview` command: show what filters would remove, without writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from chat_corpus.cli.added import settled
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import option
from chat_corpus.cli.options import (
    CLEANING,
    JSON,
    MESSAGES,
    PROCESSES,
    READING,
    SELECTING,
    discovered,
    source_names,
)
from chat_corpus.cli.run import chosen_sources, readable_sources, run_settings
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.cli.usage import Share, Whole

_FAILED_CHECK = 4
_SHARE = Share()
_EXAMPLES = (
    ("chat-corpus preview --raw ~/data --profile strict", "what a profile would remove"),
    ("chat-corpus preview --config my.yaml --sample 5000", "try settings on the first records"),
    ("chat-corpus preview --all -s ptt", "what each filter would remove from a source"),
    ("chat-corpus preview --config my.yaml --fail-over 0.1", "for scripts: exit code 4 if a filter removes too much"),
)


@click.command(cls=Command, short_help="show what filters would remove, without writing", examples=_EXAMPLES)
@READING
@option(
    "Input",
    "--sample",
    "--limit",
    "limit",
    type=Whole(min=1),
    metavar="N",
    help="Read only the first N records of each raw file.",
)
@SELECTING
@CLEANING
@option("Cleaning", "--all", "everything", is_flag=True, help="Look at all filters, with usual values if they are off.")
@option("Output", "--out", metavar="DIR", help="Output folder of the run that is meant; nothing is written.")
@option("Output", "--examples", type=Whole(min=0, max=1000), default=3, metavar="N", help="Examples of each filter.")
@option("Output", "--seed", type=Whole(min=0), default=0, metavar="N", help="Draw other examples (default: 0).")
@option(
    "Output",
    "--guard",
    type=_SHARE,
    default=0.1,
    metavar="SHARE",
    help="Point out filters that remove more than this share of a source (default: 0.1).",
)
@option(
    "Output",
    "--fail-over",
    type=_SHARE,
    metavar="SHARE",
    help="Exit with code 4 if the filters that are on remove more than this share of a source.",
)
@JSON
@PROCESSES
@MESSAGES
def preview(
    included: tuple[str, ...],
    exclude: tuple[str, ...],
    configs: tuple[Path, ...],
    *,
    everything: bool,
    examples: int,
    seed: int,
    guard: float,
    fail_over: float | None,
    as_json: bool,
    **rest: Any,
) -> None:
    """Show what the filters of the settings would remove from each source, with examples. Writes nothing.

    A row is a pair that a run would write without filters. For each filter: turns and rows that it would remove, rows
    that no other filter removes, and where it overlaps with others. With --all, also for filters that are off.
    """
    from chat_corpus.cli import console, preview_output, run_output
    from chat_corpus.pipeline.filters.preview import Sampling
    from chat_corpus.runs.preview import preview as do

    settings = run_settings(configs, rest)
    console.set_up(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    settings = settled(settings)
    inventory = discovered(settings)
    requested = source_names(included, inventory.found)
    chosen = chosen_sources(inventory, requested, source_names(exclude, inventory.found))
    run_output.report_unrecognised(inventory, settings)
    code = run_output.report_missing(chosen, settings.raw, requested=bool(requested))
    ready = readable_sources(inventory, chosen, settings, code)
    sampling = Sampling(examples=examples, seed=seed)
    with console.progress(ready, bar=not (rest["quiet"] or rest["log_json"])) as progress:
        results = do(ready, settings, progress, everything=everything, sampling=sampling)
    report = preview_output.summarized(results, settings, everything=everything, guard=guard, examples=examples)
    echo_json(report) if as_json else echo(preview_output.described(report))
    codes = {code, *(result.exit_code for result in results.values())}
    failed = fail_over is not None and preview_output.is_over(report, fail_over)
    raise click.exceptions.Exit(1 if 1 in codes else max(codes) or failed * _FAILED_CHECK)
