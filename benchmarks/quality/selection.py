"""Response selection: find the true answer among answers to other queries.

The candidates of a row are its answer and answers of other held-out rows, of the same source where it has enough, so
that the style of a source gives nothing away. Equal scores share their ranks: the figures are expected values.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Numbers of candidates.
SIZES = (10, 100)
#: Figures of a selection.
FIGURES = ("R@1", "R@5", "MRR")


def candidates(held_out: pl.DataFrame, size: int, seed: int) -> Integers:
    """Rows of the held-out set (rows x size) with the candidates; the first column is the row itself.

    No candidate but the first has the text of the true answer, and none occurs twice. Raises ValueError if there are
    fewer different answers than candidates.
    """
    random = np.random.default_rng([seed, 2])
    answers = np.unique(held_out["answer"].to_numpy(), return_inverse=True)[1]
    sources = held_out["source"].to_numpy()
    everything = np.arange(len(held_out))
    pools = {}
    for source in np.unique(sources):
        of_source = _distinct(everything[sources == source], answers)
        pools[source] = of_source if len(of_source) > size else _distinct(everything, answers)
        if len(pools[source]) < size:
            raise ValueError(f"{len(pools[source])} different answers, but {size} candidates")
    chosen = np.empty((len(held_out), size), np.int64)
    for row in everything:
        pool = pools[sources[row]]
        others = pool[random.permutation(len(pool))[:size]]
        others = others[answers[others] != answers[row]][: size - 1]
        chosen[row] = np.concatenate([[row], others])
    return chosen


def _distinct(rows: Integers, answers: Integers) -> Integers:
    """One row of each answer."""
    return np.sort(rows[np.unique(answers[rows], return_index=True)[1]])


def figures(scores: Floats) -> dict[str, Floats]:
    """R@1, R@5 and MRR of each row of scores (rows x candidates); the first column is the true answer's."""
    greater = (scores[:, 1:] > scores[:, :1]).sum(axis=1)
    equal = (scores[:, 1:] == scores[:, :1]).sum(axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, scores.shape[1] + 1))])
    return {
        "R@1": np.clip((1 - greater) / (equal + 1), 0, 1),
        "R@5": np.clip((5 - greater) / (equal + 1), 0, 1),
        "MRR": (harmonic[greater + equal + 1] - harmonic[greater]) / (equal + 1),
    }
