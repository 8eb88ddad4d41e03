"""The `export` command: write a folder that training tools can load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.added import added_names, settled
from chat_corpus.cli.check_export import verify
from chat_corpus.cli.export_flags import RECORDS, export_options
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import option
from chat_corpus.cli.options import (
    CLEANING,
    JSON,
    LIMIT,
    MESSAGES,
    PROCESSES,
    READING,
    SELECTING,
    discovered,
    for_engine,
    read_settings,
    source_names,
)
from chat_corpus.cli.terminal import echo_json, echo_rows
from chat_corpus.cli.usage import NewFolder
from chat_corpus.errors import UsageError
from chat_corpus.messages import message

if TYPE_CHECKING:
    from chat_corpus.exports.manifest import ExportSummary
    from chat_corpus.runs.export.run import Exported
    from chat_corpus.settings.model import Settings

_INCOMPLETE = 3
_EXAMPLES = (
    ("chat-corpus export training --split test=0.01,validation=0.01", "all corpora, with splits"),
    ("chat-corpus export training -s ptt --format messages,alpaca", "one corpus, in three formats"),
    ("chat-corpus export training --turns pairs --dry-run", "show what would be read and written"),
)


@click.command(
    cls=Command,
    short_help="write dialogues in the formats that trainers load",
    arguments=(("DIR", "Folder to write to; it must be new or empty."),),
    examples=_EXAMPLES,
)
@click.argument("folder", metavar="DIR", type=NewFolder())
@READING
@option(
    "Input", "--out", metavar="DIR", help="Output folder of a run, with dialogue stores (default: clean_chat_corpus)."
)
@LIMIT
@SELECTING
@CLEANING
@RECORDS
@option("Output", "--force", is_flag=True, help="Replace an earlier export, or write into a folder that is not empty.")
@option("Output", "--dry-run", is_flag=True, help="Show what would be read and written, and stop.")
@option("Output", "--check", "check_after", is_flag=True, help="Verify the export afterwards, as check-export does.")
@JSON
@PROCESSES
@MESSAGES
def export(
    folder: Path,
    included: tuple[str, ...],
    exclude: tuple[str, ...],
    configs: tuple[Path, ...],
    *,
    dry_run: bool,
    check_after: bool,
    force: bool,
    as_json: bool,
    **rest: Any,
) -> None:
    """Write dialogues to DIR in the formats that trainers load.

    Reads the dialogue stores of `run --store-dialogues`, or, with --raw or without stores, the raw corpora. DIR gets
    Parquet files with a card (README.md), licences, and a manifest with all counts and digests.
    """
    from chat_corpus.cli import console
    from chat_corpus.runs.export import run as exporting

    if dry_run and check_after:
        raise UsageError(message("--check: a dry run writes nothing to verify; omit --check or --dry-run"))
    settings = for_engine(read_settings(configs, {**rest, "export": export_options(rest)}))
    exporting.check(folder, settings, force=force)
    console.set_up(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    stored = _stored(settings, rest)
    if stored:
        exported, code = _from_stores(folder, (included, exclude), stored, settings, dry_run=dry_run, force=force)
    else:
        bar = not (rest["quiet"] or rest["log_json"])
        exported, code = _from_raw(folder, (included, exclude), settings, dry_run=dry_run, force=force, bar=bar)
    if isinstance(exported, list):
        _print_plan(exported, as_json=as_json)
        raise click.exceptions.Exit(code)
    if exported.summary is not None:
        _print_result(exported.summary, folder, as_json=as_json)
        if check_after:
            verify(folder, to_stderr=as_json)  # stdout has the JSON of the export
    codes = {code, exported.exit_code}
    raise click.exceptions.Exit(1 if 1 in codes else max(codes))


def _print_plan(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the rows of a dry run: what would be read and written."""
    from chat_corpus.cli import export_output

    if as_json:
        echo_json(rows)
    else:
        echo_rows(*export_output.plan_table(rows), as_json=False)


def _print_result(summary: ExportSummary, folder: Path, *, as_json: bool) -> None:
    """Log the summary of an export, and print the manifest as JSON if it was requested."""
    from chat_corpus.cli import export_output, logs

    logs.info(export_output.table(summary), "export.table")
    for text, event in export_output.notes(summary):
        logs.info(text, event)
    logs.info(export_output.written_message(summary, folder), "export.written")
    if as_json:
        echo_json(export_output.as_builtins(summary))


def _stored(settings: Settings, flags: Mapping[str, Any]) -> list[str]:
    """Return the names of the sources with dialogue stores, and of `--add`; none means that raw corpora are exported.

    Logs a warning if the user names both raw corpora and dialogue stores. Raises UsageError if the user names an output
    folder without dialogue stores.
    """
    from chat_corpus.cli import logs
    from chat_corpus.outputs import layout
    from chat_corpus.runs.export.stores import stored_names

    if flags["raw"]:
        if flags["out"] and any(layout.dialogues(Path(settings.out), "any").parent.glob("*.parquet")):
            text = message("--out {folder}: its dialogue stores are not read, because of --raw", folder=settings.out)
            logs.warning(text, "export.stores")
        return []
    out = Path(settings.out)
    if flags["out"] and not out.exists():
        fault = message(
            "--out {folder}: no such folder; name the output folder of a run, or raw corpora with --raw", folder=out
        )
        raise UsageError(fault)
    stored = stored_names(out)
    if flags["out"] and not stored:
        fault = message(
            "--out {folder}: holds no dialogue stores; run again with --store-dialogues, or name raw corpora with "
            "--raw in place of --out",
            folder=settings.out,
        )
        raise UsageError(fault)
    return list(dict.fromkeys([*stored, *added_names(flags)])) if stored else []


def _from_stores(
    folder: Path,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    stored: list[str],
    settings: Settings,
    *,
    dry_run: bool,
    force: bool,
) -> tuple[Exported | list[dict[str, Any]], int]:
    """Export from dialogue stores. Return the result, or the rows of a dry run, and an exit code.

    The code is 3 if a dry run finds stores that cannot be used, otherwise 0; faults of an export are in its result.
    Raises Exit(3) if nothing can be exported.
    """
    from chat_corpus import sources
    from chat_corpus.cli import export_output, logs
    from chat_corpus.exports.mixing import check_sources
    from chat_corpus.runs.export.run import export_stores, report_faults
    from chat_corpus.runs.export.stores import find_stores, with_reported_corpora

    settings = with_reported_corpora(settled(settings))
    all_sources = sources.load(settings.plugins, settings.added)
    included, excluded = source_names(names[0], all_sources), source_names(names[1], all_sources)
    chosen = [name for name in (included or stored) if name not in excluded]
    if not chosen:
        logs.warning(message("nothing to export: every source is excluded"), "export.nothing")
        raise click.exceptions.Exit(_INCOMPLETE)
    check_sources(settings.export.mix, chosen)
    if dry_run:
        stores, faults = find_stores(Path(settings.out), chosen, settings)
        report_faults(faults)
        if not stores:
            raise click.exceptions.Exit(_INCOMPLETE)
        reads = [(str(store.path), store.path.stat().st_size) for store in stores]
        rows = export_output.plan(reads, folder, [store.name for store in stores], settings)
        return rows, _INCOMPLETE if faults else 0
    return export_stores(folder, chosen, settings, force=force), 0


def _from_raw(
    folder: Path,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    settings: Settings,
    *,
    dry_run: bool,
    force: bool,
    bar: bool,
) -> tuple[Exported | list[dict[str, Any]], int]:
    """Export from raw corpora. Return the result, or the rows of a dry run, and the exit code for missing files.

    Raises Exit if nothing can be read.
    """
    from chat_corpus.cli import console, export_output, logs, run_output
    from chat_corpus.exports.mixing import check_sources
    from chat_corpus.runs.export.run import export_raw

    settings = settled(settings)
    inventory = discovered(settings)
    included, excluded = source_names(names[0], inventory.found), source_names(names[1], inventory.found)
    chosen = {name: inventory.found[name] for name in (included or inventory.found) if name not in excluded}
    run_output.report_unrecognised(inventory, settings)
    code = run_output.report_missing(chosen, settings.raw, requested=bool(included))
    ready = {name: source for name, source in chosen.items() if source.groups}
    if not ready:
        logs.warning(run_output.nothing_to_do(inventory.found, chosen, settings), "run.nothing")
        raise click.exceptions.Exit(code or _INCOMPLETE)
    check_sources(settings.export.mix, list(ready))
    if dry_run:
        reads = [(file.name, file.size) for source in ready.values() for file in source.files]
        return export_output.plan(reads, folder, list(ready), settings), code
    with console.progress(ready, bar=bar) as progress:
        exported, _ = export_raw(folder, ready, settings, progress, force=force)
    return exported, code
