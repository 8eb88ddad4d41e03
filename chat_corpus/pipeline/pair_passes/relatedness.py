"""How well an answer fits its query: the mean pointwise mutual information of their characters.

The pairs of the source are all there is to learn from. For a character c of the query and d of the answer, with the
counts of the other pairs of the source,

    PMI(c, d) = ln((n(c, d) + 1) / (n(c) n(d) / N + 1))

where n(c, d) is the number of pairs with c in the query and d in the answer, n(c) and n(d) are those with c in the
query and d in the answer, and N is the number of all pairs. The 1 draws what is rare to 0. The pair itself does not
count: else the rarest characters, which only this pair has, would be the best evidence. The score is the mean over all
c and d, which, unlike a sum or a maximum, does not grow with the length of the texts.

The characters are the 3,755 of level 1 of GB 2312, which are 99.7 % of simplified Chinese text. So a table of exact
counts has a fixed size (56 MB), needs no second pass to find frequent characters, and no hashing. Counts are integers,
and PMI is rounded to 1/65536, so that sums do not depend on their order.
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

#: Characters of each text that are looked at.
MAX_CHARACTERS = 64
#: Pairs that are counted together.
_ROWS = 1_000
_SCALE = 1 << 16
#: Columns of the counts of a shard. `cell` is c * SIZE + d for two characters, and after these come those of c in
#: queries, of d in answers, and of all pairs.
COUNTS = pl.Schema({"cell": pl.UInt32(), "count": pl.UInt32()})
_INTS = NDArray[np.int64]
_CELL_NUMBERS = NDArray[np.int32]


def _level_1() -> str:
    """The characters of level 1 of GB 2312: its rows 16 to 55."""
    codes = (bytes((first, second)) for first in range(0xB0, 0xD8) for second in range(0xA1, 0xFF))
    return b"".join(code for code in codes if code <= b"\xd7\xf9").decode("gb2312")


@cache
def _numbers() -> NDArray[np.int16]:
    """The number of each character of level 1, by code point; -1 for other characters."""
    numbers = np.full(1 << 16, -1, np.int16)
    numbers[[ord(character) for character in _level_1()]] = np.arange(SIZE)
    return numbers


SIZE = 3755
_CELLS = SIZE * SIZE
_QUERY, _ANSWER, _PAIRS = _CELLS, _CELLS + SIZE, _CELLS + 2 * SIZE


def _characters(texts: pl.Series) -> tuple[_INTS, _CELL_NUMBERS]:
    """The distinct characters of each text: row and number, sorted by both."""
    heads = texts.str.slice(0, MAX_CHARACTERS)
    lengths = heads.str.len_chars().to_numpy()
    codes = np.frombuffer(heads.str.join("").item().encode("utf-32-le"), "<u4")
    rows = np.repeat(np.arange(len(texts)), lengths)
    numbers = _numbers()[np.minimum(codes, 0xFFFF)]
    has_number = numbers >= 0
    keys = np.unique(rows[has_number] * SIZE + numbers[has_number])
    return keys // SIZE, (keys % SIZE).astype(np.int32)


def _cells(queries: pl.Series, answers: pl.Series) -> tuple[_INTS, _INTS, _CELL_NUMBERS, _CELL_NUMBERS, _CELL_NUMBERS]:
    """Pairs that have characters on both sides: their rows, the number of cells of each, and the cells in that order.

    The last two are the characters of their queries and of their answers.
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
    """Some rows at a time, and the number of the first."""
    for start in range(0, len(frame), _ROWS):
        yield start, frame[start : start + _ROWS]


def count_characters(queries: pl.Series, answers: pl.Series) -> pl.DataFrame:
    """The counts of the characters in pairs of texts: `COUNTS`, by cell."""
    counts = np.zeros(_PAIRS + 1, np.uint32)
    for _, pairs in _batches(pl.DataFrame([queries.alias("query"), answers.alias("answer")])):
        rows, _, cells, of_queries, of_answers = _cells(pairs["query"], pairs["answer"])
        numbers = np.concatenate([cells, _QUERY + of_queries, _ANSWER + of_answers, np.full(len(rows), _PAIRS)])
        cell, count = np.unique(numbers.astype(np.uint32), return_counts=True)
        counts[cell] += count.astype(np.uint32)
    present = np.flatnonzero(counts)
    return pl.DataFrame({"cell": present.astype(np.uint32), "count": counts[present]}, COUNTS)


def pmi_table(parts: list[Path]) -> NDArray[np.int32]:
    """PMI of each cell, in units of 1/65536, from the counts of shards."""
    counts = np.zeros(_PAIRS + 1, np.uint32)
    for path in parts:
        cells = exact.read(path)
        counts[cells["cell"].to_numpy()] += cells["count"].to_numpy()
    of_queries, of_answers = (counts[at : at + SIZE].astype(np.float64) - 1 for at in (_QUERY, _ANSWER))
    others = max(float(counts[_PAIRS]) - 1, 1.0)
    table = counts[:_CELLS].view(np.int32).reshape(SIZE, SIZE)  # in place: a row is read before it is written
    for character in np.flatnonzero(counts[_QUERY:_ANSWER]):  # no pair looks at the rows of other characters
        expected = np.maximum(of_queries[character], 0) * np.maximum(of_answers, 0) / others
        observed = np.maximum(table[character].astype(np.float64) - 1, 0)
        table[character] = np.rint(np.log((observed + 1) / (expected + 1)) * _SCALE)
    return table.reshape(-1)


def scores(table: NDArray[np.int32], queries: pl.Series, answers: pl.Series) -> NDArray[np.float32]:
    """The score of each pair of texts; NaN where a side has no character of level 1."""
    result = np.full(len(queries), np.nan, np.float32)
    for start, pairs in _batches(pl.DataFrame([queries.alias("query"), answers.alias("answer")])):
        rows, sizes, cells, _, _ = _cells(pairs["query"], pairs["answer"])
        if len(rows):
            sums = np.add.reduceat(table[cells].astype(np.int64), np.cumsum(sizes) - sizes)
            result[start + rows] = sums / (sizes * _SCALE)
    return result


def score_file(work: Path) -> Path:
    """The scores of all pairs, 32-bit floats; NaN for a pair without one."""
    return work / "relatedness.f32"


def read_scores(work: Path, begin: int, end: int) -> pl.Series:
    """The scores of the pairs from `begin` to before `end`, null for those without one, once `find_unrelated` ran."""
    size = np.dtype(np.float32).itemsize
    score = np.fromfile(score_file(work), np.float32, end - begin, offset=begin * size)
    return pl.Series("score", score).fill_nan(None)


def find_unrelated(given: PassInput) -> pl.DataFrame:
    """The pairs that are dropped as unrelated, with their scores: `pass_input.DROPPED`. Leaves `score_file`."""
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
