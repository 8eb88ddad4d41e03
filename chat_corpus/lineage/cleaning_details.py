"""What a report does not count: which characters were converted, and an example of each step and filter.

Both need the texts before cleaning, which are in a dialogue store, or come from processing shards again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chat_corpus.errors import ChatCorpusError
from chat_corpus.lineage import open_run
from chat_corpus.lineage.change_examples import WantedExamples, find_examples
from chat_corpus.lineage.cleaned_turns import CleanedTurns
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs import dialogue_store, layout, sampling
from chat_corpus.outputs.report import FinishedSource, Report
from chat_corpus.page.material import CleaningDetails, FilterExample, StepExample, statistics_of
from chat_corpus.runs.stored_turns import store_fault
from chat_corpus.statistics.conversions import ConversionTally

#: Turns of all sources that are processed again to count conversions; a sample of them if there are more.
_TURNS = 300_000
#: Turns of a block of the sample.
_BLOCK = 50_000
#: Turns of a dialogue store that are read at once.
_STORED = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class RawLocation:
    """Where the raw files are, and which code may run: `raw`, `plugins` and `places` as for `open_run.load`."""

    raw: str | None = None
    plugins: Sequence[str] = ()
    places: Mapping[str, str] = field(default_factory=dict)


class _Sources:
    """The sources of an output whose texts before cleaning are needed, and why some cannot be read."""

    def __init__(self, out: Path, report: Report, location: RawLocation) -> None:
        self._out, self._location = out, location
        self.finished = {name: one for name, one in report.sources.items() if isinstance(one, FinishedSource)}
        self._errors: dict[str, ChatCorpusError] = {}
        self._opened: dict[str, CleanedTurns] = {}

    def turns(self, name: str) -> CleanedTurns:
        """Return the turns of a source. Raises ChatCorpusError."""
        if name not in self._opened:
            at = self._location
            run = open_run.load(self._out, name, at.raw, plugins=at.plugins, places=at.places)
            self._opened[name] = CleanedTurns(run=run)
        return self._opened[name]

    def add_error(self, name: str, error: ChatCorpusError) -> None:
        """Note why the texts of a source are missing; the first reason stays."""
        self._errors.setdefault(name, error)

    def faults(self) -> Iterator[Message]:
        """Yield what is missing; sources with the same kind of reason together, with that of the first."""
        kinds: dict[str, list[str]] = {}
        for name, error in self._errors.items():
            text = error.message
            kinds.setdefault(text.template if isinstance(text, Message) else str(text), []).append(name)
        for names in kinds.values():
            yield message(
                "no conversions and examples from {sources}: {reason}",
                sources=joined(", ", names),
                reason=self._errors[names[0]].message,
            )


def cleaning_details(out: Path, report: Report, location: RawLocation) -> CleaningDetails:
    """Return the conversions and examples of the output of a run.

    Conversions are counted in all turns of a dialogue store; without one, in up to 300,000 turns that are processed
    again, random blocks of all turns of the other sources. The same output gives the same blocks and examples. A source
    that cannot be processed again has a fault.
    """
    sources = _Sources(out, report, location)
    conversions, sampled = _conversions(out, sources)
    steps, filters = _examples(sources)
    return CleaningDetails(
        conversions=conversions.summary(),
        sampled=sampled,
        steps=steps,
        filters=filters,
        faults=tuple(sources.faults()),
    )


def _conversions(out: Path, sources: _Sources) -> tuple[ConversionTally, bool]:
    """Return the conversions, and whether they are those of a sample."""
    tally = ConversionTally()
    converted = {name: one for name, one in sources.finished.items() if one.turns.changed_by_conversion}
    unstored = {}
    for name, entry in converted.items():
        if store_fault(out, name, entry) is None:
            _add_stored(tally, layout.dialogues(out, name))
        else:
            unstored[name] = entry.turns.read
    total = sum(unstored.values())
    for name, turns in unstored.items():
        quota = turns if total <= _TURNS else -(-_TURNS * turns // total)
        try:
            tally.merge(_replayed(sources.turns(name), name, quota))
        except ChatCorpusError as error:
            sources.add_error(name, error)
    return tally, total > _TURNS


def _add_stored(tally: ConversionTally, path: Path) -> None:
    """Add the turns of a dialogue store, which lacks the text before conversion where it equals the result."""
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
    """Return blocks of numbers below `total`, `count` in all: the first number of each, and how many it has.

    A block is at a random place in its part of all numbers, the same for the same key.

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


def _examples(sources: _Sources) -> tuple[dict[str, StepExample], dict[str, FilterExample]]:
    """Return an example of each step and filter, from the source with most turns that it changed or rejected."""
    wanted: dict[str, WantedExamples] = {}
    steps = {name: entry.turns.changed_by_step for name, entry in sources.finished.items()}
    counted = {name: statistics_of(entry) for name, entry in sources.finished.items()}
    filters = {name: one.rejected_by_filter for name, one in counted.items() if one}
    for step, name in _most(steps).items():
        wanted.setdefault(name, WantedExamples()).steps.add(step)
    for filter_, name in _most(filters).items():
        wanted.setdefault(name, WantedExamples()).filters.add(filter_)
    found_steps: dict[str, StepExample] = {}
    found_filters: dict[str, FilterExample] = {}
    for name, one in wanted.items():
        try:
            found = find_examples(sources.turns(name), one)
        except ChatCorpusError as error:
            sources.add_error(name, error)
        else:
            found_steps |= found.steps
            found_filters |= found.filters
    return found_steps, found_filters


def _most(counts: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Return for each step or filter the source with the largest number; of equal ones the last by name."""
    names = sorted({name for one in counts.values() for name, count in one.items() if count})
    return {name: max(counts, key=lambda source: (counts[source].get(name, 0), source)) for name in names}
