"""The held-out pairs: read, checked for pairs that a model has seen, and cut to a number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import polars as pl

from benchmarks.quality.pairs import PAIRS, order_keys, read_pairs
from chat_corpus.exports.near_twins import PAIR_SEPARATOR
from chat_corpus.exports.splitting import canonical
from chat_corpus.exports.twin_index import build_index
from chat_corpus.exports.twin_search import find

#: Columns of twins: a row of an input, the held-out row that it resembles, and their similarity.
TWINS = pl.Schema({"input": pl.String(), "held_out": pl.String(), "similarity": pl.Float64()})


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """The held-out pairs that are used (`pairs.PAIRS`), and the twins that were dropped from them (`TWINS`)."""

    pairs: pl.DataFrame
    dropped: pl.DataFrame


def read_held_out(path: Path) -> pl.DataFrame:
    """The pairs of a held-out set, each once. Raises click.UsageError."""
    pairs = pl.concat([PAIRS.to_frame(), *read_pairs(path, "test")])
    pairs = pairs.filter(pl.col("query").str.strip_chars() != "", pl.col("answer").str.strip_chars() != "")
    if pairs.is_empty():
        raise click.UsageError(f"{path}: no pairs of texts to hold out")
    return pairs.unique(["query", "answer"], keep="first", maintain_order=True)


def compared(pairs: pl.DataFrame) -> pl.Series:
    """The texts of pairs as near twins are compared (`exports.near_twins`)."""
    return canonical(pairs["query"]) + PAIR_SEPARATOR + canonical(pairs["answer"])


def without_twins(pairs: pl.DataFrame, inputs: Iterable[Path]) -> HeldOut:
    """Drop the held-out pairs that resemble a pair of an input: Jaccard similarity of bigrams of at least 0.8."""
    dropped = TWINS.to_frame()
    for path in inputs:
        while True:
            twins = find_twins(pairs, path)
            if twins.is_empty():
                break
            # A row of the input names the held-out row that is most like it; the next pass finds the others.
            dropped = pl.concat([dropped, twins])
            pairs = pairs.filter(~pl.col("address").is_in(twins["held_out"].implode()))
            if pairs.is_empty():
                raise click.UsageError("every held-out pair resembles a pair of an input: nothing is left to evaluate")
    return HeldOut(pairs=pairs, dropped=dropped)


def find_twins(pairs: pl.DataFrame, path: Path) -> pl.DataFrame:
    """The rows of an input that resemble a held-out pair: `TWINS`."""
    index = build_index(pairs.select(id=pl.col("address"), text=compared(pairs)))
    frames = [TWINS.to_frame()]
    for batch in read_pairs(path, "train"):
        twins = find(index, compared(batch))
        frames.append(
            twins.select(input=batch["address"][twins["row"]], held_out=pl.col("id"), similarity=pl.col("similarity"))
        )
    return pl.concat(frames)


def refuse_twins(twins: pl.DataFrame, shown: int = 20) -> None:
    """Raise click.ClickException if an input holds twins of held-out pairs."""
    if twins.is_empty():
        return
    rows = [
        f"  {row['input']} resembles {row['held_out']} ({row['similarity']:.2f})"
        for row in twins.head(shown).iter_rows(named=True)
    ]
    more = len(twins) - len(rows)
    raise click.ClickException(
        f"{len(twins)} rows of the inputs resemble {twins['held_out'].n_unique()} held-out rows, so a model would know "
        "them (Jaccard similarity of character bigrams at least 0.8):\n"
        + "\n".join(rows)
        + (f"\n  and {more} more" if more else "")
        + "\n--drop-twins leaves these held-out rows out, for all inputs"
    )


def cut(pairs: pl.DataFrame, rows: int) -> pl.DataFrame:
    """At most so many held-out pairs, as many of each source as there are: the same ones for the same texts."""
    ordered = pairs.with_columns(order_keys(pairs, 0)).sort("key", "address")
    ranked = ordered.with_columns(rank=pl.int_range(pl.len()).over("source"))
    return ranked.sort("rank", "source").head(rows).select(PAIRS.names()).sort("source", "address")
