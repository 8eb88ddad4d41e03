"""The views of repetition within sources and of overlap between them; both need the full statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from chat_corpus.messages import Message, message
from chat_corpus.page.excerpts import cut_frequent
from chat_corpus.page.figures import BarRow, Segment, Titles, matrix, stacked
from chat_corpus.page.material import Counted
from chat_corpus.page.model import Cell, Column, Figure, Fold, Kind, LegendItem, Number, Row, Table, View
from chat_corpus.page.views.shared import SOURCE, columns, on_request
from chat_corpus.statistics.schema import DistinctShare, FullStatistics, Overlap, SourceRepetition, TextStatistics


def repetition(counted: Counted, limit: int) -> View:
    """Return the view of repeated pairs and of frequent texts, cut to at most `limit` characters."""
    title = message("Repetition")
    if counted.repeats is None:
        sentence = message("How often the same queries and answers occur in all splits of a source.")
    else:
        sentence = message(
            "{duplicates:,} repeats of earlier pairs were left out of the output.", duplicates=counted.repeats
        )
    if counted.fault is not None:
        return View(name="repetition", title=title, sentence=sentence, faults=(counted.fault,))
    if counted.full is None:
        notes = (on_request(message("Most frequent texts, and how distinct they are")),)
        return View(name="repetition", title=title, sentence=sentence, notes=notes)
    sources = counted.full.sources
    return View(
        name="repetition",
        title=title,
        sentence=sentence,
        figures=(_figure(sources),) if sources else (),
        tables=(_distinct(sources), _generic(sources)) if sources else (),
        folds=tuple(fold for name, one in sources.items() if (fold := _frequent(name, one, limit)).tables),
    )


def _percent(one: DistinctShare) -> str:
    return "–" if one.share is None else f"{one.share:.0%}"


def _figure(sources: Mapping[str, SourceRepetition]) -> Figure:
    def segments(one: DistinctShare) -> tuple[Segment, ...]:
        return (
            Segment(value=one.distinct, style="c1", name="distinct"),
            Segment(value=one.total - one.distinct, style="repeat", name="repeated"),
        )

    rows = [
        BarRow(
            label=name,
            panels=(segments(one.queries.texts), segments(one.answers.texts), segments(one.answers.distinct_2)),
            values=(_percent(one.queries.texts), _percent(one.answers.texts), _percent(one.answers.distinct_2)),
        )
        for name, one in sources.items()
    ]
    titles = Titles(
        name="distinct",
        title=message("How distinct queries and answers are"),
        sentence=message(
            "Each bar is all texts, or all pairs of neighbouring characters, of a source; the number at its right end "
            "is the share that remains if each is counted once."
        ),
        panels=(message("query"), message("answer"), message("distinct-2 of answers")),
    )
    legend = (
        LegendItem(style="c1", text=message("distinct")),
        LegendItem(style="repeat", text=message("repeated")),
    )
    return stacked(titles, rows, legend)


def _distinct(sources: Mapping[str, SourceRepetition]) -> Table:
    titles = (
        message("pairs"),
        message("query"),
        message("answer"),
        message("distinct-1, queries"),
        message("distinct-2, queries"),
        message("distinct-1, answers"),
        message("distinct-2, answers"),
    )
    return Table(
        name="distinct",
        caption=message("Share of different pairs, texts, characters, and pairs of neighbouring characters"),
        columns=(SOURCE, *columns(*titles, kind=Kind.SHARE)),
        rows=tuple((name, *_shares(one)) for name, one in sources.items()),
    )


def _shares(one: SourceRepetition) -> Iterator[Cell]:
    for values in (
        one.pairs,
        one.queries.texts,
        one.answers.texts,
        one.queries.distinct_1,
        one.queries.distinct_2,
        one.answers.distinct_1,
        one.answers.distinct_2,
    ):
        yield None if values.share is None else Number(value=values.share)


def _generic(sources: Mapping[str, SourceRepetition]) -> Table:
    def cells(texts: TextStatistics) -> tuple[Cell, ...]:
        part = None if texts.over_1000_share is None else Number(value=texts.over_1000_share)
        return (Number(value=texts.over_1000), Number(value=texts.over_1000_pairs), part)

    return Table(
        name="generic",
        caption=message(
            "Texts that occur in more than 1,000 pairs, and the pairs that have one; other sources have none"
        ),
        columns=(
            SOURCE,
            Column(title=message("different queries")),
            Column(title=message("their pairs")),
            Column(title=message("share"), kind=Kind.SHARE),
            Column(title=message("different answers")),
            Column(title=message("their pairs")),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(
            (name, *cells(one.queries), *cells(one.answers))
            for name, one in sources.items()
            if one.queries.over_1000 or one.answers.over_1000
        ),
    )


def _frequent(name: str, one: SourceRepetition, limit: int) -> Fold:
    sides = (_texts(one.queries, limit), _texts(one.answers, limit))
    rows = tuple(query + answer for query, answer in zip_longest(*sides, fillvalue=("", "", "")))
    table = Table(
        name=f"frequent-texts-{name}",
        caption=message("Texts that are in several pairs"),
        columns=(*_text_columns(message("query")), *_text_columns(message("answer"))),
        rows=rows,
    )
    return Fold(
        name=f"frequent-{name}",
        title=message("{source}: the most frequent texts", source=name),
        tables=(table,) if rows else (),
    )


def _text_columns(side: Message) -> tuple[Column, ...]:
    share = Column(title=message("share"), kind=Kind.SHARE)
    return (Column(title=side, kind=Kind.SAMPLE), Column(title=message("pairs")), share)


def _texts(texts: TextStatistics, limit: int) -> list[Row]:
    return [
        (cut_frequent(one.text, limit), Number(value=one.count), Number(value=one.share)) for one in texts.most_frequent
    ]


def overlap(counted: Counted) -> View | None:
    """Return the view of pairs and queries that two sources share; None if there are fewer than two sources."""
    title = message("Overlap of sources")
    if len(counted.full.sources if counted.full else counted.statistics) < 2:
        return None
    if counted.full is None:
        return View(
            name="overlap",
            title=title,
            sentence=message("Whether the same pair or query is in two sources is not counted in every run."),
            notes=(on_request(title),),
        )
    shared = [one for one in counted.full.overlap if one.queries or one.pairs]
    return View(
        name="overlap",
        title=title,
        sentence=message(
            "{number:,} of the {combinations:,} combinations of two sources share a query or a pair.",
            number=len(shared),
            combinations=len(counted.full.overlap),
        ),
        figures=(_matrix(counted.full),) if shared else (),
        tables=(_shared(shared),),
    )


def _matrix(full: FullStatistics) -> Figure:
    titles = Titles(
        name="shared",
        title=message("Queries that two sources share"),
        sentence=message(
            "Each cell is the number of different queries that both sources have, without regard to case, width, "
            "punctuation and repeated characters; the darker, the more."
        ),
    )
    return matrix(titles, list(full.sources), {(one.first, one.second): one.queries for one in full.overlap})


def _shared(overlaps: Sequence[Overlap]) -> Table:
    return Table(
        name="overlap",
        caption=message("Different pairs and queries that two sources share"),
        columns=(
            Column(title=message("sources"), kind=Kind.NAME),
            Column(title=message("pairs")),
            Column(title=message("queries")),
        ),
        rows=tuple(
            (f"{one.first}, {one.second}", Number(value=one.pairs), Number(value=one.queries))
            for one in sorted(overlaps, key=lambda one: (-one.queries, one.first, one.second))
        ),
    )
