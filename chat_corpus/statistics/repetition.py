"""How often texts repeat, from their distinct keys, bucket by bucket."""

from __future__ import annotations

from collections import Counter

import polars as pl

#: Texts that occur in more pairs than this are counted apart.
_VERY_FREQUENT = 1000
#: How many of the most frequent texts are shown.
_SHOWN = 30


class Repetition:
    """Counts of the texts of a source that are queries, or answers.

    distinct       different texts
    pairs_per_text how many texts are in so many pairs
    frequent       `row, count` of the most frequent texts that are in several pairs, with the first pair of each
    """

    def __init__(self) -> None:
        self.distinct = 0
        self.pairs_per_text: Counter[int] = Counter()
        self.frequent = pl.DataFrame(schema={"row": pl.UInt64, "count": pl.UInt64})

    def add(self, keys: pl.DataFrame) -> None:
        """Add distinct keys that were not added before, `row, count`."""
        self.distinct += len(keys)
        self.pairs_per_text.update(dict(keys["count"].rename("n").value_counts().iter_rows()))
        several = keys.filter(pl.col("count") > 1).select("row", "count")
        ordered = pl.concat([self.frequent, several]).sort("count", "row", descending=[True, False])
        self.frequent = ordered.head(_SHOWN)

    @property
    def very_frequent(self) -> tuple[int, int]:
        """How many texts are in more than 1,000 pairs, and in how many pairs they are."""
        counts = {number: texts for number, texts in self.pairs_per_text.items() if number > _VERY_FREQUENT}
        return sum(counts.values()), sum(number * texts for number, texts in counts.items())
