"""The ordered table of text steps, and the machine that runs it on a column.

Most rows of a corpus need nothing, and asking every step about every row costs more than the steps do. One search of
all rows finds those that some step may change. A second, of these alone, finds those with other than plain characters;
the plain ones can only be changed by steps that mind blanks and repeats. Each step then asks its own gate.

The table is run again on the rows that it changed, until none changes. So the whole is idempotent whatever a step lays
bare for one before it (a zero-width character inside an entity, a tag inside a tag). What is nested deeper than any
author nests it does not settle within `ROUNDS` rounds, and stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

import polars as pl

from chat_corpus.rows import found, mask, on
from chat_corpus.schema import Markup, Segmentation, Traits
from chat_corpus.text import blanks, codepoints, markup, mojibake, platforms, repeats, segmentation, width
from chat_corpus.text.gating import PLAIN, Part, either, gated
from chat_corpus.text.options import Bound, Policy, TextOptions

_Change = Callable[[pl.Expr], pl.Expr]
_Parts = Callable[[TextOptions, Traits], tuple[Part, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A named step: its gated parts under given options and traits, none where it does not run."""

    name: str  # the field of `TextOptions` that switches it
    parts: _Parts  # patterns that a changed text must match, each with the function that changes it
    plain: _Parts = lambda options, traits: ()  # noqa: ARG005 the parts for texts of plain characters, if it changes any


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What one step did to a text."""

    step: str
    before: str
    after: str


def _always(name: str, gate: str, change: _Change) -> Step:
    return Step(name=name, parts=lambda options, _: ((gate, change),) if getattr(options, name) else ())


def _chat(name: str, gate: str, change: _Change, *, needs: Markup | None = None, plain: bool = False) -> Step:
    def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        runs = getattr(options, name) and not traits.structured and (needs is None or needs in traits.markup)
        return ((gate, change),) if runs else ()

    return Step(name=name, parts=parts, plain=parts) if plain else Step(name=name, parts=parts)


def _kind(name: str, *needs: Markup, plain: bool = False) -> Step:
    def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        policy: Policy = getattr(options, name)
        if policy is Policy.KEEP or traits.structured or (needs and traits.markup.isdisjoint(needs)):
            return ()
        change = platforms.remove if policy is Policy.REMOVE or name == "reposts" else platforms.replace
        return ((platforms.GATES[name], partial(change, kind=name)),)

    return Step(name=name, parts=parts, plain=parts) if plain else Step(name=name, parts=parts)


def _bounded(name: str, change: Callable[..., pl.Expr]) -> Step:
    def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        bound: Bound = getattr(options, name)
        if traits.structured or not bound.enabled:
            return ()
        return ((repeats.gate(f"bound_{name}", bound.limit), partial(change, limit=bound.limit)),)

    return Step(name=name, parts=parts, plain=parts)


def _width(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    if traits.structured or not options.width:
        return ()
    parted = _segmentation(options, traits)
    fold = partial(width.fold_joined, segmentation=traits.segmentation) if parted else width.fold_width
    return ((width.GATES["fold_width"], fold), (width.GATES["point_decimals"], width.point_decimals))


def _templates(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    if traits.structured or not options.templates.enabled or Markup.TEMPLATE not in traits.markup:
        return ()
    return ((markup.GATES["expand_templates"], partial(markup.expand_templates, faces=options.templates.faces)),)


def _blanks(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    if not options.blanks:
        return ()
    if traits.structured:
        return ((blanks.GATES["trim_document"], blanks.trim_document),)
    return blanks.SQUEEZE_PARTS


def _plain_blanks(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    return (blanks.PLAIN_PART,) if options.blanks and not traits.structured else _blanks(options, traits)


def _segmentation(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    if not options.segmentation or traits.structured or traits.segmentation is Segmentation.NONE:
        return ()
    return segmentation.PARTS[traits.segmentation]


STEPS: tuple[Step, ...] = (
    _always("mojibake", mojibake.GATES["repair_mojibake"], mojibake.repair_mojibake),
    _chat("entities", markup.GATES["decode_entities"], markup.decode_entities),
    _always("line_breaks", blanks.GATES["unify_breaks"], blanks.unify_breaks),
    _always("invisible", codepoints.GATES["drop_invisible"], codepoints.drop_invisible),
    _always("nfc", codepoints.GATES["compose"], codepoints.compose),
    _always("ideographs", codepoints.GATES["unify_ideographs"], codepoints.unify_ideographs),
    Step(name="width", parts=_width),
    Step(name="templates", parts=_templates),
    _chat("subtitle_tags", markup.GATES["strip_subtitle_tags"], markup.strip_subtitle_tags, needs=Markup.SUBTITLE),
    _chat("tags", markup.GATES["strip_tags"], markup.strip_tags),
    Step(name="blanks", parts=_blanks, plain=_plain_blanks),
    Step(name="segmentation", parts=_segmentation, plain=_segmentation),
    _kind("reposts", Markup.MICROBLOG),
    _kind("replies", Markup.FORUM, plain=True),
    _kind("links", plain=True),
    _kind("alinks", Markup.MICROBLOG, plain=True),
    _kind("mentions", Markup.MICROBLOG, Markup.FORUM),
    _kind("hashtags", Markup.MICROBLOG, plain=True),
    _kind("emoticons", Markup.MICROBLOG, plain=True),
    _bounded("ellipses", repeats.bound_ellipses),
    _bounded("dashes", repeats.bound_dashes),
    _bounded("punctuation", repeats.bound_punctuation),
    _bounded("repeats", repeats.bound_repeats),
    _chat("han_punctuation", width.GATES["unify_punctuation"], width.unify_punctuation, plain=True),
)

#: Rounds of the table after the first. Real turns need at most three; each round costs as much as the first.
ROUNDS = 8
#: The name under which `explain` says that a text did not settle.
UNSETTLED = "unsettled"

_ODD = f"[^{PLAIN}]"
# The last step of each stage: those that look at code points, those that take marks away, those that mind blanks, and
# the rest.
_STAGES = ("ideographs", "tags", "segmentation", "han_punctuation")


def _staged(parts: Callable[[Step], tuple[Part, ...]]) -> tuple[tuple[Part, ...], ...]:
    """Return the parts of each stage."""
    ends = [number for number, step in enumerate(STEPS, 1) if step.name in _STAGES]
    stages = (STEPS[begin:end] for begin, end in pairwise([0, *ends]))
    return tuple(tuple(part for step in steps for part in parts(step)) for steps in stages)


def _behind_one(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return parts behind one gate for all of them, which pays from four on."""
    return ((either(gate for gate, _ in parts), parts),) if len(parts) > 3 else parts


@lru_cache(maxsize=64)
def _odd_parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
    """Return the parts of all steps that run, those of a stage behind one gate."""
    stages = _staged(lambda step: step.parts(options, traits))
    return tuple(part for stage in stages for part in _behind_one(stage))


@lru_cache(maxsize=64)
def _plain_parts(options: TextOptions, traits: Traits) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the parts that may change plain texts: those that mind blanks, and the others."""
    *spacing, rest = _staged(lambda step: step.plain(options, traits))
    return tuple(part for stage in spacing for part in stage), _behind_one(rest)


@lru_cache(maxsize=64)
def _busy(options: TextOptions, traits: Traits, also: str = "") -> str:
    """Return the pattern of all texts that some step may change, or that match `also`."""
    spacing, rest = _plain_parts(options, traits)
    return either([_ODD, *(gate for gate, _ in spacing + rest), *filter(None, [also])])


def _round(rows: pl.Series, options: TextOptions, traits: Traits) -> tuple[pl.Series, pl.Series]:
    """Run the table once: what became of the rows, and a mask of those that another round may change."""
    odd = found(rows, _ODD)
    done = on(rows, odd, lambda some: gated(some, _odd_parts(options, traits)))
    spacing, rest = _plain_parts(options, traits)
    spaced = on(done, ~odd, lambda some: gated(some, spacing))
    done = on(spaced, ~odd, lambda some: gated(some, rest))
    # Plain texts of which the blanks alone have changed are settled: blanks once squeezed are squeezed for good.
    settled = rows if _segmentation(options, traits) else spaced
    return done, (done != settled) | (odd & (done != rows))


def _settle(rows: pl.Series, busy: str, options: TextOptions, traits: Traits) -> tuple[pl.Series, pl.Series]:
    """Run the table on rows, and again on what became of them and is `busy`, until nothing changes.

    Returns the rows, and a mask of those that `ROUNDS` rounds have not settled, which are as they were.
    """
    done, active = _round(rows, options, traits)
    numbers = active.arg_true()
    numbers = numbers.filter(found(done.gather(numbers), busy)) if len(numbers) else numbers
    for _ in range(ROUNDS):
        if not len(numbers):
            break
        some, changed = _round(done.gather(numbers), options, traits)
        done = done.clone().scatter(numbers, some)
        numbers = numbers.filter(changed & found(some, busy))
    if len(numbers):
        done = done.clone().scatter(numbers, rows.gather(numbers))
    return done, mask(len(rows), numbers)


def normalize(texts: pl.Series, options: TextOptions, traits: Traits) -> pl.Series:
    """Run the table of steps on a column of text: same name, same length, and null stays null.

    A text that `ROUNDS` rounds do not settle stays as it is.

    >>> normalize(pl.Series("text", ["  ＯＫ！！！！！ ", None]), TextOptions(), Traits()).to_list()
    ['OK！！！', None]
    """
    return sift(texts, options, traits)[texts.name]


def sift(texts: pl.Series, options: TextOptions, traits: Traits, also: str = "") -> pl.DataFrame:
    """What `normalize` makes of a column of text, under its name, and `notable`: which rows later stages must look at.

    `unsettled` are rows that `ROUNDS` rounds did not settle: texts made to peel for ever, which no author wrote. They
    are as they were.

    A row that is not notable holds plain characters (`gating.PLAIN`), at least one of them, and does not match `also`.
    The search that sorts the rows for the steps tells that of most of them too.

    >>> told = sift(pl.Series("text", ["好", "好  的", "é", "妳", ""]), TextOptions(), Traits(), also="妳")
    >>> told["notable"].to_list()
    [False, False, True, True, True]
    """
    kind = traits.segmentation
    if kind in segmentation.HARD and _segmentation(options, traits):
        hard, separator = segmentation.HARD[kind]
        texts = on(texts, ~found(texts, hard), lambda easy: easy.str.replace_all(separator, "", literal=True))
    busy = _busy(options, traits, also)
    where = found(texts, busy)
    numbers = where.arg_true()
    done, unsettled = texts, mask(len(texts), numbers[:0])
    if len(numbers):
        rows, left = _settle(texts.gather(numbers), busy, options, traits)
        done = rows.rename(texts.name) if len(numbers) == len(texts) else texts.clone().scatter(numbers, rows)
        unsettled = mask(len(texts), numbers.filter(left)) if left.any() else unsettled
    notable = found(done, either([_ODD, *filter(None, [also])]), where)
    notable |= (done.str.len_bytes() == 0).fill_null(value=True)
    return pl.DataFrame({texts.name: done, "notable": notable, "unsettled": unsettled})


def explain(text: str, options: TextOptions, traits: Traits) -> list[Change]:
    """Tell which steps change a text and to what, in order; a step may occur again, in a later round.

    The last `after` is what `normalize` gives; the step `UNSETTLED` takes back what no number of rounds would settle.

    >>> [change.step for change in explain("  ＯＫ！！！！！ ", TextOptions(), Traits())]
    ['width', 'blanks', 'punctuation']
    """
    changes: list[Change] = []
    before, busy = text, _busy(options, traits)
    for _ in range(ROUNDS + 1):
        start = text
        if not found(pl.Series([text]), busy).item():
            return changes
        for step in STEPS:
            after: str = gated(pl.Series("text", [text]), step.parts(options, traits)).item()
            if after != text:
                changes.append(Change(step=step.name, before=text, after=after))
                text = after
        if start == text:
            return changes
    if found(pl.Series([text]), busy).item():
        changes.append(Change(step=UNSETTLED, before=text, after=before))
    return changes
