"""Values with intervals: a paired bootstrap over held-out rows and seeds.

A resample draws held-out queries with replacement, with all rows of a query together (answers to one post are not
independent), and seeds with replacement. All inputs and metrics share the same resamples, so a difference of two inputs
is that of the same rows. Intervals are the 2.5 and 97.5 percentiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RESAMPLES = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A value and the limits of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Resamples:
    """The weights of held-out rows (resamples x rows) and of seeds (resamples x seeds)."""

    rows: Floats
    seeds: Floats


def resample(held_out: pl.DataFrame, seeds: int, seed: int = 0) -> Resamples:
    """Draw the weights; rows of the same source and query are drawn together."""
    random = np.random.default_rng([seed, 1])
    _, group = np.unique((held_out["source"] + "\x1f" + held_out["query"]).to_numpy(), return_inverse=True)
    groups = int(group.max()) + 1
    of_groups = random.multinomial(groups, np.full(groups, 1 / groups), size=RESAMPLES)
    of_seeds = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
    return Resamples(rows=of_groups[:, group].astype(np.float64), seeds=of_seeds / seeds)


def ratios(amounts: Floats, sizes: Floats, selected: NDArray[np.bool_], resamples: Resamples) -> Floats:
    """The sum of amounts (seeds x rows) by that of sizes (rows) among the selected rows.

    The first number is the value itself, the others are those of the resamples.
    """
    weights = resamples.rows[:, selected]
    by_seed = weights @ amounts[:, selected].T
    of_seeds = resamples.seeds if len(amounts) > 1 else np.ones((len(weights), 1))
    totals = weights @ sizes[selected]
    totals[totals == 0] = np.nan  # a source with few rows is absent from some resamples
    drawn = (by_seed * of_seeds).sum(axis=1) / totals
    value = amounts[:, selected].mean(axis=0).sum() / sizes[selected].sum()
    return np.concatenate([[value], drawn])


def interval(values: Floats) -> Interval:
    """The first value with the percentiles of the others."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return Interval(value=float(values[0]), low=float(low), high=float(high))
