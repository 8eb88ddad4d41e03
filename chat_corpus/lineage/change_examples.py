"""Examples of turns that a step changed or a filter rejected: for each, the first one after a random turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from chat_corpus.lineage.cleaned_turns import CleanedTurns
from chat_corpus.outputs import sampling
from chat_corpus.page.material import FilterExample, StepExample
from chat_corpus.pipeline.filters.masking import hide_personal, placeholders
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.filters.table import active_filters, evaluate_filters
from chat_corpus.pipeline.text.gates import apply_gated
from chat_corpus.pipeline.text.normalizer import ROUNDS
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.steps import STEPS
from chat_corpus.schema import Traits
from chat_corpus.sources.base import Scope, Source

#: Number of turns that go through the text steps together.
_ROWS = 4096
#: The search stops when more than this many shards gave no example.
_MISSES = 8
_STEPS = frozenset(step.name for step in STEPS)


@dataclass(kw_only=True, slots=True)
class WantedExamples:
    """Names of the steps and filters of a source that need an example."""

    steps: set[str] = field(default_factory=set)
    filters: set[str] = field(default_factory=set)


@dataclass(kw_only=True, slots=True)
class FoundExamples:
    """Examples by the names of steps and filters."""

    steps: dict[str, StepExample] = field(default_factory=dict)
    filters: dict[str, FilterExample] = field(default_factory=dict)


def find_examples(turns: CleanedTurns, wanted: WantedExamples) -> FoundExamples:
    """Return examples from a source. A shard is read only if its counts show that it has some.

    Masking of personal data gets no example, and no example contains data that the settings mask. Raises
    ChatCorpusError if the turns cannot be read.
    """
    found = FoundExamples()
    steps = wanted.steps & _STEPS
    reasons = {
        item.name: str(item.reason)
        for item in active_filters(turns.run.source_settings.filters, turns.run.source)
        if item.name in wanted.filters
    }
    misses = 0
    for number, rows in _from_random_place(turns):
        counts = turns.entries[number].counts.turns
        here = {step for step in steps - found.steps.keys() if counts.changed_by_step[step]}
        filters = {name for name in reasons.keys() - found.filters.keys() if counts.rejected[reasons[name]]}
        if not here and not filters:
            continue
        before = len(found.steps) + len(found.filters)
        frame = turns.shard(number)[rows]
        _add_steps(found, turns, number, frame, here)
        if filters:
            _add_filters(found, turns, number, rows, filters)
        misses += before == len(found.steps) + len(found.filters)
        if misses > _MISSES:
            break
    return found


def _from_random_place(turns: CleanedTurns) -> Iterator[tuple[int, slice]]:
    """Yield (shard, rows) for all turns, from a random turn to the end and then from the first turn to that turn.

    The random turn does not depend on how the files are cut into shards, so the order of the turns does not either.
    """
    total, name = turns.firsts[-1], turns.run.name
    if not total:
        return
    place = sampling.draw(total, 1, 0, name, "example")[0]
    first = turns.shard_at(place)
    yield first, slice(place - turns.firsts[first], None)
    for number in (*range(first + 1, len(turns.entries)), *range(first)):
        yield number, slice(None)
    yield first, slice(0, place - turns.firsts[first])


def _add_steps(
    found: FoundExamples, turns: CleanedTurns, number: int, frame: pl.DataFrame, steps: Collection[str]
) -> None:
    settings, traits = turns.run.source_settings, turns.traits(number)
    changed = frame.filter(pl.col("raw") != pl.col("before_conversion"))
    changed = changed.filter(_unmasked(changed, settings.filters))
    for begin in range(0, len(changed), _ROWS):
        missing = set(steps) - found.steps.keys()
        if not missing:
            return
        rows = changed[begin : begin + _ROWS]
        for step, (row, before, after) in first_changes(rows["raw"], settings.text, traits, missing).items():
            file, record = rows.select("file", "record").row(row)
            found.steps[step] = StepExample(
                source=turns.run.name, address=f"{file}:{record}", before=before, after=after
            )


def _unmasked(turns: pl.DataFrame, options: FilterOptions) -> pl.Series:
    """Return a mask of the turns that have no personal data of the masked kinds, neither before nor after cleaning.

    Some data are found only after conversion (QQ號碼). Texts in a dialogue store are already masked, so placeholders
    that cleaning added count as personal data.
    """
    unmasked = pl.Series([True]).new_from_index(0, len(turns))
    if not options.kinds("mask"):
        return unmasked
    for column in ("raw", "before_conversion", "converted"):
        unmasked &= hide_personal(turns[column], options).eq_missing(turns[column])
    masked = placeholders(pl.col("converted")) > placeholders(pl.col("before_conversion"))
    return unmasked & ~turns.select(masked).to_series()


def first_changes(
    texts: pl.Series, options: TextOptions, traits: Traits, names: Collection[str]
) -> Mapping[str, tuple[int, str, str]]:
    """Return, by step name, the first text that the step changes: its index, and the text before and after the step.

    >>> first_changes(pl.Series(["好", "好  的", "ＯＫ  "]), TextOptions(), Traits(), {"width", "whitespace"})
    {'width': (2, 'ＯＫ  ', 'OK  '), 'whitespace': (1, '好  的', '好 的')}
    """
    found: dict[str, tuple[int, str, str]] = {}
    for _ in range(ROUNDS + 1):
        start = texts
        for step in STEPS:
            after = apply_gated(texts, step.parts(options, traits))
            if step.name in names and len(rows := (after != texts).arg_true()):
                row = rows[0]
                if step.name not in found or row < found[step.name][0]:
                    found[step.name] = (row, texts[row], after[row])
            texts = after
        if texts.equals(start):
            break
    return found


def _add_filters(found: FoundExamples, turns: CleanedTurns, number: int, rows: slice, names: Collection[str]) -> None:
    settings, shard = turns.run.source_settings, turns.shard(number)
    messages = _filter_messages(shard, settings.filters, turns.run.source)[rows]
    filtered = shard["filtered"][rows]
    rejected, messages = shard[rows].filter(filtered), messages.filter(filtered)
    unmasked = _unmasked(rejected, settings.filters)
    rejected, messages = rejected.filter(unmasked), messages.filter(unmasked)
    if rejected.is_empty():
        return
    first = messages.select(
        pl.coalesce(pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in messages.columns)
    ).to_series()
    for name in sorted(names):
        row = first.eq_missing(name).arg_max()
        if row is None or first[row] != name:
            continue
        turn = rejected.row(row, named=True)
        found.filters[name] = FilterExample(
            source=turns.run.name,
            address=f"{turn['file']}:{turn['record']}",
            text=turn["raw"] or "",
            message=turn["message"] or "",
        )


def _filter_messages(shard: pl.DataFrame, options: FilterOptions, source: Source) -> pl.DataFrame:
    """Return the columns of `evaluate_filters` for the turns of a shard: one per filter, null for other turns.

    Filters of dialogues need whole dialogues, so all turns are evaluated if there is such a filter. Otherwise, only the
    rejected turns are.
    """
    none = pl.lit(None, dtype=pl.String)
    unmarked = shard.with_columns(
        pl.when("filtered").then(none).otherwise(name).alias(name) for name in ("reason", "message")
    )
    if active_filters(options, source, Scope.DIALOGUE):
        return evaluate_filters(unmarked, options, source)
    rejected = shard["filtered"].arg_true()
    messages = evaluate_filters(unmarked[rejected], options, source)
    empty = messages.clear(len(shard))
    return empty.with_columns(empty[name].scatter(rejected, messages[name]) for name in messages.columns)
