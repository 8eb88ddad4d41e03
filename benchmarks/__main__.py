"""python -m benchmarks: throughput per source, against the floor of the same run; --help lists the options."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from benchmarks import inputs, measure

ROOT = Path(__file__).resolve().parent.parent


@click.command()
@click.option("--raw", type=click.Path(path_type=Path), default=ROOT / "raw_chat_corpus", help="Files to repeat.")
@click.option("--mb", type=float, default=50, show_default=True, help="Megabytes a source.")
@click.option("-s", "--source", "names", multiple=True, help="Only these sources.")
@click.option("--workers", default="1,2", show_default=True, help="Numbers of workers to measure.")
@click.option("--growth", is_flag=True, help="Also 4 and 20 times as much of each source, one worker.")
@click.option("--profile", is_flag=True, help="Also milliseconds per MB of each stage.")
@click.option("--against", metavar="COMMAND", help="Also time this command; {raw}, {out} and {source} are filled in.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write the figures to this file.")
def main(raw: Path, names: tuple[str, ...], file: Path | None, **how: Any) -> None:
    """Measure throughput per source against the floor of the same run."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    rows = []
    with tempfile.TemporaryDirectory(prefix="chat-corpus-benchmark-") as folder:
        sizes = inputs.build(raw, Path(folder, "raw"), list(names), how["mb"])
        for name in sizes:
            rows.append(_source(Path(folder), name, how))
            click.echo(_shown(rows[-1]))
    told = {"machine": _machine(), "megabytes": how["mb"], "sources": rows}
    if file:
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _source(folder: Path, name: str, how: dict[str, Any]) -> dict[str, Any]:
    from chat_corpus import sources
    from chat_corpus.survey import survey

    files = [Path(file.path) for file in survey(folder / "raw", sources.load())[name].files]
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    floor = megabytes / measure.floor(files, folder / "floor")
    row: dict[str, Any] = {"source": name, "MB": round(megabytes, 1), "floor_MB_s": round(floor, 1)}
    for workers in map(int, how["workers"].split(",")):
        row[f"workers_{workers}"] = _ours(folder, name, workers, floor)
    if how["growth"]:
        row["growth"] = [_grown(folder, name, files, factor) for factor in (1, 4, 20)]
    if how["profile"]:
        from benchmarks.profile import stages

        spent, whole = stages(folder / "raw", name)
        row["ms_per_MB"] = {**{stage: round(ms, 2) for stage, ms in spent.items()}, "all": round(whole, 2)}
    if how["against"]:
        filled = how["against"].format(raw=folder / "raw", out=folder / "other", source=name)
        timing = measure.command(shlex.split(filled))
        row["against"] = {"MB_s": round(megabytes / timing.seconds, 1), "peak_MB": round(timing.peak_mb)}
    return row


def _ours(folder: Path, name: str, workers: int, floor: float) -> dict[str, Any]:
    out = folder / "out"
    timing = measure.command(_command(folder / "raw", out, name, workers))
    report = json.loads((out / "report.json").read_text("utf-8"))["sources"][name]
    megabytes = sum(told["bytes"] for told in report["files"]) / 1e6
    speed = megabytes / timing.seconds
    return {
        "seconds": round(timing.seconds, 2),
        "MB_s": round(speed, 1),
        "ratio_to_floor": round(speed / floor, 3),
        "pairs_s": round(report["pairs"]["written"] / timing.seconds),
        "peak_MB": round(timing.peak_mb),
    }


def _command(raw: Path, out: Path, name: str, workers: int) -> list[str]:
    run = [sys.executable, str(ROOT / "main.py"), "-s", name, "--raw", str(raw), "--out", str(out), "-q"]
    return [*run, "--fresh", "--force", "--workers", str(workers)]


def _grown(folder: Path, name: str, files: list[Path], factor: int) -> dict[str, Any]:
    grown = folder / "grown"
    for file in files:
        target = grown / file.relative_to(folder / "raw")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as stream:
            for _ in range(factor):
                stream.write(file.read_bytes())
    megabytes = factor * sum(file.stat().st_size for file in files) / 1e6
    timing = measure.command(_command(grown, folder / "out", name, 1))
    return {
        "MB": round(megabytes),
        "ms_per_MB": round(timing.seconds * 1000 / megabytes, 2),
        "peak_MB": round(timing.peak_mb),
    }


def _machine() -> dict[str, Any]:
    facts = {"python": platform.python_version(), "polars": version("polars"), "cores": os.cpu_count()}
    return {**facts, "system": platform.system(), "processor": platform.machine()}


def _shown(row: dict[str, Any]) -> str:
    head = f"{row['source']:12} {row['MB']:8.1f} MB  floor {row['floor_MB_s']:6.1f} MB/s"
    ours = [
        f"  {name[8:]} worker(s): {told['MB_s']:6.1f} MB/s = {told['ratio_to_floor']:.3f} of the floor, "
        f"{told['pairs_s']:,} pairs/s, peak {told['peak_MB']} MB"
        for name, told in row.items()
        if name.startswith("workers_")
    ]
    other = [f"  {name}: {row[name]}" for name in ("growth", "ms_per_MB", "against") if name in row]
    return "\n".join([head, *ours, *other])


if __name__ == "__main__":
    main()
