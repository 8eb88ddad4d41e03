"""Conversion case by case: conversion.json, by both packages' dictionaries, and OpenCC's own cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest

from chat_corpus.pipeline.script import ScriptOptions, load
from chat_corpus.pipeline.script.opencc_packages import Name
from chat_corpus.schema import Script

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("conversion.json").read_text(encoding="utf-8"))
PACKAGES: tuple[Name, ...] = get_args(Name)


def convert(options: ScriptOptions, texts: list[str | None], declared: Script, dialogues: list[int]) -> pl.DataFrame:
    return load(options).convert(
        pl.Series("text", texts, dtype=pl.String), declared=declared, dialogues=pl.Series(dialogues, dtype=pl.UInt32)
    )


def _converted(package: Name, declared: str, tried: list[dict[str, Any]]) -> list[str]:
    """What becomes of cases, each of them with its dialogue one in a column of all."""
    dialogues = [[*case.get("dialogue", ()), case["original"]] for case in tried]
    numbers = [number for number, texts in enumerate(dialogues) for _ in texts]
    texts = [text for one in dialogues for text in one]
    result = convert(ScriptOptions(dictionaries=package), texts, Script(declared), numbers)["text"]
    return [result[numbers.index(number) + len(one) - 1] for number, one in enumerate(dialogues)]


def _wrong(tried: list[dict[str, Any]], results: list[str]) -> dict[str, str]:
    """The cases that give what is not expected, by name, and those that are known to fail and do not."""
    both = zip(tried, results, strict=True)
    return {case["label"]: result for case, result in both if (result == case["expected"]) == ("fails" in case)}


DECLARED = sorted({case["declared"] for case in CASES})


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("package", PACKAGES)
def test_each_case_gives_what_is_expected(package: Name, declared: str) -> None:
    tried = [case for case in CASES if case["declared"] == declared]
    assert _wrong(tried, _converted(package, declared, tried)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_each_case_gives_what_is_expected_alone_in_its_column(package: Name) -> None:
    assert _wrong(CASES, [_converted(package, case["declared"], [case])[0] for case in CASES]) == {}


def test_labels_are_distinct_and_half_of_the_cases_must_stay() -> None:
    assert len({case["label"] for case in CASES}) == len(CASES) >= 240
    assert sum(case["original"] == case["expected"] for case in CASES) * 2 >= len(CASES)


@pytest.mark.parametrize(
    ("text", "declared", "script"),
    [
        ("請問這個", Script.HANS, "traditional"),
        ("请问这个", Script.TAIWAN, "simplified"),
        ("请问這個", Script.HANS, "mixed"),
        ("好啊", Script.TAIWAN, "neutral"),
        ("皇后只有三公里", Script.HANS, "neutral"),
        ("甚夥", Script.HANS, "simplified"),
        ("甚夥", Script.HANT, "traditional"),
        ("甚夥", Script.MIXED, "neutral"),
        ("看著", Script.HANS, "traditional"),
        ("", Script.TAIWAN, "neutral"),
        (None, Script.TAIWAN, "neutral"),
    ],
)
def test_script_is_decided_on_the_text_before_conversion(text: str | None, declared: Script, script: str) -> None:
    assert convert(ScriptOptions(), [text], declared, [0])["script"].to_list() == [script]


def test_a_dialogue_decides_for_a_turn_that_says_nothing_and_only_for_its_own() -> None:
    texts: list[str | None] = ["請問", "甚夥", "请问", "甚夥", "甚夥", None, "請問", "请问", "甚夥"]
    result = convert(ScriptOptions(), texts, Script.HANS, [0, 0, 1, 1, 2, 2, 3, 3, 3])
    assert result["text"].to_list() == ["请问", "甚伙", "请问", "甚夥", "甚夥", None, "请问", "请问", "甚夥"]
    taiwan = convert(ScriptOptions(), texts, Script.TAIWAN, [0, 0, 1, 1, 2, 2, 3, 3, 3])
    assert taiwan["text"].to_list() == ["请问", "甚伙", "请问", "甚夥", "甚伙", None, "请问", "请问", "甚伙"]


def test_a_row_without_a_dialogue_is_converted_by_itself() -> None:
    result = load(ScriptOptions()).convert(
        pl.Series(["請問", "甚夥"]), declared=Script.HANS, dialogues=pl.Series([None, None], dtype=pl.UInt32)
    )
    assert result["text"].to_list() == ["请问", "甚夥"]


def test_a_frame_without_rows_is_converted() -> None:
    assert convert(ScriptOptions(), [], Script.TAIWAN, []).schema == {"text": pl.String(), "script": pl.String()}


@pytest.mark.parametrize("mode", ["auto", "t2s", "none"])
def test_the_input_is_left_as_it_was(mode: Any) -> None:
    texts = pl.Series(["請問", "请问", "東京へ行きます", None] * 4000)
    before = texts.to_list()
    load(ScriptOptions(mode=mode)).convert(texts, declared=Script.TAIWAN)
    assert texts.to_list() == before


def test_mode_none_only_names_scripts() -> None:
    result = convert(ScriptOptions(mode="none"), ["請問這個"], Script.TAIWAN, [0])
    assert result.rows() == [("請問這個", "traditional")]


def test_opencc_passes_its_own_t2s_cases_in_mode_t2s(opencc_cases: dict[str, list[tuple[str, str]]]) -> None:
    originals, expected = zip(*opencc_cases["t2s"], strict=True)
    assert len(originals) == 55
    result = convert(ScriptOptions(mode="t2s"), list(originals), Script.HANT, [0] * len(originals))
    assert result["text"].to_list() == list(expected)


def test_mode_t2s_leaves_broken_things_broken() -> None:
    texts: list[str | None] = ["电脑打坏了", "他是第一坏了", "拉坏肚子", "製坏 坏布"]
    result = convert(ScriptOptions(mode="t2s"), texts, Script.HANS, [0] * 4)
    assert result["text"].to_list() == ["电脑打坏了", "他是第一坏了", "拉坏肚子", "制坯 坯布"]


def test_aware_passes_all_of_opencc_s_tw2s_cases(opencc_cases: dict[str, list[tuple[str, str]]]) -> None:
    originals, expected = zip(*opencc_cases["tw2s"], strict=True)
    assert len(originals) == 32
    result = convert(ScriptOptions(), list(originals), Script.TAIWAN, list(range(len(originals))))
    assert result["text"].to_list() == list(expected)


def test_aware_differs_from_opencc_s_t2s_cases_only_where_it_means_to(
    opencc_cases: dict[str, list[tuple[str, str]]],
) -> None:
    originals, expected = zip(*opencc_cases["t2s"], strict=True)
    result = convert(ScriptOptions(), list(originals), Script.HANT, list(range(len(originals))))
    different = [text for text, got, want in zip(originals, result["text"], expected, strict=True) if got != want]
    # Forms outside the BMP; 慰藉著; 袷 beside simplified text; 谿, as the first; 坏 for 坯.
    assert [text[:2] for text in sorted(different)] == ["剔团", "慰藉", "殢 ", "破坏", "綦谿", "袷袢"]
