"""Response selection by retrieval: TF-IDF over character n-grams, with the training pairs as memory.

A query is expected to be answered like the training queries that are nearest to it: the expected answer is the sum of
the TF-IDF vectors of their answers, by similarity, and of the query itself. Candidates are ordered by cosine to it.

scikit-learn has no part in this: its n-gram analyzer visits every character in Python, and it would be 50 MB more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Columns that n-grams are hashed to.
COLUMNS = 1 << 20
#: Training queries that an expected answer is made of.
NEIGHBOURS = 10
#: Share of the texts from which on an n-gram is too frequent to look up neighbours by it.
_FREQUENT = 0.005
_BATCH_ROWS = 200
_CHARACTER = 21
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # of Fibonacci hashing (Knuth, volume 3, section 6.4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retriever:
    """Training pairs as unit vectors, a row each.

    weights  of the columns
    rare     selects the columns by which neighbours are looked up: n-grams that are in few texts
    """

    queries: Any
    answers: Any
    weights: Floats
    rare: Any

    def scores(self, held_out: pl.DataFrame, candidates: Integers) -> Floats:
        """How well each candidate (rows x candidates, numbers of held-out rows) answers the query of its row."""
        queries, answers = (_vectors(held_out[name], self.weights) for name in ("query", "answer"))
        scores = np.empty(candidates.shape)
        for start in range(0, len(held_out), _BATCH_ROWS):
            rows = slice(start, start + _BATCH_ROWS)
            expected = _unit(_nearest(queries[rows] @ self.rare, self.queries) @ self.answers) + queries[rows]
            chosen = candidates[rows]
            repeated = expected[np.repeat(np.arange(len(chosen)), chosen.shape[1])]
            products = np.asarray(answers[chosen.ravel()].multiply(repeated).sum(axis=1))
            # Rounded, so that equal candidates are equal whatever the order of the sums.
            scores[rows] = np.round(products.reshape(chosen.shape), 9)
        return scores


def train(pairs: pl.DataFrame) -> Retriever:
    """The memory of training pairs; n-grams are weighted by how few texts have them."""
    texts = pl.concat([pairs["query"], pairs["answer"]])
    frequencies = np.bincount(ngram_columns(texts, COLUMNS)[1], minlength=COLUMNS)
    weights = np.log((1 + len(texts)) / (1 + frequencies)) + 1
    return Retriever(
        queries=_vectors(pairs["query"], weights),
        answers=_vectors(pairs["answer"], weights),
        weights=weights,
        rare=sparse.diags((frequencies <= max(_FREQUENT * len(texts), 50)).astype(np.float64)),
    )


def ngram_columns(texts: pl.Series, columns: int) -> tuple[Integers, Integers]:
    """The characters and character bigrams of texts, each once a text: number of the text, and column.

    `columns` is a power of 2. Both arrays are sorted by text.
    """
    lengths = texts.str.len_chars().to_numpy().astype(np.int64)
    characters = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.uint64)
    rows = np.repeat(np.arange(len(texts)), lengths)
    is_inner = rows[1:] == rows[:-1]
    bigrams = (characters[:-1] << np.uint64(_CHARACTER) | characters[1:])[is_inner]
    hashes = np.concatenate([characters, bigrams]) * _MULTIPLIER
    hashed = (hashes >> np.uint64(64 - columns.bit_length() + 1)).astype(np.int64)
    # Sorting is faster here than np.unique, which hashes.
    keys = np.sort(np.concatenate([rows, rows[1:][is_inner]]) * columns + hashed)
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
    return keys // columns, keys % columns


def _vectors(texts: pl.Series, weights: Floats) -> Any:
    rows, columns = ngram_columns(texts, COLUMNS)
    return _unit(sparse.csr_matrix((weights[columns], (rows, columns)), (len(texts), COLUMNS)))


def _unit(matrix: Any) -> Any:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.diags(1 / np.maximum(lengths, 1e-12)) @ matrix


def _nearest(queries: Any, memory: Any) -> Any:
    """The similarities of queries (rows) to the training queries (columns), but for each row's nearest ones zero."""
    similarities = (queries @ memory.T).tocsr()
    chosen, columns, ends = [], [], [0]
    for start, end in zip(similarities.indptr[:-1], similarities.indptr[1:], strict=True):
        values, at = similarities.data[start:end], similarities.indices[start:end]
        # By similarity, then by row: sums come in one order.
        values = np.round(values, 9)
        least = -np.partition(-values, NEIGHBOURS - 1)[NEIGHBOURS - 1] if len(values) > NEIGHBOURS else 0.0
        values, at = values[values >= least], at[values >= least]
        best = np.lexsort((at, -values))[:NEIGHBOURS]
        chosen.append(values[best])
        columns.append(at[best])
        ends.append(ends[-1] + len(best))
    return sparse.csr_matrix((np.concatenate(chosen), np.concatenate(columns), ends), similarities.shape)
