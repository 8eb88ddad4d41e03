"""Whose a file is: by its name, else by its content; and where neither decides, what is nearest.

A name wins over a signature, as long as the content does not contradict it. Where two sources fit, neither is chosen.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from chat_corpus.discovery import file_names, unusable_files
from chat_corpus.discovery.model import FileMatch, How, Place, Sampled, UnrecognisedFile
from chat_corpus.discovery.sniff import head_of, text_of
from chat_corpus.discovery.trial import is_most_of
from chat_corpus.discovery.walk import Entry
from chat_corpus.errors import ChatCorpusError, FileError, described
from chat_corpus.files.compression import content_name
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.lines import cut_at_line
from chat_corpus.files.parquet_lines import MARK, PARQUET
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile, read_range
from chat_corpus.formats.base import Format
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.signature import FEW, HAN, contradicts, share

_log = logging.getLogger(__name__)
#: Sources of which it has been said that their code fails.
_warned: set[str] = set()
#: What is said of a file on which the code of a source fails.
_FAILED = "the code of its source failed on it: {}"


#: So many bytes at the end of a file are looked at.
_TAIL = 1 << 12
#: Of so many lines the layout is told of a file that is nobody's.
_MOSTLY = 0.9
_MADE = (
    "what another program made of {}, by its name; it is not read: get the corpus itself, or rename it if it is yours"
)
_UNKNOWN = "no corpus that is known, by its name or its content"
#: So many patterns of a source are named.
_SHOWN = 8
#: Layouts of any text.
_COMMON = ("", ",")


def identify_file(
    entry: Entry, sources: Mapping[str, Source], *, by_content: bool = True
) -> FileMatch | UnrecognisedFile:
    """Whose a file is; without `by_content`, one whose name is nobody's is not opened.

    Where the code of a source fails on a file that has a name of this source, the file is damaged.
    """
    named, how = _by_name(entry, sources)
    owner = named[0][0] if named else None
    try:
        return _judged(entry, sources, named, how, by_content=by_content)
    except ChatCorpusError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a plugin raises is the fault of its source alone
        return UnrecognisedFile(file=entry.file, reason=_FAILED.format(described(error)), damaged=owner, warn=True)


def _judged(
    entry: Entry, sources: Mapping[str, Source], named: list[Place], how: How, *, by_content: bool
) -> FileMatch | UnrecognisedFile:
    owner = named[0][0] if named else None
    if entry.trouble:
        return UnrecognisedFile(file=entry.file, reason=entry.trouble, damaged=owner, warn=entry.grave)
    if not entry.file.size:
        return UnrecognisedFile(file=entry.file, reason="empty", damaged=owner)
    if not (named or by_content):
        return UnrecognisedFile(
            file=entry.file, reason="not looked into: there are too many files whose names say nothing"
        )
    try:
        head = head_of(entry.file) if entry.head is None else entry.head
    except FileError as error:
        return UnrecognisedFile(file=entry.file, reason=error.fault, damaged=owner, warn=True)
    if head.startswith(MARK) and not entry.file.compressed and entry.file.member is None:
        return _parquet(entry, owner, named, how, sources)
    kind = unusable_files.by_content(head, content_name(entry.file.name))
    if kind is not None:
        return _unread(entry, owner, kind, sources)
    made = None if owner else file_names.made_of(content_name(entry.file.name), sources)
    if made is not None:
        return UnrecognisedFile(file=entry.file, reason=_MADE.format(made), meant=made)
    text = text_of(head)
    fewest = FEW if owner and _is_named(entry, sources[owner]) else 1
    fitting = [place for place in named if _input(place, sources).format.accepts(text_head(head))]
    fitting = [place for place in fitting if text is None or _is_plausible(_input(place, sources), head, text, fewest)]
    claim = _claim(fitting[0], entry.file, how, head, sources) if fitting else None
    judged = claim or _by_content(entry, owner, head, text, sources)
    if isinstance(judged, FileMatch) and (fault := _end_fault(judged, head, sources)):
        return UnrecognisedFile(file=entry.file, reason=fault, damaged=judged.place[0], warn=True)
    return judged


def _is_plausible(wanted: Input, head: bytes, text: str, fewest: int) -> bool:
    """Whether a file that has the name of an input may be one: it has its layout, or can be read all the same."""
    if not contradicts(wanted.layout, text, fewest):
        return True
    return wanted.format.parts == 1 and is_most_of(wanted.format, wanted.layout, head, text)


def _parquet(
    entry: Entry, owner: str | None, named: list[Place], how: How, sources: Mapping[str, Source]
) -> FileMatch | UnrecognisedFile:
    """Whose a Parquet file is, by its name or by its rows as JSON."""
    file = replace(entry.file, encoding=PARQUET)
    try:
        head = head_of(file)
    except FileError as error:
        return UnrecognisedFile(file=entry.file, reason=error.fault, damaged=owner, warn=True)
    readable = [place for place in named if _input(place, sources).format.accepts(head)]
    if readable:
        return _claim(readable[0], file, how, head, sources)
    if owner is not None:
        return UnrecognisedFile(file=entry.file, reason=f"a Parquet file without columns that {owner} has", meant=owner)
    text = text_of(head)
    places = [] if text is None else list(_fitting(content_name(file.name), head, text, sources))
    if len({place[0] for place in places}) == 1:
        return _claim(places[0], file, How.CONTENT, head, sources)
    return UnrecognisedFile(
        file=entry.file,
        reason="a Parquet file of no corpus, by its name or content: give it the name of one, as belle/NAME.parquet",
        warn=True,
    )


def _end_fault(claim: FileMatch, head: bytes, sources: Mapping[str, Source]) -> str:
    """What is wrong with the end of a file; empty too if that cannot be seen without reading all of it."""
    fault_at_end, file = _input(claim.place, sources).format.fitted(text_head(head)).fault_at_end, claim.file
    if fault_at_end is None:
        return ""
    if claim.sampled.whole:
        return fault_at_end(text_head(head))
    if file.streamed:
        return ""
    tail = read_range(file, max(0, file.size - _TAIL), file.size)
    return "" if b"\0" in tail else fault_at_end(tail)


def _unread(
    entry: Entry, owner: str | None, kind: unusable_files.Kind, sources: Mapping[str, Source]
) -> UnrecognisedFile:
    """A file of a kind that is not read, with the source whose it may be."""
    if owner is not None:
        return UnrecognisedFile(file=entry.file, reason=kind.message, damaged=owner, warn=True)
    names = map(content_name, entry.names)
    meant = next((one for name in names if (one := file_names.meant(name, sources, by_folder=kind.data))), None)
    return UnrecognisedFile(file=entry.file, reason=kind.message, meant=meant, warn=kind.data and meant is None)


def _claim(place: Place, file: RawFile, how: How, head: bytes, sources: Mapping[str, Source]) -> FileMatch:
    """A file for a place, with a sample of its records counted."""
    return FileMatch(place=place, file=file, how=how, sampled=_sampled(_input(place, sources).format, head))


def _input(place: Place, sources: Mapping[str, Source]) -> Input:
    return sources[place[0]].inputs[place[1]]


def _by_name(entry: Entry, sources: Mapping[str, Source]) -> tuple[list[Place], How]:
    for name in entry.names:
        places = [
            (source.name, number, part)
            for source in sources.values()
            for number, wanted in enumerate(source.inputs)
            if (part := wanted.part_of(name)) is not None
        ]
        if places:
            return places, How.NAME if name == entry.names[0] else How.GARBLED
    return [], How.NAME


def _by_content(
    entry: Entry, owner: str | None, head: bytes, text: str | None, sources: Mapping[str, Source]
) -> FileMatch | UnrecognisedFile:
    """A name that the content contradicts is no reason to take the file for another source's."""
    name = content_name(entry.file.name)
    kind = unusable_files.by_ending(name, is_text=text is not None) if owner is None else None
    if kind is not None:
        return _unread(entry, None, kind, sources)
    if text is None:
        return UnrecognisedFile(file=entry.file, reason="no text, as far as its first bytes tell")
    if owner is None and unusable_files.is_written(name):
        return UnrecognisedFile(file=entry.file, reason=_UNKNOWN)
    places = list(_fitting(name, head, text, sources))
    found = list(dict.fromkeys(place[0] for place in places))
    if owner is not None:
        like = f"; it looks like {' or '.join(found)}, so rename it" if found else ""
        told = f"named as {owner}, but it is not of that layout{like}"
        is_data = _is_named(entry, sources[owner]) or re.search(HAN, text)
        return UnrecognisedFile(file=entry.file, reason=told, meant=owner if is_data else None)
    if len(found) == 1:
        return _claim(places[0], entry.file, How.CONTENT, head, sources)
    if found:
        return UnrecognisedFile(
            file=entry.file, reason=f"looks like {' and '.join(found)}: its name must say which it is"
        )
    candidates = tuple(
        _claim(place, entry.file, How.SIBLINGS, head, sources) for place in _candidates(entry, text, sources)
    )
    unfinished = unusable_files.by_ending(name) if not candidates else None
    if unfinished is not None and unfinished.data:
        return _unread(entry, None, unfinished, sources)
    return UnrecognisedFile(file=entry.file, reason=_nearest(entry, text, sources), possible_matches=candidates)


def _is_named(entry: Entry, source: Source) -> bool:
    """Whether a name is a source's by more than a folder and an ending."""
    patterns = (pattern for wanted in source.inputs for pattern in wanted.files)
    exact = [PurePosixPath(pattern.lower()) for pattern in patterns if PurePosixPath(pattern).stem != "*"]
    return any(PurePosixPath(name.lower()).match(str(pattern)) for name in entry.names for pattern in exact)


def _fitting(name: str, head: bytes, text: str, sources: Mapping[str, Source]) -> Iterator[Place]:
    for source in sources.values():
        for number, wanted in enumerate(source.inputs):
            fitting = [one for one in wanted.signatures if not one.company and one.fits(text, name)]
            # Signatures are asked first, because they cost least.
            if fitting and _accepts(source, wanted, head) and is_most_of(wanted.format, wanted.layout, head, text):
                yield source.name, number, fitting[0].file_index


def _accepts(source: Source, wanted: Input, head: bytes) -> bool:
    """Whether a format takes a file; one whose code fails takes none, and other sources are asked all the same."""
    try:
        return bool(wanted.format.accepts(text_head(head)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a plugin raises is the fault of its source alone
        if source.name not in _warned:
            _warned.add(source.name)
            message = "%s: its code failed when it was asked whether it reads a file: %s"
            _log.warning(message, source.name, described(error), extra={"event": "source.code", "source": source.name})
        return False


def _candidates(entry: Entry, text: str, sources: Mapping[str, Source]) -> Iterator[Place]:
    for source in sources.values():
        for number, wanted in enumerate(source.inputs):
            part = wanted.part_of_base(entry.names[0])
            if part is not None and wanted.layout and (share(wanted.layout, text) or 0) >= _MOSTLY:
                yield source.name, number, part
            for signature in wanted.signatures:
                if signature.company and signature.fits(text):
                    yield source.name, number, signature.file_index


def _nearest(entry: Entry, text: str, sources: Mapping[str, Source]) -> str:
    """What is said of a file that nothing fits: the sources whose layout it has, and the names that would settle it.

    A source that the name speaks of is not advised against.
    """
    speaks = file_names.mentioned(entry.names[0], sources)
    speaks += [one for one in [file_names.meant(entry.names[0], sources, by_folder=False)] if one and one not in speaks]
    alike = {
        source.name: wanted.files[0]
        for source in sources.values()
        for wanted in source.inputs
        if wanted.layout not in _COMMON and (share(wanted.layout, text) or 0) >= _MOSTLY
    }
    if speaks:
        alike = {name: pattern for name, pattern in alike.items() if name in speaks}
        if not alike:
            patterns = list(dict.fromkeys(name for one in sources[speaks[0]].inputs for name in one.files))
            more = f" and {len(patterns) - _SHOWN} more" if len(patterns) > _SHOWN else ""
            wanted = f"{', '.join(patterns[:_SHOWN])}{more}"
            return f"speaks of {speaks[0]}, but has no layout of it that is read; looked for is {wanted}"
    if not alike or not re.search(HAN, text):
        return _UNKNOWN
    names = f"rename it: {', '.join(alike.values())}"
    if len(alike) > 1:
        return f"has the layout of {', '.join(alike)}, but nothing tells whether it is one of them; if it is, {names}"
    return f"has the layout of {', '.join(alike)}, but nothing else of it; if it is that corpus, {names}"


def _sampled(format_: Format, head: bytes) -> Sampled:
    whole = len(head) < HEAD_BYTES
    data = head if whole else head[: cut_at_line(head) or len(head)]
    fitted = format_.fitted(text_head(head))
    return Sampled(records=fitted.count(text_head(data)), bytes=len(data), whole=whole)
