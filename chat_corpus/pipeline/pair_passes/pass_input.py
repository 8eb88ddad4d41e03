"""The input of a pass over all pairs of a source, and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.settings import SourceSettings

if TYPE_CHECKING:  # a run that drops only exact duplicates does not need NumPy
    import numpy as np
    from numpy.typing import NDArray

#: Files with facts about the pairs of one shard, by the names of `facts.FACTS`.
PairFacts = Mapping[str, Path]

#: The pairs that a pass drops.
#:
#: row    number of the pair, counted over all shards from 0
#: first  the earlier pair that it repeats, or null
#: value  the similarity or score of the pair, if the pass has one
DROPPED = pl.Schema({"row": pl.UInt32(), "first": pl.UInt32(), "value": pl.Float32()})


@dataclass(frozen=True, kw_only=True)
class PassInput:
    """All pairs of a source.

    parts    the facts of each shard, in order
    starts   the number of the first pair of each shard, and then the number of all pairs
    work     a folder for temporary files
    dropped  the pairs that earlier passes dropped: frames with `row`
    """

    parts: Sequence[PairFacts]
    starts: Sequence[int]
    settings: SourceSettings
    work: Path
    dropped: Sequence[pl.DataFrame] = ()

    @cached_property
    def remaining(self) -> NDArray[np.bool_]:
        """A mask of the pairs that earlier passes did not drop."""
        import numpy as np

        mask = np.ones(self.starts[-1], bool)
        for frame in self.dropped:
            mask[frame["row"].to_numpy()] = False
        return mask

    def paths(self, fact: str) -> list[Path]:
        """Return the files with one fact, in the order of the shards."""
        return [part[fact] for part in self.parts]

    def frames(self, fact: str) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield, for each shard, the number of its first pair, and a frame with one fact."""
        for start, path in zip(self.starts, self.paths(fact), strict=False):
            yield start, exact.read(path)

    def repeats(self, fact: str, most: int = 1) -> pl.DataFrame:
        """Return `exact.find_repeats`: the remaining pairs with a key that at least `most` earlier ones have.

        The keys are those of one fact.
        """
        remaining = self.remaining if self.dropped else None
        return exact.find_repeats(self.paths(fact), starts=self.starts, remaining=remaining, most=most)


def as_dropped(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with the columns of `DROPPED`; null for `first` or `value` if `rows` lacks them."""
    missing = [pl.lit(None, DROPPED[name]).alias(name) for name in DROPPED if name not in rows.columns]
    return rows.with_columns(*missing).select(pl.col(name).cast(dtype) for name, dtype in DROPPED.items())
