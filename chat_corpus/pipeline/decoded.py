"""Collect the character counts of a shard, for its statistics, from the stages that decode texts.

To decode the texts of a shard takes longer than to count their characters. So a stage that decodes texts also counts
their characters, while these are in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from chat_corpus.pipeline.counted_texts import CharacterCounter, CountedTexts

#: The inside of a character class. Every mark that the statistics count, and every line break that is written as two
#: characters, has one of these.
MARKS = r"0-9@＠vVwW:<\[\\\r信"
#: A function that a stage calls with the counter of the texts that it decoded.
Keep = Callable[["CharacterCounter"], None]


class Decoded:
    """Character counts of the texts of a shard.

    texts   counts for all texts after the stages; None if no stage decoded any, as for small shards
    marked  mask of the texts with one of `MARKS`; None if it is not known
    """

    def __init__(self) -> None:
        self.texts: CountedTexts | None = None
        self.marked: pl.Series | None = None
        self._added: list[tuple[pl.Series, CharacterCounter]] = []

    def keep(self, rows: pl.Series) -> Keep:
        """Return a function that stores the counter of a stage for these rows, given by number in ascending order.

        Before `complete`, the counter has the characters of the texts; after it, the gains and losses of a change.
        """
        return partial(self._keep, rows)

    def _keep(self, rows: pl.Series, counter: CharacterCounter) -> None:
        self._added.append((rows, counter))

    def complete(self, texts: pl.Series) -> None:
        """Count the texts of the shard that no stage has counted, if stages have counted any."""
        if self._added:
            from chat_corpus.pipeline.counted_texts import CountedTexts  # NumPy takes a while to import

            self.texts = CountedTexts(texts, self._taken())

    def change(self, where: pl.Series, before: pl.Series, after: pl.Series) -> None:
        """Count the changes of a stage in the texts of a mask that the stage did not count itself."""
        added = self._taken()
        if self.texts is not None:
            self.texts.change(where, before, after, added)

    def _taken(self) -> list[tuple[pl.Series, CharacterCounter]]:
        added, self._added = self._added, []
        return added
