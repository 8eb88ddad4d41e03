"""Warn about settings that have no effect on an export: those for rows of TSV files, and limits of what it lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from chat_corpus.exports.options import ExportOptions
from chat_corpus.exports.splits import SplitOptions
from chat_corpus.messages import Message, joined, message
from chat_corpus.pipeline.filters.table import FILTERS, active_filters
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Scope, Source

#: Number of turns of a record if records are pairs.
_PAIR = 2

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


def warn_of_idle_options(options: ExportOptions) -> None:
    """Log options that have no effect because of other options."""
    idle: list[Message] = []
    if options.turns == "pairs" and options.max_turns > _PAIR:
        idle.append(message("max_turns has no effect with turns: pairs, since a pair has two turns"))
    split = options.split
    if split.max_groups != SplitOptions().max_groups and not split.test and not split.validation:
        idle.append(message("max_groups has no effect without shares of test or validation (--split)"))
    for text in idle:
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
