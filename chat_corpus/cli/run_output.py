"""What is said before and at the end of a run: what hides a corpus, what became of each source, what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from chat_corpus.cli.terminal import format_table
from chat_corpus.discovery.model import DiscoveredSource, Inventory
from chat_corpus.messages import count_noun
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings

_COLUMNS = ("source", "records", "turns", "pairs", "seconds", "MB/s", "rejected")

PLAN_COLUMNS = ("does", "file", "bytes")

_NOTHING_FOUND = "no corpus found under {0}; 'check --raw {0}' says what is looked for and where"
_NOT_READABLE = "{0} can be read from {1}: {2}; 'check --raw {1}' says what is there"
_ALL_EXCLUDED = "nothing left to do: every source that was asked for is excluded"
_INCOMPLETE = 3


def table(chosen: Mapping[str, DiscoveredSource], done: Mapping[str, SourceReport]) -> str:
    """A row for each source that was done, or is damaged so that nothing of it could be read."""
    rows = [
        _row(name, done[name]) if name in done else dict.fromkeys(_COLUMNS, "-") | _damaged(name)
        for name, one in chosen.items()
        if name in done or one.damaged
    ]
    return format_table(rows, _COLUMNS)


def _damaged(name: str) -> dict[str, str]:
    return {"source": name, "rejected": "DAMAGED, see above"}


def _row(name: str, told: SourceReport) -> dict[str, str]:
    counts = Counts.zero() if told.error else told.counts
    why = [*sorted(counts.turns.rejected.items())]
    why += [("duplicate", counts.pairs.duplicates)] if counts.pairs.duplicates else []
    return {
        "source": name,
        "records": f"{counts.records.read:,}",
        "turns": f"{counts.turns.kept:,}",
        "pairs": f"{counts.pairs.written:,}",
        "seconds": "unchanged" if told.unchanged else f"{told.seconds:.1f}",
        "MB/s": f"{told.megabytes / told.seconds:.1f}" if told.seconds else "-",
        "rejected": "FAILED, see above" if told.error else ", ".join(f"{name} {n:,}" for name, n in why) or "-",
    }


def written_message(done: Mapping[str, SourceReport], out: str) -> str:
    """Which files a run has written."""
    made = [name for name, told in done.items() if not (told.error or told.unchanged)]
    if not made:
        return f"written to {out}: report.json, and nothing else"
    if len(made) == len(done):
        return f"written to {out}: one .tsv a source, rejects/, index/, report.json"
    named = ", ".join(f"{name}.tsv" for name in made)
    return f"written to {out}: {named}, and as much in rejects/ and index/; report.json"


def unfinished_sources(chosen: Mapping[str, DiscoveredSource], done: Mapping[str, SourceReport], *, asked: bool) -> str:
    """The sources that the run owes something, for which its exit code is not 0; empty where there are none."""
    states = {name: _debt(one, done.get(name), asked=asked) for name, one in chosen.items()}
    named = ", ".join(f"{name} {state}" for name, state in states.items() if state)
    return f"not all was done: {named}; see above" if named else ""


def _debt(one: DiscoveredSource, told: SourceReport | None, *, asked: bool) -> State | None:
    if told is not None and told.error:
        return State.FAILED
    owed = {State.DAMAGED, State.UNUSABLE, *((State.ABSENT, State.PARTIAL) if asked else ())}
    return one.state if one.state in owed else None


def leftover_outputs(out: Path, reported: Iterable[str], done: Iterable[str]) -> str:
    """The outputs of sources that were reported by an earlier run and of which this one has met nothing to read."""
    names = [f"{name}.tsv" for name in reported if name not in done and (out / f"{name}.tsv").exists()]
    return (
        f"left from earlier runs: {', '.join(names)} (their corpora were not found, or not readable)" if names else ""
    )


def reads_and_writes(found: Mapping[str, DiscoveredSource], settings: Settings) -> list[dict[str, Any]]:
    """What a run would read and write: rows with the keys of `PLAN_COLUMNS`."""
    rows: list[dict[str, Any]] = []
    for name, one in found.items():
        rows.extend({"does": "read", "file": file.name, "bytes": file.size} for file in one.files)
        outputs = (f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl")
        rows.extend({"does": "write", "file": f"{settings.out}/{output}", "bytes": None} for output in outputs)
    return [*rows, {"does": "write", "file": f"{settings.out}/report.json", "bytes": None}]


def conversions(done: Mapping[str, SourceReport], size: int) -> str:
    """A random sample of the turns that script conversion changed: address, before, after."""
    frames = [frame for told in done.values() for frame in told.conversions]
    if not frames:
        return "nothing was converted"
    whole = pl.concat(frames).bottom_k(size, by="key")
    return "\n".join(
        f"{file}:{line}\n  {before}\n  {after}"
        for file, line, before, after in whole.select("file", "record", "before", "after").iter_rows()
    )


def report_unrecognised(seen: Inventory, settings: Settings, talk: Any) -> None:
    """Name what may hide any corpus, and count what is nobody's; a damaged file is told with its source."""
    strays = [stray for stray in seen.unrecognised if stray.damaged_source is None and stray.unusable_source is None]
    for stray in strays:
        if stray.warn:
            talk.warning(f"{stray.file.name} left alone: {stray.reason}", "file.left")
    if strays:
        talk.info(
            f"not recognised: {count_noun(len(strays), 'file')} in {settings.raw}; "
            f"'check --raw {settings.raw}' tells which, and why",
            "files.unrecognised",
        )


def nothing(found: Mapping[str, DiscoveredSource], chosen: Mapping[str, DiscoveredSource], settings: Settings) -> str:
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


def report_missing(chosen: Mapping[str, DiscoveredSource], talk: Any, *, asked: bool) -> int:
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
