"""Detect facts about an added corpus from its content: layout, how turns become pairs, segmentation, kind of turns."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from msgspec.structs import replace

from chat_corpus.discovery.added import PAIR, OpenedFile, entries_of, open_file
from chat_corpus.discovery.layout_detection import Detection, detect, detect_as, sides
from chat_corpus.discovery.trial import readable_texts
from chat_corpus.discovery.walk import Entry
from chat_corpus.errors import UsageError
from chat_corpus.formats.layouts import LAYOUTS, PARALLEL_FILES, Layout, by_name, formats_of
from chat_corpus.formats.own_records import is_parted
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.pipeline.text.segmentation import observed
from chat_corpus.schema import Segmentation
from chat_corpus.sources.definitions import AUTO, Definition
from chat_corpus.terms import pairing_name

_log = logging.getLogger(__name__)
#: Number of usable files of a folder that are opened to find the layout.
_MAX_OPENED = 20
#: Number of files that a message names.
_MAX_NAMED = 3
#: Turns are documents if this share of them has line breaks.
_DOCUMENTS = 0.05


def settle_all(corpora: Mapping[str, Definition]) -> dict[str, Definition]:
    """Return all definitions, settled. Raises the errors of `settled`."""
    return {name: settled(name, definition) for name, definition in corpora.items()}


def settled(name: str, definition: Definition) -> Definition:
    """Return a definition with each `auto` replaced by a value that fits the files, and log how they are read.

    Raises UsageError if there are no files, if they do not have a single layout, or if a key is set that the layout
    does not have.
    """
    files = list(_first_usable(entries_of(name, definition)[1]))
    usable = [file for file in files if not file.fault]
    if not usable:
        raise UsageError(_nothing(name, definition, files))
    find = _find_layout if definition.layout == AUTO else _check_layout
    found = find(name, definition, usable)
    _check_keys(name, definition, found.layout)
    made = replace(
        definition,
        layout=found.layout.name,
        pairing=str(found.pairing) if definition.pairing == AUTO else definition.pairing,
    )
    texts = _Texts.of(found.layout, made, usable)
    if made.segmentation == AUTO:
        made = replace(made, segmentation=texts.segmentation)
    if made.structured is None:
        made = replace(made, structured=found.is_assistant and texts.are_documents)
    _log.info("%s", _described(name, made, definition, found, usable), extra={"event": "added.layout", "source": name})
    return made


def _first_usable(entries: Sequence[Entry]) -> Iterator[OpenedFile]:
    """Yield opened files up to the `_MAX_OPENED`th usable one."""
    usable = 0
    for opened in map(open_file, entries):
        usable += not opened.fault
        yield opened
        if usable == _MAX_OPENED:
            return


def _nothing(name: str, definition: Definition, files: Sequence[OpenedFile]) -> Message:
    path = _paths(definition)
    if not files:
        return message("{name}: no file in {path}", name=name, path=path)
    named = [message("{file}: {reason}", file=opened.file.name, reason=opened.fault) for opened in files[:_MAX_NAMED]]
    return message(
        "{name}: no file that can be read in {path}: {faults}", name=name, path=path, faults=joined("; ", named)
    )


def _check_keys(name: str, definition: Definition, layout: Layout) -> None:
    """Raise UsageError if a definition sets keys that its layout does not have."""
    for key, is_set, exists in (
        ("columns", bool(definition.columns.names), layout.has_columns),
        ("gap", definition.gap is not None, layout.has_gap),
    ):
        if is_set and not exists:
            raise UsageError(
                message(
                    "corpora.{name}.{key}: the layout {layout} has no such key; remove it",
                    name=name,
                    key=key,
                    layout=layout.name,
                )
            )


def _find_layout(name: str, definition: Definition, files: Sequence[OpenedFile]) -> Detection:
    """Return the layout that the content shows. Raises UsageError if there is none or more than one."""
    names = definition.columns.names
    detections = [(opened.file.name, detect(opened.head, names)) for opened in files]
    found: dict[str, tuple[str, Detection]] = {}
    for file, detected in detections:
        if isinstance(detected, Detection):
            found.setdefault(detected.layout.name, (file, detected))
    if not found and _may_be_parallel(definition, files):
        return Detection(layout=PARALLEL_FILES, evidence=message("two files of texts"))
    if not found:
        file, seen = detections[0]
        raise _refused(name, file, seen if isinstance(seen, Message) else message("nothing but blanks"))
    if len(found) > 1:
        shown = [message("{layout} ({file})", layout=layout, file=file) for layout, (file, _) in found.items()]
        raise UsageError(
            message(
                "{name}: files of several layouts: {layouts}; name one with --layout {name}=LAYOUT, or add them under "
                "several names",
                name=name,
                layouts=joined(", ", shown),
            )
        )
    ((_, detection),) = found.values()
    return detection


def _may_be_parallel(definition: Definition, files: Sequence[OpenedFile]) -> bool:
    if len(files) != PAIR:
        return False
    return len(definition.paths) == PAIR or sides([opened.file.name for opened in files]) is not None


def _check_layout(name: str, definition: Definition, files: Sequence[OpenedFile]) -> Detection:
    """Return the layout that the user names. Raises UsageError if none of the files has it."""
    layout, names = by_name()[definition.layout], definition.columns.names
    columns = names if layout.has_columns else ()
    formats = layout.formats(columns, 0)
    head = next((opened.head for opened in files if any(one.accepts(opened.head) for one in formats)), None)
    if head is None:
        detected = detect(files[0].head, columns)
        if isinstance(detected, Detection):
            detected = message("it looks like {layout}", layout=detected.layout.name)
        raise _refused(name, files[0].file.name, detected, layout)
    return detect_as(layout, head, columns)


def _refused(name: str, file: str, seen: Message, layout: Layout | None = None) -> UsageError:
    listed = [message("  {layout}: {what}", layout=one.name, what=one.description) for one in LAYOUTS]
    advice = message(
        "Name a layout with --layout {name}=LAYOUT, the columns of a table under corpora in a YAML file, or write a "
        "plugin, which 'chat-corpus new-source {name}' begins. Layouts:\n{layouts}",
        name=name,
        layouts=joined("\n", listed),
    )
    if layout is None:
        return UsageError(
            message("{name}: no layout fits {file}: {seen}. {advice}", name=name, file=file, seen=seen, advice=advice)
        )
    return UsageError(
        message(
            "{name}: {file} is not of the layout {layout}: {seen}. {advice}",
            name=name,
            file=file,
            layout=layout.name,
            seen=seen,
            advice=advice,
        )
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """Properties of the texts of a corpus: the separator of words, and whether turns have line breaks, as documents."""

    segmentation: Literal["none", "blank", "slash", "character"] = "none"
    are_documents: bool = False

    @classmethod
    def of(cls, layout: Layout, definition: Definition, files: Sequence[OpenedFile]) -> _Texts:
        """Return the properties of the first file with turns, or of its lines if its turns cannot be read alone."""
        formats = formats_of(layout, definition.columns.names, definition.gap or 0, characters=False)
        for opened in files:
            format_ = next((one for one in formats if one.accepts(opened.head)), None)
            texts = None if format_ is None else readable_texts(format_, opened.head)
            if texts is None:
                texts = pl.Series(opened.head.decode("utf-8", "replace").splitlines(), dtype=pl.String)
            texts = texts.drop_nulls()
            if len(texts):
                with_lines = int(texts.str.contains("\n", literal=True).sum())
                return cls(segmentation=_segmentation(texts), are_documents=with_lines >= _DOCUMENTS * len(texts))
        return cls()


def _segmentation(texts: pl.Series) -> Literal["none", "blank", "slash", "character"]:
    sample = "\n".join(texts).encode()
    if is_parted(texts):
        return "character"
    if sample.isascii():  # `observed` would confirm any segmentation
        return "none"
    if observed(sample, Segmentation.BLANK) is Segmentation.BLANK:
        return "blank"
    return "slash" if observed(sample, Segmentation.SLASH) is Segmentation.SLASH else "none"


def _described(
    name: str, made: Definition, given: Definition, found: Detection, files: Sequence[OpenedFile]
) -> Message:
    """Return one line on how a corpus is read."""
    file: str = files[0].file.name
    if len(files) > 1:
        file = message("{count} in {path}", count=count_noun(len(files), "file"), path=_paths(given))
    facts: list[str] = [message("pairs: {pairing}", pairing=pairing_name(made.pairing))]
    if made.segmentation != "none":
        facts.append(message("segmentation: {segmentation}", segmentation=made.segmentation))
    if made.structured:
        facts.append(message("turns are documents"))
    return message(
        "{name}: {file}: layout {layout} ({evidence}); {facts}",
        name=name,
        file=file,
        layout=found.layout.name,
        evidence=found.evidence,
        facts=joined(", ", facts),
    )


def _paths(definition: Definition) -> str:
    return ", ".join(definition.paths)
