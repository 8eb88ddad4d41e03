"""Count the characters of texts, with NumPy, and update the counts when stages change the texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints, Codes, Mask, Positions, pieces

Lengths = npt.NDArray[np.uint32]

#: Minimum size of a table of counts.
_SIZE = 1 << 16
#: Arrays with fewer code points than this are collected and counted together: the table of a count would be larger.
_MANY = 1 << 16


class Characters:
    """Number of occurrences of each character. A `sign` of -1 subtracts code points instead of adding them."""

    def __init__(self) -> None:
        self._table: Positions = np.zeros(0, np.int64)
        self._few: dict[int, list[Codes]] = {1: [], -1: []}
        self._separators = 0

    @property
    def counts(self) -> Positions:
        """The counts, i64, indexed by code point; at least up to U+FFFF."""
        for sign, few in self._few.items():
            if few:
                self._add_table(np.bincount(np.concatenate(few)), sign)
                few.clear()
        counts = np.zeros(max(len(self._table), _SIZE), np.int64)
        counts[: len(self._table)] = self._table
        counts[ord(SEPARATOR)] -= self._separators
        return counts

    def add(self, codes: Codes, separators: int = 0, *, sign: int = 1) -> None:
        """Add code points, among them this number of separators, which do not count."""
        self._separators += sign * separators
        if len(codes) < _MANY:
            self._few[sign].append(codes)
        else:
            self._add_table(np.bincount(codes), sign)

    def add_all(self, other: Characters, *, sign: int = 1) -> None:
        """Add the characters of other texts."""
        self._separators += sign * other._separators
        for other_sign, few in other._few.items():
            self._few[sign * other_sign] += few
        self._add_table(other._table, sign)

    def _add_table(self, table: Positions, sign: int) -> None:
        if len(table) > len(self._table):
            larger = np.zeros(len(table), np.int64)
            larger[: len(self._table)] = self._table
            self._table = larger
        some = self._table[: len(table)]
        (np.add if sign > 0 else np.subtract)(some, table, out=some)


class CharacterCounter:
    """Counts the characters of decoded texts, or their gains and losses, one piece of a column after the other."""

    def __init__(self) -> None:
        self.characters = Characters()
        self._lengths: list[Lengths] = []
        self._counted: list[Mask] = []

    @property
    def lengths(self) -> Lengths | None:
        """The number of characters of each text; None if the texts keep their lengths."""
        return np.concatenate(self._lengths) if self._lengths else None

    @property
    def counted(self) -> Mask:
        """A mask of the texts that are counted."""
        return np.concatenate(self._counted)

    def add(self, texts: CodePoints, left_out: Mask) -> None:
        """Count the characters of texts, except those of the mask `left_out`."""
        number = len(left_out) - int(np.count_nonzero(left_out))
        if 2 * number > len(left_out):
            self.characters.add(texts.codes, len(left_out))
            if number < len(left_out):
                self.characters.add(texts.codes[_inside(texts, left_out)], len(left_out) - number, sign=-1)
        elif number:
            self.characters.add(texts.codes[_inside(texts, ~left_out)], number)
        self._lengths.append((texts.ends - texts.starts).astype(np.uint32))
        self._counted.append(~left_out)

    def add_replaced(self, texts: CodePoints, codes: Codes, left_out: Mask) -> None:
        """Count the gains and losses of texts that get new code points, except those of the mask `left_out`."""
        replaced = codes != texts.codes
        if left_out.any():
            replaced[_inside(texts, left_out)] = False
        places = np.flatnonzero(replaced)
        self.characters.add(codes[places])
        self.characters.add(texts.codes[places], sign=-1)
        self._counted.append(~left_out)


#: Row numbers, and the counter of their texts.
Added = tuple[pl.Series, CharacterCounter]


class CountedTexts:
    """Character counts of a column of texts; null counts as an empty text.

    characters  counts for all texts together
    lengths     number of characters of each text: u32
    """

    def __init__(self, texts: pl.Series, added: Sequence[Added]) -> None:
        """Add the counts of `added`, and count the other texts."""
        self.characters = Characters()
        self.lengths: Lengths = np.zeros(len(texts), np.uint32)
        left = pl.Series(self._add(added))
        if left.any():
            self._count(left.arg_true(), texts.filter(left).fill_null(""))

    def change(self, where: pl.Series, before: pl.Series, after: pl.Series, added: Sequence[Added]) -> None:
        """Add the counts of `added`, and count the changes in the other texts of a mask."""
        where = where & pl.Series(self._add(added)) if added else where
        if not where.any():
            return
        before, after = before.filter(where), after.filter(where)
        changed = before != after
        if changed.any():
            self.characters.add_all(counted(before.filter(changed)), sign=-1)
            self._count(where.arg_true().filter(changed), after.filter(changed))

    def _count(self, rows: pl.Series, texts: pl.Series) -> None:
        self.characters.add_all(counted(texts))
        self.lengths[rows.to_numpy()] = texts.str.len_chars().to_numpy()

    def _add(self, added: Sequence[Added]) -> Mask:
        """Add the counts of counters; return a mask of the texts that none of them counted."""
        left = np.ones(len(self.lengths), np.bool_)
        for rows, counter in added:
            self.characters.add_all(counter.characters)
            lengths, places = counter.lengths, rows.to_numpy()
            if len(rows) == len(left):
                self.lengths = self.lengths if lengths is None else lengths
                left &= ~counter.counted
                continue
            if lengths is not None:
                self.lengths[places] = lengths
            left[places] &= ~counter.counted
        return left


def counted(texts: pl.Series) -> Characters:
    """Return the character counts of a column without null."""
    characters = Characters()
    for some in pieces(texts):
        characters.add(CodePoints(some).codes, len(some))
    return characters


def _inside(texts: CodePoints, where: Mask) -> Positions:
    """Return the positions of all characters of the texts of a mask, and of the separators after these texts."""
    starts = texts.starts[where]
    sizes = texts.ends[where] + 1 - starts
    before = np.cumsum(sizes) - sizes
    places: Positions = np.repeat(starts - before, sizes) + np.arange(sizes.sum())
    return places
