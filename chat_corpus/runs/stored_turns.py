"""Find the clean turns of each shard in the dialogue store of an earlier run, if they are still valid."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path

import msgspec

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.messages import error_text, message
from chat_corpus.outputs import dialogue_store, layout, shard_index
from chat_corpus.outputs.dialogue_store import StoredTurns
from chat_corpus.outputs.report import FinishedSource, reported_sources
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.settings.model import Settings

_log = logging.getLogger(__name__)


def stored_turns(found: DiscoveredSource, settings: Settings) -> Mapping[int, StoredTurns]:
    """Return the stored turns of a source by shard; none if raw files, cleaning settings, code or store changed."""
    out, name = Path(settings.out), found.source.name
    path = layout.dialogues(out, name)
    entry = reported_sources(out).get(name) if path.exists() else None
    if not isinstance(entry, FinishedSource) or not _same_cleaning(entry, found, settings):
        return {}
    if fault := store_fault(out, name, entry):
        about = {"event": "store.unusable", "source": name}
        text = message("{file}: not used: {fault}; cleaning the turns again", file=path, fault=fault)
        _log.warning("%s", text, extra=about)
        return {}
    try:
        entries = shard_index.read(layout.index(out, name))
    except (OSError, ValueError):
        return {}
    firsts = accumulate((shard.counts.turns.read for shard in entries), initial=0)
    stored = zip(firsts, entries, strict=False)
    return {shard.shard: StoredTurns(path=path, first=first, entry=shard) for first, shard in stored}


def store_fault(out: Path, name: str, entry: FinishedSource) -> str | None:
    """Return why the dialogue store of a source cannot be used; None if it is as its report entry describes it."""
    path = layout.dialogues(out, name)
    if not isinstance(entry.dialogues, msgspec.Struct) or not path.is_file():
        return message("there is no dialogue store; run again with --store-dialogues")
    if not previous.matches_outputs(out, name, entry):
        return message("the outputs changed since they were written")
    try:
        dialogue_store.check_schema(path, name)
        digest = dialogue_store.sha256(path)
    except (OSError, ValueError) as error:
        return error_text(error)
    if digest != entry.dialogues.sha256:
        return message("changed: its SHA-256 differs from the one in {report}", report=layout.REPORT)
    return None


def _same_cleaning(entry: FinishedSource, found: DiscoveredSource, settings: Settings) -> bool:
    """Return whether a run would clean a source in the same way: same input, code, and settings up to the filters."""
    now, before = previous.fingerprint(found, settings), entry.fingerprint
    try:
        earlier = msgspec.convert(entry.settings, SourceSettings).cleaning_settings.digest()
    except msgspec.ValidationError:
        return False
    same = (now.code, now.source, now.plugins, now.input) == (before.code, before.source, before.plugins, before.input)
    return same and earlier == settings.of(found.source.name).cleaning_settings.digest()
