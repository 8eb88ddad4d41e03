"""The view of the mix of an export: the sources in train, and the subsets of train."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.exports.manifest import ExportMix
from chat_corpus.messages import message
from chat_corpus.page.figures import Titles, plain_bar, stacked
from chat_corpus.page.model import Column, Kind, Number, Table, View, share
from chat_corpus.page.views.shared import SOURCE, columns


def mix_view(mix: ExportMix) -> View:
    """Return the view of the sources in train, and of the subsets of train."""
    whole, most = sum(mix.sources.values()), max(mix.sources.values(), default=0)
    bars = [
        plain_bar(name, count, most, f"{count / whole:.1%}" if whole else "–") for name, count in mix.sources.items()
    ]
    titles = Titles(
        name="mix",
        title=message("Shares of the sources in train"),
        sentence=message("The longest bar is the source with the most records in train, {most:,}.", most=most),
        panels=(message("train"),),
    )
    return View(
        name="mix",
        title=message("Mix and subsets"),
        sentence=message(
            "Each beginning of train up to row {rows:,} has the shares of the weights ({shares}).",
            rows=mix.exact_rows,
            shares=mix.shares or "natural",
        ),
        figures=(stacked(titles, bars, ()),),
        tables=(_mixed(mix, whole), *_subsets(mix)),
    )


def _mixed(mix: ExportMix, whole: int) -> Table:
    titles = columns(message("available"), message("train"))
    return Table(
        name="mix",
        caption=message("Records of each source: available, and in train"),
        columns=(SOURCE, *titles, Column(title=message("share"), kind=Kind.SHARE)),
        rows=tuple(
            (
                name,
                Number(value=mix.available.get(name, 0), key=f"mix.available.{name}"),
                Number(value=count, key=f"mix.sources.{name}"),
                share(count, whole),
            )
            for name, count in mix.sources.items()
        ),
    )


def _subsets(mix: ExportMix) -> Iterator[Table]:
    if not mix.subsets:
        return
    yield Table(
        name="subsets",
        caption=message("Subsets of train, each within the next: rows in all, and of each source"),
        columns=(
            Column(title=message("subset"), kind=Kind.NAME),
            Column(title=message("rows")),
            SOURCE,
            Column(title=message("rows")),
        ),
        rows=tuple(
            (
                one.name,
                Number(value=one.rows, key=f"mix.subsets.{number}.rows"),
                name,
                Number(value=one.sources.get(name, 0), key=f"mix.subsets.{number}.sources.{name}"),
            )
            for number, one in enumerate(mix.subsets)
            for name in mix.sources
        ),
    )
