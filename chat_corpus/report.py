"""report.json: what was read, with which settings, what became of it, and with which versions of what."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus import distinct, earlier, identity, script, usable
from chat_corpus.ledger import Counts
from chat_corpus.plan import FileFacts
from chat_corpus.settings import Settings
from chat_corpus.source import Source
from chat_corpus.survey import Found
from chat_corpus.work import whole

#: What is reported of a run that failed beside an earlier output.
_TRIED = ("raw", "settings", "files", "records_by_file")


@dataclass(kw_only=True, slots=True)
class SourceReport:
    """How a run went for one source; `error` says why it was not finished."""

    found: Found
    counts: Counts = field(default_factory=Counts)
    files: list[FileFacts] = field(default_factory=list)
    samples: list[Path] = field(default_factory=list)
    conversions: list[pl.DataFrame] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    exit_code: int = 0
    #: What an earlier run reported, where nothing has changed since and nothing was done.
    unchanged: dict[str, Any] | None = None

    @property
    def megabytes(self) -> float:
        """Raw megabytes read."""
        return sum(fact.bytes for fact in self.files) / 1e6

    def read_samples(self) -> None:
        """Take up the samples of conversions that the parts hold, before the parts are cleaned away."""
        self.conversions = [distinct.read(path) for path in self.samples if path.exists()]


def write(
    out: Path, settings: Settings, done: Mapping[str, SourceReport], run: dict[str, Any], *, last: bool
) -> dict[str, Any]:
    """Write the report of a run; sources that it did not touch keep what is said of them.

    Only the `last` one is waited for until the disk has it: the others hold for the time that the run goes on.
    """
    before = {
        name: source
        for name, source in earlier.sources(out).items()
        if source.get("state") != "sample" or (out / f"{name}.tsv").exists()  # else it was withdrawn
    }
    told = {name: one.unchanged or _source(out, one, settings) for name, one in done.items() if not one.error}
    told |= {name: _failed(one, settings, before.get(name, {})) for name, one in done.items() if one.error}
    report = {
        "chat_corpus": identity.installed("chat-corpus"),
        "python": platform.python_version(),
        "packages": {name: identity.installed(name) for name in ("polars", "msgspec", "pyyaml", "chardet")},
        "script_conversion": script.load(settings.script).provenance,
        "run": run,
        "settings": msgspec.to_builtins(settings),
        "sources": dict(sorted({**before, **told}.items())),
    }
    text = msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"
    whole(out / earlier.REPORT, lambda path: path.write_bytes(text), sync=last)
    return report


def _failed(told: SourceReport, settings: Settings, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a source that failed: where an earlier output lies there, all that was told of that stays."""
    failure = {"error": told.error, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    facts = _facts(told, settings)
    facts["records_by_file"] = told.counts.report()["records_by_file"]
    if "outputs" not in before:
        return {**facts, **failure, "state": "failed"}
    last = {"error": told.error, "at": failure["at"], **{name: facts[name] for name in _TRIED}}
    return {**before, "state": "failed", "error": told.error, "last_failure": last}


def _source(out: Path, told: SourceReport, settings: Settings) -> dict[str, Any]:
    facts = {**_facts(told, settings), "made_with": earlier.made_with(told.found, settings)}
    return {**facts, **told.counts.report(), "outputs": earlier.outputs(out, told.found.source.name)}


def _facts(told: SourceReport, settings: Settings) -> dict[str, Any]:
    """What was read of a source, and how."""
    source: Source = told.found.source
    limit = settings.of(source.name).read.limit or sys.maxsize
    shares = usable.shares(told.found.names, told.counts.files)
    return {
        "title": source.title,
        "licence": source.licence,
        "url": source.url,
        "state": told.found.state,
        "raw": settings.raw,
        "plugins": list(settings.plugins),
        "settings": msgspec.to_builtins(settings.of(source.name)),
        "files": [
            {
                "file": fact.file.name,
                "bytes": fact.bytes if fact.digest and fact.records <= limit else None,
                "sha256": fact.digest or None,
                "encoding": fact.file.encoding,
                "encoding_evidence": fact.evidence,
                "records": min(fact.records, limit),
                "unreadable_share": round(shares.get(fact.file.name, 1.0), 4),
                "segmentation": str(fact.segmentation),
            }
            for fact in told.files
        ],
        "missing": told.found.missing,
        "remarks": told.found.remarks,
        "seconds": round(told.seconds, 3),
        "megabytes_per_second": round(told.megabytes / told.seconds, 2) if told.seconds else None,
    }
