"""The commands that examine outputs: `trace`, `explain`, `compare`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.added import places
from chat_corpus.cli.group import Command
from chat_corpus.cli.help import LANG, option
from chat_corpus.cli.options import JSON, ORIGIN
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.cli.usage import Folder, Target, Whole, check_target
from chat_corpus.errors import GateError, UsageError
from chat_corpus.messages import message

if TYPE_CHECKING:
    from chat_corpus.lineage.comparison_model import Compared
    from chat_corpus.lineage.recorded_run import RecordedRun
    from chat_corpus.lineage.trace_model import Record, Row
    from chat_corpus.outputs.report import Report


@click.command(
    cls=Command,
    short_help="show where rows of the output came from",
    arguments=(
        (
            "FILE:ROW[-ROW]...",
            "File of an output folder or an export, and the number of a row, or of the first and last.",
        ),
    ),
    examples=(
        ("chat-corpus trace clean_chat_corpus/ptt.tsv:12", "one row"),
        ("chat-corpus trace --json clean_chat_corpus/ptt.tsv:12-14", "three rows, for programs"),
        ("chat-corpus trace export/messages/ptt/train.jsonl:5", "one row of an export"),
        ("chat-corpus trace export --id ptt-0123456789abcdef", "a record of an export by its id"),
    ),
)
@click.argument("rows", nargs=-1, required=True, metavar="FILE:ROW[-ROW]...")
@option("Input", "--id", "ids", multiple=True, metavar="ID", help="A record of an export; the argument is its folder.")
@ORIGIN
@JSON
@LANG
def trace(
    rows: tuple[str, ...],
    ids: tuple[str, ...],
    raw: str | None,
    added: tuple[str, ...],
    plugins: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show where rows of an output came from: raw file and record, each text step, the conversion, the filters.

    Rows count from 1. The shard of each row is processed again from the raw file, with the settings in report.json. If
    the result is another row, or the raw file, the output or this program has changed, the exit code is 1.
    """
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import open_run, trace

    paths = () if ids else dict.fromkeys(path for path, _ in _ranges(rows))
    if ids or any(map(_is_exported, paths)):
        _trace_exported(rows, ids, raw, plugins, places(added), as_json=as_json)
        return
    moved = places(added, *(Path(path).parent for path in paths))
    runs: dict[str, RecordedRun] = {}

    def traced() -> Iterator[Row]:
        for path, number in _numbers(rows):
            if path not in runs:
                runs[path] = open_run.load_by_tsv(Path(path), raw, plugins, moved)
            yield trace.trace(runs[path], number)

    _print(traced(), trace_output.row, as_json=as_json)


def _is_exported(path: str) -> bool:
    """Whether a file is in the folder of an export."""
    from chat_corpus.lineage.open_export import find_export

    return find_export(Path(path)) is not None


def _trace_exported(
    rows: tuple[str, ...],
    ids: tuple[str, ...],
    raw: str | None,
    plugins: tuple[str, ...],
    moved: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    """Print the origin of records of exports, which are named by rows or by ids.

    Raises UsageError if a file is not in an export, and as the functions of `export_rows` and `export_trace`.
    """
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import export_rows, export_trace, open_export

    def traced() -> Iterator[export_trace.TracedRecord]:
        if ids:
            if len(rows) != 1:
                raise UsageError(message("--id: expected one argument, the folder of the export"))
            opened = open_export.open_export(Path(rows[0]), raw, plugins, moved)
            yield from (export_trace.trace_record(opened, id_) for id_ in ids)
            return
        for name, number in _numbers(rows):
            folder = open_export.find_export(Path(name))
            if folder is None:
                raise UsageError(
                    message("{file}: not a file of an export; trace it in a command of its own", file=name)
                )
            opened = open_export.open_export(folder, raw, plugins, moved)
            row = export_rows.read_row(opened, Path(name), number)
            record = export_trace.trace_record(opened, row.id)
            export_rows.check_row(row, record)
            yield record

    _print(traced(), trace_output.exported, as_json=as_json)


@click.command(
    cls=Command,
    short_help="show what became of raw records",
    arguments=(
        (
            "RAWFILE:RECORD[-RECORD]...",
            "Raw file by path or by its name in report.json, and the number of a record or of the first and last.",
        ),
    ),
    examples=(("chat-corpus explain ptt/Gossiping-QA-Dataset.txt:3", "a record of a raw file"),),
)
@click.argument("records", nargs=-1, required=True, metavar="RAWFILE:RECORD[-RECORD]...")
@option(
    "Input",
    "--out",
    metavar="DIR",
    default="clean_chat_corpus",
    help="Folder that the run wrote to (default: clean_chat_corpus).",
)
@ORIGIN
@JSON
@LANG
def explain(
    records: tuple[str, ...],
    out: str,
    raw: str | None,
    added: tuple[str, ...],
    plugins: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show what became of raw records: their turns, the rows of their pairs, or why there is none.

    Records count from 1, as in the rejects: lines, or for JSON arrays and XML their objects or elements. A member of an
    archive is named archive.zip/member. Characters that cannot be printed are shown as escapes.
    """
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import raw_file_run, trace

    moved = places(added, Path(out))
    found: dict[str, tuple[RecordedRun, str]] = {}

    def explained() -> Iterator[Record]:
        for path, number in _numbers(records):
            if path not in found:
                found[path] = raw_file_run.load_by_raw_file(path, Path(out), raw, plugins, moved)
            written, name = found[path]
            yield trace.explain(written, name, number)

    _print(explained(), trace_output.record, as_json=as_json)


@click.command(
    cls=Command,
    short_help="show what differs between two outputs, and why",
    arguments=(("OLD_DIR", "An output folder."), ("NEW_DIR", "The output folder to compare with it.")),
    examples=(
        ("chat-corpus compare before after", "all differences, with their causes"),
        ("chat-corpus compare before after --fail-on-change", "a check for scripts"),
    ),
)
@click.argument("old", metavar="OLD_DIR", type=Folder())
@click.argument("new", metavar="NEW_DIR", type=Folder())
@ORIGIN
@option("Output", "--fail-on-change", is_flag=True, help="Exit with code 4 if any row differs.")
@option(
    "Output", "--examples", type=Whole(min=0), default=2, metavar="N", help="Rows shown for each cause (default: 2)."
)
@option(
    "Processes",
    "--shards",
    type=Whole(min=0),
    default=32,
    metavar="N",
    help="Shards per source that are processed again to find causes; 0 for all that differ (default: 32).",
)
@option("Output", "--html", type=Target(), metavar="FILE", help="Write a page with both reports side by side.")
@JSON
@LANG
def compare(
    old: Path,
    new: Path,
    raw: str | None,
    added: tuple[str, ...],
    plugins: tuple[str, ...],
    *,
    fail_on_change: bool,
    examples: int,
    shards: int,
    html: Path | None,
    as_json: bool,
) -> None:
    """Show which rows appeared, vanished or changed between two outputs, and which step, filter or setting did it.

    To find causes, shards that differ are processed again in both ways. This needs the raw files, and the version of
    this program that the outputs were made with. Uncertain causes are shown as not determined.
    """
    from chat_corpus.cli import compare_output
    from chat_corpus.lineage import compare, comparison_model

    reports, moved = None, places(added, old, new)
    if html is not None:
        check_target(html, old, new, is_page=False)
        reports = _report(old), _report(new)
    sources: list[comparison_model.Compared] = []

    def compared() -> Iterator[comparison_model.Compared]:
        for source in compare.compare(
            old, new, raw, examples=examples, max_shards=shards, plugins=plugins, places=moved
        ):
            sources.append(source)
            yield source

    _print(compared(), compare_output.source, as_json=as_json, between="")
    if html is not None and reports is not None:
        _write_page(html, reports, sources)
    if fail_on_change and not all(source.same for source in sources):
        raise GateError(message("{new}: the rows are not the same as in {old}", new=new, old=old))


def _report(folder: Path) -> Report:
    """Return the report of an output, from which a page is made. Raises UsageError if there is none."""
    from chat_corpus.outputs.layout import REPORT
    from chat_corpus.outputs.report import read_report

    report = read_report(folder)
    if report is None:
        raise UsageError(message("--html: the page needs {file}, which is missing; omit --html", file=folder / REPORT))
    return report


def _write_page(path: Path, reports: tuple[Report, Report], sources: list[Compared]) -> None:
    """Write the page of a comparison in the current language. Raises ChatCorpusError if it cannot be written."""
    from chat_corpus.cli import compare_output
    from chat_corpus.cli.language import in_use
    from chat_corpus.cli.report import write_text
    from chat_corpus.page.comparison import comparison_page
    from chat_corpus.page.rendering import html

    write_text(path, html(comparison_page(*reports, list(map(compare_output.changes, sources))), in_use()))


def _numbers(arguments: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Return (path, number) for each number in arguments, one by one. Raises UsageError as `_ranges`."""
    return ((path, number) for path, numbers in _ranges(arguments) for number in numbers)


def _ranges(arguments: Iterable[str]) -> Iterator[tuple[str, range]]:
    """Yield (path, numbers) for each argument. Raises UsageError if one is not `path:n` or `path:n-m`."""
    for argument in arguments:
        match = re.fullmatch(r"(?s)(.+):([1-9][0-9]{0,17})(?:-([1-9][0-9]{0,17}))?", argument)
        if not match or int(match[3] or match[2]) < int(match[2]):
            raise UsageError(
                message(
                    "{argument}: a path with a number from 1, or a range, expected, as in ptt.tsv:12 or ptt.tsv:12-14",
                    argument=argument,
                )
            )
        yield match[1], range(int(match[2]), int(match[3] or match[2]) + 1)


def _print(
    results: Iterable[Any], lines: Callable[[Any], Iterable[str]], *, as_json: bool, between: str = "\n"
) -> None:
    if as_json:
        import msgspec

        # Messages are a subclass of str, which msgspec does not know.
        echo_json([msgspec.to_builtins(result, enc_hook=str) for result in results])
        return
    for number, result in enumerate(results):
        echo((between if number else "") + "\n".join(lines(result)))
