"""The page of a comparison: HTML without scripts, with the differences as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from benchmarks.quality.figures import ALL, Figure, is_bits
from benchmarks.quality.intervals import Interval

#: What each figure means.
MEANINGS = {
    "ngram_all": "bits per character, n-gram model of all pairs",
    "ngram": "bits per character, n-gram model, equal characters",
    "transformer": "bits per character, Transformer, equal characters and steps",
    "tfidf": "response selection by TF-IDF, equal characters",
    "dual": "response selection by a dual encoder, equal characters and steps",
}
_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .7rem; text-align: left; white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums } tr:nth-child(even) td { background: #8881 }
small { opacity: .7 } svg { vertical-align: middle } .better { color: #18864b } .worse { color: #c0392b }
.scroll { overflow-x: auto }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(document: Mapping[str, Any], rows: Sequence[Figure]) -> str:
    """The page as HTML."""
    inputs = [str(name) for name in document["inputs"]]
    sources = list(dict.fromkeys(row.source for row in rows))
    parts = [
        "<!doctype html>", '<html lang="en">', '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Quality of {escape(', '.join(inputs))}</title>", f"<style>{_STYLE}</style>",
        f"<h1>Quality of {escape(', '.join(inputs))}</h1>",
        _summary(document, inputs[0]),
        _inputs(document["inputs"]),
    ]  # fmt: skip
    for source in sources:
        title = "All sources" if source == ALL else source
        parts += [f"<h2>{escape(title)}</h2>", _table([row for row in rows if row.source == source], inputs)]
    return "\n".join([*parts, "</html>", ""])


def _summary(document: Mapping[str, Any], first: str) -> str:
    return (
        f"<p>{document['held_out']['rows']:,} held-out pairs, {document['settings']['characters']:,} characters of "
        f"training data for each model, {document['settings']['seeds']} seeds. Values have 95 % intervals (paired "
        f"bootstrap over held-out rows and seeds). Differences are to {escape(first)}.</p>"
    )


def _inputs(inputs: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["<table>", "<tr><th>Input<th>Path<th>Pairs<th>Characters</tr>"]
    for name, facts in inputs.items():
        lines.append(
            f"<tr><td>{escape(name)}<td>{escape(facts['path'])}<td class=number>{facts['rows']:,}"
            f"<td class=number>{facts['characters']:,}</tr>"
        )
    return "\n".join([*lines, "</table>"])


def _table(rows: Sequence[Figure], inputs: Sequence[str]) -> str:
    titles = "".join(f"<th>{escape(name)}" for name in inputs)
    titles += "".join(f"<th>{escape(name)} &minus; {escape(inputs[0])}<th>" for name in inputs[1:])
    lines = ['<div class="scroll"><table>', f"<tr><th>Figure{titles}</tr>"]
    for figure in dict.fromkeys(row.figure for row in rows):
        by_input = {row.input: row for row in rows if row.figure == figure}
        cells = "".join(_value(by_input[name].value) for name in inputs)
        for name in inputs[1:]:
            if difference := by_input[name].difference:
                cells += _value(difference, signed=True, kind=_kind(figure, difference))
                cells += f"<td>{_whisker(difference, _span(rows, figure))}"
        lines.append(f"<tr><td>{escape(title(figure))}{cells}</tr>")
    return "\n".join([*lines, "</table></div>"])


def title(figure: str) -> str:
    """A figure in words."""
    if is_bits(figure):
        return MEANINGS[figure]
    model, _, rest = figure.partition(" ")
    return f"{MEANINGS[model]}: {rest}"


def _kind(figure: str, difference: Interval) -> str:
    """`better` or `worse` if the interval does not hold 0."""
    if difference.low <= 0 <= difference.high:
        return ""
    return "better" if (difference.value < 0) == is_bits(figure) else "worse"


def _value(value: Interval, *, signed: bool = False, kind: str = "") -> str:
    sign = "+" if signed else ""
    return (
        f'<td class="number {kind}">{value.value:{sign}.3f} <small>{value.low:{sign}.3f} to {value.high:{sign}.3f}'
        "</small>"
    )


def _span(rows: Sequence[Figure], figure: str) -> float:
    """The largest limit of a difference, as half the width of the drawing."""
    ends = [abs(end) for row in rows if row.figure == figure and row.difference is not None
            for end in (row.difference.low, row.difference.high)]  # fmt: skip
    return max([*ends, 1e-9])


def _whisker(difference: Interval, span: float) -> str:
    low, value, high = (80 + 75 * at / span for at in (difference.low, difference.value, difference.high))
    return (
        '<svg width="160" height="16" role="img" aria-hidden="true" stroke="currentColor">'
        '<path d="M80 1v14" stroke-dasharray="2 2" opacity=".6"/>'
        f'<path d="M{low:.1f} 8H{high:.1f}" stroke-width="2"/>'
        f'<circle cx="{value:.1f}" cy="8" r="3" fill="currentColor"/>'
        "</svg>"
    )
