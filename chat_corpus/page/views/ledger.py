"""The first view: the numbers of records, turns and pairs that were used, rejected, repeated and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chat_corpus.messages import message
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.page.figures import BarRow, Segment, Titles, short, stacked
from chat_corpus.page.material import Material
from chat_corpus.page.model import Cell, Column, Figure, Kind, LegendItem, Number, Row, Table, View, share
from chat_corpus.page.views.reasons import REASONS
from chat_corpus.page.views.shared import SOURCE, columns, with_total
from chat_corpus.schema import Reason


def ledger(material: Material) -> View:
    """Return the view of records, turns and pairs."""
    sources = material.finished
    entries = sources.values()
    return View(
        name="ledger",
        title=message("From records to pairs"),
        sentence=message(
            "{records:,} records hold {turns:,} turns; {rejected:,} of these were rejected. Of {possible:,} possible "
            "pairs, {written:,} were written and {duplicates:,} left out as repeats.",
            records=sum(entry.records.read for entry in entries),
            turns=sum(entry.turns.read for entry in entries),
            rejected=sum(entry.turns.rejected.total() for entry in entries),
            possible=sum(entry.pairs.possible for entry in entries),
            written=sum(entry.pairs.written for entry in entries),
            duplicates=sum(entry.pairs.duplicates for entry in entries),
        ),
        figures=(_figure(sources),) if sources else (),
        tables=(_turns(sources), _pairs(sources), _reasons(sources)) if sources else (),
    )


def _figure(sources: dict[str, FinishedSource]) -> Figure:
    rows = [_bars(name, entry) for name, entry in sources.items()]
    legend = (
        LegendItem(style="c1", text=message("used, accepted, written")),
        LegendItem(style="c6", text=message("no turn by nature, such as a header")),
        LegendItem(style="repeat", text=message("repeat of an earlier pair")),
        LegendItem(style="lost", text=message("rejected")),
    )
    titles = Titles(
        name="flow",
        title=message("What became of records, turns and pairs, by source"),
        sentence=message(
            "Each bar is the whole of a source; its parts add up to the number at its right end. Hatched parts are "
            "missing from the output."
        ),
        panels=(message("records"), message("turns"), message("possible pairs")),
    )
    return stacked(titles, rows, legend)


def _bars(name: str, entry: FinishedSource) -> BarRow:
    records, turns, pairs = entry.records, entry.turns, entry.pairs
    panels = (
        (
            Segment(value=records.used, style="c1", name="used"),
            Segment(value=records.non_turns, style="c6", name="non_turns"),
            Segment(value=records.rejected, style="lost", name="rejected"),
        ),
        (
            Segment(value=turns.kept, style="c1", name="kept"),
            Segment(value=turns.rejected.total(), style="lost", name="rejected"),
        ),
        (
            Segment(value=pairs.written, style="c1", name="written"),
            Segment(value=pairs.duplicates, style="repeat", name="duplicates"),
            Segment(value=pairs.rejected.total(), style="lost", name="rejected"),
        ),
    )
    return BarRow(label=name, panels=panels, values=tuple(map(short, (records.read, turns.read, pairs.possible))))


def _turns(sources: dict[str, FinishedSource]) -> Table:
    titles = (message("records"), message("no turn"), message("rejected"), message("used"))
    turns = (message("turns"), message("rejected"), message("accepted"))
    rows = [tuple(_turn_cells(name, entry)) for name, entry in sources.items()]
    return Table(
        name="turns",
        caption=message("From records to turns: read = no turn + rejected + used; turns = rejected + accepted"),
        columns=(
            SOURCE,
            *columns(*titles, *turns),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(rows),
        total=with_total(rows, {8: (7, 5)}),
    )


def _turn_cells(name: str, entry: FinishedSource) -> Iterator[Cell]:
    yield name
    for key in ("read", "non_turns", "rejected", "used"):
        yield Number(value=getattr(entry.records, key), key=f"sources.{name}.records.{key}")
    yield Number(value=entry.turns.read, key=f"sources.{name}.turns.read")
    yield Number(value=entry.turns.rejected.total())
    yield Number(value=entry.turns.kept, key=f"sources.{name}.turns.kept")
    yield share(entry.turns.kept, entry.turns.read)


def _pairs(sources: dict[str, FinishedSource]) -> Table:
    rows = [tuple(_pair_cells(name, entry)) for name, entry in sources.items()]
    titles = (message("possible pairs"), message("rejected"), message("repeats"), message("written"))
    return Table(
        name="pairs",
        caption=message("From turns to pairs: possible = rejected + repeats + written"),
        columns=(
            SOURCE,
            *columns(*titles),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(rows),
        total=with_total(rows, {5: (4, 1)}),
    )


def _pair_cells(name: str, entry: FinishedSource) -> Iterator[Cell]:
    yield name
    yield Number(value=entry.pairs.possible, key=f"sources.{name}.pairs.possible")
    yield Number(value=entry.pairs.rejected.total())
    yield Number(value=entry.pairs.duplicates, key=f"sources.{name}.pairs.duplicates")
    yield Number(value=entry.pairs.written, key=f"sources.{name}.pairs.written")
    yield share(entry.pairs.written, entry.pairs.possible)


def _reasons(sources: dict[str, FinishedSource]) -> Table:
    rows: list[Row] = []
    for name, entry in sources.items():
        for kind, counts, whole in (
            ("turns", entry.turns.rejected, entry.turns.read),
            ("pairs", _pair_reasons(entry), entry.pairs.possible),
        ):
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
                key = f"sources.{name}.{kind}.rejected.{reason}"
                if (kind, reason) == ("pairs", Reason.DUPLICATE):
                    key = f"sources.{name}.pairs.duplicates"
                meaning = REASONS.get(reason)
                cells = (Number(value=count, key=key), share(count, whole))
                rows.append((name, {"turns": _TURNS, "pairs": _PAIRS}[kind], reason, *cells, meaning))
    return Table(
        name="reasons",
        caption=message("Reasons: what is missing from the output, and why"),
        columns=(
            SOURCE,
            Column(title=message("unit"), kind=Kind.TEXT),
            Column(title=message("reason"), kind=Kind.CODE),
            Column(title=message("number")),
            Column(title=message("share"), kind=Kind.SHARE),
            Column(title=message("meaning"), kind=Kind.TEXT),
        ),
        rows=tuple(rows),
    )


_TURNS, _PAIRS = message("turns"), message("pairs")


def _pair_reasons(entry: FinishedSource) -> Counter[str]:
    """Return the number of rejected pairs by reason, including repeats."""
    return entry.pairs.rejected + Counter({str(Reason.DUPLICATE): entry.pairs.duplicates})
