"""The search for texts that resemble an evaluation pair. It is exact, and fast even if texts have many candidates.

Candidates of a text are found in the cheaper of two ways. With the prefix filter of `near_twins`, they are the pairs
that share one of the rarest bigrams of both, if sizes and position of this bigram leave enough other bigrams to share.
The second way takes all pairs with a size that fits. It is cheaper if the prefix filter would give most of these pairs
several times, for example because all texts were made from one template.

The signatures of a text and a candidate give an upper bound of their similarity. Candidates are verified in order of
descending bound, until none of the rest can be better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.bigrams import distinct, numbered, slices, text_bigrams
from chat_corpus.exports.signatures import levels_of, signatures
from chat_corpus.exports.twin_index import THRESHOLD, TwinIndex, largest

#: Columns of twins: number of the text, id of the evaluation pair that it resembles, and their similarity.
TWINS = pl.Schema({"row": pl.UInt32(), "id": pl.String(), "similarity": pl.Float64()})
#: Characters of a batch of texts, and the least number of characters that a text counts as. Both bound memory.
BATCH_CHARACTERS, LEAST_CHARACTERS = 500_000, 25
#: Largest number of candidates in a batch, and of bigrams of candidates that are verified at a time.
MAX_CANDIDATES, MAX_BIGRAMS = 250_000, 500_000
#: Number of signature words that can be compared in the time that the prefix filter needs for one candidate.
WORDS_OF_CANDIDATE = 16
#: An upper bound of the rounding error of a limit that is computed with floats.
_ROUNDING = 1e-6
_LEAST, _WHOLE = THRESHOLD
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]
_FLOATS = NDArray[np.float64]
_BOOLS = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """A batch of texts, with their bigrams as ranks of an index.

    sizes       number of bigrams of each text
    unknown     number of bigrams of each text that no evaluation pair has; they rank before all others, as the rarest
    members     number of the text << 32 | rank for all other bigrams, sorted, without texts that can resemble no pair
    levels      level of the signature of each text
    signatures  signatures of the members of all texts, by level, for each level that occurs
    """

    sizes: _INTS
    unknown: _INTS
    members: _INTS
    levels: _INTS
    signatures: Mapping[int, _KEYS]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Best:
    """The best pair of each text so far: its number, similarity and `TwinIndex.places`; -1, 0 and -1 for none."""

    pair: _INTS
    similarity: _FLOATS
    place: _INTS

    def update(self, rows: _INTS, pairs: _INTS, similarity: _FLOATS, places: _INTS) -> None:
        """Replace the best pairs by verified pairs that are better; `rows` are the numbers of their texts, grouped."""
        leads = _first_of_rows(rows, similarity, places)
        better = leads[~self.excludes(rows[leads], similarity[leads], places[leads])]
        self.pair[rows[better]] = pairs[better]
        self.similarity[rows[better]] = similarity[better]
        self.place[rows[better]] = places[better]

    def excludes(self, rows: _INTS, similarity: _FLOATS, places: _INTS) -> _BOOLS:
        """Return whether pairs with at most this similarity cannot be better than the best pair of their text."""
        best = self.similarity[rows]
        excluded: _BOOLS = (similarity < best) | ((similarity == best) & (places >= self.place[rows]))
        return excluded


def find(index: TwinIndex, texts: pl.Series) -> pl.DataFrame:
    """Return one row with the columns `TWINS` for each text that resembles an evaluation pair, sorted by `row`.

    If it resembles several, `id` is that of the most similar one; of equally similar ones, the smallest id.
    """
    lengths = np.maximum(texts.str.len_chars().to_numpy().astype(np.int64), LEAST_CHARACTERS)
    twins = [
        _find_in_batch(index, texts[begin:end]).with_columns(pl.col("row") + begin)
        for begin, end in slices(lengths, BATCH_CHARACTERS)
    ]
    return pl.concat([TWINS.to_frame(), *twins])


def _find_in_batch(index: TwinIndex, batch: pl.Series) -> pl.DataFrame:
    texts = _prepared(index, batch)
    count = len(texts.sizes)
    best = _Best(pair=np.full(count, -1), similarity=np.zeros(count), place=np.full(count, -1))
    for rows, pairs, differences in _candidates(index, texts, best):
        _verify_best(index, texts, best, rows, pairs, differences)
    rows = np.flatnonzero(best.pair >= 0)
    columns = {"row": rows.astype(np.uint32), "id": index.ids[best.pair[rows]], "similarity": best.similarity[rows]}
    return pl.DataFrame(columns, TWINS)


def _prepared(index: TwinIndex, texts: pl.Series) -> _Texts:
    rows, bigrams = text_bigrams(texts)
    ranks = index.ranks_of(bigrams)
    is_known = ranks >= 0
    sizes, unknown = (np.bincount(numbers, minlength=len(texts)) for numbers in (rows, rows[~is_known]))
    # Texts with more unknown bigrams than this cannot resemble any pair.
    chosen = is_known & (unknown * _WHOLE <= sizes * (_WHOLE - _LEAST))[rows]
    rows, ranks = rows[chosen], ranks[chosen]
    levels = levels_of(sizes)
    signed = {}
    for level in np.unique(levels).tolist():
        of_level = levels[rows] == level
        signed[level] = signatures(rows[of_level], ranks[of_level], len(texts), level)
    members = np.sort(rows << 32 | ranks)
    return _Texts(sizes=sizes, unknown=unknown, members=members, levels=levels, signatures=signed)


def _candidates(index: TwinIndex, texts: _Texts, best: _Best) -> Iterator[tuple[_INTS, _INTS, _INTS]]:
    """Yield batches of candidates: numbers of texts, numbers of pairs, and a lower bound of their differing bigrams.

    In a batch, the candidates of a text are next to each other.
    """
    rows, ranks = texts.members >> 32, texts.members & 0xFFFFFFFF
    known = np.bincount(rows, minlength=len(texts.sizes))
    positions = np.arange(len(rows)) - (np.cumsum(known) - known - texts.unknown)[rows]
    sizes = texts.sizes[rows]
    most = largest(sizes, positions)
    chosen = most * _WHOLE >= sizes * _LEAST
    rows, ranks, most = rows[chosen], ranks[chosen], most[chosen]
    # Pairs are sorted by size, so those with a size that fits are a range.
    first = np.searchsorted(index.sizes, -(-texts.sizes * _LEAST // _WHOLE))
    last = np.searchsorted(index.sizes, texts.sizes * _WHOLE // _LEAST, "right")
    begins = np.searchsorted(index.entries, ranks << 32 | first[rows])
    ends = np.searchsorted(index.entries, ranks << 32 | np.searchsorted(index.sizes, most, "right"))
    counts = ends - begins
    work = np.bincount(rows, counts, minlength=len(first))
    is_many = work * WORDS_OF_CANDIDATE > (last - first) << texts.levels
    few = ~is_many[rows]
    yield from _sharing(index, texts, rows[few], counts[few], begins[few])
    many = np.flatnonzero(is_many)
    yield from _fitting(index, texts, best, many[np.argsort(texts.sizes[many], kind="stable")], first, last)


def _sharing(
    index: TwinIndex, texts: _Texts, rows: _INTS, counts: _INTS, begins: _INTS
) -> Iterator[tuple[_INTS, _INTS, _INTS]]:
    """Yield the candidates of the prefix filter: for each of the sorted `rows`, `counts` entries from `begins` on."""
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    if not len(starts):
        return
    for begin, end in slices(np.add.reduceat(counts, starts), MAX_CANDIDATES):
        batch = slice(starts[begin], starts[end] if end < len(starts) else None)
        number, at = numbered(counts[batch], begins[batch])
        row = rows[batch][number]
        fits = index.most[at] >= texts.sizes[row]
        keys = distinct(row[fits] << 32 | index.entries[at[fits]] & 0xFFFFFFFF)
        row, pair = keys >> 32, keys & 0xFFFFFFFF
        yield row, pair, _differences(index, texts, row, pair)


def _differences(index: TwinIndex, texts: _Texts, rows: _INTS, pairs: _INTS) -> _INTS:
    """Return a lower bound of the number of bigrams in which texts and pairs differ."""
    differences = texts.unknown[rows]
    for level, signed in texts.signatures.items():
        at = np.flatnonzero(texts.levels[rows] == level)
        row, pair = rows[at], pairs[at] - index.lows[level]
        for text_words, pair_words in zip(signed, index.signatures[level], strict=True):
            differences[at] += np.bitwise_count(text_words[row] ^ pair_words[pair])
    return differences


def _fitting(
    index: TwinIndex, texts: _Texts, best: _Best, rows: _INTS, first: _INTS, last: _INTS
) -> Iterator[tuple[_INTS, _INTS, _INTS]]:
    """Yield the candidates among all pairs with a size that fits, by signatures.

    `rows` are texts, sorted by size. The pairs for a text are those with the numbers first[row] to last[row].
    """
    begin = 0
    while begin < len(rows):
        low = first[rows[begin]]
        level = int(texts.levels[rows[begin]])
        of_level = rows[begin : np.searchsorted(texts.levels[rows], level, "right")]
        cells = np.arange(1, len(of_level) + 1) * (last[of_level] - low)
        batch = of_level[: max(int(np.searchsorted(cells, MAX_CANDIDATES, "right")), 1)]
        high = last[batch[-1]]
        differences = np.zeros((len(batch), high - low), np.uint16)
        fitting = slice(low - index.lows[level], high - index.lows[level])
        for text_words, pair_words in zip(texts.signatures[level], index.signatures[level], strict=True):
            differences += np.bitwise_count(text_words[batch, None] ^ pair_words[fitting])
        lead = np.argmin(differences, axis=1)
        yield batch, lead + low, differences[np.arange(len(batch)), lead] + texts.unknown[batch]
        # The caller has verified the leads by now, so pairs that cannot be better are left out.
        similarity = np.maximum(best.similarity[batch], _LEAST / _WHOLE)
        limit = (texts.sizes[batch] + index.sizes[high - 1]) * (1 - similarity) / (1 + similarity) + _ROUNDING
        near = np.flatnonzero(differences <= (limit.astype(np.int64) - texts.unknown[batch])[:, None])
        number = near // (high - low)
        row = batch[number]
        yield row, near - number * (high - low) + low, differences.ravel()[near] + texts.unknown[row]
        begin += len(batch)


def _verify_best(index: TwinIndex, texts: _Texts, best: _Best, rows: _INTS, pairs: _INTS, differences: _INTS) -> None:
    """Update `best` with the candidates of texts; `differences` are lower bounds of the differing bigrams."""
    sizes, pair_sizes = texts.sizes[rows], index.sizes[pairs]
    whole = sizes + pair_sizes
    differences = np.maximum(differences, np.abs(sizes - pair_sizes))
    possible = differences * (_WHOLE + _LEAST) <= whole * (_WHOLE - _LEAST)
    rows, pairs = rows[possible], pairs[possible]
    bounds = ((whole - differences) / (whole + differences))[possible]
    places = index.places[pairs]
    number = 1
    while len(rows):
        if number == 1:
            selected = np.zeros(len(rows), bool)
            selected[_first_of_rows(rows, bounds, places)] = True
        else:
            order = np.lexsort((places, -bounds, rows))
            rows, pairs, bounds, places = rows[order], pairs[order], bounds[order], places[order]
            starts = np.searchsorted(rows, rows)
            selected = np.arange(len(rows)) - starts < number
        chosen_rows, chosen = rows[selected], pairs[selected]
        similarity = _similarity(index, texts, chosen_rows, chosen)
        best.update(chosen_rows, chosen, similarity, places[selected])
        left = ~selected & ~best.excludes(rows, bounds, places)
        rows, pairs, bounds, places = rows[left], pairs[left], bounds[left], places[left]
        number *= 4


def _first_of_rows(rows: _INTS, values: _FLOATS, places: _INTS) -> _INTS:
    """Return the position of the highest value of each row, of equal values that of the least place.

    `rows` are grouped: equal numbers are next to each other.
    """
    if not len(rows):
        return rows
    is_first = np.diff(rows, prepend=-1) != 0
    starts = np.flatnonzero(is_first)
    number = np.cumsum(is_first) - 1
    at = np.flatnonzero(values == np.maximum.reduceat(values, starts)[number])
    starts = np.flatnonzero(np.diff(number[at], prepend=-1))
    least = np.minimum.reduceat(places[at], starts)
    first: _INTS = at[places[at] == least[number[at]]]
    return first


def _similarity(index: TwinIndex, texts: _Texts, rows: _INTS, pairs: _INTS) -> _FLOATS:
    """Return the Jaccard similarity of texts and pairs; 0 if it is below `THRESHOLD`."""
    shared = np.zeros(len(rows), np.int64)
    counts = index.sizes[pairs]
    for begin, end in slices(counts, MAX_BIGRAMS):
        number, at = numbered(counts[begin:end], index.begins[pairs[begin:end]])
        keys = rows[begin:end][number] << 32 | index.members[at]
        nearest = np.minimum(np.searchsorted(texts.members, keys), len(texts.members) - 1)
        shared[begin:end] = np.bincount(number[texts.members[nearest] == keys], minlength=end - begin)
    union = texts.sizes[rows] + counts - shared
    return np.where(shared * _WHOLE >= union * _LEAST, shared / union, 0)
