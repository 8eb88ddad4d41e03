"""Load an export with real trainers, each in an environment of its own, and print what they made of it.

    python -m tests.consumers [--export DIR] [--environments DIR] [--find-links DIR] [--only NAME] [--steps N]

Environments are made with uv (`pip install uv`) and used again if they are there. They take about 3 GB. Without
--export, exports of invented dialogues are tried: dialogues, pairs with a system message, pairs without, and a mix with
subsets and preferences. `research` means ParlAI, Firefly, LCCC, CDial-GPT, GPT2-chitchat, and for tables.
Every file is loaded whole and compared. The steps of TRL and the strategy of axolotl take at most --steps rows of each
file, always the same ones. Exit code 1 if a row is lost or changed, or a trainer warns about the data.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chat_corpus
from chat_corpus.exports.dialogues import DialogueOptions
from chat_corpus.exports.records import FORMATS
from tests.conftest import ROOT
from tests.exports.made import invented, write_export
from tests.runs.export.invented import corpora

#: The build for CPUs alone; others take gigabytes.
_TORCH = "torch==2.13.0+cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """A trainer. `alone` is installed without its dependencies, which exclude each other; `packages` are needed."""

    name: str
    script: str
    packages: tuple[str, ...]
    alone: str | None = None


CONSUMERS = (
    Consumer(
        name="trl",
        script="trl_sft",
        packages=(_TORCH, "trl==1.16.0", "transformers==5.24.0", "datasets==5.2.0"),
    ),
    Consumer(
        name="llamafactory",
        script="llamafactory_load",
        alone="llamafactory==0.9.5",
        packages=(
            *(_TORCH, "datasets==4.0.0", "transformers==5.24.0"),
            *("peft==0.21.2", "accelerate==1.15.0", "trl==0.29.1"),
        ),
    ),
    Consumer(
        name="ms-swift",
        script="ms_swift_load",
        alone="ms-swift==4.6.0",
        packages=(
            *(_TORCH, "datasets==4.8.4", "transformers==5.3.0", "modelscope==1.40.2", "peft==0.21.2"),
            *("accelerate==1.15.0", "pillow==13.0.0", "json-repair==0.64.6"),
        ),
    ),
    Consumer(
        name="axolotl",
        script="axolotl_strategy",
        alone="axolotl==0.19.0",
        packages=(
            *(_TORCH, "datasets==4.8.4", "transformers==5.24.0", "peft==0.21.2"),
            *("accelerate==1.15.0", "colorama==0.4.6", "addict==2.4.0"),
        ),
    ),
    Consumer(
        name="research",
        script="research_read",
        alone="parlai==1.7.2",
        packages=(_TORCH, "datasets==5.2.0", "iopath==0.1.10"),
    ),
)


def _environment(consumer: Consumer, folder: Path, links: str | None) -> Path:
    """The Python of the environment of a consumer, which is made if it is not there."""
    path = folder / consumer.name
    python = path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    listed = path / "installed.json"
    requirements = json.dumps([*consumer.packages, consumer.alone])
    if listed.is_file() and listed.read_text() == requirements:
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    # Without a folder of wheels, uv knows where builds for CPUs are.
    source = ["--find-links", links] if links else ["--torch-backend", "cpu"]
    commands = [
        [uv, "venv", "--quiet", "--clear", "--python", f"{sys.version_info[0]}.{sys.version_info[1]}", str(path)],
        [*install, *source, *consumer.packages],
        *([[*install, "--no-deps", consumer.alone]] if consumer.alone else []),
    ]
    for command in commands:
        subprocess.run(command, check=True)
    listed.write_text(requirements)
    return python


def _trials(consumer: Consumer, python: Path, export: Path, rows: int) -> Iterator[dict[str, Any]]:
    """What the script of a consumer has tried."""
    command = [str(python), "-m", f"tests.consumers.scripts.{consumer.script}", str(export.resolve()), str(rows)]
    run = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, encoding="utf-8")
    lines = [line.removeprefix("TRIAL ") for line in run.stdout.splitlines() if line.startswith("TRIAL ")]
    yield from map(json.loads, lines)
    if run.returncode or not lines:
        end = "\n".join(run.stderr.splitlines()[-3:])
        yield {"what": "the script", "rows_in": 1, "rows_kept": 0, "warnings": [], "fault": end}


def _is_good(trial: dict[str, Any]) -> bool:
    return trial["rows_in"] == trial["rows_kept"] and not trial["warnings"] and not trial["fault"]


def _invented(folder: Path) -> Iterator[tuple[str, Path]]:
    """Exports of invented dialogues, by what they are."""
    kinds = {
        "dialogues": DialogueOptions(),
        "pairs, system message": DialogueOptions(turns="pairs", system="你是一个助手。"),
        "pairs": DialogueOptions(turns="pairs"),
    }
    for number, (kind, options) in enumerate(kinds.items()):
        path = folder / str(number)
        path.mkdir()
        sources = {"ptt": invented("ptt", 300), "tieba": invented("tieba", 200)}
        write_export(path, sources, formats=list(FORMATS), options=options, shard_rows=100)
        yield kind, path
    path = folder / "mixed"
    mixed = {
        "formats": list(FORMATS),
        "split": {"test": 0.1, "validation": 0.1},
        "mix": {"shares": "temperature=0.5", "subsets": ["20", "60", "all"]},
    }
    chat_corpus.export(path, raw=corpora(folder / "raw", size=100), settings={"export": mixed})
    yield "mix, subsets", path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.consumers", description=__doc__)
    parser.add_argument("--export", type=Path, metavar="DIR", help="an export to load, instead of invented ones")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "chat-corpus-consumers")
    parser.add_argument("--find-links", metavar="DIR", help="a folder with the wheel of torch for CPUs")
    parser.add_argument("--only", choices=[one.name for one in CONSUMERS], action="append")
    parser.add_argument("--steps", type=int, default=1000, metavar="N", help="rows of a file for slow steps; 0: all")
    given = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        exports = [(str(given.export), given.export)] if given.export else list(_invented(Path(scratch)))
        print("| trainer | export | trials | rows in | rows kept | warnings | result |\n|" + " --- |" * 7)
        for consumer in CONSUMERS:
            if given.only and consumer.name not in given.only:
                continue
            python = _environment(consumer, given.environments.resolve(), given.find_links)
            for kind, export in exports:
                trials = list(_trials(consumer, python, export, given.steps))
                bad = [trial for trial in trials if not _is_good(trial)]
                failed |= bool(bad)
                print(_row(consumer, kind, trials, bad), flush=True)
    return int(failed)


def _row(consumer: Consumer, kind: str, trials: list[dict[str, Any]], bad: list[dict[str, Any]]) -> str:
    """A line of the table, with the first three trials that failed."""
    title = consumer.alone or next(one for one in consumer.packages if one.startswith(consumer.name))
    figures = (len(trials), *(sum(trial[name] or 0 for trial in trials) for name in ("rows_in", "rows_kept")))
    warnings = sum(len(trial["warnings"]) for trial in trials)
    faults = "".join(
        f"\n    {one['what']}: {one['rows_kept']} rows, {one['warnings'] or one['fault']}" for one in bad[:3]
    )
    cells = (title, kind, *map(str, figures), str(warnings), f"{len(bad)} failed" if bad else "ok")
    return f"| {' | '.join(cells)} |{faults}"


if __name__ == "__main__":
    sys.exit(main())
