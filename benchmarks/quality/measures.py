"""The measures: what the models of an input give for the held-out rows. Each measure and seed is one task of a pool."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.quality import ngram, selection, tfidf
from benchmarks.quality.pairs import draw
from benchmarks.quality.tokens import Vocabulary

Floats = NDArray[np.float64]

#: Measures, by the models that need no PyTorch and by those that do.
PLAIN, NEURAL = ("ngram_all", "ngram", "tfidf"), ("transformer", "dual")


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A measure of an input with a seed.

    pairs       the training pairs, at most as many as the limit of memory allows
    is_mixed    whether the budget is the beginning of the pairs; if not, it is drawn at random
    characters  the budget
    """

    measure: str
    input: str
    seed: int
    pairs: pl.DataFrame
    is_mixed: bool
    held_out: pl.DataFrame
    characters: int
    steps: int
    vocabulary: Vocabulary


#: The amounts of held-out rows by the names of figures: bits, or the figures of a selection.
Amounts = dict[str, Floats]


def measure(task: Task) -> Amounts:
    """The amounts of each figure of a measure."""
    if task.measure == "ngram_all":
        return {"ngram_all": ngram.train(task.pairs).bits(task.held_out)}
    pairs, _, _ = draw(iter([task.pairs]), task.characters, None if task.is_mixed else task.seed)
    return _MEASURES[task.measure](task, pairs)


def _ngram(task: Task, pairs: pl.DataFrame) -> Amounts:
    return {"ngram": ngram.train(pairs).bits(task.held_out)}


def _tfidf(task: Task, pairs: pl.DataFrame) -> Amounts:
    model = tfidf.train(pairs)
    return _selections("tfidf", task, lambda candidates: model.scores(task.held_out, candidates))


def _transformer(task: Task, pairs: pl.DataFrame) -> Amounts:
    from benchmarks.quality import neural

    job = neural.Job(pairs=pairs, held_out=task.held_out, steps=task.steps, seed=task.seed)
    model = neural.train_transformer(job, task.vocabulary)
    return {"transformer": neural.bits(model, task.held_out, task.vocabulary)}


def _dual(task: Task, pairs: pl.DataFrame) -> Amounts:
    from benchmarks.quality import neural

    # Its steps are cheap, about a tenth of those of the Transformer.
    job = neural.Job(pairs=pairs, held_out=task.held_out, steps=10 * task.steps, seed=task.seed)
    model = neural.train_dual_encoder(job)
    return _selections("dual", task, lambda candidates: neural.scores(model, task.held_out, candidates))


_MEASURES: Mapping[str, Callable[[Task, pl.DataFrame], Amounts]] = {
    "ngram": _ngram, "tfidf": _tfidf, "transformer": _transformer, "dual": _dual,
}  # fmt: skip


def _selections(name: str, task: Task, scores: Callable[[NDArray[np.int64]], Floats]) -> Amounts:
    amounts = {}
    for size in selection_sizes(task.held_out):
        candidates = selection.candidates(task.held_out, size, task.seed)
        for figure, values in selection.figures(scores(candidates)).items():
            amounts[f"{name} {figure} of {size}"] = values
    return amounts


def selection_sizes(held_out: pl.DataFrame) -> list[int]:
    """The numbers of candidates that the held-out set has enough different answers for."""
    return [size for size in selection.SIZES if held_out["answer"].n_unique() > size]


def run(tasks: list[Task], workers: int, report: Callable[[str], None]) -> list[Amounts]:
    """The amounts of all tasks, in their order. A task has one thread, so the number of workers changes no figure."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ[variable] = "1"
    # The longest tasks first.
    order = sorted(range(len(tasks)), key=lambda at: -(PLAIN + NEURAL[::-1]).index(tasks[at].measure))
    done: dict[int, Amounts] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = {at: pool.submit(measure, tasks[at]) for at in order}
        for at, future in futures.items():
            done[at] = future.result()
            report(f"{tasks[at].measure} of {tasks[at].input}, seed {tasks[at].seed}: done")
    return [done[at] for at in range(len(tasks))]
