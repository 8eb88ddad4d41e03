"""Corpora that the user adds by settings: their files, and what these show of layout, pairs and segmentation."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import msgspec.structs
import polars as pl

from chat_corpus.discovery import unusable_files
from chat_corpus.discovery.layout_detection import Detection, detect, sides
from chat_corpus.discovery.model import DiscoveredSource, FileGroup, HeadSample
from chat_corpus.discovery.sniff import head_of, text_of
from chat_corpus.discovery.trial import readable_texts
from chat_corpus.discovery.walk import Entry, entries_at
from chat_corpus.errors import FileError, UsageError
from chat_corpus.files.compression import content_name
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.encodings import UTF8_SHARE, utf8_share
from chat_corpus.files.lines import cut_at_line
from chat_corpus.files.parquet_lines import MARK, PARQUET
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile
from chat_corpus.formats.layouts import LAYOUTS, PARALLEL_FILES, Layout, by_name, formats_of
from chat_corpus.formats.own_records import is_parted
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.pipeline.text.segmentation import observed
from chat_corpus.schema import Segmentation
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import AUTO, Definition

_log = logging.getLogger(__name__)
#: So many files of a folder are looked into to find the layout.
_LOOKS = 20
#: So many files are named in a message.
_NAMED = 3
_PAIR = 2
#: Where so many turns have line breaks, turns are documents.
_DOCUMENTS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looked:
    """A file, its first bytes as UTF-8, and why it cannot be a corpus, if so."""

    file: RawFile
    head: bytes
    fault: str = ""


def settled(name: str, definition: Definition) -> Definition:
    """The definition with everything that its files show in the place of `auto`; what was found is logged.

    Raises UsageError where there is no such file, or no layout, or not one layout, fits the files.
    """
    files = list(_first_usable(_entries(name, definition)[1]))
    usable = [one for one in files if not one.fault]
    if not usable:
        shown = joined("; ", [f"{one.file.name}: {one.fault}" for one in files[:_NAMED]])
        raise UsageError(
            message(
                "{name}: no file that can be read in {path}: {faults}", name=name, path=_shown(definition), faults=shown
            )
            if files
            else message("{name}: no file in {path}", name=name, path=_shown(definition))
        )
    found = (
        _layout_named(name, definition, usable)
        if definition.layout != AUTO
        else _layout_found(name, definition, usable)
    )
    made = msgspec.structs.replace(
        definition,
        layout=found.layout.name,
        pairing=str(found.pairing) if definition.pairing == AUTO else definition.pairing,
    )
    texts = _Texts.of(found.layout, made, usable)
    if made.segmentation == "auto":
        made = msgspec.structs.replace(made, segmentation=texts.segmentation)
    if made.structured is None:
        made = msgspec.structs.replace(made, structured=found.asked and texts.documents)
    _log.info("%s", _described(name, made, definition, found, usable), extra={"event": "added.layout", "source": name})
    return made


def _first_usable(entries: Sequence[Entry]) -> Iterator[_Looked]:
    """Files up to the last that is looked into to find the layout."""
    usable = 0
    for one in map(_looked, entries):
        usable += not one.fault
        yield one
        if usable == _LOOKS:
            return


def discover_added(name: str, definition: Definition, source: Source) -> DiscoveredSource:
    """The files of an added corpus whose definition is settled. Raises UsageError as `settled`."""
    root, entries = _entries(name, definition)
    found = DiscoveredSource(source=source, root=str(root))
    claims: list[tuple[int, _Looked]] = []
    for one in map(_looked, entries):
        accepting = (number for number, wanted in enumerate(source.inputs) if wanted.format.accepts(one.head))
        number = None if one.fault else next(accepting, None)
        if number is not None:
            claims.append((number, one))
        elif one.fault and len(entries) > 1 and unusable_files.is_document_or_code(content_name(one.file.name)):
            found.remarks.append(message("skipped {file}: {reason}", file=one.file.name, reason=one.fault))
        else:
            fault = one.fault or message("not of the layout {layout}", layout=definition.layout)
            (found.damaged if one.fault else found.unusable).append(
                message("{file}: {reason}", file=one.file.name, reason=fault)
            )
    if definition.layout == PARALLEL_FILES.name:
        claims = _paired(name, definition, claims)
        groups = [FileGroup(input=0, files=tuple(one.file for _, one in claims))]
    else:
        groups = [FileGroup(input=number, files=(one.file,)) for number, one in claims]
    found.groups.extend(groups)
    found.head_samples = {one.file: _sampled(source, number, one.head) for number, one in claims}
    return found


def real_paths(found: DiscoveredSource) -> set[str]:
    """The real paths of the files of a source."""
    return {os.path.realpath(file.path) for file in found.files}


def _entries(name: str, definition: Definition) -> tuple[Path, list[Entry]]:
    """The folder that names are below, and the files at the paths of a definition."""
    paths = list(dict.fromkeys(path for given in definition.paths for path in _matching(name, given)))
    folders = [path if path.is_dir() else path.parent for path in paths]
    root = Path(os.path.commonpath([folder.absolute() for folder in folders])) if len(paths) > 1 else folders[0]
    if len(paths) > 1 and all(not path.is_absolute() for path in paths):
        root = Path(os.path.relpath(root))
    below = [path.absolute() if root.is_absolute() else path for path in paths]
    return root, [entry for path in below for entry in entries_at(path, root)]


def _matching(name: str, given: str) -> Iterator[Path]:
    """The paths that a path, or else a pattern, leads to. Raises UsageError where there are none."""
    if Path(given).exists():
        yield Path(given)
        return
    found = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 a pattern may be absolute
    if not found:
        plain = given.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")
        raise UsageError(message("{name}: {path}: no such file or folder; check the path", name=name, path=plain))
    yield from map(Path, found)


def _looked(entry: Entry) -> _Looked:
    file = entry.file
    if entry.problem or not file.size:
        return _Looked(file=file, head=b"", fault=entry.problem or message("empty file"))
    try:
        head = head_of(file) if entry.head is None else entry.head
        if head.startswith(MARK) and not file.compressed and file.member is None:
            file = replace(file, encoding=PARQUET)
            return _Looked(file=file, head=head_of(file))
    except FileError as error:
        return _Looked(file=file, head=b"", fault=error.fault)
    name = content_name(file.name)
    kind = unusable_files.by_content(head, name)
    if kind is not None:
        return _Looked(file=file, head=b"", fault=kind.message)
    if unusable_files.is_document_or_code(name):
        return _Looked(file=file, head=b"", fault=message("a document or a program, by its name"))
    text = text_of(head)
    if text is None:
        return _Looked(file=file, head=b"", fault=message("not a text file, judging by its first bytes"))
    data = text_head(head)
    return _Looked(file=file, head=data if utf8_share(data) >= UTF8_SHARE else text.encode("utf-8", "surrogatepass"))


def _layout_found(name: str, definition: Definition, files: Sequence[_Looked]) -> Detection:
    """The layout that the files show. Raises UsageError unless it is one."""
    if len(files) == _PAIR and (len(definition.paths) == _PAIR or sides([one.file.name for one in files])):
        alone = [detect(one.head) for one in files]
        if not any(isinstance(one, Detection) for one in alone):
            return Detection(layout=PARALLEL_FILES, evidence=message("two files of texts"))
    found: dict[str, list[tuple[str, Detection]]] = {}
    seen: list[tuple[str, Message]] = []
    for one in files:
        detected = detect(one.head, definition.columns.names)
        if isinstance(detected, Detection):
            found.setdefault(detected.layout.name, []).append((one.file.name, detected))
        else:
            seen.append((one.file.name, detected))
    if not found:
        raise _refused(name, *seen[0])
    if len(found) > 1:
        shown = [message("{layout} ({file})", layout=key, file=several[0][0]) for key, several in found.items()]
        raise UsageError(
            message(
                "{name}: files of several layouts: {layouts}; name one with --layout {name}=LAYOUT, or add them under "
                "several names",
                name=name,
                layouts=joined(", ", shown),
            )
        )
    ((_, several),) = found.items()
    return several[0][1]


def _layout_named(name: str, definition: Definition, files: Sequence[_Looked]) -> Detection:
    """The layout that the user names. Raises UsageError where none of the files is of it."""
    layout = by_name()[definition.layout]
    formats = layout.formats(definition.columns.names, definition.gap or 0)
    fitting = [one for one in files if any(format_.accepts(one.head) for format_ in formats)]
    if not fitting:
        raise _refused(name, files[0].file.name, _other(files[0].head, definition), layout)
    if layout is PARALLEL_FILES:
        return Detection(layout=layout, evidence=message("as named"))
    detected = detect(fitting[0].head, definition.columns.names)
    same = isinstance(detected, Detection) and detected.layout is layout
    return (
        detected if same and isinstance(detected, Detection) else Detection(layout=layout, evidence=message("as named"))
    )


def _other(head: bytes, definition: Definition) -> Message:
    found = detect(head, definition.columns.names)
    return message("it looks like {layout}", layout=found.layout.name) if isinstance(found, Detection) else found


def _refused(name: str, file: str, seen: Message, layout: Layout | None = None) -> UsageError:
    listed = joined("\n", [message("  {layout}: {what}", layout=one.name, what=one.description) for one in LAYOUTS])
    advice = message(
        "Name a layout with --layout {name}=LAYOUT, the columns of a table under corpora in a YAML file, or write a "
        "plugin, which 'chat-corpus new-source {name}' begins. Layouts:\n{layouts}",
        name=name,
        layouts=listed,
    )
    if layout is not None:
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
    return UsageError(
        message("{name}: no layout fits {file}: {seen}. {advice}", name=name, file=file, seen=seen, advice=advice)
    )


def _paired(name: str, definition: Definition, claims: list[tuple[int, _Looked]]) -> list[tuple[int, _Looked]]:
    """Two claims, that of the queries first. Raises UsageError for another number, or names that do not say."""
    names = [one.file.name for _, one in claims]
    order = (0, 1) if len(definition.paths) == _PAIR else sides(names)
    if len(claims) != _PAIR or order is None:
        raise UsageError(
            message(
                "{name}: parallel files are two, {count} found, and their names say which has the queries, as in "
                "train.query and train.answer; or give both in this order: --add {name}=QUERIES --add {name}=ANSWERS",
                name=name,
                count=len(claims),
            )
        )
    return [claims[number] for number in order]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Texts:
    """What the texts of a corpus show: what separates words, and whether turns are documents, with lines and code."""

    segmentation: Literal["none", "blank", "slash", "character"] = "none"
    documents: bool = False

    @classmethod
    def of(cls, layout: Layout, definition: Definition, files: Sequence[_Looked]) -> _Texts:
        """Look at the first file that can be read by itself, or at the lines of the first of several."""
        formats = formats_of(layout, definition.columns.names, definition.gap or 0, characters=False)
        for one in files:
            format_ = next((format_ for format_ in formats if format_.accepts(one.head)), None)
            texts = None if format_ is None else readable_texts(format_, one.head)
            if texts is None:
                texts = pl.Series(one.head.decode("utf-8", "replace").splitlines(), dtype=pl.String)
            if len(texts := texts.drop_nulls()):
                broken = int(texts.str.contains("\n", literal=True).sum())
                return cls(segmentation=_segmentation(texts), documents=broken >= _DOCUMENTS * len(texts))
        return cls()


def _segmentation(texts: pl.Series) -> Literal["none", "blank", "slash", "character"]:
    sample = "\n".join(texts).encode()
    if is_parted(texts):
        return "character"
    if sample.isascii():  # which bears out whatever is declared
        return "none"
    if observed(sample, Segmentation.BLANK) is Segmentation.BLANK:
        return "blank"
    return "slash" if observed(sample, Segmentation.SLASH) is Segmentation.SLASH else "none"


def _described(name: str, made: Definition, given: Definition, found: Detection, files: Sequence[_Looked]) -> Message:
    """One line on how a corpus is read."""
    file = (
        files[0].file.name
        if len(files) == 1
        else message("{count} in {path}", count=count_noun(len(files), "file"), path=_shown(given))
    )
    facts: list[str] = [message("pairs: {pairing}", pairing=made.pairing)]
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


def _shown(definition: Definition) -> str:
    return ", ".join(definition.paths)


def _sampled(source: Source, number: int, head: bytes) -> HeadSample:
    whole = len(head) < HEAD_BYTES
    data = head if whole else head[: cut_at_line(head) or len(head)]
    return HeadSample(records=source.inputs[number].format.fitted(head).count(data), bytes=len(data), whole=whole)


def settle_all(added: Mapping[str, Definition]) -> dict[str, Definition]:
    """All definitions, settled. Raises as `settled`."""
    return {name: settled(name, definition) for name, definition in added.items()}
