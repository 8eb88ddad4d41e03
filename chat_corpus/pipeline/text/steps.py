"""The table of text steps, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text import (
    bbcode,
    forums,
    markup,
    mojibake,
    repetition,
    segmentation,
    social_media,
    softbank,
    unicode,
    whitespace,
    width,
)
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.options import Policy, RepostPolicy, TextOptions
from chat_corpus.schema import Markup, Traits

Parts = Callable[[TextOptions, Traits], tuple[Part, ...]]
Signs = Callable[[TextOptions, Traits], tuple[Sign, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A row of the table: one text step, and the texts that it applies to.

    name       the field in `TextOptions` that switches it on and has its parameters
    changes    returns its parts for options and traits: changes in order, each with the gate that guards it
    markup     it runs only for sources that declare one of these; for all sources if empty
    documents  whether it also runs on structured texts: code, tables, Markdown
    plain      returns signs for options and traits; every text of plain characters (`gates.PLAIN`) that the step may
               change has one of them. None if it never changes such a text. If the step belongs to a stage before the
               whitespace steps, all steps run on the texts with these signs
    on_plain   returns the parts for texts of plain characters, if they differ from `changes`
    """

    name: str
    changes: Parts
    markup: frozenset[Markup] = frozenset()
    documents: bool = False
    plain: Signs | None = None
    on_plain: Parts | None = None

    def parts(self, options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        """Return its parts; none if it does not run."""
        return self.changes(options, traits) if self._runs(options, traits) else ()

    def plain_parts(self, options: TextOptions, traits: Traits) -> tuple[Part, ...]:
        """Return its parts for texts of plain characters; none if it does not run, or does not change such texts."""
        if self.plain is None or not self._runs(options, traits):
            return ()
        return (self.on_plain or self.changes)(options, traits)

    def plain_signs(self, options: TextOptions, traits: Traits) -> tuple[Sign, ...]:
        """Return the signs of the texts of plain characters that it may change: each has at least one of them."""
        return self.plain(options, traits) if self.plain and self._runs(options, traits) else ()

    def _runs(self, options: TextOptions, traits: Traits) -> bool:
        setting = getattr(options, self.name)
        if isinstance(setting, Policy | RepostPolicy):
            switched_on = setting not in (Policy.KEEP, RepostPolicy.KEEP)
        else:
            switched_on = setting if isinstance(setting, bool) else setting.enabled
        declared = not self.markup or not self.markup.isdisjoint(traits.markup)
        return switched_on and declared and (self.documents or not traits.structured)


def _one(gate: str, change: Callable[[pl.Expr], pl.Expr]) -> Parts:
    """Return parts for one change without parameters."""
    return lambda _options, _traits: ((gate, change),)


def _any(*signs: Sign) -> Signs:
    """Return signs that depend neither on options nor on traits."""
    return lambda _options, _traits: signs


def _kind(name: str) -> Parts:
    return partial(social_media.parts, kind=name)


def _runs_of(name: str) -> Parts:
    return partial(repetition.parts, kind=name)


def _signs_of(name: str) -> Signs:
    return partial(repetition.signs, kind=name)


_MICROBLOG = frozenset([Markup.MICROBLOG])
_FORUM = frozenset([Markup.FORUM])

STEPS: tuple[Step, ...] = (
    Step(name="mojibake", changes=_one(mojibake.GATE, mojibake.repair_mojibake), documents=True),
    Step(name="entities", changes=_one(markup.GATES["decode_entities"], markup.decode_entities)),
    Step(name="line_breaks", changes=_one(whitespace.GATES["unify_breaks"], whitespace.unify_breaks), documents=True),
    Step(
        name="minus",
        changes=_one(unicode.GATES["restore_minus"], unicode.restore_minus),
        markup=frozenset([Markup.HYPHEN]),
        documents=True,
    ),
    Step(
        name="emoji",
        changes=_one(softbank.GATE, softbank.restore_emoji),
        markup=frozenset([Markup.SOFTBANK]),
        documents=True,
    ),
    Step(name="invisible", changes=_one(unicode.GATES["drop_invisible"], unicode.drop_invisible), documents=True),
    Step(name="unicode_nfc", changes=_one(unicode.GATES["compose"], unicode.compose), documents=True),
    Step(
        name="ideographs",
        changes=_one(unicode.GATES["unify_ideographs"], unicode.unify_ideographs),
        documents=True,
    ),
    Step(name="width", changes=width.parts),
    Step(
        name="templates",
        changes=markup.template_parts,
        markup=frozenset([Markup.TEMPLATE]),
        plain=_any(Sign(characters="【", then="换")),
    ),
    Step(
        name="subtitle_tags",
        changes=_one(markup.GATES["strip_subtitle_tags"], markup.strip_subtitle_tags),
        markup=frozenset([Markup.SUBTITLE]),
    ),
    Step(name="tags", changes=_one(markup.GATES["strip_tags"], markup.strip_tags)),
    Step(
        name="whitespace",
        changes=whitespace.parts,
        documents=True,
        plain=whitespace.plain_signs,
        on_plain=whitespace.plain_parts,
    ),
    Step(name="segmentation", changes=segmentation.parts, plain=segmentation.plain_signs),
    Step(
        name="bbcode", changes=bbcode.parts, markup=frozenset([Markup.BBCODE]), documents=True, plain=_any(bbcode.SIGN)
    ),
    Step(name="reposts", changes=_kind("reposts"), markup=_MICROBLOG),
    Step(name="replies", changes=forums.reply_parts, markup=_FORUM, plain=_any(*forums.SIGNS["replies"])),
    Step(name="signatures", changes=forums.signature_parts, markup=_FORUM, plain=_any(*forums.SIGNS["signatures"])),
    Step(name="links", changes=_kind("links"), plain=_any(*social_media.SIGNS["links"])),
    Step(
        name="link_words", changes=_kind("link_words"), markup=_MICROBLOG, plain=_any(*social_media.SIGNS["link_words"])
    ),
    Step(name="mentions", changes=_kind("mentions"), markup=_MICROBLOG | _FORUM),
    Step(name="hashtags", changes=_kind("hashtags"), markup=_MICROBLOG, plain=_any(*social_media.SIGNS["hashtags"])),
    Step(name="emoticons", changes=_kind("emoticons"), markup=_MICROBLOG, plain=_any(*social_media.SIGNS["emoticons"])),
    Step(name="ellipses", changes=_runs_of("ellipses"), plain=_signs_of("ellipses")),
    Step(name="dashes", changes=_runs_of("dashes"), plain=_signs_of("dashes")),
    Step(name="punctuation", changes=_runs_of("punctuation"), plain=_signs_of("punctuation")),
    Step(name="max_repeats", changes=_runs_of("max_repeats"), plain=_signs_of("max_repeats")),
    Step(
        name="han_punctuation",
        changes=_one(width.GATES["unify_punctuation"], width.unify_punctuation),
        plain=_any(width.PUNCTUATION),
    ),
)
