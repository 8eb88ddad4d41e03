"""The raw records of pairs that are dropped after their shard is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.pipeline import reading
from chat_corpus.pipeline.dedup import exact
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.task import ShardTask, raw_texts, run_shard
from chat_corpus.settings.model import Settings
from tests.conftest import slow_from

_LINES = [f"有沒有人知道第{number}題怎麼解的八卦\t{'很' * (number % 7)}難" for number in range(60)]
_QUOTED = ["question,answer", *(f'"有沒有人知道第{number}題的八卦","很難"' for number in range(60))]
_BROKEN = [*_QUOTED[:30], '"有沒有\n兩行的八卦","不\n知道"', *_QUOTED[30:]]
_ONE_RETURN = [*_LINES[:50], f"{_LINES[50]}\r", *_LINES[51:]]
_TEXT, _TABLE = "ptt-42w/Gossiping-QA-Dataset.txt", "ptt-77w/Gossiping-QA-Dataset-2_0.csv"


def _file(lines: list[str], end: str = "\n") -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode()


#: A name, the content of a raw file, and how many of its shards are split again.
_CASES = {
    "line feeds": (_TEXT, _file(_LINES), 0),
    "carriage returns": (_TEXT, _file(_LINES, "\r\n"), 0),
    "both": (_TEXT, _file(_ONE_RETURN), 1),
    "no line break at the end": (_TEXT, _file(_LINES)[:-1], 1),
    "one carriage return, and no line break at the end": (_TEXT, _file(_ONE_RETURN)[:-1], 2),
    "a mark at the beginning": (_TEXT, b"\xef\xbb\xbf" + _file(_LINES), 1),
    "a record that is not UTF-8": (_TEXT, _file(_LINES) + b"\xff\t\xff\n", 1),
    "a different encoding, with a mark": (_TEXT, _file(_LINES).decode().encode("utf-16"), 1),
    "quotes": (_TABLE, _file(_QUOTED), 0),
    "quotes over two lines": (_TABLE, _file(_BROKEN), 1),
}


@pytest.mark.parametrize("case", slow_from(5, list(_CASES)))
def test_raw_records_are_those_that_splitting_again_would_give(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, content, expected = _CASES[case]
    path = tmp_path / "raw" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    settings = Settings(raw=str(tmp_path / "raw"), out=str(tmp_path / "out"), shard_bytes=1500)
    discovered = discover_sources(tmp_path / "raw", sources.load())["ptt"]
    split: list[int] = []
    records = reading.records

    def counting(*given: Any) -> Any:
        split.append(1)
        return records(*given)

    pairs = 0
    for shard in ShardPlanner(found=discovered, settings=settings).shards():
        task = ShardTask(shard=shard, settings=settings, folder=tmp_path, facts=("keys",))
        run_shard(task)
        keys = exact.read(task.part.keys)
        addresses = exact.addresses(keys, keys["row"])
        unknown = addresses.with_columns(raw_begin=pl.lit(None, pl.UInt32))
        with monkeypatch.context() as patched:
            patched.setattr(reading, "records", counting)
            texts = raw_texts(task, addresses)
        assert texts.to_list() == raw_texts(task, unknown).to_list()
        assert texts.null_count() == 0
        pairs += len(texts)
    assert shard.number
    assert pairs >= len(_LINES)
    assert sum(split) == expected
