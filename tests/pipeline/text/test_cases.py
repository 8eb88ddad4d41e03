"""Each case of the tables, through its step alone and through the whole table."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from chat_corpus.pipeline.text.normalizer import explain
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.steps import STEPS
from tests.pipeline.text import cases

CASES = cases.read()
NAMES = sorted({case.step for case in CASES})
#: Of each step so many cases, both of those that change and of those that stay, are explained by default.
EXPLAINED = 3


def _of(step: str) -> list[cases.Case]:
    return [case for case in CASES if case.step == step]


def _expected(case: cases.Case, override: str | msgspec.UnsetType | None) -> str | None:
    return case.expected if isinstance(override, msgspec.UnsetType) else override


def _agree(tried: list[cases.Case], expected: list[str | None], got: list[str]) -> None:
    """Each case gives what is expected, except known failures, which must fail. The message names the case."""
    differing = {
        f"{case.label}: {case.comment}: {case.original!r}": (one, text)
        for case, text, one in zip(tried, expected, got, strict=True)
        if text is not None and (one == text) == bool(case.xfail)
    }
    assert differing == {}


def _unlike(tried: list[cases.Case], first: list[str], second: list[str]) -> dict[str, tuple[str, str]]:
    """The cases of which two results are not the same, by name."""
    both = zip(tried, first, second, strict=True)
    return {f"{case.label}: {case.original!r}": (one, other) for case, one, other in both if one != other}


@pytest.mark.parametrize("step", [name for name in NAMES if name != "whole"])
def test_step_alone(step: str) -> None:
    tried = _of(step)
    _agree(tried, [_expected(case, case.alone) for case in tried], cases.alone_each(tried, step))


@pytest.mark.parametrize("step", NAMES)
def test_whole_table_and_running_it_again_changes_nothing(step: str) -> None:
    tried = _of(step)
    once = cases.whole_each(tried)
    _agree(tried, [_expected(case, case.table) for case in tried], once)
    changed = [msgspec.structs.replace(case, original=text) for case, text in zip(tried, once, strict=True)]
    assert _unlike(tried, once, cases.whole_each(changed)) == {}


def _explained(tried: list[cases.Case]) -> list[str]:
    """What the explanation of each case ends in."""
    explained = ((case, explain(case.original, case.text_options(), case.source_traits())) for case in tried)
    return [changes[-1].after if changes else case.original for case, changes in explained]


@pytest.mark.parametrize("step", NAMES)
def test_explanation_ends_in_what_the_table_gives(step: str) -> None:
    own = _of(step)
    changing = [case for case in own if case.original != case.expected]
    staying = [case for case in own if case.original == case.expected]
    some = changing[:EXPLAINED] + staying[:EXPLAINED]
    assert _unlike(some, _explained(some), cases.whole_each(some)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("step", NAMES)
def test_explanation_of_every_case_ends_in_what_the_table_gives(step: str) -> None:
    assert _unlike(_of(step), _explained(_of(step)), cases.whole_each(_of(step))) == {}


@pytest.mark.slow
@pytest.mark.parametrize("step", NAMES)
def test_each_case_comes_out_alike_alone_in_its_column(step: str) -> None:
    tried = _of(step)
    alone = [cases.whole(case.original, case.text_options(), case.source_traits()) for case in tried]
    assert _unlike(tried, alone, cases.whole_each(tried)) == {}


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_step_has_five_cases_that_change_and_five_that_stay(step: str) -> None:
    own = _of(step)
    changing = Counter(case.original != case.expected for case in own)
    assert changing[True] >= 5
    assert changing[False] >= 5


def test_steps_are_the_options_in_order() -> None:
    assert sorted(step.name for step in STEPS) == sorted(TextOptions.__struct_fields__)
