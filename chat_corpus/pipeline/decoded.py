"""What stages find out about the characters of texts, for the statistics of a shard.

To decode the texts of a shard takes longer than to count their characters. So a stage that has decoded texts counts
their characters while these are in the processor's cache, and the statistics decode only the texts that changed since.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from chat_corpus.pipeline.code_points import CharacterCounter

#: Characters (the inside of a class): every mark that the statistics count, and every line break in two characters,
#: holds one of them.
MARKS = r"0-9@＠vVwW:<\[\\\r信"
#: A function that a stage calls with texts without null, and the counter of their characters.
Keep = Callable[[pl.Series, "CharacterCounter"], None]


@dataclass(frozen=True, slots=True)
class DecodedTexts:
    """Texts of a shard.

    rows     the row number of each text among the turns of the shard, ascending: u32
    texts    the texts, without null
    counter  the characters of most of them, and the length of each
    """

    rows: pl.Series
    texts: pl.Series
    counter: CharacterCounter


class Decoded:
    """What stages found out about the texts of a shard.

    looks   decoded texts, in the order in which stages had them
    marked  mask of the texts that hold one of `MARKS`; None if it is not known
    """

    def __init__(self) -> None:
        self.looks: list[DecodedTexts] = []
        self.marked: pl.Series | None = None

    def keep(self, rows: pl.Series) -> Keep:
        """Return a function that keeps the texts of these rows."""
        return partial(self._keep, rows)

    def _keep(self, rows: pl.Series, texts: pl.Series, counter: CharacterCounter) -> None:
        self.looks.append(DecodedTexts(rows, texts, counter))
