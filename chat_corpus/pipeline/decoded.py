"""What stages find out about the characters of texts, for the statistics of a shard.

To decode the texts of a shard takes longer than to count their characters. So a stage that has decoded texts counts
their characters while these are in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from chat_corpus.pipeline.counted_texts import CharacterCounter, CountedTexts

#: Characters (the inside of a class): every mark that the statistics count, and every line break in two characters,
#: holds one of them.
MARKS = r"0-9@＠vVwW:<\[\\\r信"
#: A function that a stage calls with the counter of the texts that it has decoded.
Keep = Callable[["CharacterCounter"], None]


class Decoded:
    """What stages found out about the texts of a shard.

    texts   the characters of all texts as the stages leave these; None if no stage has decoded any, as of little text
    marked  mask of the texts that hold one of `MARKS`; None if it is not known
    """

    def __init__(self) -> None:
        self.texts: CountedTexts | None = None
        self.marked: pl.Series | None = None
        self._added: list[tuple[pl.Series, CharacterCounter]] = []

    def keep(self, rows: pl.Series) -> Keep:
        """Return a function that keeps what a stage has counted of the texts of these rows: their numbers, ascending.

        Before `complete`, these are characters of the texts; after it, what a change has added to them.
        """
        return partial(self._keep, rows)

    def _keep(self, rows: pl.Series, counter: CharacterCounter) -> None:
        self._added.append((rows, counter))

    def complete(self, texts: pl.Series) -> None:
        """Count those of all texts of the shard that no stage has counted yet."""
        if self._added:
            from chat_corpus.pipeline.counted_texts import CountedTexts  # NumPy takes a while to import

            self.texts = CountedTexts(texts, self._taken())

    def change(self, where: pl.Series, before: pl.Series, after: pl.Series) -> None:
        """Count what a stage has changed in the texts of a mask, where it has not counted that itself."""
        added = self._taken()
        if self.texts is not None:
            self.texts.change(where, before, after, added)

    def _taken(self) -> list[tuple[pl.Series, CharacterCounter]]:
        added, self._added = self._added, []
        return added
