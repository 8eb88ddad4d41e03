"""Real excerpts, where they are: everything is read, the counts balance, and what the old tool found is found."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import normalize, sources, turns
from chat_corpus.schema import Segmentation
from tests.helpers import invoke

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
    report = json.loads((out / "report.json").read_text("utf-8"))
    return Done(out=out, sources=report["sources"], code=result.exit_code)


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
    # What the old tool made 甚么 is 什么 now, and in its simplified text nobody converts it again.
    return pl.DataFrame({side: text.str.replace_all("甚么", "什么", literal=True) for side, text in texts.items()})


def test_all_eleven_sources_are_done(done: Done) -> None:
    assert done.code == 0
    assert sorted(done.sources) == sorted(sources.load())
    assert {one["state"] for one in done.sources.values()} <= {"found", "partial"}


def test_the_accounts_balance(done: Done) -> None:
    for one in done.sources.values():
        records, turns, pairs = one["records"], one["turns"], one["pairs"]
        assert records["read"] == records["non_turns"] + records["used"] + records["rejected"] > 0
        assert turns["read"] == turns["kept"] + sum(turns["rejected"].values())
        assert pairs["possible"] == pairs["written"] + sum(pairs["rejected"].values()) + pairs["duplicates"]


def test_more_is_found_than_by_the_old_tool(done: Done, realdata: Path) -> None:
    """PTT's second release and tieba's chained lines, which it lost."""
    written = {name: one["pairs"]["written"] for name, one in done.sources.items()}
    old = {name: len(rows(realdata / "original_output" / f"{OLD[name]}.tsv")) for name in ("ptt", "tieba")}
    assert written["ptt"] >= old["ptt"] + 6000
    assert written["tieba"] >= old["tieba"] + 1000


def test_what_the_old_tool_found_is_found(done: Done, realdata: Path) -> None:
    """All but one in a thousand; those are its conversions that today's dictionaries make right (菸 唸 砲 讚).

    In qingyun that is one: the old tool left a variant (遯) in text that it made simplified.
    """
    total, missing = 0, {}
    for name, file in OLD.items():
        old = rows(realdata / "original_output" / f"{file}.tsv")
        if name == "chatterbot":  # it paired every turn of a conversation with the first: only the second answers it
            old = old.filter(pl.col("query") != pl.col("query").shift(1).fill_null(""))
        # It stripped bytes from mojibake, so that what is left of these turns is no text in any encoding, and it left a
        # template of a bot that means a line break.
        old = old.filter(~pl.any_horizontal(pl.col("query", "answer").str.contains(r"[\x{80}-\x{9f}]|换行】")))
        ours = keys(rows(done.out / f"{name}.tsv"), name)
        lost = keys(old, name).join(ours, on=["query", "answer"], how="anti")
        total, missing[name] = total + len(old), len(lost)
    assert sum(missing.values()) <= 0.001 * total, f"of {total}: {missing}"
    assert all(missing[name] == 0 for name in ("chatterbot", "douban", "tieba", "xiaohuangji")), missing
    assert missing["qingyun"] <= 1


#: What machines left in a text, and the text steps may take away with its letters: markup, C1 controls of mojibake,
#: private use, reposts, runs of `ha`, and what platforms wrote.
MACHINE = r"[{<&\x{80}-\x{9f}\x{e000}-\x{f8ff}]|ä˝|ĺ|// ?@|alink|回复 |[—-]来自|\[/[a-z]|【换行】|(?i)(?:ha){5}"


@pytest.mark.parametrize("name", sorted(sources.load()))
def test_no_word_that_a_person_wrote_is_eaten(name: str, realdata: Path) -> None:
    """Letters, digits and Han before and after the text steps, full width and bounded runs alike."""
    read = pl.concat(turns(name, realdata / "raw_chat_corpus"))
    kept = read.filter(pl.col("reason").is_null() & ~pl.col("raw").str.contains(MACHINE))
    assert len(kept) > 0.9 * len(read.filter(pl.col("reason").is_null()))
    before, after = (kept[side].str.normalize("NFKC").str.replace_all(r"[^\p{L}\p{N}]", "") for side in SIDES)
    changed = pl.DataFrame([before, after]).filter(before != after)
    assert [row for row in changed.iter_rows() if bounded(row[0]) != bounded(row[1])] == []


SIDES = ("raw", "before_conversion")


def bounded(text: str) -> str:
    return re.sub(r"(.+?)\1{4,}", r"\1\1\1\1\1", text)
