"""The view of samples: pairs and rejects of each source, in tables that are closed at first."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.messages import count_noun, message
from chat_corpus.page.excerpts import cut
from chat_corpus.page.material import Material, SourceSamples
from chat_corpus.page.model import Column, Fold, Kind, Table, View


def samples(material: Material, limit: int) -> View | None:
    """Return the view of random pairs and rejects, cut to at most `limit` characters.

    Returns None if there are neither samples nor faults.
    """
    found = {name: one for name, one in material.samples.items() if one.pairs or one.rejects}
    faults = tuple(
        message("{source}: no samples: {fault}; run again", source=name, fault=one.fault)
        for name, one in material.samples.items()
        if one.fault
    )
    if not found and not faults:
        return None
    folds = tuple(
        Fold(
            name=f"samples-{name}",
            title=message(
                "{source}: {pairs} and {rejects}",
                source=name,
                pairs=count_noun(len(one.pairs), "pair"),
                rejects=count_noun(len(one.rejects), "reject"),
            ),
            tables=tuple(_tables(name, one, limit)),
        )
        for name, one in found.items()
    )
    return View(
        name="samples",
        title=message("Samples"),
        sentence=message(
            "Random pairs and rejects of each source, the same whenever the output is the same. Characters that hide, "
            "or that reorder text, are shown as escapes, and long texts are cut."
        ),
        folds=folds,
        notes=(
            message("More of them: chat-corpus sample DIR. Where a row comes from, step by step: chat-corpus trace."),
        ),
        faults=faults,
    )


def _tables(name: str, samples: SourceSamples, limit: int) -> Iterator[Table]:
    address = Column(title=message("address"), kind=Kind.CODE)
    if samples.pairs:
        yield Table(
            name=f"pairs-{name}",
            caption=message("Written pairs"),
            columns=(
                address,
                Column(title=message("query"), kind=Kind.SAMPLE),
                Column(title=message("answer"), kind=Kind.SAMPLE),
            ),
            rows=tuple((pair.address, cut(pair.query, limit), cut(pair.answer, limit)) for pair in samples.pairs),
        )
    if samples.rejects:
        yield Table(
            name=f"rejects-{name}",
            caption=message("Rejects"),
            columns=(
                address,
                Column(title=message("reason"), kind=Kind.CODE),
                Column(title=message("raw record"), kind=Kind.SAMPLE),
            ),
            rows=tuple((reject.address, reject.reason, cut(reject.raw, limit)) for reject in samples.rejects),
        )
