"""Find the first step after which a text differs between two sets of options."""

from __future__ import annotations

import polars as pl

from chat_corpus.pipeline.text.gates import apply_gated
from chat_corpus.pipeline.text.normalizer import ROUNDS
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.steps import STEPS
from chat_corpus.schema import Traits

#: Options and traits that the steps run with.
StepConfig = tuple[TextOptions, Traits]


def diverge(texts: pl.Series, old: StepConfig, new: StepConfig) -> pl.DataFrame:
    """Run `texts` through the steps under two configurations: columns `old` and `new` (the results), and `step`.

    `step` is the first step after which the two texts differ, or null if they never do; a later step may undo the
    difference. Null texts stay null.

    >>> from chat_corpus.pipeline.text.options import Policy
    >>> keep, drop = TextOptions(), TextOptions(links=Policy.REMOVE)
    >>> diverge(pl.Series(["看 www.a.cn 吧", "好"]), (keep, Traits()), (drop, Traits()))["step"].to_list()
    ['links', None]
    """
    sides = [texts, texts]
    step = pl.Series("step", [None], dtype=pl.String).new_from_index(0, len(texts))
    for _ in range(ROUNDS + 1):
        before = list(sides)
        for one in STEPS:
            sides = [apply_gated(side, one.parts(*way)) for side, way in zip(sides, (old, new), strict=True)]
            parted = (sides[0] != sides[1]).fill_null(value=False) & step.is_null()
            if parted.any():
                step = step.scatter(parted.arg_true(), one.name)
        if all(a.equals(b) for a, b in zip(before, sides, strict=True)):
            break
    return pl.DataFrame({"old": sides[0], "new": sides[1], "step": step})
