"""Texts whose code points a stage has made, for whoever looks at every character of a shard once more.

To decode the texts of a shard costs about as much as to count their characters. The statistics of a shard look here
first, and decode only the texts that changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from chat_corpus.pipeline.code_points import Codes, Positions

#: The code points of some texts, with a separator after each text, and where these separators are.
Piece = tuple["Codes", "Positions"]
#: A function that a stage calls with texts without null, and their pieces in order.
Keep = Callable[[pl.Series, Sequence[Piece]], None]


@dataclass(frozen=True, slots=True)
class DecodedTexts:
    """Texts of a shard.

    rows    the row number of each text among the turns of the shard, ascending: u32
    texts   the texts, without null
    pieces  the code points of all of them
    """

    rows: pl.Series
    texts: pl.Series
    pieces: Sequence[Piece]


class Decoded:
    """All decoded texts of a shard, in the order in which stages had them."""

    def __init__(self) -> None:
        self.looks: list[DecodedTexts] = []

    def keep(self, rows: pl.Series) -> Keep:
        """Return a function that keeps the texts of these rows."""
        return partial(self._keep, rows)

    def _keep(self, rows: pl.Series, texts: pl.Series, pieces: Sequence[Piece]) -> None:
        self.looks.append(DecodedTexts(rows, texts, pieces))
