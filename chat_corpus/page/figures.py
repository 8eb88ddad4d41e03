"""Positions of bars, labels and lines in figures: stacked bars, histograms side by side, and a matrix.

Units are those of the drawing, in which the height of a text is 12. All figures have the same width, so that their
texts have the same size on the page.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from chat_corpus.messages import Message, message
from chat_corpus.page.model import Figure, Label, LegendItem, Line, Rect

WIDTH = 760.0
#: The class of a segment that is not drawn: the difference between a bar and the longest one.
NOTHING = "nothing"
#: Width of a letter, and of a letter in a note; a Han character is twice as wide.
_LETTER, _SMALL = 6.6, 5.8
_ROW, _BAR, _HEAD = 26.0, 14.0, 30.0
_GAP, _VALUE = 24.0, 58.0
_BASELINE = 11.0
#: Minimum width of a segment that shows its share.
_SHARE = 34.0
#: The classes of segments with a pattern, on which no text can be read.
_PATTERNS = ("lost", "repeat")


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A part of a stacked bar: its count, the class of its colour, and its name."""

    value: int
    style: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BarRow:
    """A row of stacked bars, one in each panel, with the text to the right of each."""

    label: str
    panels: tuple[tuple[Segment, ...], ...]
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HistogramRow:
    """A row of histograms, one in each panel: the number of each bin, and the median."""

    label: str
    panels: tuple[tuple[int, ...], ...]
    medians: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Titles:
    """The texts of a figure: its name, title and sentence, and the titles of its panels."""

    name: str
    title: Message
    sentence: Message
    panels: tuple[Message, ...] = ()


def stacked(titles: Titles, rows: Sequence[BarRow], legend: Sequence[LegendItem], *, shares: bool = False) -> Figure:
    """Return a figure of bars in which each segment is a share of the whole; a row with only zeros has no bar.

    If `shares`, each segment that is wide enough shows its share.
    """
    left = _left(row.label for row in rows)
    panels = len(titles.panels)
    wide = (WIDTH - left - panels * _VALUE - (panels - 1) * _GAP) / panels
    rects: list[Rect] = []
    labels = [
        Label(x=_at(left, wide, panel), y=_BASELINE, text=title, style="head")
        for panel, title in enumerate(titles.panels)
    ]
    for number, row in enumerate(rows):
        y = _HEAD + number * _ROW
        labels.append(Label(x=left - 10, y=y + _BASELINE, text=row.label, anchor="end"))
        for panel, (segments, value) in enumerate(zip(row.panels, row.values, strict=True)):
            x = _at(left, wide, panel)
            drawn = _segments(row.label, segments, x, y, wide)
            rects += drawn
            labels += map(_share_in, drawn, repeat(wide)) if shares else ()
            end = x + wide
            if not segments or segments[-1].style == NOTHING:
                end = drawn[-1].x + drawn[-1].width if drawn else x
            labels.append(Label(x=end + 8, y=y + _BASELINE, text=value, style="value"))
    height = _HEAD + len(rows) * _ROW
    lines = tuple(
        Line(x1=_at(left, wide, panel), y1=_HEAD - 6, x2=_at(left, wide, panel), y2=height - 6)
        for panel in range(panels)
    )
    return _figure(titles, height, rects, labels, lines, legend)


def _segments(label: str, segments: Sequence[Segment], x: float, y: float, wide: float) -> list[Rect]:
    whole = sum(segment.value for segment in segments)
    rects = []
    for segment in segments:
        width = wide * segment.value / max(whole, 1)
        if segment.value and segment.style != NOTHING:
            title = ", ".join(filter(None, (label, segment.name))) + f": {segment.value:,}"
            rects.append(Rect(x=x, y=y, width=width, height=_BAR, style=segment.style, title=title))
        x += width
    return rects


def _share_in(rect: Rect, wide: float) -> Label:
    """Return the share of a segment as a label in it; the label is empty if it is too narrow or has a pattern."""
    text = f"{rect.width / wide:.0%}" if rect.width >= _SHARE and rect.style not in _PATTERNS else ""
    return Label(x=rect.x + rect.width / 2, y=rect.y + _BASELINE - 0.5, text=text, anchor="middle", style="inside")


def plain_bar(label: str, value: int, most: int, text: str) -> BarRow:
    """Return a row with one bar; `most` is the value of the longest bar in the figure."""
    segments = (
        Segment(value=value, style="c1", name=""),
        Segment(value=most - value, style=NOTHING, name=""),
    )
    return BarRow(label=label, panels=(segments,), values=(text,))


def histograms(titles: Titles, rows: Sequence[HistogramRow], bins: Sequence[tuple[int, int]]) -> Figure:
    """Return a figure of histograms over the same bins.

    Each is scaled to its highest bar, and has its median at the right.
    """
    left = _left(row.label for row in rows)
    panels = len(titles.panels)
    wide = (WIDTH - left - panels * _VALUE - (panels - 1) * _GAP) / panels
    step, tall = wide / max(len(bins), 1), 36.0
    rects: list[Rect] = []
    labels = [
        Label(x=_at(left, wide, panel), y=_BASELINE, text=title, style="head")
        for panel, title in enumerate(titles.panels)
    ]
    lines: list[Line] = []
    for number, row in enumerate(rows):
        bottom = _HEAD + (number + 1) * tall - 6
        labels.append(Label(x=left - 10, y=bottom, text=row.label, anchor="end"))
        for panel, (counts, median) in enumerate(zip(row.panels, row.medians, strict=True)):
            x = _at(left, wide, panel)
            lines.append(Line(x1=x, y1=bottom, x2=x + wide, y2=bottom))
            rects += _histogram(row.label, counts, bins, (x, bottom, step, tall - 10))
            if median is not None:
                labels.append(Label(x=x + wide + 8, y=bottom, text=f"{median:,}", style="value"))
    bottom = _HEAD + len(rows) * tall
    for panel in range(panels):
        x = _at(left, wide, panel)
        labels += _ticks(bins, x, bottom + 10, step)
        labels.append(Label(x=x + wide + 8, y=_BASELINE, text=message("median"), style="note"))
    return _figure(titles, bottom + 18, rects, labels, tuple(lines), ())


def _histogram(
    label: str, counts: Sequence[int], bins: Sequence[tuple[int, int]], at: tuple[float, float, float, float]
) -> list[Rect]:
    x, bottom, step, tall = at
    most = max(counts, default=0)
    rects = []
    for number, (count, (first, last)) in enumerate(zip(counts, bins, strict=True)):
        if count:
            height = max(tall * count / most, 0.7)
            span = f"{first:,}" if first == last else f"{first:,}–{last:,}"
            rects.append(
                Rect(
                    x=x + number * step + 0.75,
                    y=bottom - height,
                    width=step - 1.5,
                    height=height,
                    style="c1",
                    title=f"{label}, {span}: {count:,}",
                )
            )
    return rects


def _ticks(bins: Sequence[tuple[int, int]], x: float, y: float, step: float) -> list[Label]:
    """Return labels for as many bins as fit, with their first values."""
    widest = max((len(str(first)) for first, _ in bins), default=1) * _LETTER
    every = max(1, int(-(-(widest + 4) // step)))
    return [
        Label(x=x + (number + 0.5) * step, y=y, text=str(first), anchor="middle", style="note")
        for number, (first, _) in enumerate(bins)
        if number % every == 0
    ]


def matrix(titles: Titles, names: Sequence[str], values: dict[tuple[str, str], int]) -> Figure:
    """Return a figure with a cell for each two names, darker for larger values, with the value in it."""
    left = _left(names)
    side = min((WIDTH - left) / max(len(names) - 1, 1), 72.0)
    tall, head = 26.0, 20.0
    most = max(values.values(), default=0)
    rects, labels = [], []
    for row, first in enumerate(names[:-1]):
        y = head + row * tall
        labels.append(Label(x=left - 10, y=y + 17, text=first, anchor="end"))
        for column, second in enumerate(names[1:]):
            if column >= row:
                value = values.get((first, second), 0)
                level = 1 + int(3 * math.log1p(value) / math.log1p(most)) if value else 0
                x = left + column * side
                title = f"{first}, {second}: {value:,}"
                rects.append(
                    Rect(x=x + 1, y=y + 1, width=side - 2, height=tall - 2, style=f"level{level}", title=title)
                )
                style = f"on{level}"
                labels.append(Label(x=x + side / 2, y=y + 17, text=short(value), anchor="middle", style=style))
    for place, second in enumerate(names[1:]):
        text = second if columns(second) * _SMALL < side else second[: int(side / _SMALL) - 1] + "…"
        labels.append(Label(x=left + (place + 0.5) * side, y=12, text=text, anchor="middle", style="note"))
    return _figure(titles, head + max(len(names) - 1, 0) * tall, rects, labels, (), ())


def short(value: float) -> str:
    """Return a count in few characters.

    >>> short(0), short(812), short(1_260), short(9_991), short(3_456_789), short(2_100_000_000)
    ('0', '812', '1.3k', '10k', '3.5M', '2,100M')
    """
    for limit, unit in ((1_000_000, "M"), (1_000, "k")):
        if value >= limit:
            scaled = value / limit
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:,.0f}{unit}"
    return f"{value:,}"


def columns(text: str) -> int:
    """Return the width of a text in letters."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _left(names: Iterable[str]) -> float:
    """Return the width of the column of names."""
    widest = max((columns(name) for name in names), default=0)
    return min(widest * _LETTER + 14, 180.0)


def _at(left: float, wide: float, panel: int) -> float:
    return left + panel * (wide + _VALUE + _GAP)


def _figure(
    titles: Titles,
    height: float,
    rects: Sequence[Rect],
    labels: Sequence[Label],
    lines: Sequence[Line],
    legend: Sequence[LegendItem],
) -> Figure:
    return Figure(
        name=titles.name,
        title=titles.title,
        sentence=titles.sentence,
        width=WIDTH,
        height=height,
        rects=tuple(rects),
        labels=tuple(label for label in labels if label.text),
        lines=tuple(lines),
        legend=tuple(legend),
    )
