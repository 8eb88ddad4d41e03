"""Outputs of one source for the tests of what is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import survey
from chat_corpus.lineage.open_run import load as opened
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.runs import completeness
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.settings.loading import load

#: A change of settings, and what it must be told as: cause, kind, settings, and how many rows where that is known.
CAUSES: dict[str, tuple[str, dict[str, Any], set[tuple[str, str, tuple[str, ...]]]]] = {
    "a step": ("tieba", {"text": {"links": "remove"}}, {("step links", "changed", ("text.links",))}),
    "a bound": (
        "ptt", {"text": {"punctuation": {"limit": 1}}}, {("step punctuation", "changed", ("text.punctuation.limit",))},
    ),
    "a rule": ("tieba", {"filters": {"min_chars": 3}}, {("filter min_chars", "vanished", ("filters.min_chars",))}),
    "a limit": ("tieba", {"read": {"limit": 12}}, {("limit", "vanished", ("read.limit",))}),
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
    "a rule and a step that it does not need": (
        "tieba", {"filters": {"max_chars": 3}, "text": {"links": "remove"}},
        {("filter max_chars", "vanished", ("filters.max_chars",))},
    ),
}  # fmt: skip


@dataclass
class Made:
    written: RecordedRun
    report: FinishedSource
    rejects: list[dict[str, Any]]

    def records(self) -> Iterator[tuple[str, int]]:
        """Every raw record of the shards that were done."""
        for entry in self.written.entries:
            for span in entry.pieces:
                yield from ((span.file, record) for record in range(span.first, span.first + span.records))


def made(raw: Path, out: Path, name: str, **flags: Any) -> Made:
    """Source `name` run over `raw` in small shards, with other settings as told, however little comes of it."""
    settings = load((), {"raw": str(raw), "out": str(out), "workers": 1, "shard_bytes": 1000, **flags})
    found = survey(raw, sources.load(settings.plugins))[name]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(completeness, "failures", lambda *_: iter(()))
        patched.setattr(completeness, "barren", lambda *_: "")
        done, report = run({name: found}, settings, silent)
    assert done[name].error == ""
    rejects = (out / "rejects" / f"{name}.jsonl").read_bytes().splitlines()
    told = report.sources[name]
    assert isinstance(told, FinishedSource)
    return Made(written=opened(out, name), report=told, rejects=[json.loads(line) for line in rejects])
