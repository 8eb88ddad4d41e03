"""The figures of a comparison: each measure by source and in all, with intervals and differences to the first input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.quality.intervals import Interval, Resamples, interval, ratios
from benchmarks.quality.pairs import characters

Floats = NDArray[np.float64]
#: All sources together.
ALL = "all"
#: Fewest queries for which a source has separate figures: with fewer, an interval says nothing.
LEAST_QUERIES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure of an input.

    figure       its name: ngram_all, ngram and transformer are bits per character; others are shares or ranks, 0 to 1
    source       the source of the held-out rows, or `all`
    value        with its interval
    seeds        its value for each seed
    difference   to the first input, with its interval; none for the first input
    """

    figure: str
    source: str
    input: str
    value: Interval
    seeds: tuple[float, ...]
    difference: Interval | None

    def as_json(self) -> dict[str, object]:
        """The figure as JSON, numbers rounded to six places."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_rounded(one) for one in value]
    return round(value, 6) if isinstance(value, float) else value


def is_bits(figure: str) -> bool:
    """Whether a figure is in bits per character, of which fewer are better."""
    return " of " not in figure


def figures(
    amounts: Mapping[str, Mapping[str, Floats]], inputs: Sequence[str], held_out: pl.DataFrame, resamples: Resamples
) -> list[Figure]:
    """All figures. `amounts` are those of each figure and input: seeds x held-out rows."""
    sources = held_out["source"].to_numpy()
    sizes = characters(held_out).to_numpy().astype(np.float64)
    selections = {ALL: np.ones(len(sources), bool)}
    queries = held_out.group_by("source").agg(pl.col("query").n_unique()).sort("source")
    if len(queries) > 1:
        selections |= {name: sources == name for name, count in queries.iter_rows() if count >= LEAST_QUERIES}
    rows = []
    for figure, by_input in amounts.items():
        units = sizes if is_bits(figure) else np.ones(len(sources))
        for source, selected in selections.items():
            drawn = {name: ratios(by_input[name], units, selected, resamples) for name in inputs}
            for name in inputs:
                by_seed = by_input[name][:, selected].sum(axis=1) / units[selected].sum()
                difference = None if name == inputs[0] else interval(drawn[name] - drawn[inputs[0]])
                rows.append(
                    Figure(
                        figure=figure, source=source, input=name, value=interval(drawn[name]),
                        seeds=tuple(map(float, by_seed)), difference=difference,
                    )
                )  # fmt: skip
    return rows


def worse(rows: Sequence[Figure], threshold: float) -> list[Figure]:
    """The figures of all sources that are worse than those of the first input by more than the threshold.

    The whole interval of the difference must be on the worse side: what chance explains is not worse.
    """
    failing = []
    for row in rows:
        if row.source != ALL or row.difference is None:
            continue
        sign = 1 if is_bits(row.figure) else -1
        nearest = min(sign * row.difference.low, sign * row.difference.high)
        if sign * row.difference.value > threshold and nearest > 0:
            failing.append(row)
    return failing
