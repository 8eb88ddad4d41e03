"""What earlier runs left in the output folder, as their report tells it: what may be replaced, and what may stay."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from chat_corpus import sources as sources_
from chat_corpus import versions
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import UsageError
from chat_corpus.outputs.layout import REPORT, WORK, outputs
from chat_corpus.outputs.report import (
    Fingerprint,
    FinishedSource,
    SettingsTold,
    SourceEntry,
    report_entry,
    reported_sources,
)
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest

#: The digest of the settings that a source's files are being made with, in its work folder.
_WORD = "settings"
#: So many settings that are not the same are named.
_SHOWN = 5


def check_replaceable(out: Path, settings: Settings, found: Mapping[str, DiscoveredSource]) -> None:
    """Raise UsageError where a run would replace files made with other settings, or by something else.

    What was made of the bundled samples gives way to a real corpus.
    """
    entries = report_entry(out)
    for name, one in found.items():
        before = entries.get(name)
        gives_way = before is not None and before.state is State.SAMPLE and not one.sample
        if gives_way or not (out / f"{name}.tsv").exists():
            continue
        made = isinstance(before, FinishedSource) and before.fingerprint.settings
        if settings.of(name).digest() in (made, _announced(out, name)):
            continue
        if not isinstance(before, FinishedSource):
            raise UsageError(
                f"{out / f'{name}.tsv'}: exists, and {REPORT} does not say that chat-corpus made it; "
                "use --force to replace it, or another --out"
            )
        how = _made(before.settings, msgspec.to_builtins(settings.of(name)))
        raise UsageError(f"{out / f'{name}.tsv'}: made {how}; use --force to replace it, or another --out")


def _made(before: SettingsTold, now: SettingsTold) -> str:
    """How a file was made other than it would be now; a setting of which nothing was reported is another version's."""
    unlike = list(changes(before, now))
    shared = [one for one in unlike if _has(before, one[0]) and _has(now, one[0])]
    known = [f"{key} {json.dumps(was)}, now {json.dumps(value)}" for key, was, value in shared]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    told = [f"with other settings ({', '.join(known[:_SHOWN])}{more})"] if known else []
    return ", ".join(told + (["by another version of chat-corpus"] if len(known) < len(unlike) or not known else []))


def _has(settings: Mapping[str, object], key: str) -> bool:
    section, _, rest = key.partition(".")
    held = settings.get(section)
    return section in settings and (not rest or (isinstance(held, Mapping) and _has(held, rest)))


def write_intent(out: Path, name: str, settings: Settings) -> None:
    """Leave word in the work folder that the files of a source are about to appear, made with these settings.

    A run that is killed before its report tells of them is then known to have made them, some or all.
    """
    (out / WORK / name / _WORD).write_text(settings.of(name).digest(), "utf-8")


def was_interrupted(out: Path, name: str, told: SourceEntry | None) -> bool:
    """Whether a run was killed while it put the files of a source in place, of which the report has `told` before."""
    return _announced(out, name) is not None and not as_told(out, name, told)


def as_told(out: Path, name: str, told: SourceEntry | None) -> bool:
    """Whether the outputs of a source are those, by size and time, that its report tells of."""
    return isinstance(told, FinishedSource) and told.outputs == outputs(out, name)


def _announced(out: Path, name: str) -> str | None:
    path = out / WORK / name / _WORD
    try:
        return path.read_text("utf-8") if path.is_file() else None
    except (OSError, ValueError):
        return None


def changes(
    before: Mapping[str, object], now: Mapping[str, object], section: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Each setting that is another now than it was: its key, as `read.limit`, and both values, None if not told."""
    for key in {**now, **before}:
        was, value = before.get(key), now.get(key)
        if isinstance(value, Mapping) or isinstance(was, Mapping):
            yield from changes(_section(was), _section(value), f"{section}{key}.")
        elif was != value and f"{section}{key}" != "read.unequal_lengths":
            yield f"{section}{key}", was, value


def _section(value: object) -> Mapping[str, object]:
    """The keys of a section of settings; none where another version has a single value there, or nothing."""
    return value if isinstance(value, Mapping) else {}


def reusable(out: Path, found: DiscoveredSource, settings: Settings) -> FinishedSource | None:
    """What the last run reported of a source, if its input, settings, code and output are still the same."""
    told = reported_sources(out).get(found.source.name)
    if not isinstance(told, FinishedSource) or told.state is State.FAILED:
        return None
    same = told.fingerprint == fingerprint(found, settings) and as_told(out, found.source.name, told)
    same = same and (told.dialogues is not msgspec.UNSET or not settings.store_dialogues)
    return told if same else None


def since(told: FinishedSource) -> str:
    """When the output of a source that is unchanged was written, in local time."""
    written = max(nanoseconds for _, nanoseconds in told.outputs.values())
    return datetime.fromtimestamp(written / 1e9).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def withdraw_samples(out: Path) -> list[str]:
    """Delete what earlier runs made of the bundled samples and nobody has changed since; returns the sources' names.

    For runs on real corpora, beside which nobody wants to find invented lines.
    """
    withdrawn = []
    for name, told in reported_sources(out).items():
        if isinstance(told, FinishedSource) and told.state is State.SAMPLE and as_told(out, name, told):
            for path in told.outputs:
                (out / path).unlink()
            withdrawn.append(name)
    return withdrawn


def fingerprint(found: DiscoveredSource, settings: Settings) -> Fingerprint:
    """All that decides what a source's output is; files by name, size and time."""
    return Fingerprint(
        code=versions.code_digest(),
        source=plugin_digest.code(found.source.name, settings.plugins),
        settings=settings.of(found.source.name).digest(),
        unequal_lengths=settings.of(found.source.name).read.unequal_lengths,
        plugins=sources_.digests(settings.plugins),
        input=tuple((file.name, file.size, file.modified) for file in found.files),
    )
