"""On real excerpts: simplified corpora stay as they are, and nothing traditional is left of Taiwan's."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.schema import Script


def lines(realdata: Path, name: str) -> pl.Series:
    return pl.Series((realdata / "raw_chat_corpus" / name).read_bytes().decode("utf-8").split("\n"))


def test_subtitles_stay_as_they_are(realdata: Path) -> None:
    texts = lines(realdata, "subtitle-useless/dgk_shooter_min.conv")
    result = load(ScriptOptions()).convert(texts, declared=Script.HANS)
    # One line has a 脈 among simplified characters.
    assert (result["text"] != texts).sum() <= 1
    assert result["script"].is_in(["simplified", "neutral"]).sum() >= len(texts) - 1


def test_what_is_left_of_ptt_is_simplified_and_converts_no_further(realdata: Path) -> None:
    texts = pl.Series(
        [part for line in lines(realdata, "ptt-42w/Gossiping-QA-Dataset.txt") for part in line.split("\t")]
    )
    converter = load(ScriptOptions())
    result = converter.convert(texts, declared=Script.TAIWAN)
    assert (result["script"] == "traditional").sum() > len(texts) * 0.95
    again = converter.convert(result["text"], declared=Script.TAIWAN)
    assert again["text"].equals(result["text"])
    # Japanese song lines stay as they are.
    assert again["script"].is_in(["traditional", "mixed"]).sum() < 15
    assert not result["text"].str.contains("[什怎這这]幺").any()


def test_result_does_not_depend_on_how_many_rows_there_are(realdata: Path) -> None:
    """A few rows are done in plain Python, many by Polars."""
    texts = lines(realdata, "qingyun-11w/12万对话语料青云库.csv")
    converter = load(ScriptOptions())
    whole = converter.convert(texts, declared=Script.HANS)
    parts = [converter.convert(texts[start : start + 40], declared=Script.HANS) for start in range(0, len(texts), 40)]
    assert pl.concat(parts).equals(whole)
