"""Clean turns kept for later runs: the same output from them, and nothing read or cleaned that is there already."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.layout import WORK
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline import process, reading
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.task import ShardTask, run_shard
from chat_corpus.settings.model import Settings
from tests.conftest import SAMPLES
from tests.helpers import invoke, put, visible

ROWS = "".join(f"這是問題{n}！！！！！\t答{n}\n" for n in range(40)) + "一栏\n问\t \n" + "哈\t對\n"


def _run(raw: Path, out: Path, *flags: str) -> dict[str, bytes]:
    done = invoke("-q", "--raw", raw, "--out", out, *flags)
    assert done.exit_code == 0, done.stderr
    return {name: content for name, content in visible(out).items() if name.endswith((".tsv", ".jsonl"))}


def _kept(out: Path) -> set[Path]:
    return set((out / WORK).glob("*.turns/*"))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return put(tmp_path / "raw", {"tieba.dialogues": ROWS, "Gossiping-QA-Dataset.txt": ROWS})


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text("shard_bytes: 600\nfilters: {min_chars: 2}\n")
    return path


def test_other_filters_and_pairs_start_from_the_turns_that_were_kept(
    raw: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues")
    before = _kept(out)
    _run(raw, out, "--store-dialogues", "--force", "--config", str(config))
    assert before.isdisjoint(_kept(out)), "shards of another size are others"
    before = _kept(out)
    with monkeypatch.context() as patched:
        patched.setattr(process, "clean_turns", lambda *_: pytest.fail("cleaned again"))
        told = _run(raw, out, "--store-dialogues", "--force", "--pairs", "first", "--config", str(config))
    assert _kept(out) == before
    assert told == _run(raw, tmp_path / "anew", "--pairs", "first", "--config", str(config))


def test_another_text_step_cleans_again_and_leaves_no_turns_of_the_old_ones(
    raw: Path, config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = _run(raw, out, "--store-dialogues")
    before = _kept(out)
    config.write_text("text: {punctuation: {limit: 1}}\n")
    told = _run(raw, out, "--store-dialogues", "--force", "--config", str(config))
    assert told != first
    assert told == _run(raw, tmp_path / "anew", "--config", str(config))
    assert before.isdisjoint(_kept(out))
    assert len(_kept(out)) == len(before)


@pytest.mark.parametrize("flags", [("--force", "--pairs", "first"), ("--fresh",)])
def test_a_run_that_is_to_keep_nothing_cleans_up(flags: tuple[str, ...], raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues")
    assert _kept(out)
    _run(raw, out, *flags)
    assert list((out / WORK).glob("*.turns")) == []


def test_turns_that_are_not_whole_are_made_again(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues")
    for path in _kept(out):
        path.write_bytes(path.read_bytes()[:100])
    told = _run(raw, out, "--store-dialogues", "--force", "--pairs", "first")
    assert told == _run(raw, tmp_path / "anew", "--pairs", "first")


@pytest.mark.parametrize("name", sorted(sources.load()))
def test_what_is_read_back_is_what_was_written(name: str, tmp_path: Path) -> None:
    source, settings = sources.load()[name], Settings()
    for shard in ShardPlanner(found=discover_sources(SAMPLES, sources.load())[name], settings=settings).shards():
        cleaned = process.clean_turns(shard, source, settings.of(name), reading.records(shard, source))
        dialogue_store.write(cleaned, tmp_path / "turns", name)
        again = dialogue_store.read(tmp_path / "turns", name)
        assert again is not None
        assert again.turns.equals(cleaned.turns)
        assert again.turns.schema == cleaned.turns.schema
        assert again.counts == cleaned.counts
    assert dialogue_store.read(tmp_path / "turns", "another") is None
    assert dialogue_store.read(tmp_path / "none", name) is None


def test_a_flipped_bit_in_turns_or_parts_is_noticed_and_the_shard_is_done_again(raw: Path, tmp_path: Path) -> None:
    """Of 400 flipped bits in kept turns, 179 came out as other turns once."""
    chance = Random(11)
    anew = _run(raw, tmp_path / "anew", "-s", "ptt")
    out = tmp_path / "out"
    _run(raw, out, "--store-dialogues", "-s", "ptt")
    (path,) = _kept(out)
    whole = path.read_bytes()
    assert dialogue_store.read(path, f"ptt/{path.stem}") is not None
    for bit in chance.sample(range(8 * len(whole)), 150):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        assert dialogue_store.read(path, f"ptt/{path.stem}") is None, bit
    path.write_bytes(damaged)
    assert _run(raw, out, "--store-dialogues", "--fresh", "-s", "ptt") == anew


def test_a_part_shows_the_record_of_a_reject_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    part = Part(folder=tmp_path, stem="0")
    assert part.raw_of("a", 1) == ""
    told = [
        {"file": file, "record": line, "raw": raw, "reason": "fields"}
        for file, line, raw in (("b", 1, "乙"), ("a", 2, None), ("a", 1, None), ("a", 1, "甲"), ("a", 3, "丙"))
    ]
    part.rejects.write_text("".join(json.dumps(one) + "\n" for one in told) + "{", "utf-8")
    assert [part.raw_of("a", line) for line in (1, 2, 3)] == ["甲", "", "丙"]


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "keys.arrow", "json"])
def test_a_part_that_was_damaged_is_no_part(ending: str, raw: Path, tmp_path: Path) -> None:
    """What an interrupted run has left may have been damaged since."""
    settings = Settings(raw=str(raw), out=str(tmp_path / "out"))
    plan = ShardPlanner(found=discover_sources(raw, sources.load())["ptt"], settings=settings)
    task = ShardTask(shard=next(iter(plan.shards())), settings=settings, folder=tmp_path, with_keys=True)
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
