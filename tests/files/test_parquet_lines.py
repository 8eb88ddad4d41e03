"""Parquet files are streams of JSON Lines: each row once, in order, whatever is read at a time."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.files import parquet_lines
from chat_corpus.files.parquet_lines import ParquetLines
from tests.conftest import examples

AWKWARD = ["在吗", 'a"b\\', "一\n二", "", "\u2028", "😀", "\0", None]
TURN = st.fixed_dictionaries({"role": st.sampled_from(AWKWARD), "n": st.integers(0, 9)})
ROWS = st.lists(
    st.fixed_dictionaries({
        "id": st.integers(-(2**60), 2**60),
        "text": st.sampled_from(AWKWARD),
        "turns": st.lists(TURN, max_size=3),
    }),
    max_size=12,
)  # fmt: skip
SCHEMA = pl.Schema({
    "id": pl.Int64(), "text": pl.String(), "turns": pl.List(pl.Struct({"role": pl.String, "n": pl.Int64})),
})  # fmt: skip


def written(folder: Path, frame: pl.DataFrame, **options: Any) -> str:
    path = folder / "a.parquet"
    frame.write_parquet(path, **options)
    return str(path)


def read_lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, first=st.integers(1, 5), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_every_row_is_a_line_however_it_is_read(
    rows: list[dict[str, Any]], first: int, sizes: list[int], tmp_path: Path
) -> None:
    path = written(tmp_path, pl.DataFrame(rows, schema=SCHEMA), row_group_size=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_lines, "_FIRST", first)
        whole = ParquetLines(path).read()
        stream, parts = ParquetLines(path), list[bytes]()
        while part := stream.read(sizes[len(parts) % len(sizes)]):
            parts.append(part)
            assert stream.tell() == sum(map(len, parts))
    assert read_lines(whole) == rows
    assert b"".join(parts) == whole
    assert all(len(part) == sizes[number % len(sizes)] for number, part in enumerate(parts[:-1]))
    assert stream.read(10) == stream.read() == b""


def test_a_table_without_rows_or_columns_is_empty(tmp_path: Path) -> None:
    assert ParquetLines(written(tmp_path, pl.DataFrame(schema=SCHEMA))).read() == b""
    assert ParquetLines(written(tmp_path, pl.DataFrame())).read() == b""


def test_text_that_is_stored_as_bytes_is_text_and_bytes_that_are_none_are_null(tmp_path: Path) -> None:
    """Older programs write text as binary columns, also within lists and structs."""
    frame = pl.DataFrame({
        "text": ["好".encode(), b"\xff", None],
        "list": [[b"a", b"\xff"], [], None],
        "turns": [[{"role": b"user", "n": 1}], [{"role": b"\xff", "n": 2}], []],
    })  # fmt: skip
    assert frame.schema["text"] == pl.Binary
    assert read_lines(ParquetLines(written(tmp_path, frame)).read()) == [
        {"text": "好", "list": ["a", None], "turns": [{"role": "user", "n": 1}]},
        {"text": None, "list": [], "turns": [{"role": None, "n": 2}]},
        {"text": None, "list": None, "turns": []},
    ]


def test_numbers_that_json_lacks_and_dates_do_not_end_the_stream(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [float("nan"), float("inf"), 1.5], "b": [None, "2024-01-01", None]})
    frame = frame.with_columns(pl.col("b").str.to_date())
    rows = read_lines(ParquetLines(written(tmp_path, frame)).read())
    assert len(rows) == 3
    assert rows[2]["a"] == 1.5
    assert rows[1]["b"] == "2024-01-01"


def test_the_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "a=1" / "[ab]*"
    folder.mkdir(parents=True)
    path = written(folder, pl.DataFrame({"x": ["好"]}))
    assert read_lines(ParquetLines(path).read()) == [{"x": "好"}]


def test_large_rows_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the rows of a group: how many are decoded depends on how long they are."""
    monkeypatch.setattr(parquet_lines, "_BYTES", 10_000)
    path = written(tmp_path, pl.DataFrame({"x": ["长" * 3000] * 300}))
    stream = ParquetLines(path)
    taken = []
    while stream.read(9000):
        taken.append(len(stream._ready.getbuffer()))
    assert max(taken[2:]) < 64 * 9100  # the first read does not know yet
    assert max(taken[-20:]) < 3 * 9100


@pytest.mark.parametrize("damage", ["truncated", "page", "not parquet"])
def test_a_damaged_file_is_an_error_of_reading(damage: str, tmp_path: Path) -> None:
    path = Path(written(tmp_path, pl.DataFrame({"x": [f"第{n}行" for n in range(5000)]}), compression="zstd"))
    data = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(data[:-20])
    elif damage == "page":
        data[200:400] = bytes(200)
        path.write_bytes(data)
    else:
        path.write_bytes(b"PAR1" + b"x" * 50 + b"PAR1")
    with pytest.raises(OSError, match="not a readable Parquet file: "):
        ParquetLines(str(path)).read()


def test_it_can_be_buffered(tmp_path: Path) -> None:
    path = written(tmp_path, pl.DataFrame({"x": ["好"] * 100}))
    stream = ParquetLines(path)
    assert isinstance(stream, io.RawIOBase)
    assert stream.readable()
    assert len(list(stream)) == 100
