"""Corpora that a user adds by settings: their paths, their layout, and other facts that differ from the defaults."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec.structs import asdict, replace

from chat_corpus.formats.layouts import JSON, by_name, formats_of
from chat_corpus.messages import Message, constant, message
from chat_corpus.schema import Markup, Pairing, Script, Segmentation, Traits
from chat_corpus.sources.base import Input, Source

#: The value of settings that are detected from the content.
AUTO = "auto"
#: The licence if the user gives none.
NOT_STATED = "not stated"


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of a table by name, or by number from 1 where there is no header."""

    #: The query of a pair.
    query: str | int | None = None
    #: The answer of a pair.
    answer: str | int | None = None
    #: Who says a message.
    speaker: str | int | None = None
    #: What a message says.
    text: str | int | None = None
    #: Which dialogue a message belongs to.
    dialogue: str | int | None = None
    #: When a message was sent.
    time: str | int | None = None
    #: What kind of message it is, such as text or picture.
    type: str | int | None = None

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Pairs of the role of a column, such as `query`, and its name or number."""
        return tuple((what, str(name)) for what, name in asdict(self).items() if name is not None)


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A corpus that the user adds."""

    #: A file or a folder; in YAML also a pattern, or a list of these.
    path: str | tuple[str, ...]
    #: A name of `formats.layouts`; auto: found from the content.
    layout: str = AUTO
    #: Names or numbers of columns of a table.
    columns: Columns = Columns()
    #: Seconds without a message or subtitle that end a dialogue; null for the default of the layout.
    gap: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: The script of the text.
    script: Script = Script.MIXED
    #: What the platform left in the text; null for what the layout usually has.
    markup: tuple[Markup, ...] | None = None
    #: What separates the words; character: a blank after each character. auto: found from the content.
    segmentation: Literal["auto", "none", "blank", "slash", "character"] = "auto"
    #: Whether turns are documents with code or Markdown, which text steps for chat leave alone; null: by the content.
    structured: bool | None = None
    #: How turns become pairs. auto: exchange where a user and an assistant take turns, else adjacent.
    pairing: Literal["auto", "adjacent", "exchange", "first", "none"] = "auto"
    #: The licence, for the report.
    licence: str = NOT_STATED
    #: The name of the corpus, for the report.
    title: str = ""
    #: Where it is from, for the report.
    url: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def digest(self) -> str:
        """Return a short digest of the definition without its paths."""
        return hashlib.sha256(msgspec.json.encode(replace(self, path=()), order="deterministic")).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedSource(Source):
    """A source that the user adds."""


#: Corpora by name.
Definitions = tuple[tuple[str, Definition], ...]


def advice(source: Source) -> Message:
    """Return what a person can do if files of a source are missing or cannot be read."""
    if isinstance(source, AddedSource):
        return message("check the file, or name its layout with --layout {source}=LAYOUT", source=source.name)
    return constant(source.obtain)


def source_of(name: str, definition: Definition) -> AddedSource:
    """Return the source that a definition declares, with the default for each setting that is still `auto`.

    The `files` of its inputs are the paths from the user; names in the raw folder are not compared with them.
    """
    layout = by_name().get(definition.layout, JSON)
    formats = formats_of(
        layout, definition.columns.names, definition.gap or 0, characters=definition.segmentation == "character"
    )
    segmentation = definition.segmentation if definition.segmentation in set(Segmentation) else Segmentation.NONE
    return AddedSource(
        name=name,
        title=definition.title or name,
        url=definition.url,
        obtain=message("your own corpus, added as {path}", path=", ".join(definition.paths)),
        licence=definition.licence,
        inputs=tuple(Input(files=definition.paths[: max(1, one.parts)], format=one, many=True) for one in formats),
        pairing=Pairing.ADJACENT if definition.pairing == AUTO else Pairing(definition.pairing),
        traits=Traits(
            script=definition.script,
            segmentation=Segmentation(segmentation),
            markup=layout.markup if definition.markup is None else frozenset(definition.markup),
            structured=bool(definition.structured),
        ),
        complete=(),
    )
