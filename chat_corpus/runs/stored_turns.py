"""Clean turns of an earlier run: where its dialogue store holds those of each shard, if they are still the same."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path

import msgspec

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.outputs import dialogue_store, layout, shard_index
from chat_corpus.outputs.dialogue_store import StoredTurns
from chat_corpus.outputs.report import FinishedSource, reported_sources
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.settings.model import Settings

_log = logging.getLogger(__name__)


def stored_turns(found: DiscoveredSource, settings: Settings) -> Mapping[int, StoredTurns]:
    """The stored turns of a source by shard; none where raw files, cleaning settings, code or store have changed."""
    out, name = Path(settings.out), found.source.name
    told = reported_sources(out).get(name)
    if not isinstance(told, FinishedSource) or not _same_cleaning(told, found, settings):
        return {}
    path = layout.dialogues(out, name)
    if fault := store_fault(out, name, told):
        if path.exists():
            about = {"event": "store.unusable", "source": name}
            _log.warning("%s: not used: %s; its turns are made again", path, fault, extra=about)
        return {}
    try:
        entries = shard_index.read(layout.index(out, name))
    except (OSError, ValueError):
        return {}
    firsts = accumulate((entry.counts.turns.read for entry in entries), initial=0)
    stored = zip(firsts, entries, strict=False)
    return {entry.shard: StoredTurns(path=path, first=first, entry=entry) for first, entry in stored}


def store_fault(out: Path, name: str, told: FinishedSource) -> str | None:
    """Why the dialogue store of a source cannot be used; None for the one that its report entry describes."""
    path = layout.dialogues(out, name)
    if not isinstance(told.dialogues, msgspec.Struct) or not path.is_file():
        return "there is none: run again with --store-dialogues"
    if not previous.matches_outputs(out, name, told):
        return "the outputs changed since they were written"
    try:
        dialogue_store.check_schema(path, name)
        digest = dialogue_store.sha256(path)
    except (OSError, ValueError) as error:
        return str(error)
    return None if digest == told.dialogues.sha256 else "its SHA-256 is not that of report.json: it was changed"


def _same_cleaning(told: FinishedSource, found: DiscoveredSource, settings: Settings) -> bool:
    """Whether a source would be cleaned as it was: the same input, code, and settings up to the filters."""
    now, before = previous.fingerprint(found, settings), told.fingerprint
    try:
        earlier = msgspec.convert(told.settings, SourceSettings).cleaning_settings.digest()
    except msgspec.ValidationError:
        return False
    same = (now.code, now.source, now.plugins, now.input) == (before.code, before.source, before.plugins, before.input)
    return same and earlier == settings.of(found.source.name).cleaning_settings.digest()
