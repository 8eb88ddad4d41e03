"""One shard through all stages: pure, picklable, the same wherever the file is cut, and honest about a limit."""

from __future__ import annotations

import pickle
from pathlib import Path

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.errors import ChatCorpusError
from chat_corpus.pipeline import process as pipeline
from chat_corpus.pipeline import reading
from chat_corpus.pipeline.counts import Counts
from chat_corpus.pipeline.process import ShardResult
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from tests.pipeline.processed import process

CONV = (
    "E\nM 你好嗎\r\nM \u200b\nM 在吗\nM 在/的\n没有记号\nE\nM \u4e00\ufffd\ufffd\nM 嗯\n".encode()
    + b"M \xff\xfe\nE\nM \xe5\xa5\xbd"
)


def shards(folder: Path, name: str, settings: Settings, **files: bytes) -> list[Shard]:
    for file, content in files.items():
        path = folder / name / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return list(
        ShardPlanner(found=discover_sources(folder, {name: sources.load()[name]})[name], settings=settings).shards()
    )


def conv(folder: Path, settings: Settings, content: bytes = CONV) -> list[Shard]:
    return shards(folder, "subtitle", settings, **{"lost.conv": content})


def frames(outcome: ShardResult) -> tuple[object, ...]:
    return outcome.turns.rows(), outcome.pairs.rows(), outcome.rejects.rows(), outcome.counts


def test_a_shard_becomes_the_same_twice_and_after_pickling(tmp_path: Path) -> None:
    settings = load((), {"shard_bytes": 30, "text": {"entities": False}})
    for shard in conv(tmp_path, settings):
        once = process(shard, settings)
        assert frames(process(shard, settings)) == frames(once)
        copies = pickle.loads(pickle.dumps((shard, settings)))  # noqa: S301 our own
        assert copies == (shard, settings)
        assert frames(process(*copies)) == frames(once)


def test_turns_pairs_and_rejects_of_a_shard(tmp_path: Path) -> None:
    (shard,) = conv(tmp_path, Settings())
    result = process(shard, Settings())
    assert result.pairs.select("query", "answer", "query_record", "answer_record").rows() == [("在吗", "在/的", 4, 5)]
    assert result.rejects.select("record", "reason", "raw").rows() == [
        (3, "empty", "M \u200b"),
        (6, "layout", "没有记号"),
        (8, "damaged", "M 一\ufffd\ufffd"),
        (10, "encoding", "M \\xff\\xfe"),
    ]
    assert result.rejects["source"].unique().to_list() == ["subtitle"]
    assert result.rejects["file"].unique().to_list() == ["subtitle/lost.conv"]
    assert result.turns["raw"].to_list()[0] == "你好嗎"
    counts, records = result.counts, result.counts.records
    assert (records.read, records.non_turns, records.used, records.rejected) == (12, 3, 7, 2)
    assert (counts.turns.read, counts.turns.kept, counts.pairs.possible, counts.pairs.written) == (9, 5, 6, 1)
    assert dict(counts.turns.rejected) == {"empty": 1, "layout": 1, "damaged": 1, "encoding": 1}


@pytest.mark.parametrize("size", [1, 20, 40])
def test_cuts_change_neither_pairs_nor_rejects_nor_accounts(size: int, tmp_path: Path) -> None:
    (shard,) = conv(tmp_path, Settings())
    whole = process(shard, Settings())
    settings = Settings(shard_bytes=size)
    cut = [process(shard, settings) for shard in conv(tmp_path, settings)]
    assert len(cut) > 1
    for name in ("pairs", "rejects"):
        assert pl.concat([getattr(one, name) for one in cut]).equals(getattr(whole, name))
    total = Counts.zero()
    for one in cut:
        total.add(one.counts)
    assert total == whole.counts


def test_clean_turns_may_be_judged_more_than_once(tmp_path: Path) -> None:
    """Nothing that is counted in judging them stays with them."""
    (shard,) = conv(tmp_path, Settings())
    source, own = sources.load()["subtitle"], Settings().of("subtitle")
    raw = reading.records(shard, source)
    cleaned = pipeline.clean_turns(shard, source, own, raw)
    first, again = (pipeline.filter_and_pair(cleaned, shard, source, own, lambda: raw) for _ in range(2))
    assert first.counts == again.counts == process(shard, Settings()).counts
    assert (cleaned.counts.turns.read, cleaned.counts.pairs.possible) == (0, 0)


@pytest.mark.parametrize("limit", range(1, 13))
def test_a_limit_is_as_if_the_file_ended_there(limit: int, tmp_path: Path) -> None:
    settings = load((), {"read": {"limit": limit, "segmentation": "none"}})
    limited = [process(shard, settings) for shard in conv(tmp_path, settings)]
    plain = load((), {"read": {"segmentation": "none"}})
    content = b"\n".join(CONV.split(b"\n")[:limit])
    ended = [process(shard, plain) for shard in conv(tmp_path, plain, content)]
    for name in ("turns", "pairs", "rejects"):
        assert pl.concat(getattr(one, name) for one in limited).equals(pl.concat(getattr(one, name) for one in ended))
    assert [one.counts for one in limited] == [one.counts for one in ended]


def test_a_limit_pairs_no_turns_around_what_it_cut_out(tmp_path: Path) -> None:
    lines = "".join(f"{number} +++$+++ 甲 +++$+++ 第{number}句\n" for number in (1, 2, 3)).encode()
    lists = b"1 +++$+++ [1, 3, 2]\n2 +++$+++ [3, 1]\n"
    for mode in ("adjacent", "first", "exchange"):
        settings = load((), {"read": {"limit": 2}, "pairs": {"mode": mode}})
        names = {"egret_wenda_lines.txt": lines, "egret_wenda_conversations.txt": lists}
        (shard,) = shards(tmp_path, "egret-wenda".replace("-wenda", ""), settings, **names)
        rows = process(shard, settings).pairs.select("query", "answer").rows()
        assert rows == ([("第1句", "第2句")] if mode == "first" else [])


def test_a_file_that_changed_after_it_was_planned_is_reported(tmp_path: Path) -> None:
    (shard,) = conv(tmp_path, Settings())
    Path(shard.pieces[0].file.path).write_bytes(b"E\n")
    with pytest.raises(ChatCorpusError, match=r"lost\.conv"):
        process(shard, Settings())


@pytest.mark.parametrize("content", [b"\n", b"E\n", b"\xef\xbb\xbf"])
def test_a_file_of_nothing_balances(content: bytes, tmp_path: Path) -> None:
    (shard,) = conv(tmp_path, Settings(), content)
    outcome = process(shard, Settings())
    assert outcome.counts.records.read == outcome.counts.records.non_turns
    assert outcome.turns.is_empty()
    assert outcome.pairs.is_empty()


def test_a_record_of_several_lines_is_shown_whole_among_the_rejects(tmp_path: Path) -> None:
    content = '問,答\n"上\n'.encode() + b'\xff",x\n' + '"左\n右",\n'.encode()
    (shard,) = shards(tmp_path, "ptt", Settings(), **{"Gossiping-QA-Dataset-2_0.csv": content})
    rejects = process(shard, Settings()).rejects
    assert rejects.select("record", "reason", "raw").rows() == [
        (2, "encoding", '"上\n\\xff",x'),
        (4, "empty", '"左\n右",'),
    ]
