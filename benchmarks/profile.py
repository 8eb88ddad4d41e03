"""Where the time of one process goes, stage by stage."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

from chat_corpus import pipeline, sources
from chat_corpus.plan import Plan
from chat_corpus.settings import Settings
from chat_corpus.survey import survey
from chat_corpus.writers import tsv

#: A stage is a function of these modules that the pipeline calls.
_STAGES = {
    "read_range": "read bytes",
    "numbered_lines": "number lines",
    "_split": "number lines",
    "_read": "split into turns",
    "check_reading": "ledger",
    "check_rows": "ledger",
    "normalize": "normalize",
    "convert": "convert script",
    "check": "check rules",
    "pair": "pair",
    "_rejects": "rejects",
    "encode": "write",
}


def stages(raw: Path, name: str, shards: int = 6) -> tuple[dict[str, float], float]:
    """Milliseconds per raw MB of each stage over the first shards of a source; and of all of them together."""
    found = survey(raw, sources.load())[name]
    chosen = [shard for shard, _ in zip(Plan(found=found, settings=Settings()).shards(), range(shards), strict=False)]
    megabytes = sum(shard.bytes for shard in chosen) / 1e6
    pipeline.process(chosen[0], Settings())
    profiler = cProfile.Profile()
    profiler.enable()
    for shard in chosen:
        tsv.encode(pipeline.process(shard, Settings()).pairs)
    profiler.disable()
    spent: dict[str, float] = {}
    whole = 0.0
    for (file, _, function), (_, _, _, cumulative, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        if "chat_corpus" in file and function in _STAGES and "text" not in Path(file).parts[-2:-1]:
            spent[_STAGES[function]] = spent.get(_STAGES[function], 0) + cumulative * 1000 / megabytes
        elif file.endswith("text/steps.py") and function == "normalize":
            spent["normalize"] = cumulative * 1000 / megabytes
        if "chat_corpus" in file and function in ("process", "encode"):
            whole += cumulative * 1000 / megabytes
    return dict(sorted(spent.items(), key=lambda item: -item[1])), whole
