"""Counts turns by what the scan before the text steps has seen of them: most turns are written as they were read.

The scan has the code points of all turns anyway. What it has counted is corrected for the turns that changed, and for
those that are in no pair, or in more pairs than most.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import (
    ANSWER_CHARS,
    QUERY_CHARS,
    tally_of_counts,
    tally_of_names,
    times,
)
from chat_corpus.statistics.text_arrays import CharacterCounter, Counts, Piece, Places
from chat_corpus.statistics.texts import count_texts


class SeenTurns:
    """What the scan has seen of the turns of a shard; an observer of `CharacterScan.find`."""

    def __init__(self) -> None:
        self.characters = CharacterCounter()
        self._texts: list[pl.Series] = []
        self._lengths: list[Places] = []
        self._rewritten: list[Places] = []
        self._marked: tuple[list[Places], ...] = ([], [], [])
        self.rows = 0

    def __call__(self, texts: pl.Series, points: CodePoints) -> None:
        """See some turns."""
        piece = Piece.of_points(points)
        counts = self.characters.add(points.codes)
        self.characters.counts[ord(SEPARATOR)] -= len(texts)
        self._texts.append(texts)
        self._lengths.append(piece.lengths())
        self._rewritten.append(piece.rewritten(counts) + self.rows)
        for marked, rows in zip(self._marked, piece.rows_with_marks(counts), strict=True):
            marked.append(rows + self.rows)
        self.rows += len(texts)

    @property
    def texts(self) -> pl.Series:
        """The turns as they were seen."""
        return pl.concat(self._texts, rechunk=False)

    @property
    def lengths(self) -> Places:
        """The length of each turn as it was seen."""
        return np.concatenate(self._lengths)

    @property
    def rewritten(self) -> Places:
        """Turns that a TSV file may not have as they are."""
        return np.concatenate(self._rewritten)

    @property
    def marked(self) -> tuple[Places, ...]:
        """Turns that may hold personal data, a web address, and a special token."""
        return tuple(map(np.concatenate, self._marked))


def tally_of_seen(seen: SeenTurns, turns: pl.Series, texts: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Return what `texts.tally_of_pairs` returns.

    `turns` has the text of each turn that was seen as it is in the end, `texts` has `query` and `answer` of each pair
    as they are written, and `links` their numbers `query_at` and `answer_at` among the turns.
    """
    query, answer = (links[name].to_numpy() for name in ("query_at", "answer_at"))
    uses = np.bincount(query, minlength=len(turns)) + np.bincount(answer, minlength=len(turns))
    before, lengths = seen.texts, seen.lengths
    changed = (before != turns).fill_null(value=True).to_numpy().copy()
    changed[seen.rewritten] = True
    characters, most = seen.characters, 1 if np.count_nonzero(uses == 1) >= np.count_nonzero(uses == 2) else 2
    characters.counts *= most
    rows = np.flatnonzero(changed)
    characters.add_texts(before.gather(rows), -most)
    for number, rows in _by_times(np.where(changed, 0, uses - most)):
        characters.add_texts(before.gather(rows), number)
    tallies = [characters.tally()]
    places = np.zeros(len(turns), np.uint32)  # of each turn one row of all queries, followed by all answers
    places[query] = np.arange(len(query))
    places[answer] = np.arange(len(query), 2 * len(query))
    written = pl.concat([texts["query"], texts["answer"].rename("query")])
    for number, rows in _by_times(np.where(changed, uses, 0)):
        counts = count_texts(written.gather(places[rows]).str.join("\n").cast(pl.Binary).item() + b"\n")
        lengths[rows] = counts.lengths.to_numpy()
        tallies.append(times(counts.tally, number))
    tallies += _marks(seen, before, np.where(changed, 0, uses))
    sides = ((QUERY_CHARS, lengths[query]), (ANSWER_CHARS, lengths[answer]))
    return pl.concat([*tallies, *(tally_of_counts(name, np.bincount(values)) for name, values in sides)])


def _by_times(numbers: Counts) -> Iterator[tuple[int, Places]]:
    """Rows to be counted so many times: each number is the sum of those that its row is in, all powers of 2."""
    rows = np.flatnonzero(numbers)
    for sign in (1, -1):
        some = rows[numbers[rows] * sign > 0]
        own = numbers[some] * sign
        for bit in range(int(own.max(initial=0)).bit_length()):
            if len(chosen := some[own & (1 << bit) != 0]):
                yield sign << bit, chosen


def _marks(seen: SeenTurns, texts: pl.Series, uses: Counts) -> Iterator[pl.DataFrame]:
    """Tallies of the marks in turns that are written as they were seen, by the number of pairs that they are in."""
    for kind, rows in enumerate(seen.marked):
        for number, chosen in _by_times(uses[rows]):
            sides: list[list[str]] = [[], [], []]
            sides[kind] = texts.gather(rows[chosen]).to_list()
            yield times(tally_of_names(count_marks(*sides)), number)
