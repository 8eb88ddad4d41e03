"""Does more data help? Train the same small model on nested subsets of an export, and draw the curve.

    chat-corpus export my_export --turns pairs --split test=0.02 --subset 2k,6k,20k,60k,all
    python -m examples.scale_study.scale_study my_export --out study

Run it in the root of the repository: it uses the models of benchmarks/quality. The evaluation is the test split of the
export, by source, or a file with kinds of tasks (`--evaluation`), by kind.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.quality import measures
from benchmarks.quality.figures import ALL, Figure, figures, is_bits
from benchmarks.quality.held_out import cut, read_held_out, without_twins
from benchmarks.quality.intervals import resample
from benchmarks.quality.pairs import PAIRS, characters, read_pairs
from benchmarks.quality.tokens import Vocabulary, vocabulary
from examples.scale_study.curve import curve

#: Keys of the rows of an evaluation file, as in the evaluation set of BELLE, or query, answer and kind.
QUERY, ANSWER, KIND = ("question", "instruction", "query"), ("std_answer", "output", "answer"), ("class", "kind")


@click.command()
@click.argument("export", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for study.json and *.svg."
)
@click.option("--measure", "names", multiple=True, type=click.Choice([*measures.PLAIN[1:], *measures.NEURAL]),
              default=["ngram"], show_default=True, help="What to train; may be given again.")  # fmt: skip
@click.option("--evaluation", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="JSON Lines with question, std_answer and class, instead of the test split.")  # fmt: skip
@click.option("--rows", type=click.IntRange(1), default=2_000, show_default=True, help="Evaluation rows at most.")
@click.option("--steps", type=click.IntRange(1), default=300, show_default=True, help="Steps, the same for all sizes.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Models of each size.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="Processes (default: all cores).")
def main(export: Path, out: Path, names: tuple[str, ...], evaluation: Path | None, **how: Any) -> None:
    """Train a small model on each subset of EXPORT, with several seeds, and evaluate them on the same rows.

    Seed 0 has the subset itself, the first so many records of train; the others have as many records from further on.
    """
    if set(names) & set(measures.NEURAL) and importlib.util.find_spec("torch") is None:
        raise click.UsageError('transformer and dual need PyTorch: python -m pip install -e ".[train]"')
    sizes = read_sizes(export)
    train = pl.concat([PAIRS.to_frame(), *read_pairs(export, "train")])
    held_out = read_held_out(export) if evaluation is None else read_evaluation(evaluation)
    checked = without_twins(held_out, [export])
    if dropped := checked.dropped["held_out"].n_unique():
        click.echo(f"{dropped} evaluation rows resemble a row of train and are left out", err=True)
    rows = cut(checked.pairs, how["rows"])
    shared = vocabulary([train]) if set(names) & set(measures.NEURAL) else Vocabulary(characters=())
    tasks = [
        measures.Task(
            measure=name, input=subset, seed=seed, pairs=_from(train, seed, how["seeds"], sizes[subset]),
            is_mixed=True, held_out=rows, characters=int(characters(train).sum()), steps=how["steps"],
            vocabulary=shared,
        )
        for name in names for subset in sizes for seed in range(how["seeds"])
    ]  # fmt: skip
    results = measures.run(tasks, how["workers"], lambda line: click.echo(line, err=True))
    amounts = _by_figure(tasks, results)
    study = figures(amounts, list(sizes), rows, resample(rows, how["seeds"]))
    out.mkdir(parents=True, exist_ok=True)
    document = {"sizes": sizes, "rows": len(rows), "seeds": how["seeds"], "figures": [row.as_json() for row in study]}
    (out / "study.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for figure in amounts:
        chosen = [row for row in study if row.figure == figure]
        (out / f"{figure.replace(' ', '_')}.svg").write_text(curve(chosen, sizes), encoding="utf-8")
    click.echo(table([row for row in study if row.source == ALL], sizes))


def read_sizes(export: Path) -> dict[str, int]:
    """The subsets of an export and all of train, smallest first: pairs by name. Raises click.UsageError."""
    manifest = export / "manifest.json"
    try:
        document = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {}
    except ValueError as error:
        raise click.UsageError(f"{manifest}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.UsageError(f"{manifest}: not the manifest of an export")
    subsets = (document.get("mix") or {}).get("subsets", [])
    if not subsets:
        raise click.UsageError(f"{export}: no subsets; export with --turns pairs --subset 2k,6k,20k,all")
    if document["turns"] != "pairs":
        raise click.UsageError(f"{export}: records are dialogues; sizes are comparable with --turns pairs")
    rows = sum(file["rows"] for file in document["files"] if file["format"] == "hf" and file["split"] == "train")
    return {subset["name"]: subset["rows"] for subset in subsets} | (
        {"train": rows} if rows > subsets[-1]["rows"] else {}
    )


def read_evaluation(file: Path) -> pl.DataFrame:
    """Rows of an evaluation file; the kind of a task has the place of a source. Raises click.UsageError."""
    rows = []
    for number, line in enumerate(_lines(file), 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise click.UsageError(f"{file}:{number}: not JSON: {error}") from error
        fields = record if isinstance(record, dict) else {}
        texts = [next((fields[key] for key in keys if fields.get(key)), None) for keys in (KIND, QUERY, ANSWER)]
        if None in texts:
            raise click.UsageError(f"{file}:{number}: expected a question, an answer and a class")
        rows.append((*(str(text).replace("\n", "\\n") for text in texts), f"{file}:{number}"))
    if not rows:
        raise click.UsageError(f"{file}: no rows to evaluate")
    return pl.DataFrame(rows, PAIRS, orient="row").unique(["query", "answer"], keep="first", maintain_order=True)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file}: not UTF-8: {error}") from error
    return text.split("\n") if text else []


def _from(train: pl.DataFrame, seed: int, seeds: int, size: int) -> pl.DataFrame:
    """`size` rows from the seed's place in the order of train; after the end it begins again."""
    start = len(train) * seed // seeds
    return pl.concat([train[start : start + size], train[: max(start + size - len(train), 0)]])


def _by_figure(tasks: Sequence[measures.Task], results: Sequence[measures.Amounts]) -> dict[str, dict[str, Any]]:
    lists: dict[str, dict[str, list[Any]]] = {}
    for task, amounts in zip(tasks, results, strict=True):
        for figure, values in amounts.items():
            lists.setdefault(figure, {}).setdefault(task.input, []).append(values)
    return {figure: {name: np.stack(rows) for name, rows in by_input.items()} for figure, by_input in lists.items()}


def table(rows: Sequence[Figure], sizes: dict[str, int]) -> str:
    """The figures of all rows as lines: size, value with its interval, and what each doubling of the data brings."""
    lines = []
    for figure in dict.fromkeys(row.figure for row in rows):
        lines.append(f"{figure} ({'bits per character' if is_bits(figure) else 'share'})")
        values = {row.input: row.value for row in rows if row.figure == figure}
        for name, size in sizes.items():
            value = values[name]
            lines.append(f"  {size:>9,} pairs  {value.value:.3f}  [{value.low:.3f}, {value.high:.3f}]")
        for (first, small), (second, large) in pairwise(sizes.items()):
            gain = (values[second].value - values[first].value) / math.log2(large / small)
            lines.append(f"  {small:,} to {large:,}: {gain:+.3f} a doubling")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
