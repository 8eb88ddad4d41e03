"""The output of `preview`: figures of each filter, in total and by source, overlaps and examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chat_corpus import sources
from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import cut, format_table
from chat_corpus.messages import Message, count_noun, joined, message, one_line
from chat_corpus.pipeline.filters.preview import Example, Figures, FilterPreview
from chat_corpus.pipeline.filters.table import FILTERS, active_filters
from chat_corpus.pipeline.pair_passes import table as pass_table
from chat_corpus.pipeline.pair_passes.table import PairPass
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs.preview import SourcePreview
from chat_corpus.runs.preview_passes import looked_at
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Filter, Source
from chat_corpus.terms import stored_text

#: Maximum width of an example in columns, and maximum number of overlaps that are shown.
_COLUMNS, _OVERLAPS = 100, 10
_FILTERS = {
    "filter": message("filter"),
    "value": message("value"),
    "turns": message("turns"),
    "rows": message("rows"),
    "share": message("share"),
    "alone": message("alone"),
    "most": message("most in"),
}
_SOURCES = {
    "source": message("source"),
    "rows": message("rows"),
    "removed": message("removed"),
    "share": message("share"),
    "turns": message("turns"),
    "removed_turns": message("removed turns"),
}


def summarized(
    results: Mapping[str, SourcePreview], settings: Settings, *, everything: bool, guard: float, examples: int
) -> dict[str, Any]:
    """Return the figures as `preview --json` prints them; docs/outputs.md documents the keys.

    `guard` is the share of a source above which a filter is pointed out, `examples` the number of examples per filter.
    """
    filters: dict[str, dict[str, Any]] = {}
    known = sources.load(settings.plugins, settings.added)
    for name, result in results.items():
        own = settings.of(name)
        on = {item.name for item in _active(own, known[name])}
        looked = looked_at(own, everything=everything)
        for item in _active(looked, known[name]):
            entry = filters.setdefault(item.name, _entry(item, looked))
            entry["on"] = entry["on"] or item.name in on
            _add(entry, name, result.preview, item.name in on)
    total = FilterPreview()
    drawn: dict[str, list[tuple[Example, str]]] = {}
    for name, result in results.items():
        total.add(result.preview, 0)
        for filter_name, some in result.preview.examples.items():
            drawn.setdefault(filter_name, []).extend((example, name) for example in some)
    for entry in filters.values():
        entry["share"] = _share(entry["rows"], entry["turns"], total)
        entry["over_guard"] = [name for name, figures in entry["sources"].items() if figures["share"] > guard]
        entry["overlaps"] = _overlaps(entry["name"], total.overlaps)
        shown = sorted(drawn.get(entry["name"], ()), key=lambda pair: pair[0].key)[:examples]
        entry["examples"] = [_example(origin, example) for example, origin in shown]
    order = {item.name: number for number, item in enumerate(_all_filters(known))}
    return {
        "guard": guard,
        "total": _whole(total),
        "sources": {name: {**_whole(result.preview), "error": result.error} for name, result in results.items()},
        "filters": sorted(filters.values(), key=lambda entry: order[entry["name"]]),
    }


def _all_filters(known: Mapping[str, Source]) -> tuple[Filter | PairPass, ...]:
    return (*FILTERS, *next(iter(known.values())).filters, *pass_table.PASSES)


def _active(settings: SourceSettings, source: Source) -> tuple[Filter | PairPass, ...]:
    """Return the filters and the passes over all pairs that are on in the settings."""
    return (*active_filters(settings.filters, source), *pass_table.enabled(settings, source))


def _value_of(item: Filter | PairPass, settings: SourceSettings) -> Any:
    """Return the value of the setting of a filter or pass."""
    if isinstance(item, PairPass):
        section, _, name = item.name.partition(".")
        options = getattr(settings, section)
        return getattr(options, name) if name else options.drop_lowest or options.min
    value = getattr(settings.filters, item.name, settings.filters.custom.get(item.name))
    return [one.path for one in value] if isinstance(value, tuple) else value


def _entry(item: Filter | PairPass, settings: SourceSettings) -> dict[str, Any]:
    figures = dict.fromkeys(Figures.__slots__, 0)
    scope = "source" if isinstance(item, PairPass) else str(item.scope)
    return {
        "name": item.name, "reason": str(item.reason), "scope": scope, "on": False, "value": _value_of(item, settings),
        **figures, "sources": {},
    }  # fmt: skip


def _add(entry: dict[str, Any], source: str, preview: FilterPreview, on: bool) -> None:
    figures = preview.filters.get(entry["name"], Figures())
    numbers = {name: getattr(figures, name) for name in Figures.__slots__}
    for name, number in numbers.items():
        entry[name] += number
    share = _share(figures.rows, figures.turns, preview)
    entry["sources"][source] = {**numbers, "share": share, "on": on}


def _example(source: str, example: Example) -> dict[str, Any]:
    names = ("file", "record", "before", "text", "message")
    return {"source": source, **{name: getattr(example, name) for name in names}}


def _share(rows: int, turns: int, preview: FilterPreview) -> float:
    """Return the share of `rows`, or of `turns` if the preview has no rows; 0 to 1."""
    part, whole = (rows, preview.rows) if preview.rows else (turns, preview.turns)
    return round(part / whole, 6) if whole else 0.0


def _whole(preview: FilterPreview) -> dict[str, Any]:
    numbers = ("turns", "rows", "removed_turns", "removed_rows")
    share = _share(preview.removed_rows, preview.removed_turns, preview)
    masked = dict(sorted(preview.masked.items()))
    return {**{name: getattr(preview, name) for name in numbers}, "share": share, "masked_turns": masked}


def _overlaps(name: str, overlaps: Counter[tuple[str, str]]) -> dict[str, int]:
    """Return, by name of other filter, the number of rows that this filter and the other would both remove."""
    others = {(set(pair) - {name}).pop(): rows for pair, rows in overlaps.items() if name in pair}
    return dict(sorted(others.items(), key=lambda item: (-item[1], item[0])))


def is_over(report: Mapping[str, Any], share: float) -> bool:
    """Whether a filter that is on, or all of these together, remove more than this share of some source."""
    single = (
        figures["share"] > share
        for entry in report["filters"]
        for figures in entry["sources"].values()
        if figures["on"]
    )
    return any(single) or any(source["share"] > share for source in report["sources"].values())


def described(report: Mapping[str, Any]) -> str:
    """Return the figures as text for people."""
    blocks = [translate(_headline(report)), _filter_table(report), _source_table(report)]
    blocks += [block for block in (_guarded(report), _overlap_lines(report), *_example_blocks(report)) if block]
    return "\n\n".join(blocks)


def _headline(report: Mapping[str, Any]) -> Message:
    total = report["total"]
    if total["turns"] and not total["rows"]:
        return message(
            "{turns:,} turns without filters, in no row; filters that are on would remove {removed:,} ({share}). "
            "Nothing was written.",
            turns=total["turns"],
            removed=total["removed_turns"],
            share=_percent(total["share"]),
        )
    return message(
        "{rows:,} rows without filters; filters that are on would remove {removed:,} ({share}). Nothing was written.",
        rows=total["rows"],
        removed=total["removed_rows"],
        share=_percent(total["share"]),
    )


def _percent(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 0.001 else f"{share:.1%}"


def _filter_table(report: Mapping[str, Any]) -> str:
    rows = []
    for entry in report["filters"]:
        most = max(entry["sources"], key=lambda name: entry["sources"][name]["share"], default="")
        most_share = entry["sources"][most]["share"] if most else 0.0
        rows.append(
            {
                "filter": entry["name"] if entry["on"] else message("{name} (off)", name=entry["name"]),
                "value": _value(entry["value"]),
                "turns": "-" if entry["scope"] in ("pair", "source") else f"{entry['turns']:,}",
                "rows": f"{entry['rows']:,}",
                "share": _percent(entry["share"]),
                "alone": f"{entry['alone_rows']:,}",
                "most": f"{most} {_percent(most_share)}" if most_share else "-",
            }
        )
    return format_table(rows, _FILTERS)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return joined(", ", (one.rsplit("/", 1)[-1] for one in value))
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _source_table(report: Mapping[str, Any]) -> str:
    rows = [
        {
            "source": name,
            "rows": f"{source['rows']:,}",
            "removed": f"{source['removed_rows']:,}",
            "share": _percent(source["share"]),
            "turns": f"{source['turns']:,}",
            "removed_turns": f"{source['removed_turns']:,}",
        }
        for name, source in report["sources"].items()
    ]
    table = format_table(rows, _SOURCES)
    masked = report["total"]["masked_turns"]
    if not masked:
        return table
    kinds = joined(", ", (f"{kind} {number:,}" for kind, number in masked.items()))
    return f"{table}\n{translate(message('Masked turns: {kinds}', kinds=kinds))}"


def _guarded(report: Mapping[str, Any]) -> str:
    """Return the lines about filters that remove more than the guard share of a source; empty if there are none."""
    title = message("More than {share} of a source (--guard):", share=_percent(report["guard"]))
    lines = [_over_guard(entry) for entry in report["filters"] if entry["over_guard"]]
    return "\n".join([translate(title), *(f"  {translate(line)}" for line in lines)]) if lines else ""


def _over_guard(entry: Mapping[str, Any]) -> Message:
    shares = [f"{name} {_percent(entry['sources'][name]['share'])}" for name in entry["over_guard"]]
    return message("{filter}: {shares}", filter=entry["name"], shares=joined(", ", shares))


def _overlap_lines(report: Mapping[str, Any]) -> str:
    """Return the lines about the largest overlaps of two filters; empty if there are none."""
    pairs = {
        tuple(sorted((entry["name"], other))): rows
        for entry in report["filters"]
        for other, rows in entry["overlaps"].items()
    }
    largest = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:_OVERLAPS]
    lines = [
        message("{first} and {second}: {rows}", first=first, second=second, rows=count_noun(rows, "row"))
        for (first, second), rows in largest
    ]
    shown = (f"  {translate(line)}" for line in lines)
    return "\n".join([translate(message("Removed by two filters:")), *shown]) if lines else ""


def _example_blocks(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a block of examples for each filter, with their addresses and the messages of the filter."""
    for entry in report["filters"]:
        lines = [line for example in entry["examples"] for line in _example_lines(example)]
        if lines:
            title = message("Examples of {name}:", name=entry["name"])
            yield "\n".join([translate(title), *lines])


def _example_lines(example: Mapping[str, Any]) -> Iterator[str]:
    address = f"{example['file']}:{example['record']}"
    text = translate(stored_text(example["message"]))
    yield f"  {cut(one_line(address), _COLUMNS)}  [{cut(one_line(text), _COLUMNS)}]"
    if example["before"] is not None:
        yield f"    - {cut(one_line(example['before']), _COLUMNS)}"
    yield f"    > {cut(one_line(example['text']), _COLUMNS)}"
