"""The verbs that look back at outputs: `trace`, `explain`, `compare`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chat_corpus.cli.group import Verb
from chat_corpus.cli.terminal import echo, echo_json
from chat_corpus.errors import GateError, UsageError

if TYPE_CHECKING:
    from chat_corpus.lineage.recorded_run import RecordedRun

_RAW = click.option("--raw", metavar="DIR", help="Where the raw corpora are now, if not where the report says.")
_PLUGIN = click.option(
    "--plugin", "plugins", multiple=True, metavar="FILE",
    help="Python file that the output was made with, which is run again; may be given again.",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON to stdout.")


@click.command(cls=Verb)
@click.argument("rows", nargs=-1, required=True, metavar="FILE:ROW[-ROW]...")
@click.option("--id", "ids", multiple=True, metavar="ID", help="A record of an export; the argument is its folder.")
@_RAW
@_PLUGIN
@_JSON
def trace(
    rows: tuple[str, ...], ids: tuple[str, ...], raw: str | None, plugins: tuple[str, ...], *, as_json: bool
) -> None:
    """Where rows of an output came from: raw file and record, each text step, the conversion, the filters.

    FILE is a .tsv of a run, or a data file of an export. With --id, the argument is the folder of an export.

    Rows count from 1. The shard of each row is done again from the raw file, with the settings that the report tells,
    and must give the row as it stands; where it does not, or the raw file, the output or this program has changed,
    that is said, and the exit code is 1.
    """
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import open_run, trace

    if ids or any(_is_exported(path) for path, _ in _numbers(rows)):
        _trace_exported(rows, ids, raw, plugins, as_json=as_json)
        return
    made: dict[str, RecordedRun] = {}

    def told() -> Iterator[trace.Row]:
        for path, number in _numbers(rows):
            if path not in made:
                made[path] = open_run.load_by_tsv(Path(path), raw, plugins)
            yield trace.trace(made[path], number)

    _print(told(), trace_output.row, as_json=as_json)


def _is_exported(path: str) -> bool:
    """Whether a file is one of an export."""
    from chat_corpus.lineage.export_trace import find_export

    return find_export(Path(path)) is not None


def _trace_exported(
    rows: tuple[str, ...], ids: tuple[str, ...], raw: str | None, plugins: tuple[str, ...], *, as_json: bool
) -> None:
    """Print where records of exports came from, by their rows or their ids. Raises UsageError."""
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import export_trace

    def told() -> Iterator[export_trace.TracedRecord]:
        if ids:
            if len(rows) != 1:
                raise UsageError("--id: one argument expected, the folder of the export that the record is in")
            opened = export_trace.open_export(Path(rows[0]), raw, plugins)
            yield from (export_trace.trace_record(opened, one) for one in ids)
            return
        for name, number in _numbers(rows):
            folder = export_trace.find_export(Path(name))
            if folder is None:
                raise UsageError(f"{name}: not in the folder of an export; trace it by itself")
            opened = export_trace.open_export(folder, raw, plugins)
            yield export_trace.trace_record(opened, export_trace.id_of_row(opened, Path(name), number))

    _print(told(), trace_output.exported, as_json=as_json)


@click.command(cls=Verb)
@click.argument("records", nargs=-1, required=True, metavar="RAWFILE:RECORD[-RECORD]...")
@click.option("--out", metavar="DIR", default="clean_chat_corpus", show_default=True, help="Folder of the outputs.")
@_RAW
@_PLUGIN
@_JSON
def explain(records: tuple[str, ...], out: str, raw: str | None, plugins: tuple[str, ...], *, as_json: bool) -> None:
    """What became of raw records: not a turn, or their turns, and the rows or the reasons of their pairs.

    RAWFILE is a path, or a name as reports have it; a member of an archive is named as in a folder,
    archive.zip/member. RECORD counts from 1, as in the rejects: lines, or, where a layout is not made of lines (JSON
    arrays, XML), its objects or elements in their order. A character that cannot be printed is shown as an escape.
    """
    from chat_corpus.cli import trace_output
    from chat_corpus.lineage import open_run, trace

    found: dict[str, tuple[RecordedRun, str]] = {}

    def told() -> Iterator[trace.Record]:
        for path, number in _numbers(records):
            if path not in found:
                found[path] = open_run.load_by_raw_file(path, Path(out), raw, plugins)
            written, name = found[path]
            yield trace.explain(written, name, number)

    _print(told(), trace_output.record, as_json=as_json)


@click.command(cls=Verb)
@click.argument("old", metavar="OLD_DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", metavar="NEW_DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--fail-on-change", is_flag=True, help="Exit with code 4 where any row is not the same.")
@click.option(
    "--examples",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    metavar="N",
    help="Rows shown for each cause.",
)
@click.option(
    "--shards", type=click.IntRange(min=0), default=32, show_default=True, metavar="N",
    help="Shards of a source that are done again to find causes; 0 for all that are not the same.",
)  # fmt: skip
@_RAW
@_PLUGIN
@_JSON
def compare(
    old: Path,
    new: Path,
    raw: str | None,
    plugins: tuple[str, ...],
    *,
    fail_on_change: bool,
    examples: int,
    shards: int,
    as_json: bool,
) -> None:
    """Which rows appeared, vanished or changed between two output folders, and which step, filter or setting did it.

    Causes are found by doing the shards again that are not the same, in both ways; that needs the raw files, and the
    code that the outputs were made with. A cause that is not certain is told as not determined.
    """
    from chat_corpus.cli import compare_output
    from chat_corpus.lineage import compare, comparison_model

    found: list[comparison_model.Compared] = []

    def told() -> Iterator[comparison_model.Compared]:
        for one in compare.compare(old, new, raw, examples=examples, max_shards=shards, plugins=plugins):
            found.append(one)
            yield one

    _print(told(), compare_output.source, as_json=as_json, between="")
    if fail_on_change and not all(one.same for one in found):
        raise GateError(f"{new}: not the same rows as in {old}")


def _numbers(given: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Paths with each of their numbers. Raises UsageError for what is not `path:n` or `path:n-m`."""
    for one in given:
        found = re.fullmatch(r"(?s)(.+):([1-9][0-9]{0,17})(?:-([1-9][0-9]{0,17}))?", one)
        if not found or int(found[3] or found[2]) < int(found[2]):
            raise UsageError(
                f"{one}: a path with a number from 1, or a range, expected, as in ptt.tsv:12 or ptt.tsv:12-14"
            )
        for number in range(int(found[2]), int(found[3] or found[2]) + 1):
            yield found[1], number


def _print(told: Iterable[Any], lines: Callable[[Any], Iterable[str]], *, as_json: bool, between: str = "\n") -> None:
    if as_json:
        import msgspec

        # msgspec refuses messages, which are a subclass of str.
        echo_json([msgspec.to_builtins(one, enc_hook=str) for one in told])
        return
    for number, one in enumerate(told):
        echo((between if number else "") + "\n".join(lines(one)))
