"""The page that shows two outputs side by side: numbers of both, and their differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chat_corpus.messages import Message, message
from chat_corpus.outputs.report import FinishedSource, Report
from chat_corpus.page.figures import BarRow, Segment, Titles, short, stacked
from chat_corpus.page.material import Material, statistics_of
from chat_corpus.page.model import Cell, Column, Fact, Figure, Kind, LegendItem, Number, Page, Row, Table, View
from chat_corpus.page.views.reasons import REASONS
from chat_corpus.page.views.shared import SOURCE
from chat_corpus.statistics.schema import Distribution

_OLD, _NEW, _DELTA = message("old"), message("new"), message("difference")


@dataclass(frozen=True, kw_only=True, slots=True)
class RowChanges:
    """The numbers of rows of a source that appeared, vanished and changed, and the `causes`.

    A cause is a tuple of the words for the change, the words for the cause, and the number of rows with this cause.
    """

    source: str
    appeared: int
    vanished: int
    changed: int
    causes: tuple[tuple[str, str, int], ...]


def comparison_page(old: Report, new: Report, changes: Sequence[RowChanges]) -> Page:
    """Return the page of two outputs; `changes` has the sources that were compared row by row."""
    before, after = Material(report=old), Material(report=new)
    names = list(dict.fromkeys([*before.finished, *after.finished]))
    pairs = [sum(entry.pairs.written for entry in each.finished.values()) for each in (before, after)]
    return Page(
        title=message("Comparison of two outputs"),
        subtitle=message(
            "Old: chat-corpus {old}, run of {old_time}. New: chat-corpus {new}, run of {new_time}.",
            old=old.chat_corpus,
            old_time=old.run.started,
            new=new.chat_corpus,
            new_time=new.run.started,
        ),
        facts=(
            Fact(number=Number(value=pairs[0]), text=message("written pairs, old")),
            Fact(number=Number(value=pairs[1]), text=message("written pairs, new")),
            Fact(number=Number(value=sum(one.appeared for one in changes)), text=message("rows appeared")),
            Fact(number=Number(value=sum(one.vanished for one in changes)), text=message("rows vanished")),
            Fact(number=Number(value=sum(one.changed for one in changes)), text=message("rows changed")),
        ),
        views=(
            _rows_view(changes),
            _counts_view(before, after, names),
            _reasons_view(before, after, names),
            _lengths_view(before, after, names),
        ),
    )


def _rows_view(changes: Sequence[RowChanges]) -> View:
    differ = [one for one in changes if one.appeared or one.vanished or one.changed]
    rows: list[Row] = [
        (one.source, *(Number(value=value) for value in (one.appeared, one.vanished, one.changed))) for one in changes
    ]
    causes = tuple(
        (one.source, kind, cause, Number(value=count)) for one in changes for kind, cause, count in one.causes
    )
    columns = (Column(title=message("appeared")), Column(title=message("vanished")), Column(title=message("changed")))
    tables = [
        Table(name="rows", caption=message("Rows of the files of pairs"), columns=(SOURCE, *columns), rows=tuple(rows))
    ]
    if causes:
        kinds = (message("change"), message("cause"))
        titles = (*(Column(title=kind, kind=Kind.TEXT) for kind in kinds), Column(title=message("rows")))
        tables.append(
            Table(name="causes", caption=message("Causes of the changes"), columns=(SOURCE, *titles), rows=causes)
        )
    return View(
        name="rows",
        title=message("Rows"),
        sentence=message("{number:,} of {sources:,} sources differ.", number=len(differ), sources=len(changes)),
        tables=tuple(tables),
    )


def _value(entry: FinishedSource | None, get: Callable[[FinishedSource], int | float | None]) -> int | float | None:
    return None if entry is None else get(entry)


def _both(
    before: FinishedSource | None,
    after: FinishedSource | None,
    get: Callable[[FinishedSource], int | float | None],
    key: str,
) -> tuple[Cell, Cell, Cell]:
    """Return the old and the new number, and their difference."""
    old, new = _value(before, get), _value(after, get)
    difference = None if old is None or new is None else Number(value=round(new - old, 2))
    return (
        None if old is None else Number(value=old, key=f"old.{key}"),
        None if new is None else Number(value=new, key=f"new.{key}"),
        difference,
    )


def _table(
    name: str,
    caption: Message,
    sources: tuple[Material, Material, list[str]],
    get: Callable[[FinishedSource], int | float | None],
    key: str,
    kind: Kind = Kind.COUNT,
) -> Table:
    before, after, names = sources
    return Table(
        name=name,
        caption=caption,
        columns=(
            SOURCE,
            *(Column(title=title, kind=kind) for title in (_OLD, _NEW)),
            Column(title=_DELTA, kind=Kind.DELTA),
        ),
        rows=tuple(
            (source, *_both(before.finished.get(source), after.finished.get(source), get, f"sources.{source}.{key}"))
            for source in names
        ),
    )


def _counts_view(before: Material, after: Material, names: list[str]) -> View:
    sources = (before, after, names)
    return View(
        name="counts",
        title=message("Records, turns and pairs"),
        sentence=message("The numbers of both reports, source by source."),
        figures=(_figure(before, after, names),) if names else (),
        tables=(
            _table("written", message("Written pairs"), sources, lambda one: one.pairs.written, "pairs.written"),
            _table("records", message("Records"), sources, lambda one: one.records.read, "records.read"),
            _table("kept", message("Accepted turns"), sources, lambda one: one.turns.kept, "turns.kept"),
            _table("repeats", message("Repeats"), sources, lambda one: one.pairs.duplicates, "pairs.duplicates"),
            _table(
                "converted",
                message("Converted turns"),
                sources,
                lambda one: one.turns.changed_by_conversion,
                "turns.changed_by_conversion",
            ),
        ),
    )


def _figure(before: Material, after: Material, names: list[str]) -> Figure:
    counts = [
        [each.finished[name].pairs.written if name in each.finished else 0 for name in names]
        for each in (before, after)
    ]
    most = max(map(max, counts))
    rows = [
        BarRow(
            label=name,
            panels=tuple(
                (
                    Segment(value=values[number], style=style, name=""),
                    Segment(value=most - values[number], style="nothing", name=""),
                )
                for values, style in zip(counts, ("c6", "c1"), strict=True)
            ),
            values=tuple(short(values[number]) for values in counts),
        )
        for number, name in enumerate(names)
    ]
    titles = Titles(
        name="written",
        title=message("Written pairs of each source, old and new"),
        sentence=message("All bars have the same scale; the longest one has {most:,} pairs.", most=most),
        panels=(_OLD, _NEW),
    )
    legend = (LegendItem(style="c6", text=_OLD), LegendItem(style="c1", text=_NEW))
    return stacked(titles, rows, legend)


def _reasons_view(before: Material, after: Material, names: list[str]) -> View:
    rows: list[Row] = []
    for name in names:
        old, new = (_rejected(each.finished.get(name)) for each in (before, after))
        for reason in sorted(old.keys() | new.keys()):
            numbers = (Number(value=old[reason]), Number(value=new[reason]), Number(value=new[reason] - old[reason]))
            rows.append((name, reason, REASONS.get(reason), *numbers))
    return View(
        name="reasons",
        title=message("Rejected turns"),
        sentence=message("What each reason took from the turns of a source, then and now."),
        tables=(
            Table(
                name="reasons",
                caption=message("Rejected turns by reason"),
                columns=(
                    SOURCE,
                    Column(title=message("reason"), kind=Kind.CODE),
                    Column(title=message("meaning"), kind=Kind.TEXT),
                    Column(title=_OLD),
                    Column(title=_NEW),
                    Column(title=_DELTA, kind=Kind.DELTA),
                ),
                rows=tuple(rows),
            ),
        ),
    )


def _rejected(entry: FinishedSource | None) -> Counter[str]:
    return Counter() if entry is None else entry.turns.rejected


def _lengths_view(before: Material, after: Material, names: list[str]) -> View:
    sides = (("query_chars", message("query")), ("answer_chars", message("answer")))
    return View(
        name="lengths",
        title=message("Lengths"),
        sentence=message("Medians and 95th percentiles of the lengths in characters."),
        tables=tuple(
            Table(
                name=key,
                caption=message("Lengths in characters: {side}", side=side),
                columns=(
                    SOURCE,
                    Column(title=message("median, old")),
                    Column(title=message("median, new")),
                    Column(title=_DELTA, kind=Kind.DELTA),
                    Column(title=message("95 %, old")),
                    Column(title=message("95 %, new")),
                    Column(title=_DELTA, kind=Kind.DELTA),
                ),
                rows=tuple((name, *_percentiles(before, after, name, key)) for name in names),
            )
            for key, side in sides
        ),
    )


def _percentiles(before: Material, after: Material, name: str, side: str) -> Iterator[Cell]:
    for percentile in ("p50", "p95"):

        def get(entry: FinishedSource, percentile: str = percentile) -> int | None:
            statistics = statistics_of(entry)
            if statistics is None:
                return None
            lengths: Distribution = getattr(statistics, side)
            value: int | None = getattr(lengths, percentile)
            return value

        entries = before.finished.get(name), after.finished.get(name)
        yield from _both(*entries, get, f"sources.{name}.statistics.{side}.{percentile}")
