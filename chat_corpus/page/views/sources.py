"""The second view: the sources with their raw files, licences, and numbers of dialogues and pairs."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.messages import Message, constant, message
from chat_corpus.outputs.report import FinishedSource, SourceEntry
from chat_corpus.page.figures import Titles, plain_bar, short, stacked
from chat_corpus.page.material import Material, statistics_of
from chat_corpus.page.model import Cell, Column, Figure, Kind, Number, Row, Table, View, share
from chat_corpus.page.views.shared import SOURCE, origins, with_total
from chat_corpus.schema import State

_STATES: dict[str, Message] = {
    State.FOUND: message("complete"),
    State.SAMPLE: message("bundled sample"),
    State.PARTIAL: message("partial"),
    State.FAILED: message("failed"),
}


def sources_view(material: Material) -> View:
    """Return the view of sources and raw files."""
    entries = material.report.sources
    files = sum(len(entry.files) for entry in entries.values())
    return View(
        name="sources",
        title=message("Sources"),
        sentence=message(
            "{sources:,} sources were read from {files:,} raw files of {size:,} bytes in all.",
            sources=len(entries),
            files=files,
            size=sum(file.bytes or 0 for entry in entries.values() for file in entry.files),
        ),
        figures=(_figure(material.finished),) if material.finished else (),
        tables=(
            _overview(material),
            origins((name, constant(entry.licence), entry.url) for name, entry in entries.items()),
            _files(entries),
        ),
        notes=tuple(_failures(entries)),
    )


def _figure(finished: dict[str, FinishedSource]) -> Figure:
    most = max((entry.pairs.written for entry in finished.values()), default=0)
    rows = [plain_bar(name, entry.pairs.written, most, short(entry.pairs.written)) for name, entry in finished.items()]
    titles = Titles(
        name="size",
        title=message("Pairs of each source"),
        sentence=message("The longest bar is the source with the most pairs, {most:,}.", most=most),
        panels=(message("written pairs"),),
    )
    return stacked(titles, rows, ())


def _overview(material: Material) -> Table:
    pairs = sum(entry.pairs.written for entry in material.finished.values())
    rows = [tuple(_cells(name, entry, pairs)) for name, entry in material.report.sources.items()]
    return Table(
        name="overview",
        caption=message("Size of each source; the share is that of all written pairs"),
        columns=(
            SOURCE,
            Column(title=message("title"), kind=Kind.TEXT),
            Column(title=message("state"), kind=Kind.TEXT),
            Column(title=message("dialogues")),
            Column(title=message("pairs")),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(rows),
        total=_sums(rows),
    )


def _sums(rows: list[Row]) -> Row | None:
    """Return the row of sums; the cells of titles and states are empty."""
    numbers: list[Row] = [(row[0], *row[3:]) for row in rows]
    totals = with_total(numbers, {3: (2, 2)})
    if totals is None:
        return None
    name, *sums = totals
    if not any(isinstance(row[3], Number) for row in rows):
        sums[0] = None
    return (name, "", "", *sums)


def _cells(name: str, entry: SourceEntry, pairs: int) -> Iterator[Cell]:
    yield name
    yield constant(entry.title)
    yield _STATES.get(entry.state, message("complete"))
    statistics = statistics_of(entry)
    key = f"sources.{name}.statistics.turns_per_dialogue.count"
    yield Number(value=statistics.turns_per_dialogue.count, key=key) if statistics else None
    if isinstance(entry, FinishedSource):
        yield Number(value=entry.pairs.written, key=f"sources.{name}.pairs.written")
        yield share(entry.pairs.written, pairs)
    else:
        yield from (None, None)


def _files(entries: dict[str, SourceEntry]) -> Table:
    rows = []
    for name, entry in entries.items():
        for number, file in enumerate(entry.files):
            key = f"sources.{name}.files.{number}"
            size = None if file.bytes is None else Number(value=file.bytes, key=f"{key}.bytes")
            records = Number(value=file.records, key=f"{key}.records")
            rows.append((name, file.file, size, records, file.encoding, file.sha256))
    return Table(
        name="files",
        caption=message("Raw files; a file that was not read to its end has no size and no SHA-256"),
        columns=(
            SOURCE,
            Column(title=message("file"), kind=Kind.CODE),
            Column(title=message("bytes")),
            Column(title=message("records")),
            Column(title=message("encoding"), kind=Kind.CODE),
            Column(title=message("SHA-256"), kind=Kind.CODE),
        ),
        rows=tuple(rows),
        folded=True,
    )


def _failures(entries: dict[str, SourceEntry]) -> Iterator[Message]:
    for name, entry in entries.items():
        if entry.state is State.FAILED:
            yield message("{source}: the last run failed: {error}", source=name, error=str(entry.error))
        for missing in entry.missing:
            yield message("{source}: missing: {name}", source=name, name=missing)
