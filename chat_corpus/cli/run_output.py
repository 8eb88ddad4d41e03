"""The output of `run` besides its summary: files, missing sources, outputs of earlier runs, conversions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from chat_corpus.cli import added, logs, words
from chat_corpus.discovery.model import DiscoveredSource, Inventory
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.outputs.layout import PAGE, REPORT
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.schema import State
from chat_corpus.settings.model import Settings

_PLAN_TITLES = {"does": message("action"), "file": message("file"), "bytes": message("bytes")}
_ACTIONS = {"read": message("read"), "write": message("write")}
_INCOMPLETE = 3


def unfinished_sources(
    chosen: Mapping[str, DiscoveredSource], done: Mapping[str, SourceReport], *, requested: bool
) -> Message | None:
    """Return the message about sources for which the exit code of the run is not 0; None if there are none."""
    states = {name: _unfinished(source, done.get(name), requested=requested) for name, source in chosen.items()}
    names = [
        message("{source} ({state})", source=name, state=words.state(state)) for name, state in states.items() if state
    ]
    if not names:
        return None
    return message(
        "not completed, {number} of {total} sources: {names}; see above",
        number=len(names),
        total=sum(requested or source.state is not State.ABSENT for source in chosen.values()),
        names=joined(", ", names),
    )


def _unfinished(source: DiscoveredSource, report: SourceReport | None, *, requested: bool) -> State | None:
    if report is not None and report.error:
        return State.FAILED
    return source.state if source.state in _incomplete(requested=requested) | {State.DAMAGED} else None


def _incomplete(*, requested: bool) -> set[State]:
    """Return the states that make a run incomplete; with `requested`, sources must also be present with all files.

    `requested` is whether the user named sources with -s.
    """
    return {State.UNUSABLE, *((State.ABSENT, State.PARTIAL) if requested else ())}


def leftover_outputs(out: Path, reported: Iterable[str], done: Iterable[str]) -> Message | None:
    """Return the message about outputs of earlier runs without raw files for this run; None if there are none."""
    names = [f"{name}.tsv" for name in reported if name not in done and (out / f"{name}.tsv").exists()]
    if not names:
        return None
    return message(
        "left from earlier runs: {files} (their corpora were not found, or cannot be read)", files=joined(", ", names)
    )


def reads_and_writes(found: Mapping[str, DiscoveredSource], settings: Settings) -> list[dict[str, Any]]:
    """Return what a run would read and write, as rows with the keys `does, file, bytes`.

    `does` is read or write; `bytes` is None for files to write.
    """
    rows: list[dict[str, Any]] = []
    for name, source in found.items():
        rows.extend({"does": "read", "file": file.name, "bytes": file.size} for file in source.files)
        outputs = [f"{name}.tsv", f"rejects/{name}.jsonl", f"index/{name}.jsonl"]
        if settings.store_dialogues:
            outputs.append(f"dialogues/{name}.parquet")
        rows.extend(_written(settings, outputs))
    return [*rows, *_written(settings, [REPORT, PAGE] if settings.page else [REPORT])]


def _written(settings: Settings, outputs: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield rows of `reads_and_writes` for files of the output folder."""
    yield from ({"does": "write", "file": f"{settings.out}/{output}", "bytes": None} for output in outputs)


def plan(rows: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """Return the rows of `reads_and_writes` and the titles of the columns, as a table for people."""
    return [{**row, "does": _ACTIONS[row["does"]]} for row in rows], _PLAN_TITLES


def conversions(done: Mapping[str, SourceReport], size: int) -> str:
    """Return a random sample of turns that script conversion changed, as lines: address, text before, text after."""
    frames = [frame for report in done.values() for frame in report.conversions if len(frame)]
    if not frames:
        return message("no turn was converted")
    sample = pl.concat(frames).bottom_k(size, by="key")
    return "\n".join(
        f"{file}:{record}\n  {before}\n  {after}"
        for file, record, before, after in sample.select("file", "record", "before", "after").iter_rows()
    )


def report_unrecognised(found: Inventory, settings: Settings) -> None:
    """Log the names of unrecognised files that may be a corpus, and the number of all unrecognised files.

    Damaged and unusable files of a source are left out: `report_missing` reports them.
    """
    files = [entry for entry in found.unrecognised if entry.damaged_source is None and entry.unusable_source is None]
    for entry in files:
        if entry.warn:
            logs.warning(message("{file} skipped: {reason}", file=entry.file.name, reason=entry.reason), "file.left")
    if files:
        text = message(
            "not recognised: {files} in {folder}; 'chat-corpus check --raw {folder}' shows which, and why",
            files=count_noun(len(files), "file"),
            folder=settings.raw,
        )
        logs.info(text, "files.unrecognised")


def nothing_to_do(
    found: Mapping[str, DiscoveredSource], chosen: Mapping[str, DiscoveredSource], settings: Settings
) -> Message:
    """Return the reason why there is nothing to do."""
    if not chosen:
        return message("nothing to do: all requested sources are excluded")
    states = {name: source.state for name, source in chosen.items()}
    present = {name: state for name, state in states.items() if state is not State.ABSENT}
    if len(chosen) == len(found) and not present:
        return message(
            "no corpus found in {folder}; 'chat-corpus check --raw {folder}' shows what is expected where",
            folder=settings.raw,
        )
    shown = [
        message("{source} ({state})", source=name, state=words.state(state))
        for name, state in (present or states).items()
    ]
    if not added.has_raw(settings):
        own = [
            message("{source} ({state})", source=name, state=words.state(found[name].state))
            for name, _ in settings.added
        ]
        command = added.check_command(settings)
        template = message(
            "nothing can be read: {sources}; '{command}' shows why", sources=joined(", ", own), command=command
        )
    elif len(chosen) == len(found):
        template = message(
            "no corpus in {folder} can be read: {sources}; 'chat-corpus check --raw {folder}' shows why",
            folder=settings.raw,
            sources=joined(", ", shown),
        )
    else:
        template = message(
            "none of the requested sources can be read from {folder}: {sources}; "
            "'chat-corpus check --raw {folder}' shows why",
            folder=settings.raw,
            sources=joined(", ", shown),
        )
    return template


def report_missing(chosen: Mapping[str, DiscoveredSource], raw: str, *, requested: bool) -> int:
    """Log which chosen sources are damaged, unusable, missing or partial, and the remarks. Return the exit code."""
    for name, source in chosen.items():
        for remark in source.remarks:
            logs.info(message("{source}: {remark}", source=name, remark=remark), "source.remark", source=name)
        for fault in source.damaged:
            text = message("{source}: damaged, not read: {fault}", source=name, fault=fault)
            logs.warning(text, "source.damaged", source=name)
        for fault in source.unusable:
            text = message("{source}: not read: {fault}", source=name, fault=fault)
            logs.warning(text, "source.unusable", source=name)
        _report_advice(name, source, raw, requested=requested)
    states = {source.state for source in chosen.values()}
    if State.DAMAGED in states:
        return 1
    return _INCOMPLETE if states & _incomplete(requested=requested) else 0


def _report_advice(name: str, source: DiscoveredSource, raw: str, *, requested: bool) -> None:
    """Log a warning with advice on how to obtain a source, if it is damaged, missing or incomplete."""
    if not (source.damaged or source.unusable or source.missing or (requested and not source.groups)):
        return
    advice = words.how_to_obtain(source.source, raw)
    if source.damaged or source.unusable:
        text = message("{source}: what to do: {advice}", source=name, advice=advice)
        logs.warning(text, "source.obtain", source=name)
    elif not source.groups and (requested or source.missing):
        state = words.state(source.state)
        if source.samples_left:
            text = message(
                "{source}: {state}, except for the bundled sample, which is not mixed with real corpora; {advice}",
                source=name,
                state=state,
                advice=advice,
            )
        else:
            text = message("{source}: {state}; {advice}", source=name, state=state, advice=advice)
        logs.warning(text, f"source.{source.state}", source=name)
    elif source.missing and not source.sample:
        text = message(
            "{source}: partial, without {files}; {advice}",
            source=name,
            files=joined(", ", source.missing),
            advice=advice,
        )
        logs.warning(text, "source.partial", source=name)
