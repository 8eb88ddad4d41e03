"""Check the encoded pairs and rejects of a shard against the rows that they were made from."""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from operator import add

import polars as pl

from chat_corpus.errors import DEFECT, LedgerError
from chat_corpus.files.lines import count
from chat_corpus.messages import message
from chat_corpus.pipeline.counts import Counts
from chat_corpus.schema import PAIR_REASON

#: Maximum number of lines of a shard that are compared.
_LOOKS = 1000


def check_written(pairs: int, columns: pl.DataFrame, encoded: bytes, where: str) -> None:
    """Check that the encoded bytes have one line per pair, with the texts of `columns` separated by tabs.

    Counts the lines and bytes, and compares some of the lines. Raise LedgerError if they differ.
    """
    lines = count(encoded, b"\n")
    whole = pairs == len(columns) == lines == count(encoded, b"\t") and b"\r" not in encoded
    if not whole or not _are_in_place(columns, encoded, 1 + lines // _LOOKS):
        fault = message(
            "{where}: stage 'write' lost, added, changed or moved pairs: {pairs:,} to write, {lines:,} lines made; "
            "{defect}",
            where=where,
            pairs=pairs,
            lines=lines,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def _are_in_place(columns: pl.DataFrame, encoded: bytes, every: int) -> bool:
    """Whether the bytes are as long as all rows together, and every nth row is at the offset that its position implies.

    `every` is n.
    """
    lengths = reduce(add, (column.str.len_bytes() + 1 for column in columns))
    *begins, end = accumulate(_sums(lengths, every), initial=0)
    rows = zip(*(column.gather_every(every).to_list() for column in columns), strict=True)
    lines = (("\t".join(row) + "\n").encode() for row in rows)
    return end == len(encoded) and all(
        encoded.startswith(line, begin) for line, begin in zip(lines, begins, strict=True)
    )


def _sums(lengths: pl.Series, every: int) -> list[int]:
    """Return the sum of each block of `every` lengths; this is faster than a cumulative sum."""
    whole = len(lengths) // every * every
    sums: list[int] = lengths.head(whole).reshape((-1, every)).arr.sum().to_list() if whole else []
    rest: list[int] = lengths.slice(whole).to_list()
    return [*sums, sum(rest)] if rest else sums


def reject_lines(counts: Counts) -> int:
    """Return the number of reject lines of a shard: one per turn, and per pair that a filter of pairs rejects."""
    pairs = sum(number for reason, number in counts.pairs.rejected.items() if reason.startswith(PAIR_REASON))
    return counts.turns.rejected.total() + pairs


def check_rejected(rejected: int, encoded: bytes, where: str) -> None:
    """Check that the encoded rejects have `rejected` lines. Raise LedgerError if they do not."""
    lines = count(encoded, b"\n")
    if lines != rejected:
        fault = message(
            "{where}: stage 'reject' lost or duplicated turns: {rejected:,} rejected, {lines:,} lines made; {defect}",
            where=where,
            rejected=rejected,
            lines=lines,
            defect=DEFECT,
        )
        raise LedgerError(fault)
