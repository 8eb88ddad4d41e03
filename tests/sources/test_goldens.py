"""Every source has a hard sample with two goldens that a person has read: turns as read, pairs as written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.runs import completeness
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.schema import Reason
from chat_corpus.settings.model import Settings
from tests.conftest import Golden
from tests.pipeline.processed import process

HERE = Path(__file__).resolve().parent
NAMES = sorted(sources.load())


def discovered(name: str) -> DiscoveredSource:
    """Return all files of a sample, alternatives too."""
    source = replace(sources.load()[name], alternatives=False)
    return discover_sources(HERE / name / "raw", {name: source})[name]


@pytest.mark.parametrize("name", NAMES)
def test_turns_equal_the_golden(name: str, golden: Golden) -> None:
    lines = []
    for shard in ShardPlanner(found=discovered(name), settings=Settings()).shards():
        rows = process(shard, Settings()).turns
        for row in rows.sort("record", "file_index", "turn_index", maintain_order=True).iter_rows(named=True):
            address = f"{Path(shard.pieces[row['file_index']].file.name).name}:{row['record']}"
            line = {
                "at": address,
                "dialogue_id": row["dialogue_id"],
                "turn_index": row["turn_index"],
                "text": row["raw"],
            }
            if row["reason"]:
                line |= {"reason": row["reason"], "message": row["message"]}
            lines.append(json.dumps(line, ensure_ascii=False))
    golden.check(HERE / name / "turns.jsonl", ("\n".join(lines) + "\n").encode())


@pytest.mark.parametrize("name", NAMES)
def test_pairs_equal_the_golden(name: str, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completeness, "MOST", 2.0)  # half of a hard sample is damaged on purpose
    run({name: discovered(name)}, Settings(out=str(tmp_path)), silent)
    golden.check(HERE / name / "pairs.tsv", (tmp_path / f"{name}.tsv").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_is_hard(name: str) -> None:
    """It has a rejected record, an empty turn, undecodable bytes, and ends without a line break."""
    shards = list(ShardPlanner(found=discovered(name), settings=Settings()).shards())
    reasons = pl.concat([process(shard, Settings()).turns["reason"] for shard in shards]).unique().to_list()
    assert {Reason.EMPTY, Reason.ENCODING} <= set(reasons)
    assert {Reason.LAYOUT, Reason.FIELDS, Reason.UNPAIRED} & set(
        reasons
    ) or name == "weibo"  # each of its lines is a field
    assert any(not Path(file.path).read_bytes().endswith(b"\n") for file in discovered(name).files)
