"""Count repeated texts from their distinct keys, bucket by bucket."""

from __future__ import annotations

from collections import Counter

import polars as pl

#: Texts in more pairs than this are counted separately.
_VERY_FREQUENT = 1000
#: Number of the most frequent texts in the result.
_SHOWN = 30


class Repetition:
    """Counts of the queries, or of the answers, of a source.

    distinct       number of distinct texts
    pairs_per_text number of texts by the number of pairs that have the text
    frequent       `row, count` of the most frequent texts that are in several pairs; `row` is the first pair with it
    """

    def __init__(self) -> None:
        self.distinct = 0
        self.pairs_per_text: Counter[int] = Counter()
        self.frequent = pl.DataFrame(schema={"row": pl.UInt64, "count": pl.UInt64})

    def add(self, keys: pl.DataFrame) -> None:
        """Add distinct keys, `row, count`. A key must not be added twice."""
        self.distinct += len(keys)
        self.pairs_per_text.update(dict(keys["count"].rename("n").value_counts().iter_rows()))
        several = keys.filter(pl.col("count") > 1).select("row", "count")
        ordered = pl.concat([self.frequent, several]).sort("count", "row", descending=[True, False])
        self.frequent = ordered.head(_SHOWN)

    @property
    def very_frequent(self) -> tuple[int, int]:
        """The number of texts that are in more than 1,000 pairs, and the number of pairs that have such a text."""
        counts = {number: texts for number, texts in self.pairs_per_text.items() if number > _VERY_FREQUENT}
        return sum(counts.values()), sum(number * texts for number, texts in counts.items())
