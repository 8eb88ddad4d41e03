"""python -m benchmarks: throughput per source, against the floor of the same run; --help lists the options."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from benchmarks import inputs, measure, runs
from chat_corpus.cli.terminal import format_table

_COLUMNS = ("source", "what", "MB", "seconds", "start_s", "MB_s", "of_floor", "speed_up", "pairs_s", "peak_MB")
_GROWTH = (1, 4, 20)


@click.command()
@click.option("--raw", type=click.Path(path_type=Path), default=runs.ROOT / "raw_chat_corpus", help="Files to repeat.")
@click.option("--mb", type=float, default=50, show_default=True, help="Megabytes a source.")
@click.option("-s", "--source", "names", multiple=True, help="Only these sources; may be given again.")
@click.option("--workers", default="1,2", show_default=True, help="Numbers of workers to measure.")
@click.option("--repeat", type=click.IntRange(1), default=1, show_default=True, help="Runs of each: the median counts.")
@click.option("--growth", is_flag=True, help="Also 4 and 20 times as much of each source, one worker.")
@click.option("--profile", is_flag=True, help="Also seconds and milliseconds per MB of each stage.")
@click.option("--export", is_flag=True, help="Also an export of the same files, and its speed beside that of the run.")
@click.option("--against", metavar="COMMAND", help="Also time this command; {raw}, {out} and {source} are filled in.")
@click.option("--cold", type=int, default=5, show_default=True, help="Cold starts: the best of so many.")
@click.option("--tmp", type=click.Path(path_type=Path, exists=True), help="Where inputs are put.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Also write the figures to this file.")
def main(raw: Path, names: tuple[str, ...], tmp: Path | None, file: Path | None, **how: Any) -> None:
    """Measure throughput per source and overall against the floor of the same run: read, decode, encode, write.

    Each worker has one thread. `seconds` are those of the run without the start of Python and the imports, which are
    `start_s`; of several workers they include the time until these have started, so give them enough to do.
    """
    os.environ["POLARS_MAX_THREADS"] = "1"
    figures: dict[str, Any] = {"machine": _machine(), "megabytes": how["mb"]}
    click.echo("  ".join(f"{name} {fact}" for name, fact in figures["machine"].items()))
    with tempfile.TemporaryDirectory(prefix="chat-corpus-benchmark-", dir=tmp) as name:
        folder = Path(name)
        if how["cold"]:
            figures["cold_start"] = runs.cold(runs.ROOT / "raw_chat_corpus", folder / "cold", how["cold"])
            click.echo(
                "cold start: " + ", ".join(f"{what} {seconds}" for what, seconds in figures["cold_start"].items())
            )
        built = inputs.build(raw, folder / "raw", list(names), how["mb"])
        figures["sources"] = {source: _measured(folder, [source], source, how, raw) for source in built}
        if len(built) > 1:
            figures["all"] = _measured(folder, list(built), "all", {**how, "growth": False, "profile": False}, raw)
    if file:
        file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _measured(folder: Path, names: list[str], title: str, how: dict[str, Any], raw: Path) -> dict[str, Any]:
    """Measure some sources in the ways that the options name, and print the figures."""
    paths = runs.files(folder / "raw", names)
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    figures: dict[str, Any] = {"MB": round(megabytes, 1), "runs": []}
    for workers in map(int, how["workers"].split(",")):
        row = _median_run(folder, names, workers, how["repeat"])
        first = (figures["runs"] or [row])[0]
        figures["runs"].append({**row, "speed_up": round(first["seconds"] / row["seconds"], 2)})
        if how["export"]:
            exported = runs.export(folder / "raw", folder / "export", names, row)
            figures["exports"] = [*figures.get("exports", []), exported]
    if how["against"]:
        floor = megabytes / measure.floor(paths, folder / "floor")
        figures["against"] = _against(how["against"], folder, ",".join(names), megabytes, floor)
    click.echo("\n" + _table(title, figures))
    if how["export"]:
        click.echo(_shown(figures["exports"], ("workers", "seconds", "processor_s", "of_run", "peak_MB")))
    if how["growth"]:
        figures["growth"] = growth = runs.growth(raw, folder, names[0], [how["mb"] * factor for factor in _GROWTH])
        click.echo(_shown(growth["sizes"], ("MB", "seconds", "ms_per_MB", "processor_s", "peak_MB")))
        verdict = "flat" if growth["flat"] else "NOT flat"
        click.echo(f"time per MB is {verdict}: at most {growth['apart']:.1%} apart from that of the smallest")
    if how["profile"]:
        from benchmarks.profile import stages

        figures["stages"] = stages(folder / "raw", names[0])
        click.echo(_shown(figures["stages"], ("stage", "seconds", "ms_per_MB", "share")))
    return figures


def _median_run(folder: Path, names: list[str], workers: int, times: int) -> dict[str, Any]:
    """The run with the median ratio to the floor, which is measured before each run."""
    paths = runs.files(folder / "raw", names)
    rows = [
        runs.ours(folder / "raw", folder / "out", names, workers, measure.floor(paths, folder / "floor"))
        for _ in range(times)
    ]
    return sorted(rows, key=lambda row: row["of_floor"])[(times - 1) // 2]


def _against(command: str, folder: Path, source: str, megabytes: float, floor: float) -> dict[str, Any]:
    out = folder / "other"
    out.mkdir()
    timing = measure.command(shlex.split(command.format(raw=folder / "raw", out=out, source=source)))
    shutil.rmtree(out)
    speed = megabytes / timing.seconds
    return {
        "seconds": round(timing.seconds, 3),
        "MB_s": round(speed, 1),
        "of_floor": round(speed / floor, 3),
        "peak_MB": round(timing.peak_mb) or None,
    }


def _shown(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """A table of rows with the names of its columns as titles."""
    return format_table(rows, dict(zip(columns, columns, strict=True)))


def _table(title: str, figures: dict[str, Any]) -> str:
    rows = [{"what": "floor", "MB": figures["MB"], "MB_s": figures["runs"][0]["floor_MB_s"], "of_floor": 1}]
    rows += [{"what": f"{run['workers']} worker{'s' * (run['workers'] > 1)}", **run} for run in figures["runs"]]
    if "against" in figures:
        rows.append({"what": "against", "MB": figures["MB"], **figures["against"]})
    return _shown([dict.fromkeys(_COLUMNS) | {"source": title} | row for row in rows], _COLUMNS)


def _machine() -> dict[str, Any]:
    facts = {"python": platform.python_version(), "polars": version("polars"), "cores": os.cpu_count()}
    return {**facts, "system": platform.system(), "processor": _processor(), "memory_GB": _memory()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _memory() -> int | None:
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):
        return None
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9)


if __name__ == "__main__":
    main()
