"""Leftmost longest replacement in all texts of a column at once, as tables over code points.

Characters are replaced by one table. Phrases are few, and begin at few places: those where the first two characters of
one follow each other, and the third of a longer one. From place to place, the longest phrase there is replaced, unless
the one before reaches over it. Texts in which lengths change are done one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.character_scan import SIZE
from chat_corpus.pipeline.code_points import CodePoints, Codes, Positions, codes_of, lookup, pieces
from chat_corpus.pipeline.counted_texts import CharacterCounter
from chat_corpus.pipeline.decoded import Keep

#: Slots of the tables that say where a phrase may begin; they are to fit into the processor's cache.
_SLOTS = 1 << 20
#: Any odd number of 32 bits, without a pattern.
_FACTOR = np.uint32(0x9E3779B1)


class PhraseTable:
    """A dictionary compiled to tables: the shift of each character, and how phrases begin."""

    def __init__(self, entries: Mapping[str, str], replace_one: Callable[[str], str]) -> None:
        """`entries` are keys and values; `replace_one` does the same in one text, of which the length may change."""
        self._replace_one = replace_one
        self._phrases = {key: value for key, value in entries.items() if len(key) > 1}
        self._reach = {key[0]: len(key) for key in sorted(self._phrases, key=len)}
        singles = {key: value for key, value in entries.items() if len(key) == 1}
        self._shift = np.zeros(SIZE, np.uint32)
        for key, value in singles.items():
            if len(value) == 1:
                self._shift[ord(key)] = (ord(value) - ord(key)) % (1 << 32)
        self._uneven = codes_of("".join(key for key, value in singles.items() if len(value) != 1))
        self._heads = _marked((key[:2] for key in self._phrases), 2)
        self._pairs = _marked((key for key in self._phrases if len(key) == 2), 2)
        self._triples = _marked((key[:3] for key in self._phrases if len(key) > 2), 3)

    def replace(self, texts: pl.Series, keep: Keep | None = None) -> pl.Series:
        """Replace in every text of a column without null; `keep` gets the changes of texts that keep their length."""
        counter = CharacterCounter() if keep else None
        done = pl.concat([self._replace(piece, counter) for piece in pieces(texts)])
        if keep and counter is not None:
            keep(counter)
        return done

    def _replace(self, texts: pl.Series, counter: CharacterCounter | None) -> pl.Series:
        joined = CodePoints(texts)
        codes = lookup(self._shift, joined.codes)
        codes += joined.codes
        places, values, uneven = self._longest(joined)
        lengths = np.array([len(value) for value in values], np.int64)
        ends = np.cumsum(lengths)
        codes[np.repeat(places - (ends - lengths), lengths) + np.arange(lengths.sum())] = codes_of("".join(values))
        if len(self._uneven):
            uneven = np.concatenate([uneven, np.flatnonzero(np.isin(joined.codes, self._uneven))])
        rows = np.unique(joined.rows(uneven))
        if counter is not None:
            left_out = np.zeros(len(texts), np.bool_)
            left_out[rows] = True
            counter.add_replaced(joined, codes, left_out)
        done = joined.replaced(codes)
        if not len(rows):
            return done
        return done.clone().scatter(rows, [self._replace_one(text) for text in texts[rows]])

    def _longest(self, joined: CodePoints) -> tuple[Positions, list[str], Positions]:
        """The phrases of the same length as their values: where they begin, and the values; and where the others do."""
        text, reach, phrases = joined.text, self._reach, self._phrases
        places: list[int] = []
        values: list[str] = []
        uneven: list[int] = []
        done = 0
        for place in self._possible(joined.codes).tolist():
            if place < done:
                continue
            for end in range(place + reach.get(text[place], 0), place + 1, -1):
                value = phrases.get(text[place:end])
                if value is None:
                    continue
                done = end
                if len(value) == end - place:
                    places.append(place)
                    values.append(value)
                else:
                    uneven.append(place)
                break
        return np.array(places, np.int64), values, np.array(uneven, np.int64)

    def _possible(self, codes: Codes) -> Positions:
        """Where a phrase may begin: all places where one does, and few others."""
        places = np.flatnonzero(lookup(self._heads, _slots(codes[:-1], codes[1:])))
        first, second, third = codes[places], codes[places + 1], codes[np.minimum(places + 2, len(codes) - 1)]
        return places[self._pairs[_slots(first, second)] | self._triples[_slots(first, second, third)]]


def _slots(first: Codes, *others: Codes) -> Codes:
    """The slot of characters that follow each other."""
    slots = first
    for other in others:
        slots = slots * _FACTOR + other
    return slots & np.uint32(_SLOTS - 1)


def _marked(texts: Iterable[str], length: int) -> npt.NDArray[np.bool_]:
    """A table that is true in the slots of texts of so many characters."""
    table = np.zeros(_SLOTS, np.bool_)
    table[_slots(*codes_of("".join(texts)).reshape(-1, length).T)] = True
    return table
