"""Warn about settings that only affect the rows of TSV files, since an export does not apply them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from chat_corpus.messages import joined, message
from chat_corpus.pipeline.filters.table import FILTERS, active_filters
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Scope, Source

_log = logging.getLogger(__name__)


def warn_of_unapplied(sources: Iterable[Source], settings: Settings) -> None:
    """Log which settings the export does not apply, with one warning for all sources with the same settings."""
    keeps_duplicates = settings.export.duplicates == "keep"
    by_settings: dict[str, list[str]] = {}
    for source in sources:
        keys = ", ".join(_unapplied(settings.of(source.name), source, keeps_duplicates=keeps_duplicates))
        by_settings.setdefault(keys, []).append(source.name)
    for keys, names in by_settings.items():
        if keys:
            text = message(
                "{names}: not applied: {settings}; such settings drop rows of TSVs only, and no records of an export",
                names=joined(", ", names),
                settings=keys,
            )
            _log.warning("%s", text, extra={"event": "export.unapplied"})


def _unapplied(settings: SourceSettings, source: Source, *, keeps_duplicates: bool) -> Iterator[str]:
    """Yield the keys of settings of a source that drop pairs and that an export does not apply."""
    for filter_ in active_filters(settings.filters, source, Scope.PAIR):
        yield f"filters.{filter_.name}" if filter_ in FILTERS else f"filters.custom.{filter_.name}"
    for each in table.enabled(settings, source):
        if each.name not in ("dedup.exact", "relatedness"):
            yield each.name
    if settings.dedup.exact == "always" and keeps_duplicates:  # without --keep-duplicates, exports drop equal records
        yield "dedup.exact"
    if settings.relatedness.drop_lowest:
        yield "relatedness.drop_lowest"
    if settings.relatedness.min is not None:
        yield "relatedness.min"
