"""Replace leftmost longest phrases in all texts of a column at once, with lookup tables over code points.

One table replaces single characters. Phrases can begin only at few positions: where the first two characters of a
phrase follow each other, and for longer phrases the third one too. At each such position, from left to right, the
longest phrase is replaced, unless the previous match covers the position. Texts in which a replacement has a different
length are converted one by one.
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

#: Number of slots of the hash tables of phrase beginnings; the tables should fit in the processor's cache.
_SLOTS = 1 << 20
#: Multiplier of the hash: an arbitrary odd number of 32 bits, without a pattern.
_FACTOR = np.uint32(0x9E3779B1)


class PhraseTable:
    """A dictionary compiled to tables: the offset from each character to its replacement, and phrase beginnings."""

    def __init__(self, entries: Mapping[str, str], replace_one: Callable[[str], str]) -> None:
        """Compile `entries`, keys and values. `replace_one` does the same for one text, and may change its length."""
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
        """Replace in every text of a column without null; `keep` gets a counter, without texts that change length."""
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
        """Return the positions and values of the matches that keep the length, and the positions of all others."""
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
        """Return the positions where a phrase may begin: all where one does, and few others."""
        places = np.flatnonzero(lookup(self._heads, _slots(codes[:-1], codes[1:])))
        first, second, third = codes[places], codes[places + 1], codes[np.minimum(places + 2, len(codes) - 1)]
        return places[self._pairs[_slots(first, second)] | self._triples[_slots(first, second, third)]]


def _slots(first: Codes, *others: Codes) -> Codes:
    """Return the slots, as a hash, of sequences of characters: one array for each position in the sequence."""
    slots = first
    for other in others:
        slots = slots * _FACTOR + other
    return slots & np.uint32(_SLOTS - 1)


def _marked(texts: Iterable[str], length: int) -> npt.NDArray[np.bool_]:
    """Return a table that is true in the slots of these texts, each of `length` characters."""
    table = np.zeros(_SLOTS, np.bool_)
    table[_slots(*codes_of("".join(texts)).reshape(-1, length).T)] = True
    return table
