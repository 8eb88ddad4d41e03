"""Causes are codes: each can be read again, and hangs on settings that there are."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl
import pytest

from chat_corpus.lineage import cause_kinds
from chat_corpus.lineage.cause_kinds import BY_REPORT, CauseKind, Factor, either, literal, named
from chat_corpus.pipeline.filters.table import FILTERS
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.text.steps import STEPS


def keys(settings: Mapping[str, object], *at: str) -> list[str]:
    return [
        key
        for name, value in settings.items()
        for key in (keys(value, *at, name) if isinstance(value, Mapping) else [".".join((*at, name))])
    ]


KEYS = keys(msgspec.to_builtins(SourceSettings()))
PLAIN = [Factor(kind) for kind in CauseKind if kind not in (CauseKind.STEP, CauseKind.FILTER)]
STEPS_ = [Factor(CauseKind.STEP, step.name) for step in STEPS]
RULES_ = [Factor(CauseKind.FILTER, rule.name) for rule in FILTERS]


@pytest.mark.parametrize("factor", [*PLAIN, *STEPS_, *RULES_], ids=lambda factor: factor.code)
def test_a_cause_can_be_read_again(factor: Factor) -> None:
    assert Factor.of(factor.code) == factor
    assert cause_kinds.read([factor.code, "limit"]) == (factor, Factor(CauseKind.LIMIT))
    assert cause_kinds.read(None) is None


@pytest.mark.parametrize("code", ["", "steps links", "step", "settings, since nothing", "repeat + limit"])
def test_a_sentence_is_no_cause(code: str) -> None:
    with pytest.raises(ValueError, match="is not a valid CauseKind"):
        Factor.of(code)


@pytest.mark.parametrize(
    ("factor", "steered"),
    [
        (Factor(CauseKind.STEP, "links"), {"text.links"}),
        (Factor(CauseKind.STEP, "punctuation"), {"text.punctuation.enabled", "text.punctuation.limit"}),
        (Factor(CauseKind.STEP, "segmentation"), {"text.segmentation", "read.segmentation"}),
        (Factor(CauseKind.FILTER, "max_chars"), {"filters.max_chars"}),
        (Factor(CauseKind.FILTER, "empty"), set()),
        (Factor(CauseKind.CONVERSION), {key for key in KEYS if key.startswith("script.")}),
        (Factor(CauseKind.READING), {"read.reposts", "read.encoding"}),
        (Factor(CauseKind.SETTINGS), set(KEYS)),
        (Factor(CauseKind.CODE), set()),
    ],
    ids=lambda one: one.code if isinstance(one, Factor) else "",
)
def test_a_cause_hangs_on_its_own_settings(factor: Factor, steered: set[str]) -> None:
    assert {key for key in KEYS if factor.steered_by(key)} == steered


@pytest.mark.parametrize("kind", sorted(set(CauseKind) - BY_REPORT - {CauseKind.STEP, CauseKind.FILTER}))
def test_each_stage_hangs_on_a_setting(kind: CauseKind) -> None:
    assert any(Factor(kind).steered_by(key) for key in KEYS)


def test_of_two_turns_each_cause_is_told_once_and_none_is_null() -> None:
    frame = pl.DataFrame({"one": ["a", None, None, "a"], "other": ["b", "b", None, "a"]})
    one, other = (named(CauseKind.STEP, pl.col(name)) for name in frame.columns)
    assert frame.select(either(one, other)).to_series().to_list() == [
        ["step a", "step b"],
        ["step b"],
        None,
        ["step a"],
    ]
    assert frame.select(either(literal(CauseKind.REPEAT), one)).to_series().to_list() == [
        ["repeat", "step a"],
        ["repeat"],
        ["repeat"],
        ["repeat", "step a"],
    ]
