"""The records of a range are found and read without those of other ranges."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.exports.ordering import KEYS
from chat_corpus.runs.export.assembling import BATCH_ROWS, RecordsPart, encode_arrow, leave
from chat_corpus.runs.export.selection import rows_between
from tests.conftest import examples

_KEY = st.integers(0, KEYS - 1) | st.integers(0, 5)


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(st.lists(_KEY, max_size=12), min_size=1, max_size=3), st.sets(_KEY, max_size=4))
def test_each_record_is_in_one_range(orders: list[list[int]], borders: set[int]) -> None:
    cuts = [0, *sorted(borders - {0}), KEYS]
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for number, order in enumerate(orders):
            part = RecordsPart(folder=Path(folder), source="ptt", number=number, base=Path(folder, str(number)))
            leave(part.records, pl.DataFrame({"order": sorted(order)}, {"order": pl.UInt64}))
            parts.append(part)
        found = [[rows.read("order")["order"].to_list() for rows in ranges] for ranges in rows_between(parts, cuts)]
    for begin, end, pieces in zip(cuts, cuts[1:], found, strict=False):
        expected = [sorted(key for key in order if begin <= key < end) for order in orders]
        assert pieces == [piece for piece in expected if piece]


def test_records_are_in_small_batches_so_that_some_rows_are_read_alone() -> None:
    frame = pl.DataFrame({"order": range(10_000)})
    batches = pa.ipc.open_file(encode_arrow(frame, BATCH_ROWS))
    assert max(batches.get_batch(number).num_rows for number in range(batches.num_record_batches)) <= BATCH_ROWS
