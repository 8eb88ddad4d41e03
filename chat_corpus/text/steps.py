"""The ordered table of text steps, and the machine that runs it on a column.

Most rows of a corpus need nothing, and asking every step about every row costs more than the steps do. Two searches
sort the rows first: rows with nothing but plain characters can only be changed by steps that mind blanks and repeats,
and rows without those either are returned as they came. Each step then asks its own gate.

The table is run again on the rows that it changed, until none changes. So the whole is idempotent whatever a step lays
bare for one before it (a zero-width character inside an entity, a tag inside a tag). It ends, because every step either
shortens a text or writes characters that no step writes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import polars as pl

from chat_corpus.schema import Markup, Segmentation, Traits
from chat_corpus.text import blanks, codepoints, markup, mojibake, platforms, repeats, segmentation, width
from chat_corpus.text.gating import PLAIN, Part, either, found, gated, on
from chat_corpus.text.options import Bound, Policy, TextOptions

_Change = Callable[[pl.Expr], pl.Expr]
_Parts = Callable[[TextOptions, Traits], tuple[Part, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A named step: its gated parts under given options and traits, none where it does not run."""

    name: str  # the field of `TextOptions` that switches it
    parts: _Parts  # patterns that a changed text must match, each with the function that changes it
    plain: bool = False  # whether it can change a text of plain characters


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

    return Step(name=name, parts=parts, plain=plain)


def _kind(name: str, *needs: Markup, plain: bool = False) -> Step:
    def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        policy: Policy = getattr(options, name)
        if policy is Policy.KEEP or traits.structured or (needs and traits.markup.isdisjoint(needs)):
            return ()
        change = platforms.remove if policy is Policy.REMOVE or name == "reposts" else platforms.replace
        return ((platforms.GATES[name], partial(change, kind=name)),)

    return Step(name=name, parts=parts, plain=plain)


def _bounded(name: str, change: Callable[..., pl.Expr]) -> Step:
    def parts(options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        bound: Bound = getattr(options, name)
        if traits.structured or not bound.enabled:
            return ()
        return ((repeats.gate(f"bound_{name}", bound.limit), partial(change, limit=bound.limit)),)

    return Step(name=name, parts=parts, plain=True)


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
    _chat("width", width.GATES["fold_width"], width.fold_width),
    Step(name="templates", parts=_templates),
    _chat("subtitle_tags", markup.GATES["strip_subtitle_tags"], markup.strip_subtitle_tags, needs=Markup.SUBTITLE),
    _chat("tags", markup.GATES["strip_tags"], markup.strip_tags),
    Step(name="blanks", parts=_blanks, plain=True),
    Step(name="segmentation", parts=_segmentation, plain=True),
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

_ODD = f"[^{PLAIN}]"
# Behind one search each: the steps that look at code points, those that take marks away, the two that mind blanks, and
# the rest.
_STAGES = ("ideographs", "tags", "segmentation", "han_punctuation")


@lru_cache(maxsize=64)
def _stages(options: TextOptions, traits: Traits, plain: bool) -> tuple[Part, ...]:
    """Return the parts of all steps that run, or of those that may change plain texts, with one gate for each stage."""
    stages: list[Part] = []
    stage: tuple[Part, ...] = ()
    for step in STEPS:
        if step.plain or not plain:
            stage += step.parts(options, traits)
        if step.name in _STAGES:
            stages.append((either(gate for gate, _ in stage) if stage else "$^", stage))
            stage = ()
    return tuple(stages)


@lru_cache(maxsize=64)
def _busy(options: TextOptions, traits: Traits) -> str:
    """Return the pattern of all texts that some step may change."""
    return either([_ODD, *(gate for gate, stage in _stages(options, traits, True) if stage)])


def _settle(texts: pl.Series, options: TextOptions, traits: Traits) -> pl.Series:
    """Run the table on rows that may need it, and again on what became of them, until nothing changes."""
    busy = _busy(options, traits)

    def work(rows: pl.Series) -> pl.Series:
        odd = found(rows, _ODD)
        done = on(rows, odd, lambda some: gated(some, _stages(options, traits, False)))
        *spacing, rest = _stages(options, traits, True)
        done = on(done, ~odd, lambda some: gated(some, tuple(spacing)))
        unsettled = odd | found(done, busy)
        done = on(done, unsettled & ~odd, lambda some: gated(some, (rest,)))
        return on(done, unsettled & (done != rows), lambda some: _settle(some, options, traits))

    return on(texts, found(texts, busy), work)


def normalize(texts: pl.Series, options: TextOptions, traits: Traits) -> pl.Series:
    """Run the table of steps on a column of text: same name, same length, and null stays null.

    >>> normalize(pl.Series("text", ["  ＯＫ！！！！！ ", None]), TextOptions(), Traits()).to_list()
    ['OK！！！', None]
    """
    kind = traits.segmentation
    if kind in segmentation.HARD and _segmentation(options, traits):
        hard, separator = segmentation.HARD[kind]
        texts = on(texts, ~found(texts, hard), lambda easy: easy.str.replace_all(separator, "", literal=True))
    return _settle(texts, options, traits)


def explain(text: str, options: TextOptions, traits: Traits) -> list[Change]:
    """Tell which steps change a text and to what, in order; a step may occur again, in a later round.

    The last `after` is what `normalize` gives.

    >>> [change.step for change in explain("  ＯＫ！！！！！ ", TextOptions(), Traits())]
    ['width', 'blanks', 'punctuation']
    """
    changes: list[Change] = []
    start, busy = None, _busy(options, traits)
    while start != text and found(pl.Series([text]), busy).item():
        start = text
        for step in STEPS:
            after: str = gated(pl.Series("text", [text]), step.parts(options, traits)).item()
            if after != text:
                changes.append(Change(step=step.name, before=text, after=after))
                text = after
    return changes
