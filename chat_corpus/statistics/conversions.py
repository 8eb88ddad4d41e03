"""Count conversions to simplified script: pairs of a character and its replacement."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from chat_corpus.pipeline.code_points import CodePoints, pieces
from chat_corpus.pipeline.filters.masking import placeholders
from chat_corpus.statistics.characters import CharacterClass, class_of
from chat_corpus.statistics.schema import Conversion, Conversions

#: Number of the most frequent conversions in the summary.
_SHOWN = 30


@dataclass(kw_only=True, slots=True)
class ConversionTally:
    """Counts of conversions in turns.

    turns      number of turns
    converted  number of turns with a converted Han character
    counts     number of conversions of Han characters; keys are strings of two characters, before and after
    """

    turns: int = 0
    converted: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, before: pl.Series, after: pl.Series) -> None:
        """Add turns before and after conversion; a turn without text is null.

        Conversion replaces single characters. Texts with masked personal data count as not converted. They have a
        different length afterwards, or more placeholders.
        """
        self.turns += len(before)
        different = (before != after).fill_null(value=False)
        if not different.any():
            return
        changed = pl.DataFrame({"before": before.filter(different), "after": after.filter(different)})
        first, second = pl.col("before"), pl.col("after")
        same_length = changed.filter(first.str.len_chars() == second.str.len_chars())
        changed = same_length.filter(placeholders(second) <= placeholders(first))
        for piece in pieces(changed["before"]):
            self._add_changed(piece, changed["after"][: len(piece)])
            changed = changed[len(piece) :]

    def _add_changed(self, before: pl.Series, after: pl.Series) -> None:
        first, second = CodePoints(before), CodePoints(after)
        places = np.flatnonzero(first.codes != second.codes)
        keys = (first.codes[places].astype(np.uint64) << np.uint64(32)) | second.codes[places]
        values, numbers = np.unique(keys, return_counts=True)
        found = {chr(key >> 32) + chr(key & 0xFFFFFFFF): count for key, count in zip(
            values.tolist(), numbers.tolist(), strict=True
        )}  # fmt: skip
        han = {key: count for key, count in found.items() if all(class_of(one) is CharacterClass.HAN for one in key)}
        self.counts.update(han)
        if len(han) != len(found):  # some conversions are not of Han characters
            places = places[np.isin(keys, [(ord(key[0]) << 32) | ord(key[1]) for key in han])]
        self.converted += len(np.unique(first.rows(places)))

    def merge(self, other: ConversionTally) -> None:
        """Add the counts of other turns."""
        self.turns += other.turns
        self.converted += other.converted
        self.counts.update(other.counts)

    def summary(self) -> Conversions:
        """Return the counts and the most frequent conversions. Equally frequent ones are sorted by code points."""
        total = self.counts.total()
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return Conversions(
            turns=self.turns,
            converted_turns=self.converted,
            characters=total,
            distinct=len(ordered),
            most_frequent=tuple(
                Conversion(before=key[0], after=key[1], count=count, share=round(count / total, 6))
                for key, count in ordered[:_SHOWN]
            ),
        )
