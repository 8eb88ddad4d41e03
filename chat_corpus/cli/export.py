"""The `export` command: a folder that trainers load as it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.check_export import verify
from chat_corpus.cli.group import Verb
from chat_corpus.cli.options import CONFIG, JSON, PLUGIN, RAW, discovered, for_engine, known_names, read_settings
from chat_corpus.cli.terminal import echo_json, echo_rows
from chat_corpus.errors import UsageError

if TYPE_CHECKING:
    from chat_corpus.cli.console import Console
    from chat_corpus.runs.export.run import Exported
    from chat_corpus.settings.model import Settings

_INCOMPLETE = 3


@click.command(cls=Verb)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-s", "--source", "wanted", multiple=True, metavar="NAME[,NAME]", help="Only these; may be given again.")
@click.option("--exclude", multiple=True, metavar="NAME[,NAME]", help="All but these; may be given again.")
@RAW
@click.option("--out", metavar="DIR", help="Output folder with dialogue stores.  [default: clean_chat_corpus]")
@click.option(
    "--format", "formats", multiple=True, metavar="NAME[,NAME]",
    help="Also messages, sharegpt, alpaca, prompt-completion, query-response, tsv, csv, firefly, lccc, cdial-gpt, "
    "gpt2-chitchat, parlai or preference; hf is always written.",
)  # fmt: skip
@click.option("--turns", type=click.Choice(["dialogue", "pairs"]), help="Whole dialogues, or a record for each pair.")
@click.option("--system", metavar="TEXT", help="Begin each record with this system message.")
@click.option("--max-turns", type=click.IntRange(min=2), metavar="N", help="Cut dialogues of more turns into several.")
@click.option("--max-chars", type=click.IntRange(min=1), metavar="N", help="Cut dialogues of more characters.")
@click.option(
    "--alternatives", type=click.Choice(["all", "first"]), help="Records for all alternative answers, or one."
)
@click.option("--split", metavar="SHARES", help="Shares of other splits than train: test=0.01,validation=0.01.")
@click.option(
    "--max-groups", type=click.IntRange(min=0), metavar="N",
    help="Most dialogue groups of a source in test, and in validation; 0 for no limit.  [default: 2000]",
)  # fmt: skip
@click.option(
    "--decontaminate", multiple=True, metavar="FILE",
    help="Keep out of train what resembles a pair of this benchmark or test split; may be given again.",
)  # fmt: skip
@click.option("--mix", metavar="SHARES", help="natural, equal, temperature=0.5, or weights such as ptt=2,tieba=1.")
@click.option(
    "--max-share", type=click.FloatRange(min=0, max=1, min_open=True), metavar="SHARE",
    help="Largest share of a source in train, such as 0.3.",
)  # fmt: skip
@click.option("--subset", metavar="SIZES", help="Nested subsets of train: 200k,600k,1m; add all to keep the rest.")
@click.option("--keep-duplicates", is_flag=True, help="Keep records that are equal to an earlier one.")
@click.option("--keep-personal", is_flag=True, help="Do not mask phone, QQ, WeChat and identity numbers and e-mails.")
@CONFIG
@PLUGIN
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes to use.  [default: all cores]")
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), help="Processes of this machine, or Dask.  [default: local]"
)
@click.option("--scheduler", metavar="ADDRESS", help="Work with the Dask cluster of this scheduler.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N records of each raw file.")
@click.option("--dry-run", is_flag=True, help="List what would be read and written, and stop.")
@click.option("--check", "check_after", is_flag=True, help="Verify the export afterwards, as check-export does.")
@click.option("--force", is_flag=True, help="Replace an earlier export, or write into a folder that is not empty.")
@JSON
@click.option("-q", "--quiet", is_flag=True, help="Print only warnings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Print a message for each shard.")
@click.option("--log-json", is_flag=True, help="Write messages to stderr as JSON, one a line.")
def export(
    folder: Path,
    wanted: tuple[str, ...],
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

    Reads the dialogue stores that `run --store-dialogues` wrote, or, with --raw or without stores, the raw corpora.
    DIR gets Parquet files with a card (README.md), licences and a manifest with all counts and digests.
    """
    from chat_corpus.cli import console, export_output
    from chat_corpus.runs.export import run as exporting
    from chat_corpus.runs.export.stores import stored_names

    settings = for_engine(read_settings(configs, {**rest, "export": _options(rest)}))
    exporting.check(folder, settings, force=force)
    talk = console.Console(quiet=rest["quiet"], verbose=rest["verbose"], as_json=rest["log_json"])
    stored = [] if rest["raw"] else stored_names(Path(settings.out))
    if stored:
        exported, lacking = _from_stores(
            folder, (wanted, exclude), stored, settings, talk, dry_run=dry_run, force=force
        )
    else:
        exported, lacking = _from_raw(folder, (wanted, exclude), settings, talk, dry_run=dry_run, force=force)
    if isinstance(exported, list):
        echo_rows(exported, export_output.PLAN_COLUMNS, as_json=as_json)
        raise click.exceptions.Exit(lacking)
    if exported.summary is not None:
        talk.info(export_output.table(exported.summary), "export.table")
        for text, event in export_output.notes(exported.summary):
            talk.info(text, event)
        talk.info(export_output.written_message(exported.summary, folder), "export.written")
        if as_json:
            echo_json(export_output.as_builtins(exported.summary))
        if check_after:
            verify(folder, as_json=False)
    codes = {lacking, exported.exit_code}
    raise click.exceptions.Exit(1 if 1 in codes else max(codes))


def _options(flags: dict[str, Any]) -> dict[str, Any]:
    """The settings of the section `export` that flags give. Raises UsageError."""
    from msgspec.structs import asdict

    from chat_corpus.exports.splitting import parse_split

    names = ("turns", "system", "max_turns", "max_chars", "alternatives")
    told = {name: flags.pop(name) for name in names if flags[name] is not None}
    told |= {name: value for name, value in (("duplicates", "keep"), ("personal", "keep")) if flags[f"keep_{name}"]}
    if flags["formats"]:
        told["formats"] = _formats(flags["formats"])
    if flags["split"] is not None:
        shares = asdict(parse_split(flags["split"]))
        told["split"] = {name: shares[name] for name in ("test", "validation")}
    if flags["max_groups"] is not None:
        told["split"] = {**told.get("split", {}), "max_groups": flags["max_groups"]}
    if flags["decontaminate"]:
        told["decontaminate"] = list(flags["decontaminate"])
    return told | _mix(flags)


def _mix(flags: dict[str, Any]) -> dict[str, Any]:
    """The settings of the mix that flags give, if any. Raises UsageError."""
    from chat_corpus.exports.mixing import parse_shares, parse_subsets

    told: dict[str, Any] = {}
    if flags["mix"] is not None:
        parse_shares(flags["mix"])
        told["shares"] = flags["mix"]
    if flags["max_share"] is not None:
        told["max_share"] = flags["max_share"]
    if flags["subset"] is not None:
        told["subsets"] = list(parse_subsets(flags["subset"]))
    return {"mix": told} if told else {}


def _formats(given: Iterable[str]) -> list[str]:
    """Formats from repeated, comma-separated names, without `hf`. Raises UsageError for an unknown one."""
    from chat_corpus.exports.records import FORMATS

    names = [name.strip() for value in given for name in value.split(",") if name.strip()]
    for name in names:
        if name not in ("hf", *FORMATS):
            nearest = difflib.get_close_matches(name.lower(), FORMATS, n=1, cutoff=0.5)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"there are hf, {', '.join(FORMATS)}"
            raise UsageError(f"--format {name}: no format of that name; {hint}")
    return [name for name in dict.fromkeys(names) if name != "hf"]


def _from_stores(
    folder: Path,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    stored: list[str],
    settings: Settings,
    talk: Console,
    *,
    dry_run: bool,
    force: bool,
) -> tuple[Exported | list[dict[str, Any]], int]:
    """Export from dialogue stores, or give the rows of a dry run; and an exit code for what is missing."""
    from chat_corpus import sources
    from chat_corpus.cli import export_output
    from chat_corpus.runs.export.run import export_stores, report_faults
    from chat_corpus.runs.export.stores import find_stores

    known = sources.load(settings.plugins)
    asked, excluded = known_names(names[0], known), known_names(names[1], known)
    chosen = [name for name in (asked or stored) if name not in excluded]
    if not chosen:
        talk.warning("nothing to export: every source is excluded", "export.nothing")
        raise click.exceptions.Exit(_INCOMPLETE)
    if dry_run:
        stores, faults = find_stores(Path(settings.out), chosen, settings)
        report_faults(faults)
        if not stores:
            raise click.exceptions.Exit(_INCOMPLETE)
        reads = [(str(store.path), store.path.stat().st_size) for store in stores]
        rows = export_output.plan(reads, folder, [store.name for store in stores], settings.export)
        return rows, _INCOMPLETE if faults else 0
    return export_stores(folder, chosen, settings, force=force), 0


def _from_raw(
    folder: Path,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    settings: Settings,
    talk: Console,
    *,
    dry_run: bool,
    force: bool,
) -> tuple[Exported | list[dict[str, Any]], int]:
    """The same from raw corpora."""
    from chat_corpus.cli import export_output, run_output
    from chat_corpus.runs.export.run import export_raw

    seen = discovered(settings)
    asked = known_names(names[0], seen.found)
    excluded = known_names(names[1], seen.found)
    chosen = {name: seen.found[name] for name in (asked or seen.found) if name not in excluded}
    run_output.report_unrecognised(seen, settings, talk)
    lacking = run_output.report_missing(chosen, talk, asked=bool(asked))
    ready = {name: one for name, one in chosen.items() if one.groups}
    if not ready:
        talk.warning(run_output.nothing(seen.found, chosen, settings), "run.nothing")
        raise click.exceptions.Exit(lacking or _INCOMPLETE)
    if dry_run:
        reads = [(file.name, file.size) for one in ready.values() for file in one.files]
        return export_output.plan(reads, folder, list(ready), settings.export), lacking
    with talk.progress(ready) as progress:
        exported, _ = export_raw(folder, ready, settings, progress, force=force)
    return exported, lacking
