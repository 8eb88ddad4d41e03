"""Where the time of one process goes, stage by stage."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path
from typing import Any

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.exports import tsv
from chat_corpus.pipeline import process
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.model import Settings

#: A stage is a function of these modules that the pipeline calls.
_STAGES = {
    "read_range": "read bytes",
    "numbered_lines": "number lines",
    "_split": "number lines",
    "_read": "split into turns",
    "check_reading": "ledger",
    "check_rows": "ledger",
    "normalize_and_flag": "normalize",
    "convert": "convert script",
    "apply_filters": "check filters",
    "pair": "pair",
    "with_raw": "rejects",
    "encode": "write",
}


def stages(raw: Path, name: str, shards: int = 6) -> list[dict[str, Any]]:
    """Seconds, milliseconds per raw MB and share of each stage over the first shards of a source, the slowest first.

    The last row is all of them together, with what is between the stages.
    """
    found = discover_sources(raw, sources.load())[name]
    chosen = [
        shard for shard, _ in zip(ShardPlanner(found=found, settings=Settings()).shards(), range(shards), strict=False)
    ]
    megabytes = sum(shard.bytes for shard in chosen) / 1e6
    process.process_shard(chosen[0], found.source, Settings().of(name))
    profiler = cProfile.Profile()
    profiler.enable()
    for shard in chosen:
        tsv.encode(process.process_shard(shard, found.source, Settings().of(name)).pairs)
    profiler.disable()
    spent: dict[str, float] = {}
    whole = 0.0
    for (file, _, function), (_, _, _, seconds, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        stage = _stage(Path(file), function)
        if stage:
            spent[stage] = spent.get(stage, 0) + seconds
        if "chat_corpus" in file and function in ("process_shard", "encode"):
            whole += seconds
    return [
        {
            "stage": stage,
            "seconds": round(seconds, 3),
            "ms_per_MB": round(seconds * 1000 / megabytes, 2),
            "share": f"{seconds / whole:.0%}",
        }
        for stage, seconds in [*sorted(spent.items(), key=lambda item: -item[1]), ("all", whole)]
    ]


def _stage(file: Path, function: str) -> str | None:
    """The stage that a function is, if it is one and not a helper of that name elsewhere."""
    if "chat_corpus" not in file.parts:
        return None
    if "text" in file.parts[-2:-1] and (file.name, function) != ("normalizer.py", "normalize_and_flag"):
        return None
    return _STAGES.get(function)
