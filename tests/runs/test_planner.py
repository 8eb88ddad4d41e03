"""Plans: shards and the facts of files, parallel files that do not match, limits."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from chat_corpus.errors import ChatCorpusError, IncompleteError
from chat_corpus.files.raw_file import RawFile
from chat_corpus.formats.conv import CONV
from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.runs import cutting
from tests.formats.laws import plan, written

TABBED = delimited("\t")


def test_facts_are_those_of_the_whole_file(tmp_path: Path) -> None:
    content = b"a\tb\nc\td\r\n\xff"
    (file,) = written(tmp_path, content)
    made = plan(TABBED, [file], shard_bytes=4)
    shards = list(made.shards())
    (facts,) = made.summaries
    assert (facts.file, facts.bytes, facts.records) == (file, 10, 3)
    assert facts.digest == hashlib.sha256(content).hexdigest()
    assert [(piece.start, piece.stop, piece.first, piece.records) for shard in shards for piece in shard.pieces] == [
        (0, 4, 1, 1), (4, 9, 2, 1), (9, 10, 3, 1),
    ]  # fmt: skip
    assert [shard.number for shard in shards] == [0, 1, 2]
    assert [shard.bytes for shard in shards] == [4, 5, 1]


def test_an_empty_file_is_one_empty_shard(tmp_path: Path) -> None:
    made = plan(TABBED, written(tmp_path, b""))
    assert [shard.bytes for shard in made.shards()] == [0]
    assert (made.summaries[0].records, made.summaries[0].digest) == (0, hashlib.sha256(b"").hexdigest())


def test_a_compressed_file_is_cut_as_its_content_would_be(tmp_path: Path) -> None:
    content = b"".join(b"E\nM %d\nM a\n" % n for n in range(300))
    (plain,) = written(tmp_path, content)
    (tmp_path / "0.gz").write_bytes(gzip.compress(content))
    packed = RawFile(path=str(tmp_path / "0.gz"), name="0", size=1)
    cuts = [
        [(s.pieces[0].start, s.pieces[0].first) for s in plan(CONV, [f], shard_bytes=99).shards()]
        for f in (plain, packed)
    ]
    assert cuts[0] == cuts[1]
    assert len(cuts[0]) > 20


@pytest.mark.parametrize(("left", "right"), [(3, 2), (2, 3), (0, 1), (1, 0)])
@pytest.mark.parametrize("size", [1, 1000])
def test_parallel_files_of_unequal_length_are_reported_with_both_counts(
    left: int, right: int, size: int, tmp_path: Path
) -> None:
    files = written(tmp_path, b"a\n" * left, b"b\n" * right)
    made = plan(PARALLEL, files, shard_bytes=size)
    with pytest.raises(
        IncompleteError, match=rf"invented: .*: 0 has {left} lines?, 1 has {right} lines?\. .*--unequal-lengths common"
    ):
        list(made.shards())
    shards = list(plan(PARALLEL, files, shard_bytes=size, unequal_lengths="common").shards())
    assert [sum(shard.pieces[part].records for shard in shards) for part in (0, 1)] == [left, right]


def test_the_facts_of_parallel_files_are_those_of_both(tmp_path: Path) -> None:
    contents = (b"a\n" * 9, b"long line\n" * 8 + b"last")
    made = plan(PARALLEL, written(tmp_path, *contents), shard_bytes=4)
    shards = list(made.shards())
    assert len(shards) > 2
    assert all(shard.pieces[0].records == shard.pieces[1].records for shard in shards)
    assert all(shard.pieces[0].first == shard.pieces[1].first for shard in shards)
    assert [facts.records for facts in made.summaries] == [9, 9]
    assert [facts.digest for facts in made.summaries] == [hashlib.sha256(content).hexdigest() for content in contents]


def test_a_format_without_cuts_is_one_shard_of_all_its_files(tmp_path: Path) -> None:
    (shard,) = plan(LINE_IDS, written(tmp_path, b"1\n2\n", b"3\n"), shard_bytes=1).shards()
    assert [(piece.first, piece.records) for piece in shard.pieces] == [(1, 2), (1, 1)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_no_shard_begins_after_the_limit(limit: int, tmp_path: Path) -> None:
    shards = list(plan(TABBED, written(tmp_path, b"a\n" * 9), shard_bytes=4, limit=limit).shards())
    assert [shard.pieces[0].first for shard in shards] == [1, 3][: (limit + 1) // 2]


def test_a_record_without_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_RECORD_BYTES", 1000)
    with pytest.raises(ChatCorpusError, match=r"0: no record ends within 1,000 bytes after byte 2"):
        list(plan(TABBED, written(tmp_path, b"a\n" + b"x" * 5000), shard_bytes=2).shards())


def test_the_same_input_is_always_the_same_shards(tmp_path: Path) -> None:
    files = written(tmp_path, b"E\nM a\n" * 100)
    assert list(plan(CONV, files, shard_bytes=64).shards()) == list(plan(CONV, files, shard_bytes=64).shards())
