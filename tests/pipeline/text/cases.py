"""The case tables beside this module, and what they are run through.

A case is an object: `step`, the step it is about (`whole`: all of them); `label` and `comment` for a person; `original`
and `expected`; `traits` and `options` where they are not the defaults; `alone` or `table` where the step alone or the
whole table gives something else than `expected` (null: that is not tested); `xfail`, why it is known to fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from chat_corpus.pipeline.text.gates import apply_gated
from chat_corpus.pipeline.text.normalizer import normalize
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.steps import STEPS
from chat_corpus.schema import Markup, Segmentation, Traits


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text, and what it should become."""

    step: str
    label: str
    comment: str
    original: str
    expected: str
    traits: dict[str, Any] = {}
    options: dict[str, Any] = {}
    alone: str | msgspec.UnsetType | None = msgspec.UNSET
    table: str | msgspec.UnsetType | None = msgspec.UNSET
    xfail: str = ""

    def source_traits(self) -> Traits:
        """Traits of the source that the text is from."""
        return Traits(
            segmentation=Segmentation(self.traits.get("segmentation", "none")),
            markup=frozenset(map(Markup, self.traits.get("markup", []))),
            structured=self.traits.get("structured", False),
        )

    def text_options(self) -> TextOptions:
        """Options of the run."""
        return msgspec.convert(self.options, TextOptions)


def read() -> list[Case]:
    """Read all case tables."""
    tables = sorted(Path(__file__).parent.glob("*.json"))
    return [msgspec.convert(case, Case) for table in tables for case in json.loads(table.read_text("utf-8"))]


def whole(text: str, options: TextOptions, traits: Traits) -> str:
    """Run the whole table on one text."""
    return str(normalize(pl.Series("text", [text]), options, traits).item())


def whole_each(cases: Sequence[Case]) -> list[str]:
    """Run the whole table on each case, those of the same options and traits in one column."""
    return _each(cases, normalize)


def alone_each(cases: Sequence[Case], step: str) -> list[str]:
    """Run one step on each case, those of the same options and traits in one column."""
    (chosen,) = (one for one in STEPS if one.name == step)
    return _each(cases, lambda texts, options, traits: apply_gated(texts, chosen.parts(options, traits)))


def _each(cases: Sequence[Case], work: Callable[[pl.Series, TextOptions, Traits], pl.Series]) -> list[str]:
    groups: dict[tuple[TextOptions, Traits], list[int]] = {}
    for number, case in enumerate(cases):
        groups.setdefault((case.text_options(), case.source_traits()), []).append(number)
    got = dict[int, str]()
    for (options, traits), numbers in groups.items():
        texts = pl.Series("text", [cases[number].original for number in numbers])
        got.update(zip(numbers, work(texts, options, traits), strict=True))
    return [got[number] for number in range(len(cases))]
