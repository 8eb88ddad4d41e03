"""Decide from the report of earlier runs which files in the output folder may be replaced, and which are reused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from chat_corpus import sources as sources_
from chat_corpus import versions
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import UsageError
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs.layout import PAGE, REPORT, WORK, dialogues, outputs, places
from chat_corpus.outputs.report import (
    Fingerprint,
    FinishedSource,
    SettingsDict,
    SourceEntry,
    report_entry,
    reported_sources,
)
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest

#: Name of a file in a source's work folder, with the digest of the settings that its outputs are made with.
_INTENT = "settings"
#: A message names at most this many changed settings.
_SHOWN = 5


def check_replaceable(out: Path, settings: Settings, found: Mapping[str, DiscoveredSource]) -> None:
    """Raise UsageError if a run would replace files that were made with other settings, or by a different program.

    A real corpus may always replace the output of the bundled samples.
    """
    entries = report_entry(out)
    for name, source in found.items():
        entry, tsv = entries.get(name), out / f"{name}.tsv"
        was_sample = entry is not None and entry.state is State.SAMPLE and not source.sample
        if was_sample or not tsv.exists():
            continue
        made_with = isinstance(entry, FinishedSource) and entry.fingerprint.settings
        if settings.of(name).digest() in (made_with, _intent(out, name)):
            continue
        if not isinstance(entry, FinishedSource):
            raise UsageError(
                message(
                    "{file}: exists, but {report} does not list it, so it may not be ours. Use --force to replace it, "
                    "or another --out",
                    file=tsv,
                    report=REPORT,
                )
            )
        how = _difference(entry.settings, msgspec.to_builtins(settings.of(name)))
        raise UsageError(message("{file}: {how}. Use --force to replace it, or another --out", file=tsv, how=how))


def check_raw_files(out: Path, found: Mapping[str, DiscoveredSource]) -> None:
    """Raise UsageError if a file that a run would write is one of the raw files that it reads."""
    written = [
        out / REPORT,
        out / PAGE,
        *(path for name in found for path in (*places(out, name), dialogues(out, name))),
    ]
    existing = {str(path.parent.resolve() / path.name): path for path in written if path.exists()}
    if not existing:
        return
    for name, source in found.items():
        for file in source.files:
            if path := existing.get(os.path.realpath(file.path)):
                raise UsageError(
                    message(
                        "{file}: a raw file of {source}, which the run would replace with output; use another --out",
                        file=path,
                        source=name,
                    )
                )


def _difference(before: SettingsDict, now: SettingsDict) -> Message:
    """Return a message that describes how a file was made differently from what a run would do now.

    A setting that only one side has belongs to a different version.
    """
    changed = list(changes(before, now))
    shared = [change for change in changed if _has(before, change[0]) and _has(now, change[0])]
    shown = [
        message("{key} was {old}, is now {new}", key=key, old=json.dumps(old), new=json.dumps(new))
        for key, old, new in shared[:_SHOWN]
    ]
    listed = joined("; ", shown)
    if len(shared) > _SHOWN:
        listed = message("{list}; and {count} more", list=listed, count=len(shared) - _SHOWN)
    if not shared:
        return message("made by another version of chat-corpus")
    if len(shared) < len(changed):
        return message("made by another version of chat-corpus, with other settings ({settings})", settings=listed)
    return message("made with other settings ({settings})", settings=listed)


def _has(settings: Mapping[str, object], key: str) -> bool:
    section, _, rest = key.partition(".")
    value = settings.get(section)
    return section in settings and (not rest or (isinstance(value, Mapping) and _has(value, rest)))


def write_intent(out: Path, name: str, settings: Settings) -> None:
    """Record in the work folder that the files of a source are about to be replaced, and the digest of their settings.

    If the run is killed before it writes its report, the next run knows that these files are ours.
    """
    (out / WORK / name / _INTENT).write_text(settings.of(name).digest(), "utf-8")


def was_interrupted(out: Path, name: str, entry: SourceEntry | None) -> bool:
    """Return whether a run was killed while it put the files of a source in place; `entry` is its report entry."""
    return _intent(out, name) is not None and not matches_outputs(out, name, entry)


def matches_outputs(out: Path, name: str, entry: SourceEntry | None) -> bool:
    """Return whether the outputs of a source have the sizes and times that its report entry lists."""
    return isinstance(entry, FinishedSource) and entry.outputs == outputs(out, name)


def _intent(out: Path, name: str) -> str | None:
    path = out / WORK / name / _INTENT
    try:
        return path.read_text("utf-8") if path.is_file() else None
    except (OSError, ValueError):
        return None


def changes(
    before: Mapping[str, object], now: Mapping[str, object], section: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield (key, old, new) for every changed setting; a value is None if that side lacks the key.

    Keys are dotted, as `read.limit`. `read.unequal_lengths` is ignored: it does not change the output.
    """
    for key in {**now, **before}:
        old, new = before.get(key), now.get(key)
        if isinstance(new, Mapping) or isinstance(old, Mapping):
            yield from changes(_section(old), _section(new), f"{section}{key}.")
        elif _as_json(old) != _as_json(new) and f"{section}{key}" != "read.unequal_lengths":
            yield f"{section}{key}", old, new


def _as_json(value: object) -> object:
    """Return a value as a report contains it: tuples are lists."""
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value


def _section(value: object) -> Mapping[str, object]:
    """Return a section of settings; empty if a different version has a single value instead, or nothing."""
    return value if isinstance(value, Mapping) else {}


def reusable(
    out: Path, found: DiscoveredSource, settings: Settings, entry: SourceEntry | None
) -> FinishedSource | None:
    """Return the `entry` of a source in the report if its input, settings, code and output are unchanged, else None.

    The result is also None if the run needs a dialogue store and the entry has none.
    """
    if not isinstance(entry, FinishedSource) or entry.state is State.FAILED:
        return None
    same = entry.fingerprint == fingerprint(found, settings) and matches_outputs(out, found.source.name, entry)
    same = same and (entry.dialogues is not msgspec.UNSET or not settings.store_dialogues)
    return entry if same else None


def since(entry: FinishedSource) -> str:
    """Return the time at which the output of an unchanged source was written, in local time."""
    written = max(nanoseconds for _, nanoseconds in entry.outputs.values())
    return datetime.fromtimestamp(written / 1e9).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def withdraw_samples(out: Path) -> list[str]:
    """Delete the outputs of the bundled samples, unless they were changed since. Return the names of the sources.

    A run on real corpora calls this, so that its output does not mix with invented lines.
    """
    withdrawn = []
    for name, entry in reported_sources(out).items():
        if not isinstance(entry, FinishedSource) or entry.state is not State.SAMPLE:
            continue
        if matches_outputs(out, name, entry):
            for path in entry.outputs:
                (out / path).unlink()
            withdrawn.append(name)
    return withdrawn


def fingerprint(found: DiscoveredSource, settings: Settings) -> Fingerprint:
    """Return everything that the output of a source depends on; files count by name, size and time."""
    return Fingerprint(
        code=versions.code_digest(),
        source=plugin_digest.code(found.source.name, settings.plugins, settings.added),
        settings=settings.of(found.source.name).digest(),
        unequal_lengths=settings.of(found.source.name).read.unequal_lengths,
        plugins=sources_.digests(settings.plugins),
        input=tuple((file.name, file.size, file.modified) for file in found.files),
    )
