"""report.json: what was read, with which settings, what became of it, and with which versions of what."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus import identity, script
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
        self.conversions = [pl.read_ipc(path) for path in self.samples if path.exists()]


def read(out: Path) -> dict[str, Any]:
    """The report of the last run into `out`; empty where there is none. Raises UsageError where it cannot be read."""
    path = out / NAME
    if not path.exists():
        return {}
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not all(isinstance(source, dict) for source in told["sources"].values()):
            raise ValueError("sources are no objects")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not a report of chat-corpus: {error}; move it away, or use another --out") from error
    return told


def check_replaceable(out: Path, settings: Settings, names: list[str]) -> None:
    """Raise UsageError where a run would replace files made with other settings, or by something else."""
    earlier = read(out).get("sources", {})
    for name in names:
        if not (out / f"{name}.tsv").exists():
            continue
        held = (earlier.get(name, {}).get("made_with") or {}).get("settings")
        if held is None:
            raise UsageError(
                f"{out / f'{name}.tsv'}: exists, and {NAME} does not say that chat-corpus made it; "
                "use --force to replace it, or another --out"
            )
        if held != settings.of(name).digest():
            raise UsageError(
                f"{out / f'{name}.tsv'}: made with other settings ({held}, now {settings.of(name).digest()}); "
                "use --force to replace it, or another --out"
            )


def _earlier(out: Path) -> dict[str, Any]:
    """What the last run reported of each source; nothing where the user chose to replace a report that is not ours."""
    try:
        return dict(read(out).get("sources", {}))
    except UsageError:
        return {}


def unchanged(out: Path, found: Found, settings: Settings) -> SourceReport | None:
    """What the last run into `out` reported of a source, if its input, settings, code and output are still the same."""
    earlier = _earlier(out).get(found.source.name)
    if earlier is None or earlier.get("state") == "failed" or earlier.get("made_with") != _made_with(found, settings):
        return None
    if earlier["outputs"] != _outputs(out, found.source.name):
        return None
    return SourceReport(found=found, counts=Counts.read(earlier["counts"]), unchanged=earlier)


def _made_with(found: Found, settings: Settings) -> dict[str, Any]:
    """All that decides what a source's output is; files by name, size and time."""
    return {
        "code": identity.code(),
        "settings": settings.of(found.source.name).digest(),
        "unequal": settings.of(found.source.name).read.unequal,
        "plugins": [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in settings.plugins],
        "input": [[file.name, file.size, file.modified] for file in found.files],
    }


def _outputs(out: Path, name: str) -> dict[str, list[int]]:
    """Size and time of each output file of a source that is there."""
    paths = [out / f"{name}.tsv", out / "rejects" / f"{name}.jsonl"]
    facts = {path.relative_to(out).as_posix(): path.stat() for path in paths if path.exists()}
    return {path: [fact.st_size, fact.st_mtime_ns] for path, fact in facts.items()}


def write(out: Path, settings: Settings, done: Mapping[str, SourceReport], run: dict[str, Any]) -> dict[str, Any]:
    """Write the report of a run; sources that it did not touch keep what is said of them."""
    earlier = _earlier(out)
    told = {name: one.unchanged or _source(out, one, settings) for name, one in done.items()}
    for name, one in done.items():
        if one.error:  # What lies there, if anything does, is still what an earlier run made.
            told[name]["made_with"] = earlier.get(name, {}).get("made_with")
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


def _source(out: Path, told: SourceReport, settings: Settings) -> dict[str, Any]:
    source: Source = told.found.source
    facts = {
        "title": source.title,
        "licence": source.licence,
        "url": source.url,
        "state": "failed" if told.error else told.found.state,
        "made_with": _made_with(told.found, settings),
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
    if told.error:
        return {**facts, "error": told.error}
    counts = {"outputs": _outputs(out, source.name), "counts": told.counts.figures()}
    return {**facts, **told.counts.report(), **counts}
