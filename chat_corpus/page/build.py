"""The page of a run: its views, in the order of the decisions of a reader."""

from __future__ import annotations

from chat_corpus.messages import message
from chat_corpus.page.excerpts import text_limit
from chat_corpus.page.material import Material
from chat_corpus.page.model import Fact, Number, Page
from chat_corpus.page.views.changes import changes, script
from chat_corpus.page.views.characters import characters
from chat_corpus.page.views.ledger import ledger
from chat_corpus.page.views.lengths import dialogues, lengths
from chat_corpus.page.views.repetition import overlap, repetition
from chat_corpus.page.views.run import run_view
from chat_corpus.page.views.samples import samples
from chat_corpus.page.views.sources import sources_view


def build(material: Material) -> Page:
    """Return the page of the output of a run."""
    entries = material.finished.values()
    facts = (
        Fact(number=Number(value=len(material.finished)), text=message("sources")),
        Fact(number=Number(value=sum(entry.records.read for entry in entries)), text=message("records")),
        Fact(number=Number(value=sum(entry.turns.read for entry in entries)), text=message("turns")),
        Fact(number=Number(value=sum(entry.pairs.written for entry in entries)), text=message("written pairs")),
    )
    counted, limit = material.counted, text_limit(material)
    views = (
        ledger(material),
        sources_view(material),
        lengths(counted),
        dialogues(counted),
        samples(material, limit),
        repetition(counted, limit),
        script(material),
        changes(material, limit),
        overlap(counted),
        characters(counted),
        run_view(material),
    )
    if material.report.run.samples:
        subtitle = message("Made from the bundled samples: invented records, not a corpus.")
    else:
        subtitle = message("What was read, what was written, and what was left out for which reason.")
    return Page(
        title=message("Corpus report"), subtitle=subtitle, facts=facts, views=tuple(view for view in views if view)
    )
