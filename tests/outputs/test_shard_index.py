"""The index leads from each row to its shard, and back to the bytes that the shard was read from."""

from __future__ import annotations

import json
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chat_corpus.files.raw_file import RawFile
from chat_corpus.outputs import shard_index
from chat_corpus.outputs.shard_index import Entry, Place, runs
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.shard import ByteRange, Shard
from chat_corpus.schema import Segmentation
from tests.conftest import examples

FILES = {name: RawFile(path=f"/raw/{name}", name=name, size=900) for name in ("a.txt", "b.txt")}
#: Of each shard, whether each of its pairs was left out as a repeat.
DROPPED = st.lists(st.lists(st.booleans(), max_size=12), min_size=1, max_size=5)


def shard(number: int, *, encoding: str = "utf-8", stop: int = 90) -> Shard:
    pieces = tuple(
        ByteRange(file=file, start=10 * number, stop=stop + 10 * number, first=5 * number + 1, records=5, crc=7)
        for file in (replace_encoding(file, encoding) for file in FILES.values())
    )
    return Shard(source="ptt", input=1, number=number, pieces=pieces, segmentation=Segmentation.BLANK, dialect="csv")


def replace_encoding(file: RawFile, encoding: str) -> RawFile:
    return RawFile(path=file.path, name=file.name, size=file.size, encoding=encoding)


def written(folder: Path, dropped: list[list[bool]]) -> tuple[Path, list[Shard]]:
    """An index of shards with so many pairs, of which some were left out."""
    shards = [shard(number) for number in range(len(dropped))]
    counts, places = [], []
    for pairs in dropped:
        zero = Counts.zero()
        counts.append(replace(zero, pairs=replace(zero.pairs, possible=len(pairs), written=len(pairs))))
        left_out = [number for number, one in enumerate(pairs) if one]
        places.append(Place(tsv=0, rejects=0, crc=9, duplicates=len(left_out), dropped=runs(left_out)))
    path = folder / "ptt.jsonl"
    shard_index.write(path, shards, counts, places)
    return path, shards


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dropped=DROPPED)
def test_every_pair_has_its_row_or_none_where_it_was_left_out(dropped: list[list[bool]], tmp_path: Path) -> None:
    path, _ = written(tmp_path, dropped)
    entries = shard_index.read(path)
    rows = [row for entry, pairs in zip(entries, dropped, strict=True) for row in entry.rows_of_pairs(len(pairs))]
    numbers = accumulate(not one for pairs in dropped for one in pairs)
    flat = [one for pairs in dropped for one in pairs]
    assert rows == [None if one else number for one, number in zip(flat, numbers, strict=True)]
    assert sum(entry.rows for entry in entries) == flat.count(False)


@settings(max_examples=examples(60))
@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_the_places_in_short(flags: list[bool]) -> None:
    lengths = runs([place for place, one in enumerate(flags) if one])
    assert all(lengths[1:])
    again = [bool(number % 2) for number, length in enumerate(lengths) for _ in range(length)]
    assert again + [False] * (len(flags) - len(again)) == flags


def test_a_shard_is_found_again_as_it_was_planned(tmp_path: Path) -> None:
    path, shards = written(tmp_path, [[False] * 3, [True, False]])
    for entry, planned in zip(shard_index.read(path), shards, strict=True):
        again = entry.again("ptt", FILES)
        assert (again.number, again.input, again.dialect, again.segmentation) == (planned.number, 1, "csv", "blank")
        assert [(one.file, one.start, one.stop, one.first) for one in again.pieces] == [
            (one.file, one.start, one.stop, one.first) for one in planned.pieces
        ]
        assert entry.is_of(planned)


@pytest.mark.parametrize("other", [
    shard(1),
    shard(0, encoding="gb18030"),
    shard(0, stop=91),
    Shard(source="ptt", input=0, number=0, pieces=shard(0).pieces, segmentation=Segmentation.BLANK, dialect="csv"),
    Shard(source="ptt", input=1, number=0, pieces=shard(0).pieces, segmentation=Segmentation.NONE, dialect="csv"),
    Shard(source="ptt", input=1, number=0, pieces=shard(0).pieces, segmentation=Segmentation.BLANK, dialect="tsv"),
    Shard(source="ptt", input=1, number=0, pieces=shard(0).pieces[:1], segmentation=Segmentation.BLANK, dialect="csv"),
], ids=["number", "encoding", "bytes", "input", "segmentation", "dialect", "files"])  # fmt: skip
def test_a_shard_that_is_read_in_another_way_is_not_the_same(other: Shard, tmp_path: Path) -> None:
    """Turns in the store are used again only for what would be read to the same turns."""
    (entry,) = shard_index.read(written(tmp_path, [[False]])[0])
    assert not entry.is_of(other)


@pytest.mark.parametrize("edit", [
    lambda lines: lines[1:],
    lambda lines: [lines[0], lines[2]],
    lambda lines: lines[::-1],
    lambda lines: [*lines, lines[-1]],
    lambda lines: [changed(lines[0], rows=2), *lines[1:]],
    lambda lines: [lines[0], changed(lines[1], row=3), lines[2]],
    lambda lines: [changed(lines[0], shard=1), *lines[1:]],
    lambda lines: [changed(lines[0], more=1), *lines[1:]],
    lambda lines: [changed(lines[0], rows="2"), *lines[1:]],
    lambda lines: [changed(lines[0], segmentation="words"), *lines[1:]],
    lambda lines: [lines[0][:-9], *lines[1:]],
    lambda lines: [b"", *lines],
], ids=[
    *("first gone", "one gone", "reversed", "one twice", "rows", "row", "number", "new key", "type", "value", "cut"),
    "blank",
])  # fmt: skip
def test_an_index_that_was_edited_is_refused(edit: Any, tmp_path: Path) -> None:
    path, _ = written(tmp_path, [[False] * 3, [False] * 2, [False]])
    path.write_bytes(b"\n".join(edit(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(ValueError):  # noqa: PT011 most are errors of msgspec
        shard_index.read(path)


def changed(line: bytes, **values: object) -> bytes:
    return json.dumps({**json.loads(line), **values}).encode()


def test_an_index_of_no_shards_is_empty(tmp_path: Path) -> None:
    shard_index.write(tmp_path / "sms.jsonl", [], [], [])
    assert shard_index.read(tmp_path / "sms.jsonl") == list[Entry]()
