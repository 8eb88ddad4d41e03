"""What is said of the raw folder before a run begins: what may hide a corpus, what is damaged, missing or renamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat_corpus.discovery.model import Found, Survey
from chat_corpus.messages import counted
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings

_NOTHING_FOUND = "no corpus found under {0}; 'check --raw {0}' says what is looked for and where"
_NOT_READABLE = "{0} can be read from {1}: {2}; 'check --raw {1}' says what is there"
_ALL_EXCLUDED = "nothing left to do: every source that was asked for is excluded"
_INCOMPLETE = 3


def tell_strays(seen: Survey, settings: Settings, talk: Any) -> None:
    """Name what may hide any corpus, and count what is nobody's; a damaged file is told with its source."""
    strays = [stray for stray in seen.strays if stray.damaged is None and stray.meant is None]
    for stray in strays:
        if stray.grave:
            talk.warning(f"{stray.file.name} left alone: {stray.reason}", "file.left")
    if strays:
        talk.info(
            f"not recognised: {counted(len(strays), 'file')} in {settings.raw}; "
            f"'check --raw {settings.raw}' tells which, and why",
            "files.unrecognised",
        )


def nothing(found: Mapping[str, Found], chosen: Mapping[str, Found], settings: Settings) -> str:
    """What is said where there is nothing to do."""
    if not chosen:
        return _ALL_EXCLUDED
    states = {name: one.state for name, one in chosen.items()}
    met = {name: state for name, state in states.items() if state is not State.ABSENT}
    if len(chosen) == len(found) and not met:
        return _NOTHING_FOUND.format(settings.raw)
    none = "no corpus" if len(chosen) == len(found) else "none of the sources asked for"
    told = ", ".join(f"{name} {state}" for name, state in (met or states).items())
    return _NOT_READABLE.format(none, settings.raw, told)


def tell_missing(chosen: Mapping[str, Found], talk: Any, *, asked: bool) -> int:
    """Name what is damaged, missing or partial, renamed; returns the exit code that this asks for."""
    for name, one in chosen.items():
        for remark in one.remarks:
            talk.info(f"{name}: {remark}", "source.remark", source=name)
        for damage in one.damaged:
            talk.warning(f"{name}: damaged, and not read: {damage}", "source.damaged", source=name)
        for fault in one.unusable:
            talk.warning(f"{name}: not read: {fault}", "source.unusable", source=name)
        if one.damaged or one.unusable:
            talk.warning(f"{name}: how to obtain it: {one.source.obtain}", "source.obtain", source=name)
        elif not one.groups and (asked or one.missing):
            aside = ", but for the bundled sample, which is not read beside a real corpus" if one.samples_left else ""
            talk.warning(f"{name}: {one.state}{aside}; {one.source.obtain}", f"source.{one.state}", source=name)
        elif one.missing and not one.sample:
            talk.warning(
                f"{name}: partial, without {', '.join(one.missing)}; {one.source.obtain}", "source.partial", source=name
            )
    if any(one.damaged for one in chosen.values()):
        return 1
    lacking = {State.UNUSABLE, *((State.ABSENT, State.PARTIAL) if asked else ())}
    return _INCOMPLETE if any(one.state in lacking for one in chosen.values()) else 0
