"""Run the table of text steps on a column.

Most rows of a corpus need no change, and checking the gate of every step on every row costs more than the steps do. So
one scan of all characters finds the rows that some step may change, and which of these have only plain characters
(`gates.PLAIN`). Few steps can change a plain text, and these declare its signs (`Step.plain`). Each step then checks
its own gate.

The table runs again on the rows that it changed, until none changes. This makes the result idempotent, even if a step
exposes text that an earlier step changes (a zero-width character inside an entity, a tag inside a tag). Text that is
nested deeper than authors nest it does not settle within `ROUNDS` rounds, and stays as it was.
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
    """A change of a text by one step: the text before and after."""

    step: str
    before: str
    after: str


#: Maximum number of rounds after the first, each of which costs as much as the first. Real turns need at most three.
ROUNDS = 8
#: Step name that `explain` gives to the change that restores a text that did not settle.
UNSETTLED = "unsettled"

_NON_PLAIN = f"[^{PLAIN}]"
# Groups of signs in the scan: texts that need all steps, and signs in plain texts of the whitespace stage and of the
# stages after it.
_ODD, _SPACED, _REST = _STEPS = ("odd", "spaced", "rest")
# Last step of each stage: code points, markup, whitespace, platforms, and the rest.
_STAGES = ("ideographs", "tags", "segmentation", "link_words", "han_punctuation")


def _stages() -> Iterator[tuple[Step, ...]]:
    ends = [number for number, step in enumerate(STEPS, 1) if step.name in _STAGES]
    return (STEPS[begin:end] for begin, end in pairwise([0, *ends]))


def _staged(parts: Callable[[Step], tuple[Part, ...]]) -> tuple[tuple[Named, ...], ...]:
    """Return the parts of each stage, grouped by step; steps without parts are left out."""
    stages = _stages()
    named = (tuple(Named(step=step.name, parts=own) for step in steps if (own := parts(step))) for steps in stages)
    return tuple(named)


def _behind_one(parts: tuple[Named, ...]) -> tuple[Piece, ...]:
    """Return the parts behind one combined gate if they have at least four gates; for fewer it does not pay."""
    all_gates = tuple(gates(parts))
    return ((either(all_gates), parts),) if len(all_gates) > 3 else parts


@lru_cache(maxsize=64)
def _non_plain_parts(options: TextOptions, traits: Traits) -> tuple[Piece, ...]:
    """Return the parts of all active steps, those of each stage behind one gate."""
    stages = _staged(lambda step: step.parts(options, traits))
    return tuple(part for stage in stages for part in _behind_one(stage))


@lru_cache(maxsize=64)
def _plain_parts(options: TextOptions, traits: Traits) -> tuple[tuple[Named, ...], tuple[Piece, ...]]:
    """Return the parts that may change plain texts: those of the whitespace stage, and those of the later stages."""
    *_, spacing, platform, rest = _staged(lambda step: step.plain_parts(options, traits))
    return spacing, _behind_one(platform) + _behind_one(rest)


@lru_cache(maxsize=64)
def _candidate_pattern(options: TextOptions, traits: Traits) -> str:
    """Return a regex that matches every text that some step may change."""
    stages = _staged(lambda step: step.parts(options, traits) if step.plain else ())
    return either([_NON_PLAIN, *gates(part for stage in stages for part in stage)])


@lru_cache(maxsize=2)
def _scan(options: TextOptions, traits: Traits, classes: tuple[tuple[str, str], ...]) -> CharacterScan:
    """Return a scan for classes of characters, for non-plain characters, and for the signs of steps in plain texts."""
    groups = {name: [Sign(characters=characters)] for name, characters in classes}
    stages = [[sign for step in stage for sign in step.plain_signs(options, traits)] for stage in _stages()]
    points, marks, spacing, platform, rest = stages
    # All steps run on texts with a sign of the first two stages: their results may have non-plain characters.
    odd = [Sign(characters=f"^{PLAIN}"), *points, *marks]
    return CharacterScan({**groups, _ODD: odd, _SPACED: spacing, _REST: platform + rest})


def _round(
    rows: pl.Series, held: pl.Series, scan: CharacterScan, noted: Rows | None, options: TextOptions, traits: Traits
) -> tuple[pl.Series, pl.Series]:
    """Run the table once. Return the new rows, and a mask of those that another round may change.

    `held` are the bits of the scan for the rows.
    """
    odd, segmented = held & scan.bits(_ODD) != 0, segmentation.runs(options, traits)
    done = apply_where(
        rows, odd, lambda some: apply_gated(some, _non_plain_parts(options, traits), noted and noted.some(odd))
    )
    spacing, rest = _plain_parts(options, traits)
    blank = ~odd & (held & scan.bits(_SPACED) != 0)
    spaced = apply_where(done, blank, lambda some: apply_gated(some, spacing, noted and noted.some(blank)))
    # Squeezing spaces makes no other characters adjacent, so `held` stays valid. Joining segments does: run all rows.
    busy = ~odd if segmented else ~odd & (held & scan.bits(_REST) != 0)
    done = apply_where(spaced, busy, lambda some: apply_gated(some, rest, noted and noted.some(busy)))
    # A plain text in which only spaces were squeezed is settled, because squeezing is idempotent.
    settled = rows if segmented else spaced
    return done, (done != settled) | (odd & (done != rows))


def _run_to_fixpoint(
    rows: pl.Series, held: pl.Series, scan: CharacterScan, noted: Rows | None, options: TextOptions, traits: Traits
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Run the table, and repeat it on the changed rows that some step may still change, until nothing changes.

    `held` are the bits of the scan for the rows. Return the new rows, the bits of the scan for these, and a mask of the
    rows that did not settle within `ROUNDS` rounds, which stay as they were.
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
    """Return a column of texts after all steps, with the same name and length; null stays null.

    A text that does not settle within `ROUNDS` rounds stays as it was.

    >>> normalize(pl.Series("text", ["  ＯＫ！！！！！ ", None]), TextOptions(), Traits()).to_list()
    ['OK！！！', None]
    """
    return normalize_and_flag(texts, options, traits)[texts.name]


def _join_easy(texts: pl.Series, noted: Rows | None, options: TextOptions, traits: Traits) -> pl.Series:
    """Undo the segmentation of the texts in which the table would change nothing else."""
    kind = traits.segmentation
    if not segmentation.runs(options, traits):
        return texts
    hard, separator = segmentation.HARD[kind]
    easy = texts.is_not_null() & ~matches(texts, hard)
    joined = apply_where(texts, easy, lambda some: segmentation.drop_separators(some, kind))
    if noted is not None:
        length = trimmed = texts.str.len_bytes()
        if options.whitespace and separator == " ":  # the whitespace step comes first, and trims the ends
            trimmed = texts.str.strip_chars(" ").str.len_bytes()
        noted.note("whitespace", easy & (trimmed != length))
        noted.note("segmentation", easy & (trimmed != joined.str.len_bytes()))
    return joined


def _counts(noted: Rows, unsettled: pl.Series) -> Counter[str]:
    """Return how many rows each step changed, without unsettled rows, which stay as they were."""
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
    """Return the result of `normalize` with two columns of flags, from the same scan that finds the rows for the steps.

    The columns are: the texts, under the name of `texts`; `held`, u32, with bit n set (n from 0) if the resulting text
    has a character of the nth of the `classes`; and `unsettled`, a mask of the rows that did not settle within `ROUNDS`
    rounds and stay as they were. `classes` are the insides of at most 13 character classes: the scan has 16 groups, and
    the steps use three. `changed` is updated with the number of rows that each step changed (the steps that `explain`
    lists for a text), and `decoded` with the character counts of the texts that the scan decodes.

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
    """Return the changes of a text by each step, in order; a step may occur again in a later round.

    The last `after` is the result of `normalize`. If the text does not settle, the last change has the step `UNSETTLED`
    and restores the original text.

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
