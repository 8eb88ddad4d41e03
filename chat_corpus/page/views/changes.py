"""The views of cleaning: script conversion, changes by each step, and rejects of each filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from chat_corpus.messages import Message, message
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.page.excerpts import cut, excerpts
from chat_corpus.page.figures import Titles, plain_bar, stacked
from chat_corpus.page.material import CleaningDetails, Material
from chat_corpus.page.model import Column, Figure, Fold, Kind, Number, Row, Table, View, share
from chat_corpus.page.views.shared import SOURCE, columns, missing, on_request, stacked_counts
from chat_corpus.statistics.schema import Conversions

_SCRIPTS: dict[str, Message] = {
    "simplified": message("simplified"),
    "traditional": message("traditional"),
    "mixed": message("mixed"),
    "neutral": message("the same in both"),
}


def script(material: Material) -> View:
    """Return the view of scripts, and of turns that were converted."""
    sources = material.finished
    rows = {name: dict(entry.turns.scripts) for name, entry in sources.items()}
    titles = Titles(
        name="script",
        title=message("Script of the turns before conversion"),
        sentence=message("Each bar is all turns of a source, by the script that they were in."),
        panels=(message("turns"),),
    )
    figure, used = stacked_counts(titles, rows, _SCRIPTS)
    return View(
        name="script",
        title=message("Script"),
        sentence=message(
            "Conversion to simplified Chinese changed {converted:,} turns.",
            converted=sum(entry.turns.changed_by_conversion for entry in sources.values()),
        ),
        figures=(figure,) if used else (),
        tables=tuple(_script_tables(material, used)) if sources else (),
        notes=() if material.cleaning else (on_request(message("Most frequent conversions")),),
        faults=material.cleaning.faults if material.cleaning else (),
    )


def _script_tables(material: Material, used: list[str]) -> Iterator[Table]:
    yield _scripts(material.finished, used)
    if material.cleaning is not None and material.cleaning.conversions.characters:
        yield conversions_table(material.cleaning.conversions, sampled=material.cleaning.sampled)


def conversions_table(conversions: Conversions, *, sampled: bool = False) -> Table:
    """Return the table of the most frequent conversions, with the number of turns in which they were counted."""
    if sampled:
        caption = message(
            "The most frequent of {distinct:,} conversions of a character, in a sample of {turns:,} turns, "
            "{converted:,} of them converted",
            distinct=conversions.distinct,
            turns=conversions.turns,
            converted=conversions.converted_turns,
        )
    else:
        caption = message(
            "The most frequent of {distinct:,} conversions of a character, in {converted:,} converted turns",
            distinct=conversions.distinct,
            converted=conversions.converted_turns,
        )
    return Table(
        name="conversions",
        caption=caption,
        columns=(
            Column(title=message("traditional"), kind=Kind.SAMPLE),
            Column(title=message("simplified"), kind=Kind.SAMPLE),
            Column(title=message("times")),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(
            (one.before, one.after, Number(value=one.count), Number(value=one.share))
            for one in conversions.most_frequent
        ),
        folded=True,
    )


def _scripts(sources: Mapping[str, FinishedSource], used: list[str]) -> Table:
    rows = []
    for name, entry in sources.items():
        key = f"sources.{name}.turns"
        cells = [
            Number(value=entry.turns.scripts[one], key=f"{key}.scripts.{one}" if one in entry.turns.scripts else "")
            for one in used
        ]
        converted = Number(value=entry.turns.changed_by_conversion, key=f"{key}.changed_by_conversion")
        rows.append((name, *cells, converted, share(entry.turns.changed_by_conversion, entry.turns.read)))
    return Table(
        name="script",
        caption=message("Turns by script, and turns that conversion changed; the share is that of all turns"),
        columns=(
            SOURCE,
            *(Column(title=_SCRIPTS.get(one, message("other"))) for one in used),
            Column(title=message("converted")),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(rows),
    )


def changes(material: Material, limit: int) -> View:
    """Return the view of changes by steps and rejects of filters, with examples of at most `limit` characters."""
    sources = material.finished
    steps: Counter[str] = Counter()
    for entry in sources.values():
        steps.update(entry.turns.changed_by_step)
    turns = sum(entry.turns.read for entry in sources.values())
    return View(
        name="changes",
        title=message("What cleaning changed"),
        sentence=message(
            "Cleaning changed {changed:,} of {turns:,} turns; a turn can be changed by several steps.",
            changed=sum(entry.turns.changed_by_normalization for entry in sources.values()),
            turns=turns,
        ),
        figures=(_step_figure(steps),) if steps else (),
        tables=tuple(_change_tables(material, steps, turns)),
        folds=tuple(_folds(material.cleaning, _ordered(steps), limit)) if material.cleaning else (),
        notes=() if material.cleaning else (on_request(message("An example of each step and filter")),),
        faults=(*missing(material.counted), *(material.cleaning.faults if material.cleaning else ())),
    )


def _folds(cleaning: CleaningDetails, steps: Iterable[str], limit: int) -> Iterator[Fold]:
    address = Column(title=message("address"), kind=Kind.CODE)
    if cleaning.steps:
        before, after = message("before"), message("after")
        yield _fold(
            "step-examples",
            message("An example of each step"),
            message("A turn that the step changed, around the first difference"),
            (Column(title=message("step"), kind=Kind.CODE), address, *columns(before, after, kind=Kind.SAMPLE)),
            (
                (name, one.address, *excerpts(one.before, one.after, limit))
                for name in steps
                if (one := cleaning.steps.get(name))
            ),
        )
    if cleaning.filters:
        yield _fold(
            "filter-examples",
            message("An example of each filter"),
            message("A turn that the filter rejected, as it was read"),
            (
                Column(title=message("filter"), kind=Kind.CODE),
                address,
                Column(title=message("text"), kind=Kind.SAMPLE),
                Column(title=message("message"), kind=Kind.CODE),
            ),
            (
                (name, one.address, cut(one.text, limit), cut(one.message, limit))
                for name, one in sorted(cleaning.filters.items())
            ),
        )


def _fold(name: str, title: Message, caption: Message, titles: tuple[Column, ...], rows: Iterable[Row]) -> Fold:
    return Fold(name=name, title=title, tables=(Table(name=name, caption=caption, columns=titles, rows=tuple(rows)),))


def _ordered(steps: Counter[str]) -> list[str]:
    """Return the names of steps, sorted by the number of turns that they changed, the largest first."""
    return sorted(steps, key=lambda name: (-steps[name], name))


def _step_figure(steps: Counter[str]) -> Figure:
    most = max(steps.values())
    rows = [plain_bar(name, steps[name], most, f"{steps[name]:,}") for name in _ordered(steps)]
    titles = Titles(
        name="steps",
        title=message("Turns that each step changed"),
        sentence=message("The longest bar is the step that changed the most turns, {most:,}.", most=most),
        panels=(message("turns"),),
    )
    return stacked(titles, rows, ())


def _change_tables(material: Material, steps: Counter[str], turns: int) -> Iterator[Table]:
    sources = material.finished
    rows = []
    for step in _ordered(steps):
        by_source = {name: entry.turns.changed_by_step[step] for name, entry in sources.items()}
        most = max(by_source, key=lambda name: (by_source[name], name))
        key = f"sources.{most}.turns.changed_by_step.{step}"
        counts = (Number(value=steps[step]), share(steps[step], turns))
        rows.append((step, *counts, most, Number(value=by_source[most], key=key)))
    if rows:
        yield Table(
            name="steps",
            caption=message("Turns that each step changed, and the source with the most of them"),
            columns=(
                Column(title=message("step"), kind=Kind.CODE),
                Column(title=message("turns")),
                Column(title=message("share"), kind=Kind.SHARE),
                Column(title=message("most in"), kind=Kind.NAME),
                Column(title=message("turns there")),
            ),
            rows=tuple(rows),
        )
    filters = [
        (name, filter_, Number(value=count, key=f"sources.{name}.statistics.rejected_by_filter.{filter_}"))
        for name, one in material.statistics.items()
        for filter_, count in one.rejected_by_filter.items()
        if count
    ]
    if filters:
        yield Table(
            name="filters",
            caption=message("Turns that each filter rejected"),
            columns=(
                SOURCE,
                Column(title=message("filter"), kind=Kind.CODE),
                Column(title=message("turns")),
            ),
            rows=tuple(filters),
        )
