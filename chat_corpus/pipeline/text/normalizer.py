"""The table of text steps, run on a column.

Most rows of a corpus need nothing, and asking every step about every row costs more than the steps do. One scan of all
characters finds the rows that some step may change, and those of them with other than plain characters; the plain ones
can only be changed by a few steps, which declare what such texts hold. Each step then asks its own gate.

The table is run again on the rows that it changed, until none changes. So the whole is idempotent whatever a step lays
bare for one before it (a zero-width character inside an entity, a tag inside a tag). What is nested deeper than any
author nests it does not settle within `ROUNDS` rounds, and stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

import polars as pl

from chat_corpus.pipeline.character_scan import CharacterScan, Sign
from chat_corpus.pipeline.decoded import Decoded
from chat_corpus.pipeline.text import segmentation
from chat_corpus.pipeline.text.gates import PLAIN, Named, Part, Piece, Rows, apply_gated, either, gates
from chat_corpus.pipeline.text.options import TextOptions
from chat_corpus.pipeline.text.steps import STEPS, Step
from chat_corpus.row_masks import apply_where, matches, row_mask, row_numbers
from chat_corpus.schema import Traits


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one step did to a text."""

    step: str
    before: str
    after: str


#: Rounds of the table after the first. Real turns need at most three; each round costs as much as the first.
ROUNDS = 8
#: The name under which `explain` says that a text did not settle.
UNSETTLED = "unsettled"

_NON_PLAIN = f"[^{PLAIN}]"
# Groups of the scan: other than plain characters, and what some step changes in plain texts, blanks and the rest.
_ODD, _SPACED, _REST = _STEPS = ("odd", "spaced", "rest")
# The last step of each stage: those that look at code points, those that take marks away, those that mind blanks, those
# that know platforms, and the rest.
_STAGES = ("ideographs", "tags", "segmentation", "link_words", "han_punctuation")


def _stages() -> Iterator[tuple[Step, ...]]:
    ends = [number for number, step in enumerate(STEPS, 1) if step.name in _STAGES]
    return (STEPS[begin:end] for begin, end in pairwise([0, *ends]))


def _staged(parts: Callable[[Step], tuple[Part, ...]]) -> tuple[tuple[Named, ...], ...]:
    """Return the parts of each stage, by their steps."""
    stages = _stages()
    named = (tuple(Named(step=step.name, parts=own) for step in steps if (own := parts(step))) for steps in stages)
    return tuple(named)


def _behind_one(parts: tuple[Named, ...]) -> tuple[Piece, ...]:
    """Return parts behind one gate for all of them, which pays from four on."""
    all_gates = tuple(gates(parts))
    return ((either(all_gates), parts),) if len(all_gates) > 3 else parts


@lru_cache(maxsize=64)
def _non_plain_parts(options: TextOptions, traits: Traits) -> tuple[Piece, ...]:
    """Return the parts of all steps that run, those of a stage behind one gate."""
    stages = _staged(lambda step: step.parts(options, traits))
    return tuple(part for stage in stages for part in _behind_one(stage))


@lru_cache(maxsize=64)
def _plain_parts(options: TextOptions, traits: Traits) -> tuple[tuple[Named, ...], tuple[Piece, ...]]:
    """Return the parts that may change plain texts: those that mind blanks, and the others."""
    *_, spacing, platform, rest = _staged(lambda step: step.plain_parts(options, traits))
    return spacing, _behind_one(platform) + _behind_one(rest)


@lru_cache(maxsize=64)
def _candidate_pattern(options: TextOptions, traits: Traits) -> str:
    """Return the pattern of all texts that some step may change."""
    stages = _staged(lambda step: step.parts(options, traits) if step.plain else ())
    return either([_NON_PLAIN, *gates(part for stage in stages for part in stage)])


@lru_cache(maxsize=2)
def _scan(options: TextOptions, traits: Traits, classes: tuple[tuple[str, str], ...]) -> CharacterScan:
    """Return a scan for classes of characters, for other than plain ones, and for what steps change in plain texts."""
    groups = {name: [Sign(characters=characters)] for name, characters in classes}
    stages = [[sign for step in stage for sign in step.plain_signs(options, traits)] for stage in _stages()]
    points, marks, spacing, platform, rest = stages
    # Where a mark is taken away, all steps run: it may leave other than plain characters.
    odd = [Sign(characters=f"^{PLAIN}"), *points, *marks]
    return CharacterScan({**groups, _ODD: odd, _SPACED: spacing, _REST: platform + rest})


def _round(
    rows: pl.Series, held: pl.Series, scan: CharacterScan, noted: Rows | None, options: TextOptions, traits: Traits
) -> tuple[pl.Series, pl.Series]:
    """Run the table once: what became of the rows, and a mask of those that another round may change.

    `held` is what the scan has found in them.
    """
    odd, segmented = held & scan.bits(_ODD) != 0, segmentation.runs(options, traits)
    done = apply_where(
        rows, odd, lambda some: apply_gated(some, _non_plain_parts(options, traits), noted and noted.some(odd))
    )
    spacing, rest = _plain_parts(options, traits)
    blank = ~odd & (held & scan.bits(_SPACED) != 0)
    spaced = apply_where(done, blank, lambda some: apply_gated(some, spacing, noted and noted.some(blank)))
    # Where blanks are squeezed, others than blanks come no closer to each other; where segments are joined, they do.
    busy = ~odd if segmented else ~odd & (held & scan.bits(_REST) != 0)
    done = apply_where(spaced, busy, lambda some: apply_gated(some, rest, noted and noted.some(busy)))
    # Plain texts of which the blanks alone have changed are settled: blanks once squeezed are squeezed for good.
    settled = rows if segmented else spaced
    return done, (done != settled) | (odd & (done != rows))


def _run_to_fixpoint(
    rows: pl.Series, held: pl.Series, scan: CharacterScan, noted: Rows | None, options: TextOptions, traits: Traits
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Run the table on rows, and again on what became of them and some step may change, until nothing changes.

    `held` is what the scan has found in them. Returns the rows, what it finds in these, and a mask of those that
    `ROUNDS` rounds have not settled, which are as they were.
    """
    done, active = _round(rows, held, scan, noted, options, traits)
    result, altered = held.clone(), done != rows
    numbers, again = row_numbers(altered), active.filter(altered)
    for _ in range(ROUNDS):
        found = scan.find(done[numbers], None if noted is None else noted.at(numbers).keep, scan.bits(*_STEPS))
        result.scatter(numbers, found)
        busy = again & (found & scan.bits(*_STEPS) != 0)
        numbers, found = numbers.filter(busy), found.filter(busy)
        if not len(numbers):
            break
        some, again = _round(done[numbers], found, scan, noted and noted.at(numbers), options, traits)
        changed = some != done[numbers]
        done = done.clone().scatter(numbers, some)
        numbers, again = numbers.filter(changed), again.filter(changed)
    if len(numbers):
        result.scatter(numbers, scan.find(done[numbers]))
        numbers = numbers.filter(again)
        numbers = numbers.filter(matches(done[numbers], _candidate_pattern(options, traits)))
        done = done.clone().scatter(numbers, rows[numbers])
        result.scatter(numbers, held[numbers])
    return done, result, row_mask(len(rows), numbers)


def normalize(texts: pl.Series, options: TextOptions, traits: Traits) -> pl.Series:
    """Run the table of steps on a column of text: same name, same length, and null stays null.

    A text that `ROUNDS` rounds do not settle stays as it is.

    >>> normalize(pl.Series("text", ["  ＯＫ！！！！！ ", None]), TextOptions(), Traits()).to_list()
    ['OK！！！', None]
    """
    return normalize_and_flag(texts, options, traits)[texts.name]


def _join_easy(texts: pl.Series, noted: Rows | None, options: TextOptions, traits: Traits) -> pl.Series:
    """Undo the segmentation of those texts of which the table would do no more."""
    kind = traits.segmentation
    if not segmentation.runs(options, traits):
        return texts
    hard, separator = segmentation.HARD[kind]
    easy = texts.is_not_null() & ~matches(texts, hard)
    joined = apply_where(texts, easy, lambda some: segmentation.drop_separators(some, kind))
    if noted is not None:
        length = trimmed = texts.str.len_bytes()
        if options.whitespace and separator == " ":  # which is gone from the ends before
            trimmed = texts.str.strip_chars(" ").str.len_bytes()
        noted.note("whitespace", easy & (trimmed != length))
        noted.note("segmentation", easy & (trimmed != joined.str.len_bytes()))
    return joined


def _counts(noted: Rows, unsettled: pl.Series) -> Counter[str]:
    """How many rows each step has changed, those aside that are as they were."""
    masks = {step: row_mask(len(unsettled), pl.concat(rows)) for step, rows in noted.changed.items()}
    return +Counter({step: int((mask & ~unsettled).sum()) for step, mask in masks.items()})


def normalize_and_flag(
    texts: pl.Series,
    options: TextOptions,
    traits: Traits,
    classes: Mapping[str, str] = MappingProxyType({}),
    changed: Counter[str] | None = None,
    decoded: Decoded | None = None,
) -> pl.DataFrame:
    """What `normalize` makes of a column of text, under its name, and what the caller wants to know of the result.

    `unsettled` are rows that `ROUNDS` rounds did not settle: texts made to peel for ever, which no author wrote. They
    are as they were. `held` tells of which `classes` of characters (the inside of each, at most 16) a row holds any:
    bit n, from 0, of the nth class. The scan that finds the rows for the steps tells that too. To `changed` is added
    how many rows each step has changed, as `explain` tells of each, and `decoded` gets the texts that are decoded.

    >>> texts = pl.Series("text", ["好", "妳  的", "é", "妳", ""])
    >>> normalize_and_flag(texts, TextOptions(), Traits(), {"you": "妳", "o": "ó的"})["held"].to_list()
    [0, 3, 0, 1, 0]
    """
    noted = None
    if changed is not None or decoded is not None:
        noted = Rows(given=pl.int_range(len(texts), dtype=pl.UInt32, eager=True), decoded=decoded)
    texts = _join_easy(texts, noted, options, traits)
    scan = _scan(options, traits, tuple(classes.items()))
    held = scan.find(texts, None if noted is None else noted.keep, scan.bits(*_STEPS))
    busy = held & scan.bits(*_STEPS) != 0
    numbers = row_numbers(busy)
    done, unsettled = texts, row_mask(len(texts), numbers[:0])
    if len(numbers):
        rows, found, left = _run_to_fixpoint(
            texts.filter(busy), held.filter(busy), scan, noted and noted.at(numbers), options, traits
        )
        held.scatter(numbers, found)
        done = rows.rename(texts.name) if len(numbers) == len(texts) else texts.clone().scatter(numbers, rows)
        unsettled = row_mask(len(texts), numbers.filter(left)) if left.any() else unsettled
    if noted is not None and changed is not None:
        changed.update(_counts(noted, unsettled))
    return pl.DataFrame({texts.name: done, "held": held & scan.bits(*classes), "unsettled": unsettled})


def explain(text: str, options: TextOptions, traits: Traits) -> list[Change]:
    """Tell which steps change a text and to what, in order; a step may occur again, in a later round.

    The last `after` is what `normalize` gives; the step `UNSETTLED` takes back what no number of rounds would settle.

    >>> [change.step for change in explain("  ＯＫ！！！！！ ", TextOptions(), Traits())]
    ['width', 'whitespace', 'punctuation']
    """
    changes: list[Change] = []
    before, busy = text, _candidate_pattern(options, traits)
    for _ in range(ROUNDS + 1):
        start = text
        if not matches(pl.Series([text]), busy).item():
            return changes
        for step in STEPS:
            after: str = apply_gated(pl.Series("text", [text]), step.parts(options, traits)).item()
            if after != text:
                changes.append(Change(step=step.name, before=text, after=after))
                text = after
        if start == text:
            return changes
    if matches(pl.Series([text]), busy).item():
        changes.append(Change(step=UNSETTLED, before=text, after=before))
    return changes
