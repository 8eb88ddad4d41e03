"""Details that a report lacks: which characters were converted, and an example of each step and filter.

Both need the texts before cleaning. These are in a dialogue store, or come from processing shards again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat_corpus.errors import ChatCorpusError
from chat_corpus.lineage import open_run
from chat_corpus.lineage.change_examples import FoundExamples, WantedExamples, find_examples
from chat_corpus.lineage.cleaned_turns import CleanedTurns
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs import dialogue_store, layout, sampling
from chat_corpus.outputs.report import FinishedSource, Report
from chat_corpus.page.material import CleaningDetails, statistics_of
from chat_corpus.runs.stored_turns import store_fault
from chat_corpus.statistics.conversions import ConversionTally

#: Maximum number of turns, in all sources, that are processed again to count conversions.
_TURNS = 300_000
#: Maximum number of turns in a block of the sample.
_BLOCK = 50_000
#: Number of turns that are read from a dialogue store at once.
_STORED = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class RawLocation:
    """Where the raw files are, and which plugins may run: the arguments of `open_run.load`."""

    raw: str | None = None
    plugins: Sequence[str] = ()
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class _Plan:
    """The work on one source: `turns` turns to process again to count conversions, and the examples to find."""

    turns: int = 0
    examples: WantedExamples = field(default_factory=WantedExamples)


def cleaning_details(out: Path, report: Report, location: RawLocation) -> CleaningDetails:
    """Return the conversions in the output of a run, and an example of each step and filter.

    If a source has a dialogue store, conversions are counted in all of its turns. The turns of other sources with
    conversions are processed again: all of them, or random blocks with about 300,000 turns if there are more. The same
    output gives the same blocks and examples. `faults` names the sources that cannot be processed again.
    """
    finished = {name: one for name, one in report.sources.items() if isinstance(one, FinishedSource)}
    conversions, found = ConversionTally(), FoundExamples()
    plans = _example_plans(finished)
    sampled = _plan_conversions(out, finished, plans, conversions)
    errors: dict[str, ChatCorpusError] = {}
    for name, plan in plans.items():  # one source at a time, because its shards take memory
        try:
            run = open_run.load(out, name, location.raw, plugins=location.plugins, places=location.places)
            turns = CleanedTurns(run=run)
            counted = _replayed(turns, name, plan.turns)
            examples = find_examples(turns, plan.examples)
        except ChatCorpusError as error:
            errors[name] = error
        else:
            conversions.merge(counted)
            found.steps |= examples.steps
            found.filters |= examples.filters
    return CleaningDetails(
        conversions=conversions.summary(),
        sampled=sampled,
        steps=found.steps,
        filters=found.filters,
        faults=tuple(_faults(errors)),
    )


def _faults(errors: Mapping[str, ChatCorpusError]) -> Iterator[Message]:
    """Yield a message for each kind of error: the names of its sources, and the error of the first one by name."""
    kinds: dict[str, list[str]] = {}
    for name, error in sorted(errors.items()):
        text = error.message
        kinds.setdefault(text.template if isinstance(text, Message) else str(text), []).append(name)
    for names in kinds.values():
        yield message(
            "no conversions and examples from {sources}: {reason}",
            sources=joined(", ", names),
            reason=errors[names[0]].message,
        )


def _example_plans(finished: Mapping[str, FinishedSource]) -> dict[str, _Plan]:
    """Return, by source, the steps and filters to find examples of.

    The example of a step or filter comes from the source with the most turns that it changed or rejected.
    """
    plans: dict[str, _Plan] = {}
    counted = {name: one for name, entry in finished.items() if (one := statistics_of(entry))}
    for step, name in _most({name: entry.turns.changed_by_step for name, entry in finished.items()}).items():
        plans.setdefault(name, _Plan()).examples.steps.add(step)
    for filter_, name in _most({name: one.rejected_by_filter for name, one in counted.items()}).items():
        plans.setdefault(name, _Plan()).examples.filters.add(filter_)
    return plans


def _most(counts: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Return the source with the highest count of each step or filter; if counts are equal, the last one by name."""
    names = sorted({name for one in counts.values() for name, count in one.items() if count})
    return {name: max(counts, key=lambda source: (counts[source].get(name, 0), source)) for name in names}


def _plan_conversions(
    out: Path, finished: Mapping[str, FinishedSource], plans: dict[str, _Plan], tally: ConversionTally
) -> bool:
    """Add the conversions of dialogue stores to `tally`, and set how many turns of other sources to process again.

    Returns True if these are only a sample of the turns.
    """
    unstored = {}
    for name, entry in finished.items():
        if not entry.turns.changed_by_conversion:
            continue
        if store_fault(out, name, entry) is None:
            _add_stored(tally, layout.dialogues(out, name))
        else:
            unstored[name] = entry.turns.read
    total = sum(unstored.values())
    for name, turns in unstored.items():
        plans.setdefault(name, _Plan()).turns = turns if total <= _TURNS else -(-_TURNS * turns // total)
    return total > _TURNS


def _add_stored(tally: ConversionTally, path: Path) -> None:
    """Add the turns of a dialogue store. `before_conversion` is null where conversion changed nothing."""
    first = 0
    while len(frame := dialogue_store.read(path, first, _STORED)):
        tally.add(frame["before_conversion"], frame["text"])
        first += len(frame)


def _replayed(turns: CleanedTurns, name: str, quota: int) -> ConversionTally:
    tally = ConversionTally()
    for first, count in blocks(turns.firsts[-1], quota, name):
        for frame in turns.span(first, count):
            tally.add(frame["before_conversion"], frame["converted"])
    return tally


def blocks(total: int, count: int, *key: object) -> list[tuple[int, int]]:
    """Return blocks of consecutive numbers below `total` as (first number, size); the sizes add up to `count`.

    The range is divided into equal parts, and each part has one block at a random place. The same key gives the same
    places. There is one block with all numbers if `count` is not below `total`.

    >>> blocks(10, 10), blocks(0, 0)
    ([(0, 10)], [])
    """
    if count >= total:
        return [(0, total)] if total else []
    parts = -(-count // _BLOCK)
    spans = []
    for part in range(parts):
        first, last = total * part // parts, total * (part + 1) // parts
        size = count * (part + 1) // parts - count * part // parts
        spans.append((first + sampling.draw(last - first - size + 1, 1, 0, *key, part)[0], size))
    return spans
