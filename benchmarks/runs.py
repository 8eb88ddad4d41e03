"""Runs of the program: over a source or all of them, over more and more of one, and over next to nothing."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import inputs, measure
from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources

ROOT = Path(__file__).resolve().parent.parent
#: Time a MB may differ by this much from that of the smallest input and still be called flat.
_FLAT = 0.10


def files(raw: Path, names: Sequence[str]) -> list[Path]:
    """The files of some sources."""
    found = discover_sources(raw, sources.load())
    return [Path(file.path) for name in names for file in found[name].files]


def ours(raw: Path, out: Path, names: Sequence[str], workers: int, floor_seconds: float = 0) -> dict[str, Any]:
    """A run over some sources from the beginning.

    `start_s` is what Python, imports and the end took besides the run itself. With `floor_seconds`, what the floor of
    the same files took, `of_floor` is the ratio of the two speeds.
    """
    timing = measure.command(_command(raw, out, names, workers))
    report = json.loads((out / "report.json").read_text("utf-8"))
    entries = [report["sources"][name] for name in names]
    megabytes = sum(file["bytes"] for entry in entries for file in entry["files"]) / 1e6
    seconds = report["run"]["seconds"]
    row = {
        "MB": round(megabytes, 1),
        "workers": workers,
        "seconds": seconds,
        "processor_s": round(timing.processor, 2),
        "start_s": round(timing.seconds - seconds, 2),
        "MB_s": round(megabytes / seconds, 1),
        "pairs_s": round(sum(entry["pairs"]["written"] for entry in entries) / seconds),
        "peak_MB": round(timing.peak_mb),
    }
    shutil.rmtree(out)
    if floor_seconds:
        row |= {"floor_MB_s": round(megabytes / floor_seconds, 1), "of_floor": round(floor_seconds / seconds, 3)}
    return row


def export(raw: Path, folder: Path, names: Sequence[str], run: dict[str, Any]) -> dict[str, Any]:
    """An export of the same sources from raw files. `of_run` is its speed as a share of that of a `run`, both whole."""
    command = [sys.executable, str(ROOT / "main.py"), "export", str(folder), "-s", ",".join(names), "--raw", str(raw)]
    timing = measure.command([*command, "-q", "--workers", str(run["workers"]), "--out", str(folder.with_name("none"))])
    shutil.rmtree(folder)
    return {
        "workers": run["workers"],
        "seconds": round(timing.seconds, 3),
        "processor_s": round(timing.processor, 2),
        "of_run": round((run["seconds"] + run["start_s"]) / timing.seconds, 3),
        "peak_MB": round(timing.peak_mb),
    }


def growth(raw: Path, folder: Path, name: str, sizes: Sequence[float]) -> dict[str, Any]:
    """Runs of one worker over more and more of a source: whether its time a MB is flat, and its peak."""
    rows = []
    for megabytes in sizes:
        inputs.build(raw, folder / "grown", [name], megabytes)
        row = ours(folder / "grown", folder / "out", [name], 1)
        shutil.rmtree(folder / "grown")
        rows.append({key: row[key] for key in ("MB", "seconds", "processor_s", "peak_MB")})
        rows[-1]["ms_per_MB"] = row["seconds"] * 1000 / row["MB"]
    first = rows[0]["ms_per_MB"]
    apart = max(abs(row["ms_per_MB"] / first - 1) for row in rows)
    shown = [{**row, "ms_per_MB": round(row["ms_per_MB"], 1)} for row in rows]
    return {"sizes": shown, "apart": round(apart, 3), "flat": apart <= _FLAT}


def cold(samples: Path, out: Path, times: int) -> dict[str, float]:
    """Wall seconds of `--help`, of a first run over the bundled samples, and of one with nothing changed: the best."""
    run = [sys.executable, str(ROOT / "main.py")]
    over = [*run, "--raw", str(samples), "--out", str(out), "-q", "--workers", "1"]
    best = {
        "help_s": min(measure.command([*run, "--help"]).seconds for _ in range(times)),
        "samples_s": min(measure.command([*over, "--fresh"]).seconds for _ in range(times)),
        "unchanged_s": min(measure.command(over).seconds for _ in range(times)),
    }
    shutil.rmtree(out)
    return {name: round(seconds, 3) for name, seconds in best.items()}


def _command(raw: Path, out: Path, names: Sequence[str], workers: int) -> list[str]:
    run = [sys.executable, str(ROOT / "main.py"), "-s", ",".join(names), "--raw", str(raw), "--out", str(out), "-q"]
    return [*run, "--fresh", "--force", "--workers", str(workers)]
