"""The parts of a page: views with sentences, figures and tables, independent of HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from chat_corpus.messages import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A number in a table, and its key in report.json, such as `sources.ptt.pairs.written`; empty if it is derived."""

    value: int | float
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """A piece of a text of the corpus, made visible by `messages.visible`; `part` is the part that a change affects."""

    head: str
    part: str
    tail: str

    def __str__(self) -> str:
        """Return the text of the excerpt."""
        return self.head + self.part + self.tail


#: The content of a cell; None is shown as a dash.
Cell = Number | Message | Excerpt | str | None
Row = tuple[Cell, ...]


class Kind(StrEnum):
    """How the cells of a column are shown."""

    NAME = "name"
    COUNT = "count"
    SHARE = "share"
    DECIMAL = "decimal"
    #: A difference, with its sign.
    DELTA = "delta"
    TEXT = "text"
    #: A text of the corpus, made visible by `messages.visible`.
    SAMPLE = "sample"
    #: A digest, a setting or an address.
    CODE = "code"
    LINK = "link"


#: The kinds of numbers.
NUMERIC = (Kind.COUNT, Kind.SHARE, Kind.DECIMAL, Kind.DELTA)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table."""

    title: Message
    kind: Kind = Kind.COUNT


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Rows with a cell for each of `columns`; `total` is the last row. A `folded` table is closed at first."""

    name: str
    caption: Message
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    folded: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rect:
    """A bar: position and size in the units of the figure, the class of its colour, and its text under the pointer."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A text in a figure; `anchor` is start, middle or end."""

    x: float
    y: float
    text: Message | str
    anchor: str = "start"
    style: str = "label"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line in a figure."""

    x1: float
    y1: float
    x2: float
    y2: float
    style: str = "axis"


@dataclass(frozen=True, kw_only=True, slots=True)
class LegendItem:
    """The meaning of a colour."""

    style: str
    text: Message | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A drawing with a title and a sentence that explains it."""

    name: str
    title: Message
    sentence: Message
    width: float
    height: float
    rects: tuple[Rect, ...]
    labels: tuple[Label, ...]
    lines: tuple[Line, ...] = ()
    legend: tuple[LegendItem, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """Tables under one title that are closed at first."""

    name: str
    title: Message
    tables: tuple[Table, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A section of the page.

    `folds` have texts of the corpus, which are not exported as tables for a paper. `notes` are hints on where to find
    more. `faults` are messages about missing parts, with the reason and advice.
    """

    name: str
    title: Message
    sentence: Message
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    folds: tuple[Fold, ...] = ()
    notes: tuple[Message, ...] = ()
    faults: tuple[Message, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A large number at the head of the page."""

    number: Number
    text: Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page: its title and subtitle, its most important numbers, and its views."""

    title: Message
    subtitle: Message
    facts: tuple[Fact, ...] = ()
    views: tuple[View, ...] = field(default=())

    @property
    def faults(self) -> tuple[Message, ...]:
        """The faults of all views, each once."""
        return tuple(dict.fromkeys(fault for view in self.views for fault in view.faults))


def share(part: int, whole: int) -> Number | None:
    """Return the share of a part in a whole; None if the whole is 0."""
    return Number(value=part / whole) if whole else None


def total(cells: Iterable[Cell]) -> Number:
    """Return the sum of the numbers of a column."""
    return Number(value=sum(cell.value for cell in cells if isinstance(cell, Number)))
