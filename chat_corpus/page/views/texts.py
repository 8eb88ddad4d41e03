"""The views of what texts are made of: script, what cleaning changed, and characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from chat_corpus.messages import Message, message
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.page.figures import BarRow, Segment, Titles, plain_bar, short, stacked
from chat_corpus.page.material import Counted, Material
from chat_corpus.page.model import Column, Figure, Fold, Kind, LegendItem, Number, Row, Table, View, share
from chat_corpus.page.views.ledger import with_total
from chat_corpus.page.views.lengths import NOT_COUNTED, missing, on_request

_SOURCE = Column(title=message("source"), kind=Kind.NAME)
#: Classes of colours, in the order of use.
_STYLES = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9")
_SCRIPTS: dict[str, Message] = {
    "simplified": message("simplified"),
    "traditional": message("traditional"),
    "mixed": message("mixed"),
    "neutral": message("the same in both"),
}
_CLASSES: dict[str, Message] = {
    "han": message("Han"),
    "latin": message("Latin"),
    "digits": message("digits"),
    "punctuation": message("punctuation"),
    "emoji": message("emoji"),
    "kana": message("kana"),
    "hangul": message("hangul"),
    "blanks": message("blanks"),
    "other": message("other"),
}


def _title(name: str, titles: Mapping[str, Message]) -> Message | str:
    return titles.get(name, name)


def _stacked_counts(
    titles: Titles, rows: Mapping[str, Mapping[str, int]], names: Mapping[str, Message]
) -> tuple[Figure, list[str]]:
    """Draw counts by name as stacked bars; return the figure, and the names that occur, in the order of the bars."""
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
    legend = [LegendItem(style=styles.get(name, "c9"), text=_title(name, names)) for name in used]
    return stacked(titles, bars, legend, shares=True), used


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
    figure, used = _stacked_counts(titles, rows, _SCRIPTS)
    return View(
        name="script",
        title=message("Script"),
        sentence=message(
            "Conversion to simplified Chinese changed {converted:,} turns.",
            converted=sum(entry.turns.changed_by_conversion for entry in sources.values()),
        ),
        figures=(figure,) if used else (),
        tables=(_scripts(sources, used),) if sources else (),
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
            _SOURCE,
            *(Column(title=_SCRIPTS.get(one, message("other"))) for one in used),
            Column(title=message("converted")),
            Column(title=message("share"), kind=Kind.SHARE),
        ),
        rows=tuple(rows),
    )


def changes(material: Material) -> View:
    """Return the view of what each step of cleaning changed, and each filter rejected."""
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
        notes=missing(material.counted),
    )


def _step_figure(steps: Counter[str]) -> Figure:
    ordered = sorted(steps.items(), key=lambda item: (-item[1], item[0]))
    most = ordered[0][1]
    rows = [plain_bar(name, count, most, f"{count:,}") for name, count in ordered]
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
    for step, count in sorted(steps.items(), key=lambda item: (-item[1], item[0])):
        by_source = {name: entry.turns.changed_by_step[step] for name, entry in sources.items()}
        most = max(by_source, key=lambda name: (by_source[name], name))
        key = f"sources.{most}.turns.changed_by_step.{step}"
        rows.append((step, Number(value=count), share(count, turns), most, Number(value=by_source[most], key=key)))
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
                _SOURCE,
                Column(title=message("filter"), kind=Kind.CODE),
                Column(title=message("turns")),
            ),
            rows=tuple(filters),
        )


def characters(counted: Counted) -> View:
    """Return the view of characters, and of personal numbers and addresses."""
    statistics = counted.statistics
    rows = {name: dict(statistics[name].characters.classes) for name in counted.drawn}
    titles = Titles(
        name="characters",
        title=message("Characters by class"),
        sentence=message("Each bar is all characters of the kept turns of a source."),
        panels=(message("characters"),),
    )
    figure, used = _stacked_counts(titles, rows, _CLASSES)
    return View(
        name="characters",
        title=message("Characters"),
        sentence=NOT_COUNTED
        if not statistics
        else message(
            "{personal:,} personal numbers and addresses and {urls:,} web addresses are in the {characters:,} "
            "characters of the kept turns.",
            personal=sum(sum(one.personal.values()) for one in statistics.values()),
            urls=sum(one.urls for one in statistics.values()),
            characters=sum(one.characters.total for one in statistics.values()),
        ),
        figures=(figure,) if used else (),
        tables=tuple(_character_tables(counted)) if statistics else (),
        folds=_rarest(counted),
        notes=(*missing(counted), *(() if counted.full else (on_request(message("The rarest Han characters")),))),
    )


def _character_tables(counted: Counted) -> Iterator[Table]:
    classes = list(_CLASSES)
    rows: list[Row] = []
    for name, one in counted.statistics.items():
        key, counts = f"{counted.keys[name]}.characters", one.characters
        distinct = (
            Number(value=counts.distinct, key=f"{key}.distinct"),
            Number(value=counts.distinct_han, key=f"{key}.distinct_han"),
        )
        rows.append((name, *distinct, *(share(counts.classes.get(each, 0), counts.total) for each in classes)))
    yield Table(
        name="characters",
        caption=message("Different characters, and the share of each class in all characters"),
        columns=(
            _SOURCE,
            Column(title=message("distinct")),
            Column(title=message("distinct Han")),
            *(Column(title=_CLASSES[each], kind=Kind.SHARE) for each in classes),
        ),
        rows=tuple(rows),
    )
    yield _personal(counted)


def _personal(counted: Counted) -> Table:
    kinds = sorted({kind for one in counted.statistics.values() for kind in one.personal})
    rows: list[Row] = []
    for name, one in counted.statistics.items():
        key = counted.keys[name]
        found = [Number(value=one.personal.get(kind, 0), key=f"{key}.personal.{kind}") for kind in kinds]
        urls = Number(value=one.urls, key=f"{key}.urls")
        rows.append((name, *found, urls, Number(value=one.special_tokens, key=f"{key}.special_tokens")))
    return Table(
        name="personal",
        caption=message("Personal numbers and addresses, web addresses, and control tokens of tokenizers"),
        columns=(
            _SOURCE,
            *(Column(title=_PERSONAL.get(kind, message("other"))) for kind in kinds),
            Column(title=message("web addresses")),
            Column(title=message("control tokens")),
        ),
        rows=tuple(rows),
        total=with_total(rows, {}),
    )


def _rarest(counted: Counted) -> tuple[Fold, ...]:
    """The rarest Han characters of each source; nothing without the full statistics."""
    if counted.full is None:
        return ()
    rare = ((name, one.rarest_han) for name, one in counted.full.sources.items() if one.rarest_han)
    table = Table(
        name="rarest",
        caption=message("Each with the number of its occurrences"),
        columns=(_SOURCE, Column(title=message("characters"), kind=Kind.SAMPLE)),
        rows=tuple((name, "  ".join(f"{one.text} {one.count:,}" for one in found)) for name, found in rare),
    )
    return (Fold(name="rarest-han", title=message("The rarest Han characters"), tables=(table,)),)


_PERSONAL: dict[str, Message] = {
    "email": message("e-mail"),
    "id": message("identity numbers"),
    "phone": message("phone numbers"),
    "qq": message("QQ numbers"),
    "wechat": message("WeChat names"),
}
