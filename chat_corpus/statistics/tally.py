"""Counters of the statistics as a frame, `TALLY`. The tally of a source is the sum of those of its shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from chat_corpus.pipeline.character_scan import numpy_pays

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Columns of a tally. To add tallies, counts of rows with the same name and value are added.
#:
#: name   name of the counter: query_chars, answer_chars, dialogue_turns, characters, `filter.<name of a filter>`, or
#:        one of `marks.count_marks`
#: value  length of a query or an answer, number of turns of a dialogue, or code point of a character; 0 for others
#: count  number of occurrences of the value
TALLY = pl.Schema({"name": pl.String(), "value": pl.UInt32(), "count": pl.Int64()})
QUERY_CHARS, ANSWER_CHARS, DIALOGUE_TURNS, CHARACTERS = "query_chars", "answer_chars", "dialogue_turns", "characters"
FILTER = "filter."
#: Number of tallies that are added at a time; a tally takes about 100 kB.
_AT_ONCE = 64


def tally_of_names(counts: Mapping[str, int]) -> pl.DataFrame:
    """Return a tally of counters without values."""
    if not counts:
        return TALLY.to_frame()
    return pl.DataFrame(
        {"name": list(counts), "value": [0] * len(counts), "count": list(counts.values())}, schema=TALLY
    )


def tally_of_characters(characters: Mapping[int, int], marks: Mapping[str, int]) -> pl.DataFrame:
    """Return a tally of characters by code point, and of marks."""
    names = [CHARACTERS] * len(characters)
    counts = {"name": names, "value": list(characters), "count": list(characters.values())}
    return pl.concat([pl.DataFrame(counts, schema=TALLY), tally_of_names(marks)])


def tally_of_values(name: str, values: pl.Series) -> pl.DataFrame:
    """Return a tally of the values of a column of UInt32 without null. No value may be much above a million."""
    if numpy_pays(4 * len(values)):
        import numpy as np  # the import is slow

        return tally_of_counts(name, np.bincount(values.to_numpy()))
    counts = Counter(values.to_list())
    return _tally(name, pl.Series(counts.keys(), dtype=pl.UInt32), pl.Series(counts.values(), dtype=pl.Int64))


def tally_of_counts(name: str, counts: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Return a tally of values; `counts[value]` is the number of occurrences."""
    (values,) = counts.nonzero()
    return _tally(name, pl.Series(values.astype("u4")), pl.Series(counts[values]))


def _tally(name: str, values: pl.Series, counts: pl.Series) -> pl.DataFrame:
    names = pl.Series("name", [name]).new_from_index(0, len(values))
    return pl.DataFrame([names, values.alias("value"), counts.alias("count")])


def times(tally: pl.DataFrame, factor: int) -> pl.DataFrame:
    """Return a tally with counts multiplied by `factor`, which is -1 to subtract the tally from others."""
    return tally if factor == 1 else tally.with_columns(pl.col("count") * factor)


def add(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of tallies: one row for each name and value, without counts of 0."""
    whole = pl.concat([TALLY.to_frame(), *tallies])
    return whole.group_by("name", "value").agg(pl.col("count").sum()).filter(pl.col("count") != 0)


class Sum:
    """A sum of tallies that are added one by one, in bounded memory."""

    def __init__(self) -> None:
        self._added: list[pl.DataFrame] = []

    def add(self, tally: pl.DataFrame) -> None:
        """Add a tally."""
        self._added.append(tally)
        if len(self._added) > _AT_ONCE:
            self._added = [add(self._added)]

    @property
    def total(self) -> pl.DataFrame:
        """The sum so far."""
        return add(self._added)
