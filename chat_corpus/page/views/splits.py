"""The page of an export: rows per split and source, records in no split, the mix, and statistics."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.exports import manifest
from chat_corpus.exports.dialogues import DropReason
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import Message, message
from chat_corpus.page.excerpts import frequent_limit
from chat_corpus.page.figures import BarRow, Segment, Titles, short, stacked
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
    total,
)
from chat_corpus.page.views.changes import conversions_table
from chat_corpus.page.views.characters import characters
from chat_corpus.page.views.lengths import dialogues, lengths
from chat_corpus.page.views.mix import mix_view
from chat_corpus.page.views.reasons import REASONS
from chat_corpus.page.views.repetition import overlap, repetition
from chat_corpus.page.views.shared import NOT_COUNTED, SOURCE, columns, origins, with_total
from chat_corpus.statistics.schema import Conversions, ExportStatistics

_SPLITS: dict[str, Message] = {
    "train": message("train"),
    "validation": message("validation"),
    "test": message("test"),
}
#: Reasons of an export to leave out turns, which include the reasons of the run, and to leave out records.
TURN_REASONS: dict[str, Message] = {
    **REASONS,
    DropReason.UNANSWERED: message("no turn answers it"),
    DropReason.WITHOUT_QUERY: message("it answers a turn that was rejected or is missing"),
    DropReason.ALTERNATIVE: message("an alternative response, of which only the first is exported"),
    DropReason.TOO_LONG: message("query and answer have more characters than the settings allow"),
    DropReason.SPECIAL_TOKEN: message("holds a control token of a tokenizer"),
}
_RECORD_REASONS: dict[str, Message] = {
    "duplicate": message("equal to an earlier record"),
    "held_cap": message("above the largest number of groups of its split"),
    "held_twin": message("resembles an evaluation pair"),
    "held_mix": message("does not fit the mix"),
}


def export_page(summary: ExportSummary, statistics: ExportStatistics | None) -> Page:
    """Return the page of an export; the keys of its numbers are keys of manifest.json or statistics.json."""
    turns = sum(one.ledger.turns for one in summary.sources)
    facts = (
        Fact(number=Number(value=len(summary.sources)), text=message("sources")),
        Fact(number=Number(value=turns), text=message("turns")),
        Fact(
            number=Number(value=sum(one.ledger.records for one in summary.sources)),
            text=message("records", "export"),
        ),
        Fact(number=Number(value=summary.rows), text=message("rows in splits")),
    )
    views: list[View | None] = [_splits(summary), _ledger(summary)]
    if summary.mix is not None:
        views.append(mix_view(summary.mix))
    if statistics is None:
        views.append(_no_statistics())
    else:
        counted = counted_export(statistics)
        views += [
            lengths(counted),
            dialogues(counted),
            repetition(counted, frequent_limit(counted.full)),
            _script(statistics),
        ]
        views += [overlap(counted), characters(counted)]
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


def _script(statistics: ExportStatistics) -> View | None:
    if not isinstance(statistics.conversions, Conversions):
        return None
    return View(
        name="script",
        title=message("Script"),
        sentence=message(
            "Conversion to simplified Chinese changed {converted:,} of {turns:,} turns.",
            converted=statistics.conversions.converted_turns,
            turns=statistics.conversions.turns,
        ),
        tables=(conversions_table(statistics.conversions),),
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
                caption=message("Records by source and split: records = train + validation + test + in no split"),
                columns=(
                    SOURCE,
                    Column(title=message("records", "export")),
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
        panels=(message("records", "export"),),
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
        for field, unit, meanings in (
            ("turns_dropped", message("turns"), TURN_REASONS),
            ("records_dropped", message("records", "export"), _RECORD_REASONS),
        ):
            reasons += [
                (one.name, unit, reason, Number(value=count, key=f"{key}.{field}.{reason}"), meanings.get(reason))
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
    titles = (
        message("turns"),
        message("left out"),
        message("exported"),
        message("dialogues"),
        message("records", "export"),
    )
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


def _origins(summary: ExportSummary) -> View:
    return View(
        name="origins",
        title=message("Sources"),
        sentence=message("Each source has the licence of its publisher."),
        tables=(origins((one.name, one.licence, one.url) for one in summary.sources),),
    )
