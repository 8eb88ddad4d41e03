"""Parts that several views use: columns, sums, stacked counts by name, and notes on missing parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chat_corpus.messages import Message, message
from chat_corpus.page.figures import BarRow, Segment, Titles, short, stacked
from chat_corpus.page.material import Counted
from chat_corpus.page.model import Cell, Column, Figure, Kind, LegendItem, Number, Row, Table, share, total

#: The column of names of sources.
SOURCE = Column(title=message("source"), kind=Kind.NAME)
#: The sentence of a view of statistics if no source has them.
NOT_COUNTED = message("This report has no statistics.")
#: Classes of colours, in the order of use.
_STYLES = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9")


def columns(*titles: Message, kind: Kind = Kind.COUNT) -> tuple[Column, ...]:
    """Return columns of one kind."""
    return tuple(Column(title=title, kind=kind) for title in titles)


def with_total(rows: list[Row], shares: Mapping[int, tuple[int, int]]) -> Row | None:
    """Return the row of sums; None without rows.

    `shares` maps a column to two other columns: it has the share of the first one's sum in the second one's sum.
    """
    if not rows:
        return None
    sums: list[Cell] = [message("total"), *(total(row[column] for row in rows) for column in range(1, len(rows[0])))]
    for column, (part, whole) in shares.items():
        values = [cell.value for cell in (sums[part], sums[whole]) if isinstance(cell, Number)]
        sums[column] = share(int(values[0]), int(values[1]))
    return tuple(sums)


def missing(counted: Counted) -> tuple[Message, ...]:
    """Return a note on the sources that have no statistics; empty if all have them."""
    if not counted.without:
        return ()
    return (
        message(
            "Without statistics, because an earlier version wrote the output: {sources}. Run again with --force for "
            "all figures.",
            sources=", ".join(counted.without),
        ),
    )


def on_request(what: Message) -> Message:
    """Return the note that figures are made only on request; `what` names them."""
    return message("{what}: run 'chat-corpus report DIR --full'.", what=what)


def stacked_counts(
    titles: Titles, rows: Mapping[str, Mapping[str, int]], names: Mapping[str, Message]
) -> tuple[Figure, list[str]]:
    """Return a figure of counts by name as stacked bars, and the names that occur, in the order of the segments."""
    known = [*names, *sorted({name for counts in rows.values() for name in counts} - set(names))]
    used = [name for name in known if any(counts.get(name) for counts in rows.values())]
    styles = dict(zip(used, _STYLES, strict=False))
    bars = [
        BarRow(
            label=source,
            panels=(
                tuple(Segment(value=counts.get(name, 0), style=styles.get(name, "c9"), name=name) for name in used),
            ),
            values=(short(sum(counts.values())),),
        )
        for source, counts in rows.items()
    ]
    legend = [LegendItem(style=styles.get(name, "c9"), text=names.get(name, name)) for name in used]
    return stacked(titles, bars, legend, shares=True), used


def origins(rows: Iterable[Row]) -> Table:
    """Return the table of licences and origins; a row has the source, its licence and its address."""
    return Table(
        name="origins",
        caption=message("Licence and origin, as the publisher states them"),
        columns=(
            SOURCE,
            Column(title=message("licence"), kind=Kind.TEXT),
            Column(title=message("origin"), kind=Kind.LINK),
        ),
        rows=tuple(rows),
    )
