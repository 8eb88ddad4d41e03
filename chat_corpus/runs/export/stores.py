"""The dialogue stores that an export can read, and why it cannot use others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from chat_corpus import sources, versions
from chat_corpus.messages import Message, message
from chat_corpus.outputs import layout
from chat_corpus.outputs.report import FinishedSource, SourceEntry, StoreFacts, reported_sources
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.runs.stored_turns import store_fault
from chat_corpus.schema import Pairing, State
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source

_AGAIN = message("run again with --store-dialogues")


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A dialogue store that can be exported, its source, and its entry in report.json."""

    source: Source
    path: Path
    facts: StoreFacts
    entry: FinishedSource

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    @property
    def pairing(self) -> Pairing:
        """How the turns of the store become pairs."""
        return msgspec.convert(self.entry.settings, SourceSettings).pairs.pairing(self.source.pairing)


def stored_names(out: Path) -> list[str]:
    """Return the sources with a dialogue store in an output folder, whether or not it can be used."""
    return [name for name in reported_sources(out) if layout.dialogues(out, name).is_file()]


def find_stores(out: Path, names: Iterable[str], settings: Settings) -> tuple[list[Store], dict[str, str]]:
    """Return the stores of these sources in an output folder, by name; and why each of the others cannot be used."""
    entries, all_sources = reported_sources(out), sources.load(settings.plugins)
    stores, faults = [], {}
    for name in sorted(names):
        entry = entries.get(name)
        fault = _fault(out, name, entry, settings)
        if fault is None and isinstance(entry, FinishedSource) and isinstance(entry.dialogues, StoreFacts):
            path = layout.dialogues(out, name)
            stores.append(Store(source=all_sources[name], path=path, facts=entry.dialogues, entry=entry))
        else:
            faults[name] = fault or ""
    return stores, faults


def _fault(out: Path, name: str, entry: SourceEntry | None, settings: Settings) -> str | None:
    """Return why a source cannot be exported from its store; None if it can."""
    if entry is None:
        return message("not in {file}; {advice}", file=out / layout.REPORT, advice=_AGAIN)
    if not isinstance(entry, FinishedSource) or entry.state is State.FAILED:
        return message("its last run failed ({error}); correct this, then {advice}", error=entry.error, advice=_AGAIN)
    if previous.was_interrupted(out, name, entry):
        return message("a run was killed while it replaced the output files; run again")
    if stale := _stale(entry, settings, name):
        return message("its dialogue store is out of date: {reason}", reason=stale)
    return store_fault(out, name, entry)


def _stale(entry: FinishedSource, settings: Settings, name: str) -> Message | None:
    """Return what has changed since a store was written; None if nothing has."""
    before = entry.fingerprint
    if before.code != versions.code_digest():
        return message("a different version of chat-corpus, or of its packages, wrote it; {advice}", advice=_AGAIN)
    if before.plugins != sources.digests(settings.plugins) or before.source != plugin_digest.code(
        name, settings.plugins
    ):
        return message("the code of its source changed; {advice}", advice=_AGAIN)
    source_settings = settings.of(name)
    if before.settings != source_settings.digest():
        keys = [key for key, _, _ in previous.changes(entry.settings, msgspec.to_builtins(source_settings))]
        return message(
            "it was made with other settings ({keys}); run again with --store-dialogues --force, or export with those "
            "settings",
            keys=", ".join(keys[:5]),
        )
    folder = Path(entry.raw)
    changed = [file for file, size, modified in before.input if _differs(folder / file, size, modified)]
    if changed:
        return message("raw files changed ({files}); {advice}", files=", ".join(changed[:3]), advice=_AGAIN)
    return None


def _differs(path: Path, size: int, modified: int) -> bool:
    """Whether a raw file exists and has changed. Members of archives and missing files are not compared."""
    try:
        facts = path.stat()
    except OSError:
        return False
    return (facts.st_size, facts.st_mtime_ns) != (size, modified)
