"""The view of characters, and of personal numbers and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from chat_corpus.messages import Message, message
from chat_corpus.page.figures import Titles
from chat_corpus.page.material import Counted
from chat_corpus.page.model import Column, Fold, Kind, Number, Row, Table, View, share
from chat_corpus.page.views.shared import (
    NOT_COUNTED,
    SOURCE,
    missing,
    on_request,
    stacked_counts,
    with_total,
)
from chat_corpus.statistics.schema import RareCharacter

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
_PERSONAL: dict[str, Message] = {
    "email": message("e-mail"),
    "id": message("identity numbers"),
    "phone": message("phone numbers"),
    "qq": message("QQ numbers"),
    "wechat": message("WeChat names"),
}


def characters(counted: Counted) -> View:
    """Return the view of characters, and of personal numbers and addresses."""
    statistics = counted.statistics
    rows = {name: dict(statistics[name].characters.classes) for name in counted.drawn}
    titles = Titles(
        name="characters",
        title=message("Characters by class"),
        sentence=message("Each bar is all characters of the accepted turns of a source."),
        panels=(message("characters"),),
    )
    figure, used = stacked_counts(titles, rows, _CLASSES)
    return View(
        name="characters",
        title=message("Characters"),
        sentence=NOT_COUNTED
        if not statistics
        else message(
            "{personal:,} personal numbers and addresses and {urls:,} web addresses are in the {characters:,} "
            "characters of the accepted turns.",
            personal=sum(sum(one.personal.values()) for one in statistics.values()),
            urls=sum(one.urls for one in statistics.values()),
            characters=sum(one.characters.total for one in statistics.values()),
        ),
        figures=(figure,) if used else (),
        tables=tuple(_character_tables(counted)) if statistics else (),
        folds=_rarest(counted),
        notes=() if counted.full else (on_request(message("The rarest Han characters")),),
        faults=missing(counted),
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
            SOURCE,
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
            SOURCE,
            *(Column(title=_PERSONAL.get(kind, message("other"))) for kind in kinds),
            Column(title=message("web addresses")),
            Column(title=message("control tokens")),
        ),
        rows=tuple(rows),
        total=with_total(rows, {}),
    )


def _by_count(characters: Iterable[RareCharacter]) -> Iterator[tuple[int, list[str]]]:
    for count, group in groupby(characters, lambda one: one.count):
        yield count, [one.text for one in group]


def _rarest(counted: Counted) -> tuple[Fold, ...]:
    """Return the rarest Han characters of each source; empty without full statistics."""
    if counted.full is None:
        return ()
    rare = ((name, one.rarest_han) for name, one in counted.full.sources.items() if one.rarest_han)
    rows = [(name, Number(value=count), " ".join(texts)) for name, found in rare for count, texts in _by_count(found)]
    table = Table(
        name="rarest",
        caption=message("Characters that occur so many times"),
        columns=(SOURCE, Column(title=message("times")), Column(title=message("characters"), kind=Kind.SAMPLE)),
        rows=tuple(rows),
    )
    return (Fold(name="rarest-han", title=message("The rarest Han characters"), tables=(table,)),)
