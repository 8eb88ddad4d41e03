"""Codes of causes: each can be parsed, and depends on settings that exist."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl
import pytest

from chat_corpus.lineage import cause_kinds
from chat_corpus.lineage.cause_kinds import REPORT_CAUSES, CauseKind, Factor, constant, union, with_name
from chat_corpus.pipeline.filters.table import FILTERS
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.text.steps import STEPS


def keys(settings: Mapping[str, object], *path: str) -> list[str]:
    return [
        key
        for name, value in settings.items()
        for key in (keys(value, *path, name) if isinstance(value, Mapping) else [".".join((*path, name))])
    ]


KEYS = keys(msgspec.to_builtins(SourceSettings()))
PLAIN = [Factor(kind) for kind in CauseKind if kind not in (CauseKind.STEP, CauseKind.FILTER)]
STEPS_ = [Factor(CauseKind.STEP, step.name) for step in STEPS]
FILTERS_ = [Factor(CauseKind.FILTER, filter_.name) for filter_ in FILTERS]


@pytest.mark.parametrize("factor", [*PLAIN, *STEPS_, *FILTERS_], ids=lambda factor: factor.code)
def test_the_code_of_a_cause_can_be_parsed(factor: Factor) -> None:
    assert Factor.of(factor.code) == factor
    assert cause_kinds.parse([factor.code, "limit"]) == (factor, Factor(CauseKind.LIMIT))
    assert cause_kinds.parse(None) is None


@pytest.mark.parametrize("code", ["", "steps links", "step", "settings, since nothing", "repeat + limit"])
def test_other_text_is_not_parsed_as_a_cause(code: str) -> None:
    with pytest.raises(ValueError, match="is not a valid CauseKind"):
        Factor.of(code)


@pytest.mark.parametrize(
    ("factor", "settings"),
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
    ids=lambda value: value.code if isinstance(value, Factor) else "",
)
def test_a_cause_depends_on_its_settings(factor: Factor, settings: set[str]) -> None:
    assert {key for key in KEYS if factor.depends_on(key)} == settings


@pytest.mark.parametrize("kind", sorted(set(CauseKind) - REPORT_CAUSES - {CauseKind.STEP, CauseKind.FILTER}))
def test_each_stage_depends_on_a_setting(kind: CauseKind) -> None:
    assert any(Factor(kind).depends_on(key) for key in KEYS)


def test_a_union_has_each_cause_once_and_is_null_if_there_is_none() -> None:
    frame = pl.DataFrame({"query": ["a", None, None, "a"], "answer": ["b", "b", None, "a"]})
    query, answer = (with_name(CauseKind.STEP, pl.col(name)) for name in frame.columns)
    assert frame.select(union(query, answer)).to_series().to_list() == [
        ["step a", "step b"],
        ["step b"],
        None,
        ["step a"],
    ]
    assert frame.select(union(constant(CauseKind.REPEAT), query)).to_series().to_list() == [
        ["repeat", "step a"],
        ["repeat"],
        ["repeat"],
        ["repeat", "step a"],
    ]
