"""The views of lengths and of the shape of dialogues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chat_corpus.messages import Message, message
from chat_corpus.page.figures import HistogramRow, Titles, histograms
from chat_corpus.page.material import Counted
from chat_corpus.page.model import Cell, Column, Figure, Kind, Number, Table, View, share
from chat_corpus.page.views.shared import NOT_COUNTED, SOURCE, missing, on_request
from chat_corpus.statistics.schema import Distribution

_PERCENTILES = ("mean", "p5", "p50", "p95", "p99", "max")
_COLUMNS = (
    Column(title=message("mean"), kind=Kind.DECIMAL),
    Column(title=message("5 %")),
    Column(title=message("median")),
    Column(title=message("95 %")),
    Column(title=message("99 %")),
    Column(title=message("maximum")),
)
_TURNS_ALONE = message(
    "Each bar is the number of dialogues with so many turns; the highest bar of a row has full height. The number at "
    "the right is the median."
)
_WITH_ANSWERS = message(
    "Each bar is the number of dialogues with so many turns, or of queries with so many answers; the highest bar of a "
    "row has full height. The number at the right is the median."
)


def lengths(counted: Counted) -> View:
    """Return the view of lengths of queries and answers."""
    sides = {name: (one.query_chars, one.answer_chars) for name, one in counted.statistics.items()}
    titles = Titles(
        name="lengths",
        title=message("Lengths of queries and answers in characters"),
        sentence=message(
            "Each bar is the number of texts in a range of lengths that doubles from bar to bar; the highest bar of a "
            "row has full height. The number at the right is the median."
        ),
        panels=(message("query"), message("answer")),
    )
    total, long = _longest(sides)
    return View(
        name="lengths",
        title=message("Lengths"),
        sentence=NOT_COUNTED
        if not sides
        else message(
            "The {total:,} queries and answers have {characters:,} characters in all; the longest has {longest:,}.",
            total=total,
            characters=sum(one.sum for both in sides.values() for one in both),
            longest=long,
        ),
        figures=(distributions(titles, {name: sides[name] for name in counted.drawn}),) if sides else (),
        tables=_length_tables(sides, counted.keys) if sides else (),
        faults=missing(counted),
    )


def _longest(sides: Mapping[str, tuple[Distribution, Distribution]]) -> tuple[int, int]:
    every = [one for both in sides.values() for one in both]
    return sum(one.count for one in every), max((one.max or 0 for one in every), default=0)


def _length_tables(
    sides: Mapping[str, tuple[Distribution, Distribution]], keys: Mapping[str, str]
) -> tuple[Table, ...]:
    names = (
        ("query_chars", message("Lengths of queries, in characters: mean and percentiles")),
        ("answer_chars", message("Lengths of answers, in characters: mean and percentiles")),
    )
    return tuple(
        Table(
            name=key,
            caption=caption,
            columns=(SOURCE, Column(title=message("texts")), *_COLUMNS),
            rows=tuple((name, *_cells(both[side], f"{keys[name]}.{key}")) for name, both in sides.items()),
        )
        for side, (key, caption) in enumerate(names)
    )


def _cells(values: Distribution, key: str) -> tuple[Cell, ...]:
    return tuple(
        None
        if getattr(values, name) is None
        else Number(value=getattr(values, name), key=f"{key}.{name}" if key else "")
        for name in ("count", *_PERCENTILES)
    )


def distributions(titles: Titles, rows: Mapping[str, Sequence[Distribution]]) -> Figure:
    """Return a figure of distributions over the bins that occur in any of them."""
    every = sorted({(one.first, one.last) for values in rows.values() for each in values for one in each.bins})
    bins = [(first, last) for first, last in every]
    drawn = [
        HistogramRow(
            label=name,
            panels=tuple(
                tuple({(one.first, one.last): one.count for one in each.bins}.get(span, 0) for span in bins)
                for each in values
            ),
            medians=tuple(each.p50 for each in values),
        )
        for name, values in rows.items()
    ]
    return histograms(titles, drawn, bins)


def dialogues(counted: Counted) -> View:
    """Return the view of turns per dialogue, and of answers per query if they were counted."""
    statistics = counted.statistics
    full = counted.full.sources if counted.full else {}
    rows: dict[str, tuple[Distribution, ...]] = {name: (statistics[name].turns_per_dialogue,) for name in counted.drawn}
    panels: tuple[Message, ...] = (message("turns per dialogue"),)
    beside = bool(full) and rows.keys() <= full.keys()
    if beside:
        rows = {name: (*values, full[name].answers_per_query) for name, values in rows.items()}
        panels = (*panels, message("answers per query"))
    titles = Titles(
        name="dialogues",
        title=message("Shape of the dialogues"),
        sentence=_WITH_ANSWERS if beside else _TURNS_ALONE,
        panels=panels,
    )
    return View(
        name="dialogues",
        title=message("Shape of the dialogues"),
        sentence=NOT_COUNTED
        if not statistics
        else message(
            "{dialogues:,} dialogues have {turns:,} accepted turns; {single:,} of them have a single turn.",
            dialogues=sum(one.turns_per_dialogue.count for one in statistics.values()),
            turns=sum(one.turns_per_dialogue.sum for one in statistics.values()),
            single=sum(one.single_turn_dialogues for one in statistics.values()),
        ),
        figures=(distributions(titles, rows),) if rows else (),
        tables=_dialogue_tables(counted) if statistics else (),
        notes=() if full else (on_request(message("Answers per query")),),
        faults=missing(counted),
    )


def _dialogue_tables(counted: Counted) -> tuple[Table, ...]:
    rows = []
    for name, one in counted.statistics.items():
        key = counted.keys[name]
        single = Number(value=one.single_turn_dialogues, key=f"{key}.single_turn_dialogues")
        count, *values = _cells(one.turns_per_dialogue, f"{key}.turns_per_dialogue")
        part = share(one.single_turn_dialogues, one.turns_per_dialogue.count)
        rows.append((name, count, single, part, *values))
    single_columns = (Column(title=message("single turn")), Column(title=message("share"), kind=Kind.SHARE))
    turns = Table(
        name="turns_per_dialogue",
        caption=message("Accepted turns of a dialogue: mean and percentiles"),
        columns=(SOURCE, Column(title=message("dialogues")), *single_columns, *_COLUMNS),
        rows=tuple(rows),
    )
    if counted.full is None:
        return (turns,)
    answers = Table(
        name="answers_per_query",
        caption=message("Answers of each different query: mean and percentiles"),
        columns=(SOURCE, Column(title=message("queries")), *_COLUMNS),
        rows=tuple((name, *_cells(one.answers_per_query, "")) for name, one in counted.full.sources.items()),
    )
    return (turns, answers)
