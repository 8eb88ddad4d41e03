"""Find the dialogue stores that an export is made from, and the reasons why others cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from chat_corpus import sources, versions
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import UsageError
from chat_corpus.messages import joined, message
from chat_corpus.outputs import layout
from chat_corpus.outputs.report import FinishedSource, SourceEntry, StoreFacts, report_entry, reported_sources
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs import previous
from chat_corpus.runs.stored_turns import store_fault
from chat_corpus.schema import Pairing, State, is_source_name
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source

#: Returns the sources that are now in a raw folder, by name.
_Discovered = Callable[[str], Mapping[str, DiscoveredSource]]
_AGAIN = message("run again with --store-dialogues")


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """A dialogue store that can be exported, its source, and its facts and entry in report.json."""

    source: Source
    path: Path
    facts: StoreFacts
    entry: FinishedSource

    @property
    def name(self) -> str:
        """The name of the source."""
        return self.source.name

    @property
    def rows(self) -> int:
        """Number of turns in the store."""
        return self.facts.rows

    @property
    def pairing(self) -> Pairing:
        """How the turns of the store become pairs."""
        return msgspec.convert(self.entry.settings, SourceSettings).pairs.pairing(self.source.pairing)


def stored_names(out: Path) -> list[str]:
    """Return the sources that have, or had, a dialogue store in an output folder, whether or not it can be used.

    Raises UsageError if report.json cannot be read, since it lists the stores.
    """
    try:
        entries = report_entry(out)
    except UsageError as error:
        fault = message(
            "{file}: not a report of this version of chat-corpus; run again with --store-dialogues --force, or export "
            "raw corpora with --raw",
            file=out / layout.REPORT,
        )
        raise UsageError(fault) from error
    stores = {path.stem for path in layout.dialogues(out, "any").parent.glob("*.parquet") if is_source_name(path.stem)}
    reported = {
        name
        for name, entry in entries.items()
        if layout.dialogues(out, name).is_file()
        or (isinstance(entry, FinishedSource) and isinstance(entry.dialogues, StoreFacts))
    }
    return sorted(reported if entries else stores)  # without a report, all stores are reported as unusable


def with_reported_corpora(settings: Settings) -> Settings:
    """Return settings with the corpora that the user had added to the runs that made the output."""
    reported = {
        name: entry.definition
        for name, entry in reported_sources(Path(settings.out)).items()
        if not isinstance(entry.definition, msgspec.UnsetType)
    }
    return msgspec.structs.replace(settings, corpora={**reported, **settings.corpora})


def find_stores(out: Path, names: Iterable[str], settings: Settings) -> tuple[list[Store], dict[str, str]]:
    """Return the stores of these sources, sorted by name, and for each source without one the reason."""
    entries, known = reported_sources(out), sources.load(settings.plugins, settings.added)

    @cache  # most sources have the same raw folder
    def discovered(raw: str) -> Mapping[str, DiscoveredSource]:
        return discover(Path(raw), sources.load(settings.plugins)).found

    stores, faults = [], {}
    for name in sorted(names):
        entry = entries.get(name)
        fault = _fault(out, name, entry, settings, discovered)
        if fault is None and isinstance(entry, FinishedSource) and isinstance(entry.dialogues, StoreFacts):
            path = layout.dialogues(out, name)
            stores.append(Store(source=known[name], path=path, facts=entry.dialogues, entry=entry))
        else:
            faults[name] = fault or message("there is no dialogue store; run again with --store-dialogues")
    return stores, faults


def _fault(out: Path, name: str, entry: SourceEntry | None, settings: Settings, discovered: _Discovered) -> str | None:
    """Return why a source cannot be exported from its store; None if it can."""
    if entry is None:
        return message("not in {file}: {advice}", file=out / layout.REPORT, advice=_AGAIN)
    if not isinstance(entry, FinishedSource) or entry.state is State.FAILED:
        return message("its last run failed ({error}); correct that, and {advice}", error=entry.error, advice=_AGAIN)
    if previous.was_interrupted(out, name, entry):
        return message("a run was killed while it put its files in place: run again")
    if stale := _stale(entry, settings, name, discovered):
        return message("its dialogue store is out of date: {reason}", reason=stale)
    return store_fault(out, name, entry)


def _stale(entry: FinishedSource, settings: Settings, name: str, discovered: _Discovered) -> str | None:
    """Return what has changed since a store was written; None if nothing has."""
    before = entry.fingerprint
    if before.code != versions.code_digest():
        return message("another version of chat-corpus, or of its packages, wrote it; {advice}", advice=_AGAIN)
    if entry.plugins and not settings.plugins:
        files = joined(", ", entry.plugins)
        return message("it was made with plugins; repeat --plugin for {files}", files=files)
    if before.plugins != sources.digests(settings.plugins) or before.source != plugin_digest.code(
        name, settings.plugins, settings.added
    ):
        return message("other plugins, or other code of its source, wrote it; {advice}", advice=_AGAIN)
    own = settings.of(name)
    changed = [] if before.settings == own.digest() else _changed_settings(entry, own)
    if changed:
        return message(
            "it was made with other settings ({names}); run again with --store-dialogues --force, or export with those "
            "settings",
            names=joined(", ", changed[:5]),
        )
    folder = Path(entry.raw)
    changed = [file for file, size, modified in before.input if _differs(folder / file, size, modified)]
    if changed:
        return message("raw files changed ({files}); {advice}", files=joined(", ", changed[:3]), advice=_AGAIN)
    added = _added_files(entry, name, discovered)
    return (
        message("raw files were added ({files}); {advice}", files=joined(", ", added[:3]), advice=_AGAIN)
        if added
        else None
    )


def _changed_settings(entry: FinishedSource, now: SourceSettings) -> list[str]:
    """Return the keys of the settings that exports depend on and that changed since a store was written."""
    made, turns = msgspec.convert(entry.settings, SourceSettings).turn_settings, now.turn_settings
    if made.digest() == turns.digest():
        return []
    return [key for key, _, _ in previous.changes(msgspec.to_builtins(made), msgspec.to_builtins(turns))]


def _added_files(entry: FinishedSource, name: str, discovered: _Discovered) -> list[str]:
    """Return the raw files of a source that were added since its store was written; none if the folder is missing.

    The result is empty for bundled samples and for corpora that the user added: discovery does not look for them.
    """
    if entry.state is State.SAMPLE or entry.definition is not msgspec.UNSET or not Path(entry.raw).is_dir():
        return []
    found = discovered(entry.raw)[name].files
    return sorted({file.name for file in found} - {file for file, _, _ in entry.fingerprint.input})


def _differs(path: Path, size: int, modified: int) -> bool:
    """Return whether a raw file has a different size or time.

    Members of archives, and files that no longer exist, do not count as different.
    """
    try:
        facts = path.stat()
    except OSError:
        return False
    return (facts.st_size, facts.st_mtime_ns) != (size, modified)
