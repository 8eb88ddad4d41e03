"""How well an answer fits its query: the mean pointwise mutual information of their characters.

Only the pairs of the source are used. For a character c of the query and d of the answer, with counts over the other
pairs of the source,

    PMI(c, d) = ln((n(c, d) + 1) / (n(c) n(d) / N + 1))

where n(c, d) is the number of pairs with c in the query and d in the answer, n(c) the number of pairs with c in the
query, n(d) the number of pairs with d in the answer, and N the number of pairs. Only pairs with characters on both
sides are counted. The added 1 moves the PMI of rare characters towards 0. The pair itself is not counted: otherwise the
rarest characters, which only this pair has, would be the best evidence. The score is the mean over all c and d. Unlike
a sum or a maximum, it does not grow with the length of the texts.

The characters are the 3,755 of level 1 of GB 2312, which are 99.7 % of simplified Chinese text. So a table of exact
counts has a fixed size (56 MB), and needs neither hashing nor a first pass to find frequent characters. Counts are
integers, and PMI is rounded to 1/65536, so that sums do not depend on their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes.pass_input import PassInput, as_dropped

#: Number of first characters of each text that are used.
MAX_CHARACTERS = 64
#: Number of pairs that are processed together.
_ROWS = 1_000
_SCALE = 1 << 16
#: Columns of the counts of a shard. `cell` is c * SIZE + d for n(c, d). Then follow the cells for n(c), for n(d), and
#: the cell for N.
COUNTS = pl.Schema({"cell": pl.UInt32(), "count": pl.UInt32()})
_INTS = NDArray[np.int64]
_CELL_NUMBERS = NDArray[np.int32]


def _level_1() -> str:
    """Return the characters of level 1 of GB 2312: its rows 16 to 55."""
    codes = (bytes((first, second)) for first in range(0xB0, 0xD8) for second in range(0xA1, 0xFF))
    return b"".join(code for code in codes if code <= b"\xd7\xf9").decode("gb2312")


@cache
def _numbers() -> NDArray[np.int16]:
    """Return the number of each character of level 1, by code point; -1 for other characters."""
    numbers = np.full(1 << 16, -1, np.int16)
    numbers[[ord(character) for character in _level_1()]] = np.arange(SIZE)
    return numbers


SIZE = 3755
_CELLS = SIZE * SIZE
_QUERY, _ANSWER, _PAIRS = _CELLS, _CELLS + SIZE, _CELLS + 2 * SIZE


def _characters(texts: pl.Series) -> tuple[_INTS, _CELL_NUMBERS]:
    """Return the distinct characters of each text: their rows and their numbers, sorted by both."""
    heads = texts.str.slice(0, MAX_CHARACTERS)
    lengths = heads.str.len_chars().to_numpy()
    codes = np.frombuffer(heads.str.join("").item().encode("utf-32-le"), "<u4")
    rows = np.repeat(np.arange(len(texts)), lengths)
    numbers = _numbers()[np.minimum(codes, 0xFFFF)]
    has_number = numbers >= 0
    keys = np.unique(rows[has_number] * SIZE + numbers[has_number])
    return keys // SIZE, (keys % SIZE).astype(np.int32)


def _cells(queries: pl.Series, answers: pl.Series) -> tuple[_INTS, _INTS, _CELL_NUMBERS, _CELL_NUMBERS, _CELL_NUMBERS]:
    """Return rows, numbers of cells, and cells of the pairs that have characters on both sides, in this order.

    The last two arrays are the characters of their queries and of their answers.
    """
    rows, characters = _characters(queries)
    answer_rows, answer_characters = _characters(answers)
    sizes, answer_sizes = (np.bincount(each, minlength=len(queries)) for each in (rows, answer_rows))
    scored = (sizes > 0) & (answer_sizes > 0)
    characters, rows = characters[scored[rows]], rows[scored[rows]]
    starts = np.concatenate([[0], np.cumsum(answer_sizes)])[rows]
    counts = answer_sizes[rows]
    first = np.repeat(np.cumsum(counts) - counts, counts)
    others = answer_characters[np.repeat(starts, counts) + np.arange(len(first)) - first]
    cells = np.repeat(characters, counts) * SIZE + others
    return (
        np.flatnonzero(scored),
        (sizes * answer_sizes)[scored],
        cells,
        characters,
        answer_characters[scored[answer_rows]],
    )


def _batches(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield batches of rows, each with the number of its first row."""
    for start in range(0, len(frame), _ROWS):
        yield start, frame[start : start + _ROWS]


def count_characters(queries: pl.Series, answers: pl.Series) -> pl.DataFrame:
    """Return the counts of the characters in pairs of texts: `COUNTS`, sorted by cell."""
    counts = np.zeros(_PAIRS + 1, np.uint32)
    for _, pairs in _batches(pl.DataFrame([queries.alias("query"), answers.alias("answer")])):
        rows, _, cells, of_queries, of_answers = _cells(pairs["query"], pairs["answer"])
        numbers = np.concatenate([cells, _QUERY + of_queries, _ANSWER + of_answers, np.full(len(rows), _PAIRS)])
        cell, count = np.unique(numbers.astype(np.uint32), return_counts=True)
        counts[cell] += count.astype(np.uint32)
    present = np.flatnonzero(counts)
    return pl.DataFrame({"cell": present.astype(np.uint32), "count": counts[present]}, COUNTS)


def pmi_table(parts: list[Path]) -> NDArray[np.int32]:
    """Return the PMI of each cell, in units of 1/65536, from the files with the counts of shards."""
    counts = np.zeros(_PAIRS + 1, np.uint32)
    for path in parts:
        cells = exact.read(path)
        counts[cells["cell"].to_numpy()] += cells["count"].to_numpy()
    of_queries, of_answers = (counts[at : at + SIZE].astype(np.float64) - 1 for at in (_QUERY, _ANSWER))
    others = max(float(counts[_PAIRS]) - 1, 1.0)
    table = counts[:_CELLS].view(np.int32).reshape(SIZE, SIZE)  # in place: a row is read before it is written
    for character in np.flatnonzero(counts[_QUERY:_ANSWER]):  # no pair uses the rows of other characters
        expected = np.maximum(of_queries[character], 0) * np.maximum(of_answers, 0) / others
        observed = np.maximum(table[character].astype(np.float64) - 1, 0)
        table[character] = np.rint(np.log((observed + 1) / (expected + 1)) * _SCALE)
    return table.reshape(-1)


def scores(table: NDArray[np.int32], queries: pl.Series, answers: pl.Series) -> NDArray[np.float32]:
    """Return the score of each pair of texts; NaN if a side has no character of level 1."""
    result = np.full(len(queries), np.nan, np.float32)
    for start, pairs in _batches(pl.DataFrame([queries.alias("query"), answers.alias("answer")])):
        rows, sizes, cells, _, _ = _cells(pairs["query"], pairs["answer"])
        if len(rows):
            sums = np.add.reduceat(table[cells].astype(np.int64), np.cumsum(sizes) - sizes)
            result[start + rows] = sums / (sizes * _SCALE)
    return result


def score_file(work: Path) -> Path:
    """Return the path of the file with the scores of all pairs, as 32-bit floats; NaN for a pair without a score."""
    return work / "relatedness.f32"


def read_scores(work: Path, begin: int, end: int) -> pl.Series:
    """Return the scores of the pairs from `begin` to before `end`; null for a pair without a score.

    `find_unrelated` must have run before: it writes `score_file`.
    """
    size = np.dtype(np.float32).itemsize
    score = np.fromfile(score_file(work), np.float32, end - begin, offset=begin * size)
    return pl.Series("score", score).fill_nan(None)


def find_unrelated(given: PassInput) -> pl.DataFrame:
    """Return the pairs that are dropped as unrelated, with their scores: `DROPPED`. Writes `score_file`."""
    options = given.settings.relatedness
    score = _all_scores(given)
    is_scored = given.remaining & ~np.isnan(score)
    dropped = np.zeros(len(score), bool)
    if number := int(Fraction(str(options.drop_lowest)) * int(is_scored.sum())):
        last = np.partition(score[is_scored], number - 1)[number - 1]
        dropped = is_scored & (score < last)
        equal = np.flatnonzero(is_scored & (score == last))
        dropped[equal[len(equal) - (number - int(dropped.sum())) :]] = True
    if options.min is not None:
        dropped |= is_scored & (score < np.float32(options.min))
    rows = np.flatnonzero(dropped)
    return as_dropped(pl.DataFrame({"row": rows, "value": score[rows]}))


def _all_scores(given: PassInput) -> NDArray[np.float32]:
    path = score_file(given.work)
    table = pmi_table(given.paths("characters"))
    with path.open("wb") as stream:
        for _, texts in given.frames("texts"):
            scores(table, texts["query"], texts["answer"]).tofile(stream)
    return np.fromfile(path, np.float32)
