"""Counts turns with NumPy as the scan before the text steps looks at them: most turns stay as they were read.

The scan has the code points of all turns anyway. What was counted is corrected for the turns that changed, and for
those that were rejected.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints, pieces
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import tally_of_names
from chat_corpus.statistics.text_arrays import CharacterCounter, Piece, Places

_NONE = np.zeros(0, np.int64)


class SeenTurns:
    """Turns that were looked at, and what they hold; an observer of `CharacterScan.find`."""

    def __init__(self) -> None:
        self._characters = CharacterCounter()
        self._texts: list[pl.Series] = []
        self._marked: tuple[list[Places], ...] = ([], [], [])
        self.rows = 0

    @classmethod
    def of(cls, texts: pl.Series) -> SeenTurns:
        """Look at the texts of a column without null."""
        seen = cls()
        for piece in pieces(texts):
            if len(piece):
                seen(piece, CodePoints(piece))
        return seen

    def __call__(self, texts: pl.Series, points: CodePoints) -> None:
        """Look at some more turns."""
        piece = Piece.of_points(points)
        counts = self._characters.add(points.codes)
        self._texts.append(texts.rename("text"))
        for marked, rows in zip(self._marked, piece.rows_with_marks(counts), strict=True):
            marked.append(rows + self.rows)
        self.rows += len(texts)

    @property
    def characters(self) -> CharacterCounter:
        """The characters of the turns."""
        counter = CharacterCounter()
        counter.add_counts(self._characters.counts)
        if self.rows:
            counter.counts[ord(SEPARATOR)] -= self.rows
        return counter

    @property
    def texts(self) -> pl.Series:
        """The turns."""
        return pl.concat([pl.Series("text", [], dtype=pl.String), *self._texts])

    def tally(self) -> pl.DataFrame:
        """Return the tally of characters and marks of the turns."""
        return pl.concat([self.characters.tally(), tally_of_names(self._marks(self.texts))])

    def tally_of(self, turns: pl.Series) -> pl.DataFrame:
        """Return the tally of what the turns became; null is a turn that was rejected."""
        before = self.texts
        changed = before.ne_missing(turns)
        if not changed.any():
            return self.tally()
        now = SeenTurns.of(turns.filter(changed).drop_nulls())
        characters = self.characters
        characters.add_counts(now.characters.counts)
        taken_back = before.filter(changed)
        characters.add_counts(-np.bincount(CodePoints(taken_back).codes))
        characters.counts[ord(SEPARATOR)] += len(taken_back)
        marks = self._marks(before.set(changed, None)) + now._marks(now.texts)
        return pl.concat([characters.tally(), tally_of_names(marks)])

    def _marks(self, texts: pl.Series) -> Counter[str]:
        """Count the marks in texts, one for each turn; null where the turn does not count."""
        some = [texts.gather(np.concatenate([_NONE, *rows])).drop_nulls() for rows in self._marked]
        # Few of the texts that may hold personal data do, and one cheap look at all of them finds these.
        some[0] = some[0].filter(personal.candidates(some[0]))
        return count_marks(*(texts.to_list() for texts in some))
