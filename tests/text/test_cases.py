"""Each case of the tables, through its step alone and through the whole table."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from _pytest.mark import ParameterSet

from chat_corpus.text.normalizer import explain
from chat_corpus.text.options import TextOptions
from chat_corpus.text.steps import STEPS
from tests.text import cases

CASES = cases.read()


def _parameters(kind: str) -> list[ParameterSet]:
    found: list[ParameterSet] = []
    for case in CASES:
        wanted = case.alone if kind == "alone" else case.table
        if wanted is None or (kind == "alone" and case.step == "whole"):
            continue
        marks = [pytest.mark.xfail(strict=True, reason=case.xfail)] if case.xfail else []
        expected = case.expected if isinstance(wanted, msgspec.UnsetType) else wanted
        found.append(pytest.param(case, expected, id=f"{case.step}: {case.label}: {case.comment}", marks=marks))
    return found


@pytest.mark.parametrize(("case", "expected"), _parameters("alone"))
def test_step_alone(case: cases.Case, expected: str) -> None:
    assert cases.alone(case.original, case.step, case.text_options(), case.source_traits()) == expected


@pytest.mark.parametrize(("case", "expected"), _parameters("table"))
def test_whole_table(case: cases.Case, expected: str) -> None:
    assert cases.whole(case.original, case.text_options(), case.source_traits()) == expected


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.step}: {case.label}") for case in CASES])
def test_explanation_ends_in_what_the_table_gives_and_running_again_changes_nothing(case: cases.Case) -> None:
    options, traits = case.text_options(), case.source_traits()
    once = cases.whole(case.original, options, traits)
    changes = explain(case.original, options, traits)
    assert (changes[-1].after if changes else case.original) == once
    assert cases.whole(once, options, traits) == once


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_step_has_five_cases_that_change_and_five_that_stay(step: str) -> None:
    own = [case for case in CASES if case.step == step]
    changing = Counter(case.original != case.expected for case in own)
    assert changing[True] >= 5
    assert changing[False] >= 5


def test_steps_are_the_options_in_order() -> None:
    assert sorted(step.name for step in STEPS) == sorted(TextOptions.__struct_fields__)
