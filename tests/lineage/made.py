"""Outputs of one source for the tests of lineage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.lineage import open_run
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.runs import completeness
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.settings.loading import load

#: Changes of settings: the source, the settings, and the expected causes, each with kind and settings.
CAUSES: dict[str, tuple[str, dict[str, Any], set[tuple[str, str, tuple[str, ...]]]]] = {
    "a step": ("tieba", {"text": {"links": "remove"}}, {("step links", "changed", ("text.links",))}),
    "a limit of a step": (
        "ptt", {"text": {"punctuation": {"limit": 1}}}, {("step punctuation", "changed", ("text.punctuation.limit",))},
    ),
    "a filter": ("tieba", {"filters": {"min_chars": 3}}, {("filter min_chars", "vanished", ("filters.min_chars",))}),
    "a limit of records": ("tieba", {"read": {"limit": 12}}, {("limit", "vanished", ("read.limit",))}),
    "conversion": ("ptt", {"script": {"mode": "none"}}, {("conversion", "changed", ("script.mode",))}),
    "repeats": ("ptt", {"dedup": {"exact": "never"}}, {("repeat", "appeared", ("dedup.exact",))}),
    "pairing": (
        "chatterbot", {"pairs": {"mode": "first"}},
        {("pairing", "appeared", ("pairs.mode",)), ("pairing", "vanished", ("pairs.mode",))},
    ),
    "segmentation": (
        "douban", {"read": {"segmentation": "none"}}, {("step segmentation", "changed", ("read.segmentation",))},
    ),
    "repost chains": ("weibo", {"read": {"reposts": "dialogue"}}, {("reading", "appeared", ("read.reposts",))}),
    "a filter and a step that it does not need": (
        "tieba", {"filters": {"max_chars": 3}, "text": {"links": "remove"}},
        {("filter max_chars", "vanished", ("filters.max_chars",))},
    ),
}  # fmt: skip


@dataclass
class Made:
    """A finished run of one source."""

    run: RecordedRun
    report: FinishedSource
    rejects: list[dict[str, Any]]

    def records(self) -> Iterator[tuple[str, int]]:
        """Yield file and number of every raw record of all shards."""
        for entry in self.run.entries:
            for span in entry.pieces:
                yield from ((span.file, record) for record in range(span.first, span.first + span.records))


def made(raw: Path, out: Path, name: str, **flags: Any) -> Made:
    """Run a source over `raw` in small shards with these settings, however few pairs result."""
    settings = load((), {"raw": str(raw), "out": str(out), "workers": 1, "shard_bytes": 1000, **flags})
    discovered = discover_sources(raw, sources.load(settings.plugins))[name]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(completeness, "failures", lambda *_: iter(()))
        patched.setattr(completeness, "barren", lambda *_: "")
        done, report = run({name: discovered}, settings, silent)
    assert done[name].error == ""
    rejects = (out / "rejects" / f"{name}.jsonl").read_bytes().splitlines()
    entry = report.sources[name]
    assert isinstance(entry, FinishedSource)
    return Made(run=open_run.load(out, name), report=entry, rejects=[json.loads(line) for line in rejects])
