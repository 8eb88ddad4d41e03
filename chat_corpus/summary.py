"""What is said at the end of a run: what became of each source, what was written, what was not done, what is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from chat_corpus.discovery.model import Found
from chat_corpus.pipeline.counts import Counts
from chat_corpus.runs.report_builder import SourceReport
from chat_corpus.schema import State
from chat_corpus.terminal import columns

_COLUMNS = ("source", "records", "turns", "pairs", "seconds", "MB/s", "rejected")


def table(chosen: Mapping[str, Found], done: Mapping[str, SourceReport]) -> str:
    """A row for each source that was done, or is damaged so that nothing of it could be read."""
    rows = [
        _row(name, done[name]) if name in done else dict.fromkeys(_COLUMNS, "-") | _damaged(name)
        for name, one in chosen.items()
        if name in done or one.damaged
    ]
    return columns(rows, _COLUMNS)


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


def written(done: Mapping[str, SourceReport], out: str) -> str:
    """Which files a run has written."""
    made = [name for name, told in done.items() if not (told.error or told.unchanged)]
    if not made:
        return f"written to {out}: report.json, and nothing else"
    if len(made) == len(done):
        return f"written to {out}: one .tsv a source, rejects/, index/, report.json"
    named = ", ".join(f"{name}.tsv" for name in made)
    return f"written to {out}: {named}, and as much in rejects/ and index/; report.json"


def undone(chosen: Mapping[str, Found], done: Mapping[str, SourceReport], *, asked: bool) -> str:
    """The sources that the run owes something, for which its exit code is not 0; empty where there are none."""
    states = {name: _debt(one, done.get(name), asked=asked) for name, one in chosen.items()}
    named = ", ".join(f"{name} {state}" for name, state in states.items() if state)
    return f"not all was done: {named}; see above" if named else ""


def _debt(one: Found, told: SourceReport | None, *, asked: bool) -> State | None:
    if told is not None and told.error:
        return State.FAILED
    owed = {State.DAMAGED, State.UNUSABLE, *((State.ABSENT, State.PARTIAL) if asked else ())}
    return one.state if one.state in owed else None


def left(out: Path, reported: Iterable[str], done: Iterable[str]) -> str:
    """The outputs of sources that were reported by an earlier run and of which this one has met nothing to read."""
    names = [f"{name}.tsv" for name in reported if name not in done and (out / f"{name}.tsv").exists()]
    return (
        f"left from earlier runs: {', '.join(names)} (their corpora were not found, or not readable)" if names else ""
    )
