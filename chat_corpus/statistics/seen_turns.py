"""Counts turns by what the scan before the text steps has seen of them: most turns are written as they were read.

The scan has the code points of all turns anyway. What it has counted is corrected for the turns that changed, and for
those that are in no pair, or in more pairs than most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import polars as pl

from chat_corpus.exports import tsv
from chat_corpus.pipeline.code_points import SEPARATOR, CodePoints, pieces
from chat_corpus.pipeline.filters import personal
from chat_corpus.statistics.marks import count_marks
from chat_corpus.statistics.tally import (
    ANSWER_CHARS,
    QUERY_CHARS,
    tally_of_counts,
    tally_of_names,
)
from chat_corpus.statistics.text_arrays import CharacterCounter, Counts, Piece, Places

_NONE = np.zeros(0, np.int64)


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
        return pl.concat([pl.Series("text", [], dtype=pl.String), *(texts.rename("text") for texts in self._texts)])

    @property
    def lengths(self) -> Places:
        """The length of each turn as it was seen."""
        return np.concatenate([_NONE, *self._lengths])

    @property
    def rewritten(self) -> Places:
        """Turns that a TSV file may not have as they are."""
        return np.concatenate([_NONE, *self._rewritten])

    @property
    def marked(self) -> tuple[Places, ...]:
        """Turns that may hold personal data, a web address, and a special token."""
        return tuple(np.concatenate([_NONE, *rows]) for rows in self._marked)


def tally_of_seen(seen: SeenTurns, turns: pl.Series, texts: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Return what `texts.tally_of_pairs` returns.

    `turns` has the text of each turn that was seen as it is in the end, `texts` has `query` and `answer` of each pair
    as they are written, and `links` their numbers `query_at` and `answer_at` among the turns.
    """
    query, answer = (links[name].to_numpy() for name in ("query_at", "answer_at"))
    uses = np.bincount(query, minlength=len(turns)) + np.bincount(answer, minlength=len(turns))
    before, lengths = seen.texts, seen.lengths
    turns = turns.fill_null("") if turns.null_count() else turns
    changed = (before != turns).to_numpy().copy()
    changed[seen.rewritten] = True
    rows = np.flatnonzero(changed)
    now, again = turns.gather(rows), SeenTurns()
    if len(rows):
        again = _seen_again(now)
        if len(again.rewritten):
            now = now.scatter(again.rewritten, _written(rows[again.rewritten], texts, query, answer, len(turns)))
            again = _seen_again(now)
    most = 1 if np.count_nonzero(uses == 1) >= np.count_nonzero(uses == 2) else 2
    characters = seen.characters
    characters.add_counts(again.characters.counts)
    if len(rows):
        characters.add_groups(before.gather(rows), [(-1, lengths[rows])])
    characters.counts *= most
    lengths[rows] = again.lengths
    final = before.clone().scatter(rows, now) if len(rows) else before
    chosen = list(_by_times(uses - most))
    if chosen:
        every = np.concatenate([some for _, some in chosen])
        characters.add_groups(final.gather(every), [(number, lengths[some]) for number, some in chosen])
    marked = (
        np.concatenate([own[~changed[own]], rows[others]])
        for own, others in zip(seen.marked, again.marked, strict=True)
    )
    marks: Counter[str] = Counter()
    for kind, some in enumerate(marked):
        if len(some):
            marks.update(_marks(kind, final, some, uses))
    sides = ((QUERY_CHARS, lengths[query]), (ANSWER_CHARS, lengths[answer]))
    counted = (tally_of_counts(name, np.bincount(values)) for name, values in sides)
    return pl.concat([characters.tally(), tally_of_names(marks), *counted])


def _written(rows: Places, texts: pl.DataFrame, query: Places, answer: Places, turns: int) -> pl.Series:
    """Some turns as they are written; empty ones for those in no pair."""
    places = np.full(turns, 2 * len(query), np.uint32)  # of each turn one row of all queries, followed by all answers
    places[query] = np.arange(len(query))
    places[answer] = np.arange(len(query), 2 * len(query))
    columns = [texts["query"], texts["answer"].rename("query"), pl.Series("query", [""])]
    return tsv.texts(pl.concat(columns).gather(places[rows]).to_frame()).to_series()


def _seen_again(texts: pl.Series) -> SeenTurns:
    """What there is to see of texts."""
    seen = SeenTurns()
    for piece in pieces(texts):
        if len(piece):
            seen(piece, CodePoints(piece))
    return seen


def _by_times(numbers: Counts) -> Iterator[tuple[int, Places]]:
    """Rows to be counted so many times: each number is the sum of those that its row is in, all powers of 2."""
    rows = np.flatnonzero(numbers)
    for sign in (1, -1):
        some = rows[numbers[rows] * sign > 0]
        own = numbers[some] * sign
        for bit in range(int(own.max(initial=0)).bit_length()):
            if len(chosen := some[own & (1 << bit) != 0]):
                yield sign << bit, chosen


def _marks(kind: int, texts: pl.Series, rows: Places, uses: Counts) -> Counter[str]:
    """Counts of the marks of one of the three kinds in turns that may hold some, each times its uses."""
    some, numbers = texts.gather(rows), uses[rows]
    if kind == 0:  # few of the texts hold personal data, and a look at all of them costs less than one at each
        holds = (personal.mask(some)[0] != some).to_numpy()
        some, numbers = some.filter(pl.Series(holds)), numbers[holds]
    counts: Counter[str] = Counter()
    for text, number in zip(some.to_list(), numbers.tolist(), strict=True):
        sides: list[list[str]] = [[], [], []]
        sides[kind] = [text]
        counts.update({name: count * number for name, count in count_marks(*sides).items()})
    return counts
