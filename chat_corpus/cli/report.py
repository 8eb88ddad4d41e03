"""The `report` command: write the page of an output again, also with full statistics, or print its tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chat_corpus.cli.added import places
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import JSON, origin_options
from chat_corpus.cli.terminal import echo, echo_document, safe_json
from chat_corpus.cli.usage import Folder, Target, check_target
from chat_corpus.errors import ChatCorpusError, IncompleteError, UsageError
from chat_corpus.messages import error_text, message
from chat_corpus.system_texts import system_text

if TYPE_CHECKING:
    from chat_corpus.page.material import Material
    from chat_corpus.page.model import Page


@click.command(
    cls=Command,
    short_help="make the page of an output, or its tables for a paper",
    arguments=(("DIR", "Output folder of a run, or an export."),),
    examples=(
        ("chat-corpus report clean_chat_corpus", "write report.html again"),
        ("chat-corpus report clean_chat_corpus --full", "with repetition and overlap"),
        ("chat-corpus report clean_chat_corpus --latex --output tables.tex", "tables for a paper"),
    ),
)
@click.argument("folder", metavar="DIR", type=Folder())
@origin_options(
    "With --full: folder with the raw corpora, if it was moved since the run.",
    "With --full: Python file that the output was made with. Its code is run. Can be repeated.",
)
@option(
    "Output",
    "--full",
    is_flag=True,
    help="Also compare all pairs (frequent texts, distinct-1 and -2, overlap of sources) and look at texts before "
    "cleaning (frequent conversions, examples).",
)
@option("Output", "--markdown", is_flag=True, help="Print the tables as Markdown.")
@option("Output", "--latex", is_flag=True, help="Print the tables as LaTeX.")
@option(
    "Output",
    "--output",
    type=Target(),
    metavar="FILE",
    help="Write to this file (default for the page: DIR/report.html).",
)
@JSON
@LANG
def report(
    folder: Path,
    raw: str | None,
    added: tuple[str, ...],
    plugins: tuple[str, ...],
    *,
    full: bool,
    markdown: bool,
    latex: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write the page of an output: figures, tables and samples in one file that a browser opens without a network.

    The page is in English and Chinese, and begins in the language of --lang. With --markdown, --latex or --json, prints
    the tables of the page. The exit code is 3 if files are missing or changed, so that the page lacks some figures.
    """
    from chat_corpus.cli import logs

    if markdown + latex + as_json > 1:
        raise UsageError(message("--markdown, --latex, --json: use one of them"))
    if not full and (raw or added or plugins):
        raise UsageError(message("--raw, --add and --plugin need --full: only it reads the raw files"))
    if output is not None:
        check_target(output, folder)
    page = _export_page(folder, full=full) if _is_export(folder) else _run_page(folder, raw, added, plugins, full=full)
    text = _as_text(page, markdown=markdown, latex=latex, as_json=as_json)
    for fault in page.faults:
        logs.warning(fault, "report.incomplete")
    if output is None and (markdown or latex or as_json):
        echo_document(text)
    else:
        path = output or folder / "report.html"
        write_text(path, text)
        echo(message("written to {file}", file=path))
    if page.faults:
        raise click.exceptions.Exit(IncompleteError.exit_code)


def _as_text(page: Page, *, markdown: bool, latex: bool, as_json: bool) -> str:
    """Return the tables of a page as Markdown, LaTeX or JSON, or the page as HTML if no format is chosen."""
    from chat_corpus.cli.language import catalogue, in_use
    from chat_corpus.page import tables

    if markdown or latex:
        return (tables.as_markdown if markdown else tables.as_latex)(page, catalogue())
    if as_json:
        return safe_json(tables.as_json(page)) + "\n"
    from chat_corpus.page.rendering import html

    return html(page, in_use())


def _is_export(folder: Path) -> bool:
    from chat_corpus.exports.manifest import MANIFEST

    return (folder / MANIFEST).is_file()


def _export_page(folder: Path, *, full: bool) -> Page:
    """Return the page of an export. Raises UsageError with `full`, ChatCorpusError if files are damaged."""
    from chat_corpus.lineage.open_export import open_export
    from chat_corpus.page.writing import read_export_page

    if full:
        raise UsageError(message("--full: an export always has its full statistics; omit the option"))
    try:
        return read_export_page(folder, open_export(folder).summary)
    except (OSError, ValueError) as error:
        raise ChatCorpusError(
            message("{file}: cannot be read: {error}", file=folder / "statistics.json", error=error_text(error))
        ) from error


def _run_page(folder: Path, raw: str | None, added: tuple[str, ...], plugins: tuple[str, ...], *, full: bool) -> Page:
    """Return the page of the output of a run. Raises UsageError if there is no report, or if it cannot be read.

    Damaged files do not raise: the page lacks their figures and samples, and has a fault for each of them.
    """
    from chat_corpus.exports.manifest import MANIFEST
    from chat_corpus.outputs.layout import REPORT
    from chat_corpus.outputs.report import read_report
    from chat_corpus.page.build import build
    from chat_corpus.page.drawing import draw_samples
    from chat_corpus.page.material import Material

    read = read_report(folder)
    if read is None:
        raise UsageError(
            message(
                "{folder}: neither the output of a run nor an export: {report} and {manifest} are missing",
                folder=folder,
                report=REPORT,
                manifest=MANIFEST,
            )
        )
    material = Material(report=read, samples=draw_samples(folder, read.sources))
    if full:
        from chat_corpus.lineage.cleaning_details import RawLocation, cleaning_details

        location = RawLocation(raw=raw, plugins=plugins, places=places(added, folder))
        material = _with_full(folder, replace(material, cleaning=cleaning_details(folder, read, location)))
    return build(material)


def _with_full(folder: Path, material: Material) -> Material:
    """Return the material of a page with full statistics, or with the reason why they cannot be made.

    Raises UsageError if the report cannot be read.
    """
    from chat_corpus.runs.full_statistics import full_statistics

    try:
        return replace(material, full=full_statistics(folder))
    except UsageError:
        raise
    except ChatCorpusError as error:
        return replace(material, fault=message("no statistics of all pairs: {reason}", reason=error.message))


def write_text(path: Path, text: str) -> None:
    """Write text to a file. Raises ChatCorpusError if the file cannot be written."""
    from chat_corpus.files.atomic import write_atomic

    try:
        write_atomic(path, lambda temporary: temporary.write_bytes(text.encode("utf-8", errors="backslashreplace")))
    except OSError as error:
        raise ChatCorpusError(message("{file}: cannot be written: {why}", file=path, why=system_text(error))) from error
