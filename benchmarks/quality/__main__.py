"""python -m benchmarks.quality A B --held-out FILE: which data give better models; --help lists the options."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.quality import measures
from benchmarks.quality.figures import ALL, Figure, figures, is_bits, worse
from benchmarks.quality.held_out import HeldOut, cut, find_twins, read_held_out, refuse_twins, without_twins
from benchmarks.quality.intervals import resample
from benchmarks.quality.page import page, title
from benchmarks.quality.pairs import characters, draw, is_mixed, read_pairs
from benchmarks.quality.tokens import Vocabulary, vocabulary
from chat_corpus.cli.terminal import format_table

#: Characters of an input that are read into memory at most; of larger ones as many are drawn at random.
LIMIT = 20_000_000
#: Settings of --quick and without it: characters of the budget at most, held-out rows, steps of the Transformer.
QUICK, FULL = (1_000_000, 1_000, 100), (5_000_000, 5_000, 2_000)
#: Exit code of a gate that fails, as that of `chat-corpus`.
GATE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """An input: its name and path, pairs of at most `LIMIT` characters, and its rows and characters in all."""

    name: str
    path: Path
    pairs: pl.DataFrame
    rows: int
    characters: int


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("--held-out", required=True, type=click.Path(exists=True, path_type=Path), help="Pairs to evaluate on.")
@click.option("--quick", is_flag=True, help="Smaller budgets: minutes on two cores.")
@click.option("--characters", "budget", type=click.IntRange(1), help="Characters of training data for each model.")
@click.option("--rows", type=click.IntRange(1), help="Held-out rows at most, as many of each source.")
@click.option("--steps", type=click.IntRange(1), help="Steps of the Transformer; ten times as many of the encoder.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Models of each kind and input.")
@click.option("--measure", "chosen", multiple=True, type=click.Choice([*measures.PLAIN, *measures.NEURAL]),
              help="Only this measure; may be given again (default: all).")  # fmt: skip
@click.option("--neural/--no-neural", default=None, help="With or without PyTorch (default: if it is installed).")
@click.option("--drop-twins", is_flag=True, help="Leave out held-out rows that resemble a row of an input.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes (default: all cores).")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Also write the figures to this file.")
@click.option("--page", "page_file", type=click.Path(path_type=Path), help="Also write a page (HTML) to this file.")
@click.option("--gate", type=float, metavar="THRESHOLD", help="Exit with 4 if an input is worse than the first one.")
def main(
    inputs: tuple[str, ...], held_out: Path, json_file: Path | None, page_file: Path | None, gate: float | None,
    **how: Any,
) -> None:  # fmt: skip
    """Train the same small models on each INPUT and compare them on pairs that none of them has seen.

    INPUT is the output folder of a run, an export (its train split), or TSV files of a different tool; NAME=PATH names
    it. Training data are drawn at random from an input; a mixed export is read from its beginning, which has the
    shares of the mix. The held-out set is a file or folder of the same kinds (of an export, its test split). Its rows
    that resemble a row of an input are refused. Differences are to the first INPUT.
    """
    for file in (json_file, page_file):
        if file and not file.parent.is_dir():
            raise click.UsageError(f"{file}: the folder {file.parent} does not exist")
    neural = _neural(True if set(how["chosen"]) & set(measures.NEURAL) else how["neural"])
    paths = _paths(inputs)
    checked = _checked(read_held_out(held_out), list(paths.values()), drop=how["drop_twins"])
    most, rows, steps = QUICK if how["quick"] else FULL
    pairs = cut(checked.pairs, how["rows"] or rows)
    read = [_read(name, path) for name, path in paths.items()]
    budget = min(how["budget"] or most, *(entry.characters for entry in read))
    names = [*measures.PLAIN, *(measures.NEURAL if neural else ())]
    names = [name for name in names if name in (how["chosen"] or names)]
    settings = {"characters": budget, "steps": how["steps"] or steps, "seeds": how["seeds"], "measures": names}
    tasks = _tasks(read, pairs, settings, vocabulary([entry.pairs for entry in read]) if neural else None)
    results = measures.run(tasks, how["workers"], lambda line: click.echo(line, err=True))
    rows_of_figures = figures(
        _by_figure(tasks, results), [entry.name for entry in read], pairs, resample(pairs, how["seeds"])
    )
    document = _document(read, pairs, checked, settings, rows_of_figures)
    click.echo(_table(rows_of_figures))
    if json_file:
        json_file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if page_file:
        page_file.write_text(page(document, rows_of_figures), encoding="utf-8")
    if gate is not None and (failing := worse(rows_of_figures, gate)):
        for row in failing:
            click.echo(f"{row.input}: worse than {read[0].name} by more than {gate}: {title(row.figure)}", err=True)
        raise SystemExit(GATE)


def _neural(choice: bool | None) -> bool:
    """Whether the models of PyTorch take part. Raises click.UsageError if --neural is set and PyTorch is absent."""
    is_there = importlib.util.find_spec("torch") is not None
    if choice and not is_there:
        raise click.UsageError("--neural needs PyTorch: python -m pip install -e '.[train]'")
    if choice is None and not is_there:
        click.echo("PyTorch is not installed: no Transformer and no dual encoder (extra `train`)", err=True)
    return is_there if choice is None else choice


def _paths(inputs: Sequence[str]) -> dict[str, Path]:
    """The paths of the inputs by their names: NAME=PATH, or the path itself. Raises click.UsageError."""
    paths: dict[str, Path] = {}
    for text in inputs:
        name, _, path = text.partition("=") if "=" in text and not Path(text).exists() else (text, "", text)
        if name in paths:
            raise click.UsageError(f"{name} is given twice")
        if not Path(path).exists():
            raise click.UsageError(f"{path}: no such file or folder")
        paths[name] = Path(path)
    return paths


def _checked(pairs: pl.DataFrame, paths: Sequence[Path], *, drop: bool) -> HeldOut:
    """The held-out pairs without twins. Raises click.ClickException for twins that are not to be dropped."""
    if not drop:
        twins = pl.concat([find_twins(pairs, path) for path in paths])
        refuse_twins(twins)
        return HeldOut(pairs=pairs, dropped=twins)
    checked = without_twins(pairs, paths)
    rows = checked.dropped["held_out"].n_unique()
    click.echo(f"{rows} of {len(pairs)} held-out rows resemble a row of an input and are left out", err=True)
    return checked


def _read(name: str, path: Path) -> Input:
    pairs, rows, total = draw(read_pairs(path, "train"), LIMIT, None if is_mixed(path) else 0)
    if pairs.is_empty():
        raise click.UsageError(f"{path}: no pairs to train on")
    if total > LIMIT:
        click.echo(f"{name}: {LIMIT:,} of {total:,} characters are used", err=True)
    return Input(name=name, path=path, pairs=pairs, rows=rows, characters=total)


def _tasks(
    read: Sequence[Input], held_out: pl.DataFrame, settings: dict[str, Any], shared: Vocabulary | None
) -> list[measures.Task]:
    return [
        measures.Task(
            measure=name, input=entry.name, seed=seed, pairs=entry.pairs, is_mixed=is_mixed(entry.path),
            held_out=held_out, characters=settings["characters"], steps=settings["steps"],
            vocabulary=shared or Vocabulary(characters=()),
        )
        for name in settings["measures"]
        for entry in read
        # All pairs are the same for any seed.
        for seed in range(1 if name == "ngram_all" else settings["seeds"])
    ]  # fmt: skip


def _by_figure(
    tasks: Sequence[measures.Task], results: Sequence[measures.Amounts]
) -> dict[str, dict[str, np.ndarray[Any, np.dtype[np.float64]]]]:
    """The amounts of each figure and input: seeds x held-out rows."""
    lists: dict[str, dict[str, list[Any]]] = {}
    for task, amounts in zip(tasks, results, strict=True):
        for figure, values in amounts.items():
            lists.setdefault(figure, {}).setdefault(task.input, []).append(values)
    return {figure: {name: np.stack(values) for name, values in by_input.items()} for figure, by_input in lists.items()}


def _document(
    read: Sequence[Input], held_out: pl.DataFrame, checked: HeldOut, settings: dict[str, Any], rows: Sequence[Figure]
) -> dict[str, Any]:
    """What --json writes."""
    counts = held_out["source"].value_counts().sort("source")
    return {
        "settings": settings,
        "inputs": {
            entry.name: {"path": str(entry.path), "rows": entry.rows, "characters": entry.characters} for entry in read
        },
        "held_out": {
            "rows": len(held_out),
            "characters": int(characters(held_out).sum()),
            "sources": dict(counts.iter_rows()),
            "twins": checked.dropped.to_dicts(),
        },
        "figures": [row.as_json() for row in rows],
    }


def _table(rows: Sequence[Figure]) -> str:
    """The figures of all sources, and the bits per character of each."""
    shown = [row for row in rows if row.source == ALL or is_bits(row.figure)]
    titles = {"figure": "figure", "source": "source", "input": "input", "value": "value", "interval": "95 %",
              "difference": "difference", "limits": "95 %"}  # fmt: skip
    lines = []
    for row in shown:
        difference = row.difference
        lines.append(
            {
                "figure": row.figure, "source": row.source, "input": row.input, "value": f"{row.value.value:.3f}",
                "interval": f"{row.value.low:.3f} to {row.value.high:.3f}",
                "difference": f"{difference.value:+.3f}" if difference else "-",
                "limits": f"{difference.low:+.3f} to {difference.high:+.3f}" if difference else "-",
            }
        )  # fmt: skip
    return format_table(lines, titles)


if __name__ == "__main__":
    main()
