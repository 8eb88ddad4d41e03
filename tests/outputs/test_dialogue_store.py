"""The dialogue store: all turns in a fixed order, and the same output from it as from the raw files."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from random import Random

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline import process, reading
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.task import ShardTask, run_shard
from chat_corpus.settings.model import Settings
from tests.conftest import SAMPLES
from tests.helpers import invoke, put, visible

ROWS = "".join(f"這是問題{n}！！！！！\t答{n}\n" for n in range(40)) + "一栏\n问\t \n" + "哈\t對\n"


def _run(raw: Path, out: Path, *flags: str) -> dict[str, bytes]:
    """The outputs of a run, the dialogue stores among them; the report aside, which has times."""
    done = invoke("-q", "--raw", raw, "--out", out, *flags)
    assert done.exit_code == 0, done.stderr
    return {name: content for name, content in visible(out).items() if name != "report.json"}


def _without_store(outputs: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in outputs.items() if not name.startswith("dialogues/")}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return put(tmp_path / "raw", {"tieba.dialogues": ROWS, "Gossiping-QA-Dataset.txt": ROWS})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text("shard_bytes: 600\nfilters: {min_chars: 2}\n")
    return path


def test_other_filters_and_pairs_start_from_the_store(
    raw: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    config.write_text("shard_bytes: 600\n")
    first = _run(raw, out, "--store-dialogues", "--config", str(config))
    config.write_text("shard_bytes: 600\nfilters: {min_chars: 2}\n")
    flags = ("--store-dialogues", "--pairs", "first", "--config", str(config))
    with monkeypatch.context() as patched:
        patched.setattr(process, "clean_turns", lambda *_: pytest.fail("cleaned again"))
        second = _run(raw, out, "--force", *flags)
    assert first != second
    assert second == _run(raw, tmp_path / "anew", *flags)


@pytest.mark.parametrize("change", ["text: {punctuation: {limit: 1}}", "shard_bytes: 700"])
def test_what_is_cleaned_otherwise_or_in_other_shards_is_cleaned_again(
    change: str, raw: Path, config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues", "--config", str(config))
    config.write_text(f"{change}\nfilters: {{min_chars: 3}}\n")
    done = _run(raw, out, "--store-dialogues", "--force", "--config", str(config))
    assert done == _run(raw, tmp_path / "anew", "--store-dialogues", "--config", str(config))


def test_the_store_is_the_same_for_any_size_of_shards(raw: Path, tmp_path: Path) -> None:
    stores = []
    for size in (200, 5000):
        config = tmp_path / f"{size}.yaml"
        config.write_text(f"shard_bytes: {size}\n")
        outputs = _run(raw, tmp_path / str(size), "--store-dialogues", "--config", str(config))
        stores.append({name: data for name, data in outputs.items() if name.endswith(".parquet")})
    assert list(stores[0]) == ["dialogues/ptt.parquet", "dialogues/tieba.parquet"]
    assert stores[0] == stores[1]


def test_a_source_that_is_unchanged_is_done_again_where_a_store_is_wanted(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = _run(raw, out)
    after = _run(raw, out, "--store-dialogues")
    assert (before, len(after) - len(before)) == (_without_store(after), 2)
    assert _run(raw, out) == after, "it stays beside outputs that stay"


@pytest.mark.parametrize("flags", [("--force", "--pairs", "first"), ("--fresh",)])
def test_no_store_is_left_beside_outputs_that_were_made_without_one(
    flags: tuple[str, ...], raw: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues")
    done = invoke("-q", "--raw", raw, "--out", out, *flags)
    assert done.exit_code == 0
    assert "deleted the dialogue store of the earlier run; add --store-dialogues" in done.stderr
    assert list(out.rglob("*.parquet")) == []


@pytest.mark.parametrize("name", sorted(sources.load()))
def test_clean_turns_come_back_from_the_store_as_they_were(name: str, tmp_path: Path) -> None:
    source, own = sources.load()[name], Settings().of(name)
    for shard in ShardPlanner(found=discover_sources(SAMPLES, sources.load())[name], settings=Settings()).shards():
        records = reading.records(shard, source)
        cleaned = process.clean_turns(shard, source, own, records)
        result = process.filter_and_pair(cleaned, shard, source, own, partial(tuple, records))
        rows = dialogue_store.rows(cleaned, result, shard, source)
        assert rows.schema == dialogue_store.SCHEMA
        assert len(rows) == len(cleaned.turns)
        dialogue_store.write([_arrow(rows, tmp_path)], tmp_path / "store.parquet", name)
        dialogue_store.check_schema(tmp_path / "store.parquet", name)
        again = dialogue_store.clean_turns(dialogue_store.read(tmp_path / "store.parquet"), result.counts, shard)
        assert again.counts == cleaned.counts
        after = process.filter_and_pair(again, shard, source, own, partial(tuple, records))
        assert after.counts == result.counts
        assert after.pairs.equals(result.pairs)
        assert after.rejects.equals(result.rejects)
        assert dialogue_store.rows(again, after, shard, source).equals(rows)


def _arrow(rows: pl.DataFrame, folder: Path) -> Path:
    rows.write_ipc(folder / "rows.arrow")
    return folder / "rows.arrow"


def test_rows_lead_to_their_records_and_dialogues_are_named_after_their_first(raw: Path, tmp_path: Path) -> None:
    _run(raw, tmp_path / "out", "--store-dialogues")
    store = dialogue_store.read(tmp_path / "out" / "dialogues" / "ptt.parquet")
    row = {"dialogue_id": "Gossiping-QA-Dataset.txt:3", "file": "Gossiping-QA-Dataset.txt", "record": 3, "text": "答2"}
    met = store.filter(pl.col("text") == "答2").row(0, named=True)
    assert row.items() <= met.items()
    assert (met["raw"], met["before_conversion"], met["reason"]) == (None, None, None)
    first = store.row(0, named=True)
    assert (first["text"], first["raw"]) == ("这是问题0！！！", "這是問題0！！！！！")
    bad = store.filter(pl.col("reason").is_not_null()).select("record", "reason", "filtered", "dialogue_id")
    assert bad.rows() == [(41, "fields", False, None), (42, "empty", False, "Gossiping-QA-Dataset.txt:42")]


@pytest.mark.parametrize("fault", ["cut", "bit", "missing", "version"])
def test_a_store_that_is_not_as_it_was_written_is_not_used(fault: str, raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("--store-dialogues", "--force", "--pairs", "first")
    _run(raw, out, "--store-dialogues")
    for path in (out / "dialogues").iterdir():
        data, facts = path.read_bytes(), path.stat()
        if fault == "missing":
            path.unlink()
            continue
        if fault == "version":
            pl.read_parquet(path).write_parquet(path)
            continue
        path.write_bytes(data[:-9] if fault == "cut" else data[:99] + bytes([data[99] ^ 1]) + data[100:])
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert _run(raw, out, *flags) == _run(raw, tmp_path / "anew", *flags)


def test_a_part_shows_the_record_of_a_reject_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    part = Part(folder=tmp_path, stem="0")
    assert part.raw_of("a", 1) == ""
    rejects = [
        {"file": file, "record": line, "raw": raw, "reason": "fields"}
        for file, line, raw in (("b", 1, "乙"), ("a", 2, None), ("a", 1, None), ("a", 1, "甲"), ("a", 3, "丙"))
    ]
    part.rejects.write_text("".join(json.dumps(one) + "\n" for one in rejects) + "{", "utf-8")
    assert [part.raw_of("a", line) for line in (1, 2, 3)] == ["甲", "", "丙"]


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "keys.arrow", "json"])
def test_a_part_that_was_damaged_is_no_part(ending: str, raw: Path, tmp_path: Path) -> None:
    """What an interrupted run has left may have been damaged since."""
    settings = Settings(raw=str(raw), out=str(tmp_path / "out"))
    plan = ShardPlanner(found=discover_sources(raw, sources.load())["ptt"], settings=settings)
    task = ShardTask(shard=next(iter(plan.shards())), settings=settings, folder=tmp_path, facts=("keys",))
    counts = run_shard(task)
    assert task.part.counts() == counts
    path = tmp_path / f"{task.part.stem}.{ending}"
    whole = path.read_bytes()
    for bit in Random(5).sample(range(8 * len(whole)), 40):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert task.part.counts() is None, bit
    path.write_bytes(whole)
    assert task.part.counts() == counts


def test_a_store_in_a_folder_whose_name_looks_like_a_pattern_is_checked(tmp_path: Path) -> None:
    folder = tmp_path / "x [a]*?"
    folder.mkdir()
    dialogue_store.write([], folder / "ptt.parquet", "ptt")
    dialogue_store.check_schema(folder / "ptt.parquet", "ptt")
    with pytest.raises(ValueError, match="tieba"):
        dialogue_store.check_schema(folder / "ptt.parquet", "tieba")
