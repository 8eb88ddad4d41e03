"""The same pair once, as a set of all pairs would have it, in whatever parts and passes, and the report on it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chat_corpus.errors import LedgerError
from chat_corpus.exports import tsv
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline.counts import Counts, PairCounts, TurnCounts
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.runs.dropped_pairs import RawOf, Selection
from chat_corpus.runs.merge import Merge
from chat_corpus.statistics.tally import TALLY
from tests.conftest import examples, slow_from

Pair = tuple[str, str]
_WORDS = st.sampled_from(["", "a", "b", "ab", "好", "好的", "a\nb"])
PARTS = st.lists(st.lists(st.tuples(_WORDS, _WORDS), max_size=12), min_size=1, max_size=4)


def frame(pairs: list[Pair], first: int) -> pl.DataFrame:
    """Pairs as a pipeline leaves them, their lines numbered on over all parts, every second one from another file."""
    frame = pl.DataFrame(pairs, schema={"query": pl.String, "answer": pl.String}, orient="row")
    index = pl.int_range(pl.len(), dtype=pl.UInt32)
    return frame.with_columns(query_file_index=(index % 2).cast(pl.UInt8), query_record=index + first)


def parts_of(folder: Path, parts: list[list[Pair]]) -> tuple[list[Part], list[tuple[Pair, str, int]]]:
    """The files of parts, and all pairs in order with the address of each."""
    made: list[Part] = []
    addressed: list[tuple[Pair, str, int]] = []
    for number, pairs in enumerate(parts):
        rows = frame(pairs, len(addressed) + 1)
        part = Part(folder=folder, stem=str(number))
        keys = dedup.pair_keys(rows, ["甲.csv", "乙.txt"], tsv.byte_offsets(tsv.columns(rows)))
        keys.write_ipc(part.keys, compression="uncompressed")
        totals = counted(1, len(pairs), len(pairs))
        TALLY.to_frame().write_ipc_stream(part.tally)
        tally = part.tally.read_bytes()
        part.leave({part.pairs: tsv.encode(rows), part.rejects: b'{"reason":"empty"}\n', part.tally: tally}, totals)
        addressed += [
            (pair, ["甲.csv", "乙.txt"][part_], line)
            for pair, part_, line in zip(pairs, rows["query_file_index"], rows["query_record"], strict=True)
        ]
        made.append(part)
    return made, addressed


def counted(rejected: int, pairs: int, written: int) -> Counts:
    """Counts in which nothing but turns without text was rejected."""
    return replace(
        Counts.zero(),
        turns=replace(TurnCounts.zero(), read=rejected, rejected=Counter(empty=rejected)),
        pairs=replace(PairCounts.zero(), possible=pairs, written=written),
    )


def naive(addressed: list[tuple[Pair, str, int]]) -> list[tuple[int, str, int]]:
    seen: dict[Pair, tuple[str, int]] = {}
    found = []
    for row, (pair, file, line) in enumerate(addressed):
        if pair in seen:
            found.append((row, *seen[pair]))
        seen.setdefault(pair, (file, line))
    return found


@pytest.mark.parametrize("size", slow_from(2, [3, 2_000_000, 1]))
@settings(max_examples=examples(20), deadline=None)
@given(parts=PARTS)
def test_repeats_are_those_that_a_set_would_find(size: int, parts: list[list[Pair]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup, "KEYS_PER_PASS", size)
        made, addressed = parts_of(Path(folder), parts)
        keys = [part.keys for part in made]
        repeats = dedup.with_addresses(dedup.find_repeats(keys), keys, dedup.row_offsets(keys))
        assert repeats.select("row", "file", "record").rows() == naive(addressed)


def test_pairs_that_only_look_alike_are_not_the_same() -> None:
    alike = [
        ("a", "bc"),
        ("ab", "c"),
        ("bc", "a"),
        ("c", "ab"),
        ("a", "a"),
        ("b", "b"),
        ("abc", ""),
        ("", "abc"),
        ("", ""),
    ]
    keys = dedup.pair_keys(frame(alike, 1), ["甲", "乙"], pl.int_range(len(alike), eager=True))
    assert keys.select("low", "high").n_unique() == keys["low"].n_unique() == keys["high"].n_unique() == len(alike)


def test_keys_of_many_pairs_do_not_collide() -> None:
    pairs = frame([(str(n % 300), str(n // 300)) for n in range(90_000)], 1)
    keys = dedup.pair_keys(pairs, ["甲", "乙"], pl.int_range(90_000, eager=True))
    assert keys["low"].n_unique() == keys["high"].n_unique() == 90_000


PAIRS: list[list[Pair]] = [[("问", "答"), ("早", "安\n好"), ("问", "答")], [], [("早", "安\n好"), ("晚", "安")]]


def no_raw(number: int, rows: pl.DataFrame) -> pl.Series:
    """The raw records of pairs of a part, none of which is known."""
    assert number >= 0
    return pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias("raw")


def merge(parts: list[Part], folder: Path, out: Path, counts: Counts, raw_of: RawOf | None = None) -> Counts:
    """The parts, handed over in another order than theirs; what is counted then."""
    folder.mkdir(exist_ok=True)
    exact = tuple(each for each in table.PASSES if each.name == "dedup.exact")
    selection = Selection(passes=exact, settings=SourceSettings(), raw_of=raw_of) if raw_of else None
    merging = Merge("某源", folder, selection)
    for number in reversed(range(len(parts))):
        merging.add(number, parts[number])
    report = merging.finish(counts)
    merging.index.write_bytes(b"")
    merging.publish(out, lambda: None)
    return report


def counts(pairs: int = 5, written: int = 5) -> Counts:
    return counted(3, pairs, written)


def test_the_merged_file_holds_each_pair_once_and_the_rejects_say_where(tmp_path: Path) -> None:
    made, _ = parts_of(tmp_path, PAIRS)
    raw = {3: "問,答", 4: "早,安"}

    def raw_of(_: int, rows: pl.DataFrame) -> pl.Series:
        return pl.Series("raw", [raw[record] for record in rows["record"]])

    report = merge(made, tmp_path / "work", tmp_path / "out", counts(), raw_of)
    assert (tmp_path / "out" / "某源.tsv").read_text("utf-8") == "问\t答\n早\t安\\n好\n晚\t安\n"
    rejects = [
        json.loads(line) for line in (tmp_path / "out" / "rejects" / "某源.jsonl").read_text("utf-8").splitlines()
    ]
    assert [(one["source"], one["reason"], one["message"]) for one in rejects[3:]] == [
        ("某源", "duplicate", "the same pair is at 甲.csv:1"),
        ("某源", "duplicate", "the same pair is at 乙.txt:2"),
    ]
    assert [(one["file"], one["record"], one["raw"]) for one in rejects[3:]] == [
        ("甲.csv", 3, "問,答"),
        ("甲.csv", 4, "早,安"),
    ]
    assert (report.pairs.possible, report.pairs.written, report.pairs.duplicates) == (5, 3, 2)


def test_without_keys_every_pair_is_written(tmp_path: Path) -> None:
    made, _ = parts_of(tmp_path, PAIRS)
    report = merge(made, tmp_path / "work", tmp_path / "out", counts())
    assert (tmp_path / "out" / "某源.tsv").read_bytes().count(b"\n") == 5
    assert (report.pairs.written, report.pairs.duplicates) == (5, 0)


@pytest.mark.parametrize("with_keys", [True, False])
def test_files_that_do_not_hold_what_was_counted_are_not_written(with_keys: bool, tmp_path: Path) -> None:
    raw_of = no_raw if with_keys else None
    made, _ = parts_of(tmp_path, PAIRS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "某源.tsv").write_text("旧\t的\n", "utf-8")
    with pytest.raises(LedgerError, match="某源: stage 'merge'"):
        merge(made, tmp_path / "work", tmp_path / "out", counts(pairs=6, written=6), raw_of)
    assert (tmp_path / "out" / "某源.tsv").read_text("utf-8") == "旧\t的\n"
    with pytest.raises(LedgerError, match="某源"):
        merge(made, tmp_path / "work", tmp_path / "out", counts(written=4), raw_of)


def test_a_source_without_parts_has_empty_files(tmp_path: Path) -> None:
    merge([], tmp_path / "work", tmp_path, Counts.zero(), no_raw)
    assert (tmp_path / "某源.tsv").read_bytes() == (tmp_path / "rejects" / "某源.jsonl").read_bytes() == b""


def test_repeats_are_found_in_more_parts_than_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedup, "_GROUP", 2)
    made, addressed = parts_of(tmp_path, [[("问", "答"), (str(number), "答")] for number in range(5)])
    repeats = dedup.find_repeats([part.keys for part in made])
    assert sorted(repeats.rows()) == [(row, 0) for row in (2, 4, 6, 8)]
    assert len(addressed) == 10
