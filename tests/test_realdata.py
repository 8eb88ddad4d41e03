"""Real excerpts, where they are: everything is read, the accounts balance, and what the old tool found is found."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import normalize, sources
from chat_corpus.schema import Segmentation
from tests.test_cli import invoke

#: The old tool's output of each source that it knew.
OLD = {
    "chatterbot": "chatterbot", "douban": "douban_single_turn", "ptt": "ptt", "qingyun": "qingyun",
    "subtitle": "subtitle", "tieba": "tieba", "weibo": "weibo", "xiaohuangji": "xiaohuangji",
}  # fmt: skip
#: The old tool wrote nofenci text without slashes, and joined the subtitles by itself.
JOINED = frozenset({"subtitle", "xiaohuangji"})


@dataclass
class Done:
    out: Path
    sources: dict[str, Any]
    code: int


@pytest.fixture(scope="module")
def done(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("realdata") / "out"
    result = invoke("-q", "--raw", realdata / "raw_chat_corpus", "--out", out)
    told = json.loads((out / "report.json").read_text("utf-8"))
    return Done(out=out, sources=told["sources"], code=result.exit_code)


def rows(path: Path) -> pl.DataFrame:
    lines = pl.DataFrame({"line": path.read_text("utf-8").split("\n")[:-1]})
    parts = lines.select(pl.col("line").str.split("\t"))["line"]
    return pl.DataFrame({"query": parts.list.get(0), "answer": parts.list.get(1, null_on_oob=True).fill_null("")})


def keys(pairs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Pairs as letters, digits and Han only, both sides through today's steps and conversion."""
    traits = sources.load()[name].traits
    if name in JOINED:
        traits = replace(traits, segmentation=Segmentation.NONE)
    texts = {side: normalize(pairs[side], traits).str.replace_all(r"[^\w]|_", "") for side in pairs.columns}
    return pl.DataFrame(texts)


def test_all_eleven_sources_are_done(done: Done) -> None:
    assert done.code == 0
    assert sorted(done.sources) == sorted(sources.load())
    assert {one["state"] for one in done.sources.values()} <= {"found", "partial"}


def test_the_accounts_balance(done: Done) -> None:
    for one in done.sources.values():
        records, turns, pairs = one["records"], one["turns"], one["pairs"]
        assert records["read"] == records["structural"] + records["used"] + records["rejected"] > 0
        assert turns["read"] == turns["kept"] + sum(turns["rejected"].values())
        assert pairs["possible"] == pairs["written"] + sum(pairs["rejected"].values()) + pairs["duplicates"]


def test_more_is_found_than_by_the_old_tool(done: Done, realdata: Path) -> None:
    """PTT's second release and tieba's chained lines, which it lost."""
    written = {name: one["pairs"]["written"] for name, one in done.sources.items()}
    old = {name: len(rows(realdata / "original_output" / f"{OLD[name]}.tsv")) for name in ("ptt", "tieba")}
    assert written["ptt"] >= old["ptt"] + 6000
    assert written["tieba"] >= old["tieba"] + 1000


def test_what_the_old_tool_found_is_found(done: Done, realdata: Path) -> None:
    total, missing = 0, {}
    for name, file in OLD.items():
        old = rows(realdata / "original_output" / f"{file}.tsv")
        if name == "chatterbot":  # it paired every turn of a conversation with the first: only the second answers it
            old = old.filter(pl.col("query") != pl.col("query").shift(1).fill_null(""))
        ours = keys(rows(done.out / f"{name}.tsv"), name)
        lost = keys(old, name).join(ours, on=["query", "answer"], how="anti")
        total, missing[name] = total + len(old), len(lost)
    assert sum(missing.values()) <= 0.002 * total, f"of {total}: {missing}"
    assert all(missing[name] == 0 for name in ("chatterbot", "douban", "qingyun", "tieba", "xiaohuangji")), missing
