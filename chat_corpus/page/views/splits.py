"""The view of an export: rows per split and source, what is in no split, the mix and its subsets."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.exports import manifest
from chat_corpus.exports.manifest import ExportMix, ExportSummary
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import Message, message
from chat_corpus.page.figures import BarRow, Segment, Titles, plain_bar, short, stacked
from chat_corpus.page.material import counted_export
from chat_corpus.page.model import (
    Cell,
    Column,
    Fact,
    Figure,
    Kind,
    LegendItem,
    Number,
    Page,
    Row,
    Table,
    View,
    share,
    total,
)
from chat_corpus.page.views.characters import characters
from chat_corpus.page.views.lengths import dialogues, lengths
from chat_corpus.page.views.repetition import overlap, repetition
from chat_corpus.page.views.shared import NOT_COUNTED, SOURCE, columns, origins, with_total
from chat_corpus.statistics.schema import ExportStatistics

_SPLITS: dict[str, Message] = {
    "train": message("train"),
    "validation": message("validation"),
    "test": message("test"),
}
_DROPPED: dict[str, Message] = {
    "duplicate": message("equal to an earlier record"),
    "held_cap": message("above the largest number of groups of its split"),
    "held_twin": message("resembles an evaluation pair"),
    "held_mix": message("does not fit the mix"),
}


def export_page(summary: ExportSummary, statistics: ExportStatistics | None) -> Page:
    """Return the page of an export; keys of its numbers are those of manifest.json, and of statistics.json."""
    turns = sum(one.ledger.turns for one in summary.sources)
    facts = (
        Fact(number=Number(value=len(summary.sources)), text=message("sources")),
        Fact(number=Number(value=turns), text=message("turns")),
        Fact(number=Number(value=sum(one.ledger.records for one in summary.sources)), text=message("records")),
        Fact(number=Number(value=summary.rows), text=message("rows in splits")),
    )
    views: list[View | None] = [_splits(summary), _ledger(summary)]
    if summary.mix is not None:
        views.append(_mix(summary.mix))
    if statistics is None:
        views.append(_no_statistics())
    else:
        counted = counted_export(statistics)
        views += [lengths(counted), dialogues(counted), repetition(counted), overlap(counted), characters(counted)]
    views.append(_origins(summary))
    return Page(
        title=message("Export report"),
        subtitle=message(
            "chat-corpus {version}, formats: {formats}",
            version=summary.chat_corpus,
            formats=", ".join(("hf", *summary.formats)),
        ),
        facts=facts,
        views=tuple(view for view in views if view),
    )


def _no_statistics() -> View:
    fault = message(
        "{file}: not found; export again for lengths, repetition and characters", file=manifest.STATISTICS_FILE
    )
    return View(name="lengths", title=message("Lengths"), sentence=NOT_COUNTED, faults=(fault,))


def _splits(summary: ExportSummary) -> View:
    rows: list[Row] = []
    bars = []
    for number, one in enumerate(summary.sources):
        written = one.ledger.written
        key = f"sources.{number}.ledger"
        cells = [
            Number(value=written.get(split, 0), key=f"{key}.written.{split}" if split in written else "")
            for split in SPLITS
        ]
        dropped = Number(value=sum(one.ledger.records_dropped.values()))
        rows.append((one.name, Number(value=one.ledger.records, key=f"{key}.records"), *cells, dropped))
        bars.append(_bars(one.name, written, int(dropped.value)))
    return View(
        name="splits",
        title=message("Splits"),
        sentence=message(
            "{rows:,} of {records:,} records are in a split; the others are repeats, or held.",
            rows=summary.rows,
            records=sum(one.ledger.records for one in summary.sources),
        ),
        figures=(_split_figure(bars),) if bars else (),
        tables=(
            Table(
                name="splits",
                caption=message("Records by source and split: made = train + validation + test + in no split"),
                columns=(
                    SOURCE,
                    Column(title=message("records")),
                    *columns(*(_SPLITS[split] for split in SPLITS)),
                    Column(title=message("in no split")),
                ),
                rows=tuple(rows),
                total=with_total(rows, {}),
            ),
        ),
    )


def _bars(name: str, written: dict[str, int], dropped: int) -> BarRow:
    styles = dict(zip(SPLITS, ("c1", "c4", "c3"), strict=True))
    segments = tuple(Segment(value=written.get(split, 0), style=styles[split], name=split) for split in SPLITS)
    segments = (*segments, Segment(value=dropped, style="lost", name="in no split"))
    return BarRow(label=name, panels=(segments,), values=(short(sum(one.value for one in segments)),))


def _split_figure(bars: list[BarRow]) -> Figure:
    titles = Titles(
        name="splits",
        title=message("Records of each source by split"),
        sentence=message("Each bar is all records of a source. Hatched parts are in no split."),
        panels=(message("records"),),
    )
    legend = (
        LegendItem(style="c1", text=_SPLITS["train"]),
        LegendItem(style="c4", text=_SPLITS["validation"]),
        LegendItem(style="c3", text=_SPLITS["test"]),
        LegendItem(style="lost", text=message("in no split")),
    )
    return stacked(titles, bars, legend, shares=True)


def _ledger(summary: ExportSummary) -> View:
    rows: list[Row] = []
    reasons: list[Row] = []
    masked: list[Row] = []
    for number, one in enumerate(summary.sources):
        key = f"sources.{number}.ledger"
        dropped = Number(value=sum(one.ledger.turns_dropped.values()))
        cells: list[Cell] = [
            Number(value=getattr(one.ledger, name), key=f"{key}.{name}")
            for name in ("turns", "turns_exported", "dialogues", "records")
        ]
        rows.append((one.name, cells[0], dropped, *cells[1:]))
        for field in ("turns_dropped", "records_dropped"):
            unit = {"turns_dropped": message("turns"), "records_dropped": message("records")}[field]
            reasons += [
                (one.name, unit, reason, Number(value=count, key=f"{key}.{field}.{reason}"), _DROPPED.get(reason))
                for reason, count in getattr(one.ledger, field).items()
            ]
        masked += [
            (one.name, kind, Number(value=count, key=f"{key}.masked.{kind}"))
            for kind, count in one.ledger.masked.items()
        ]
    return View(
        name="export_ledger",
        title=message("From turns to records"),
        sentence=message(
            "{masked:,} personal numbers and addresses were masked.", masked=int(total(row[2] for row in masked).value)
        ),
        tables=tuple(_ledger_tables(rows, reasons, masked)),
    )


def _ledger_tables(rows: list[Row], reasons: list[Row], masked: list[Row]) -> Iterator[Table]:
    titles = (message("turns"), message("left out"), message("exported"), message("dialogues"), message("records"))
    yield Table(
        name="export_ledger",
        caption=message("Turns and records: turns = left out + exported"),
        columns=(SOURCE, *columns(*titles)),
        rows=tuple(rows),
        total=with_total(rows, {}),
    )
    if reasons:
        yield Table(
            name="export_reasons",
            caption=message("Reasons: what is missing from the splits, and why"),
            columns=(
                SOURCE,
                Column(title=message("unit"), kind=Kind.TEXT),
                Column(title=message("reason"), kind=Kind.CODE),
                Column(title=message("number")),
                Column(title=message("meaning"), kind=Kind.TEXT),
            ),
            rows=tuple(reasons),
        )
    if masked:
        yield Table(
            name="masked",
            caption=message("Masked personal numbers and addresses"),
            columns=(SOURCE, Column(title=message("kind"), kind=Kind.CODE), Column(title=message("number"))),
            rows=tuple(masked),
        )


def _mix(mix: ExportMix) -> View:
    whole, most = sum(mix.sources.values()), max(mix.sources.values(), default=0)
    bars = [
        plain_bar(name, count, most, f"{count / whole:.1%}" if whole else "–") for name, count in mix.sources.items()
    ]
    titles = Titles(
        name="mix",
        title=message("Shares of the sources in train"),
        sentence=message("The longest bar is the source with the most records in train, {most:,}.", most=most),
        panels=(message("train"),),
    )
    return View(
        name="mix",
        title=message("Mix and subsets"),
        sentence=message(
            "Each beginning of train up to row {rows:,} has the shares of the weights ({shares}).",
            rows=mix.exact_rows,
            shares=mix.shares or "natural",
        ),
        figures=(stacked(titles, bars, ()),),
        tables=(_mixed(mix, whole), *_subsets(mix)),
    )


def _mixed(mix: ExportMix, whole: int) -> Table:
    titles = columns(message("available"), message("train"))
    return Table(
        name="mix",
        caption=message("Records of each source: available, and in train"),
        columns=(SOURCE, *titles, Column(title=message("share"), kind=Kind.SHARE)),
        rows=tuple(
            (
                name,
                Number(value=mix.available.get(name, 0), key=f"mix.available.{name}"),
                Number(value=count, key=f"mix.sources.{name}"),
                share(count, whole),
            )
            for name, count in mix.sources.items()
        ),
    )


def _subsets(mix: ExportMix) -> Iterator[Table]:
    if not mix.subsets:
        return
    yield Table(
        name="subsets",
        caption=message("Subsets of train, each within the next: rows in all, and of each source"),
        columns=(
            Column(title=message("subset"), kind=Kind.NAME),
            Column(title=message("rows")),
            SOURCE,
            Column(title=message("rows")),
        ),
        rows=tuple(
            (
                one.name,
                Number(value=one.rows, key=f"mix.subsets.{number}.rows"),
                name,
                Number(value=one.sources.get(name, 0), key=f"mix.subsets.{number}.sources.{name}"),
            )
            for number, one in enumerate(mix.subsets)
            for name in mix.sources
        ),
    )


def _origins(summary: ExportSummary) -> View:
    return View(
        name="origins",
        title=message("Sources"),
        sentence=message("Each source has the licence of its publisher."),
        tables=(origins((one.name, one.licence, one.url) for one in summary.sources),),
    )
