"""Which training dialogues resemble an evaluation pair: an exact similarity join over character bigrams.

Two pairs resemble each other if the Jaccard similarity of their character bigrams is at least 0.8. A pair is compared
as canonical form of its query, U+001F, canonical form of its answer (`splitting.canonical`). A dialogue resembles a
pair if one of its exchanges does.

The join finds all such pairs and no others, without random numbers. It is a prefix filter (Chaudhuri, Ganti, Kaushik,
ICDE 2006; Bayardo, Ma, Srikant, WWW 2007): all bigrams have a rank, the rarest first. Sets of sizes m and n with that
similarity share a bigram among the first m - ceil(0.8 m) + 1 of the one and the first n - ceil(0.8 n) + 1 of the other.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.exports.splitting import canonical

#: Similarity, as a fraction, from which on pairs resemble each other.
THRESHOLD = (4, 5)
#: Evaluation pairs of one index, which takes up to 1 kB for each.
INDEX_PAIRS = 100_000
#: Columns of evaluation pairs: where a pair comes from, and its text (`pair_texts`).
EVALUATION = pl.Schema({"id": pl.String(), "text": pl.String()})
#: Columns of what is found: number of the row that was looked for, id of the evaluation pair, and the similarity.
TWINS = pl.Schema({"row": pl.UInt32(), "id": pl.String(), "similarity": pl.Float64()})

#: Between the query and the answer of a pair that is compared.
PAIR_SEPARATOR = "\x1f"
#: Texts that are compared together, so that memory stays bounded.
BATCH_ROWS = 20_000
#: Candidates that are verified together.
MAX_CANDIDATES = 200_000
_CHARACTER = 21  # bits of a character
_BIGRAM = 2 * _CHARACTER
_INTS = NDArray[np.int64]
_KEYS = NDArray[np.uint64]
_Number = TypeVar("_Number", np.int64, np.uint64)


def pair_texts(messages: pl.Series) -> pl.DataFrame:
    """The exchanges of dialogues as they are compared: `row: u32`, the number of the dialogue, and `text`.

    `messages` are those of `dialogues.DIALOGUES`. System messages do not count; a last query without an answer neither.
    """
    flat = messages.to_frame("messages").with_row_index("row").explode("messages").unnest("messages")
    flat = flat.filter(pl.col("role") != "system").with_columns(answers=pl.col("row") == pl.col("row").shift(1))
    at = pl.int_range(pl.len(), dtype=pl.Int64)
    position = at - pl.when(~pl.col("answers").fill_null(value=False)).then(at).forward_fill()
    flat = flat.with_columns(position=position, content=canonical(flat["content"]))
    flat = flat.with_columns(query=pl.col("content").shift(1)).filter(pl.col("position") % 2 == 1)
    return flat.select("row", text=pl.col("query") + PAIR_SEPARATOR + pl.col("content"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TwinIndex:
    """Evaluation pairs, ready to be compared with. Ranks are positions in `bigrams_by_rank`.

    ids             id of each pair, sorted by their texts
    sizes           bigrams of each pair
    bigrams, ranks  the bigrams of all pairs, sorted, and the rank of each
    members         the bigrams of all pairs: number of the pair << 32 | rank, sorted
    starts, pairs   the pairs that have a rank in their prefix are pairs[starts[rank]:starts[rank + 1]]
    """

    ids: pl.Series
    sizes: _INTS
    bigrams: _KEYS
    ranks: _INTS
    members: _INTS
    starts: _INTS
    pairs: _INTS

    def find(self, texts: pl.Series) -> pl.DataFrame:
        """Which texts of pairs resemble an evaluation pair: `TWINS`, one row for each text that does, by row.

        Of several evaluation pairs it is the most similar one, and of those the one with the least id.
        """
        found = [
            self._find(texts[start : start + BATCH_ROWS]).with_columns(pl.col("row") + start)
            for start in range(0, len(texts), BATCH_ROWS)
        ]
        return pl.concat([TWINS.to_frame(), *found])

    def _find(self, texts: pl.Series) -> pl.DataFrame:
        rows, bigrams = text_bigrams(texts)
        sizes = np.bincount(rows, minlength=len(texts))
        ranks = self._ranks(bigrams)
        is_known = ranks >= 0
        # Bigrams that no evaluation pair has are the rarest of all: they come first in every prefix.
        prefixes = _prefix(sizes) - np.bincount(rows[~is_known], minlength=len(texts))
        selected = is_known & (prefixes[rows] > 0)
        rows, ranks = rows[selected], ranks[selected]
        ordered = np.lexsort((ranks, rows))
        rows, ranks = rows[ordered], ranks[ordered]
        starts = np.searchsorted(rows, np.arange(len(texts) + 1))
        in_prefix = np.arange(len(rows)) - starts[rows] < prefixes[rows]
        found = [TWINS.to_frame()]
        for row, pair in self._candidates(rows[in_prefix], ranks[in_prefix], sizes):
            shared = self._shared(row, pair, starts, ranks)
            union = sizes[row] + self.sizes[pair] - shared
            same = shared * THRESHOLD[1] >= union * THRESHOLD[0]
            row, pair, similarity = row[same], pair[same], (shared / union)[same]
            found.append(
                pl.DataFrame({"row": row.astype(np.uint32), "id": self.ids[pair], "similarity": similarity}, TWINS)
            )
        return _best(pl.concat(found))

    def _ranks(self, bigrams: _KEYS) -> _INTS:
        """The rank of each bigram; -1 for one that no evaluation pair has."""
        at = np.searchsorted(self.bigrams, bigrams)
        at[at == len(self.bigrams)] = 0
        known = self.bigrams[at] == bigrams if len(self.bigrams) else np.zeros(len(bigrams), bool)
        return np.where(known, self.ranks[at] if len(self.ranks) else -1, -1)

    def _candidates(self, rows: _INTS, ranks: _INTS, sizes: _INTS) -> Iterator[tuple[_INTS, _INTS]]:
        """Rows and pairs that share a bigram of both prefixes and whose sizes are near enough, each once."""
        counts = self.starts[ranks + 1] - self.starts[ranks]
        ends = np.cumsum(counts)
        first = 0
        while first < len(rows):
            # All prefixes of a row are looked at together, so that no candidate comes twice.
            before = ends[first - 1] if first else 0
            last = max(int(np.searchsorted(ends, before + MAX_CANDIDATES, "right")), first + 1)
            last = int(np.searchsorted(rows, rows[last - 1], "right"))
            own = counts[first:last]
            row = np.repeat(rows[first:last], own)
            offset = np.arange(len(row)) - np.repeat(np.cumsum(own) - own, own)
            pair = self.pairs[np.repeat(self.starts[ranks[first:last]], own) + offset]
            small, large = np.minimum(sizes[row], self.sizes[pair]), np.maximum(sizes[row], self.sizes[pair])
            near = small * THRESHOLD[1] >= large * THRESHOLD[0]
            keys = distinct(row[near] << 32 | pair[near])
            yield keys >> 32, keys & 0xFFFFFFFF
            first = last

    def _shared(self, rows: _INTS, pairs: _INTS, starts: _INTS, ranks: _INTS) -> _INTS:
        """How many bigrams each row and pair share; the ranks of a row are ranks[starts[row]:starts[row + 1]]."""
        shared = np.zeros(len(rows), np.int64)
        counts = starts[rows + 1] - starts[rows]
        ends = np.cumsum(counts)
        first = 0
        while first < len(rows):
            before = ends[first - 1] if first else 0
            last = max(int(np.searchsorted(ends, before + 16 * MAX_CANDIDATES, "right")), first + 1)
            own = counts[first:last]
            number = np.repeat(np.arange(first, last), own)
            offset = np.arange(len(number)) - np.repeat(np.cumsum(own) - own, own)
            keys = pairs[number] << 32 | ranks[np.repeat(starts[rows[first:last]], own) + offset]
            at = np.searchsorted(self.members, keys)
            at[at == len(self.members)] = 0
            hits = number[self.members[at] == keys]
            shared[first:last] = np.bincount(hits - first, minlength=last - first)
            first = last
        return shared

    def encode(self) -> bytes:
        """The index as bytes, for a file that several processes read."""
        out = io.BytesIO()
        ids = np.frombuffer(json.dumps(self.ids.to_list()).encode(), np.uint8)
        np.savez(out, ids=ids, **{name: getattr(self, name) for name in _ARRAYS})
        return out.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> TwinIndex:
        """What `encode` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ids = pl.Series("id", json.loads(arrays["ids"].tobytes()), pl.String)
            return cls(ids=ids, **{name: arrays[name] for name in _ARRAYS})


_ARRAYS = ("sizes", "bigrams", "ranks", "members", "starts", "pairs")


def build_index(evaluation: pl.DataFrame) -> TwinIndex:
    """The index of evaluation pairs with the columns `EVALUATION`, whose order does not matter.

    Of pairs with the same text it has the one with the least id.
    """
    unique = evaluation.sort("text", "id").unique("text", keep="first", maintain_order=True)
    rows, keys = text_bigrams(unique["text"])
    sizes = np.bincount(rows, minlength=len(unique))
    bigrams, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    by_rank = np.lexsort((bigrams, counts))
    ranks = np.empty(len(bigrams), np.int64)
    ranks[by_rank] = np.arange(len(bigrams))
    of_row = ranks[inverse]
    members = np.sort(rows << 32 | of_row)
    rows, of_row = members >> 32, members & 0xFFFFFFFF
    begins = np.searchsorted(rows, np.arange(len(unique)))
    in_prefix = np.arange(len(rows)) - begins[rows] < _prefix(sizes)[rows]
    pairs, of_prefix = rows[in_prefix], of_row[in_prefix]
    grouped = np.lexsort((pairs, of_prefix))
    starts = np.searchsorted(of_prefix[grouped], np.arange(len(bigrams) + 1))
    return TwinIndex(
        ids=unique["id"],
        sizes=sizes,
        bigrams=bigrams,
        ranks=ranks,
        members=members,
        starts=starts,
        pairs=pairs[grouped],
    )


def find_twins(index: TwinIndex, messages: pl.Series) -> pl.DataFrame:
    """Which dialogues resemble an evaluation pair: `TWINS`, one row for each dialogue that does, by row.

    `messages` are those of `dialogues.DIALOGUES`; `row` counts the dialogues from 0.
    """
    return find_in_pairs(index, pair_texts(messages))


def find_in_pairs(index: TwinIndex, pairs: pl.DataFrame) -> pl.DataFrame:
    """What `find_twins` finds, in the `pair_texts` of dialogues."""
    found = index.find(pairs["text"])
    return _best(found.with_columns(row=pairs["row"][found["row"]]))


def _best(found: pl.DataFrame) -> pl.DataFrame:
    ordered = found.sort("row", "similarity", "id", descending=[False, True, False])
    return ordered.unique("row", keep="first", maintain_order=True)


def best_twins(found: list[pl.DataFrame]) -> pl.DataFrame:
    """What several indices found in the same rows, as if one index had all their pairs: `TWINS`."""
    return _best(pl.concat([TWINS.to_frame(), *found]))


def _prefix(sizes: _INTS) -> _INTS:
    """How many of the rarest bigrams of a set of each size are looked at."""
    least, whole = THRESHOLD
    prefix: _INTS = sizes + (-least * sizes) // whole + 1
    return prefix


def distinct(keys: NDArray[_Number]) -> NDArray[_Number]:
    """The distinct numbers, sorted. 14 times as fast as `np.unique`, which hashes them (NumPy 2.4)."""
    keys = np.sort(keys)
    is_first = np.ones(len(keys), bool)
    np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
    return keys[is_first]


def text_bigrams(texts: pl.Series) -> tuple[_INTS, _KEYS]:
    """The distinct bigrams of each text as numbers: row and bigram, sorted by both.

    A text of one character has that one as its only bigram, an empty text has none.
    """
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.uint64)
    rows = np.repeat(np.arange(len(texts)), lengths)
    following = np.zeros_like(characters)
    following[:-1] = characters[1:]
    is_last = np.zeros(len(characters), bool)
    ends = np.cumsum(lengths)
    is_last[ends[lengths > 0] - 1] = True
    following[is_last] = 0
    chosen = ~is_last | (lengths[rows] == 1)
    keys = rows[chosen].astype(np.uint64) << np.uint64(_BIGRAM)
    keys |= characters[chosen] << np.uint64(_CHARACTER) | following[chosen]
    keys = distinct(keys)
    return (keys >> np.uint64(_BIGRAM)).astype(np.int64), keys & np.uint64((1 << _BIGRAM) - 1)
