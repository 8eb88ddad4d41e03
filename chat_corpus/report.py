"""report.json: what was read, with which settings, what became of it, and with which versions of what."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus import script
from chat_corpus.errors import UsageError
from chat_corpus.ledger import Counts
from chat_corpus.plan import FileFacts
from chat_corpus.settings import Settings
from chat_corpus.source import Source
from chat_corpus.survey import Found
from chat_corpus.work import whole

NAME = "report.json"


@dataclass(kw_only=True, slots=True)
class SourceReport:
    """How a run went for one source; `error` says why it was not finished."""

    found: Found
    counts: Counts = field(default_factory=Counts)
    files: list[FileFacts] = field(default_factory=list)
    conversions: list[pl.DataFrame] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    exit_code: int = 0

    @property
    def megabytes(self) -> float:
        """Raw megabytes read."""
        return sum(fact.bytes for fact in self.files) / 1e6


def read(out: Path) -> dict[str, Any]:
    """The report of the last run into `out`; empty where there is none. Raises UsageError where it cannot be read."""
    path = out / NAME
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text("utf-8"))
        return dict(told) if isinstance(told["sources"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: not a report of chat-corpus: {error}; move it away, or use another --out") from error


def check_replaceable(out: Path, settings: Settings, names: list[str]) -> None:
    """Raise UsageError where a run would replace files made with other settings, or by something else."""
    earlier = read(out).get("sources", {})
    for name in names:
        held = earlier.get(name, {}).get("settings_digest")
        if held is None and (out / f"{name}.tsv").exists():
            raise UsageError(
                f"{out / f'{name}.tsv'}: exists, and {NAME} does not say that chat-corpus made it; "
                "use --force to replace it, or another --out"
            )
        if held is not None and held != settings.of(name).digest():
            raise UsageError(
                f"{out / f'{name}.tsv'}: made with other settings ({held}, now {settings.of(name).digest()}); "
                "use --force to replace it, or another --out"
            )


def write(out: Path, settings: Settings, done: Mapping[str, SourceReport], run: dict[str, Any]) -> dict[str, Any]:
    """Write the report of a run; sources that it did not touch keep what is said of them."""
    earlier = read(out).get("sources", {})
    told = {name: _source(found, settings) for name, found in done.items()}
    report = {
        "chat_corpus": version("chat-corpus"),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("polars", "msgspec", "pyyaml")},
        "script_conversion": script.load(settings.script).provenance,
        "run": run,
        "settings": msgspec.to_builtins(settings),
        "sources": dict(sorted({**earlier, **told}.items())),
    }
    text = json.dumps(report, ensure_ascii=False, indent=1) + "\n"
    whole(out / NAME, lambda path: path.write_text(text, encoding="utf-8"))
    return report


def _source(told: SourceReport, settings: Settings) -> dict[str, Any]:
    source: Source = told.found.source
    facts = {
        "title": source.title,
        "licence": source.licence,
        "url": source.url,
        "state": "failed" if told.error else told.found.state,
        "settings_digest": settings.of(source.name).digest(),
        "files": [
            {
                "file": fact.file.name,
                "bytes": fact.bytes,
                "sha256": fact.digest or None,
                "records": fact.records,
                "segmentation": str(fact.segmentation),
            }
            for fact in told.files
        ],
        "missing": told.found.missing,
        "remarks": told.found.remarks,
        "seconds": round(told.seconds, 3),
        "megabytes_per_second": round(told.megabytes / told.seconds, 2) if told.seconds else None,
    }
    return {**facts, "error": told.error} if told.error else {**facts, **told.counts.report()}
