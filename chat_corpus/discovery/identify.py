"""Identify the source of a file: by its name, otherwise by its content, otherwise by the nearest layout.

A name takes priority over a signature unless the content contradicts it. A file that fits two sources gets neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from chat_corpus.discovery import file_names, unusable_files
from chat_corpus.discovery.model import FileMatch, HeadSample, MatchedBy, Slot, UnrecognisedFile
from chat_corpus.discovery.slots import has_exact_name, slots_by_content, slots_by_name, slots_by_siblings
from chat_corpus.discovery.sniff import head_of, text_of
from chat_corpus.discovery.suggestions import unknown, unknown_with_advice
from chat_corpus.discovery.trial import is_most_of
from chat_corpus.discovery.walk import Entry
from chat_corpus.errors import ChatCorpusError, FileError, described
from chat_corpus.files.compression import content_name
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.lines import cut_at_line
from chat_corpus.files.parquet_lines import MARK, PARQUET
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile, read_range
from chat_corpus.formats.base import Format
from chat_corpus.messages import Message, joined, message
from chat_corpus.sources.base import Input, Source
from chat_corpus.sources.signature import FEW, HAN, contradicts

#: Number of bytes at the end of a file that are checked.
_TAIL = 1 << 12


def identify_file(
    entry: Entry, sources: Mapping[str, Source], *, by_content: bool = True
) -> FileMatch | UnrecognisedFile:
    """Return the match of a file with a slot, or the reason why it is not recognised.

    If `by_content` is false, only files that have the name of a source are opened. If the code of a source fails on a
    file that has a name of this source, the file counts as damaged.
    """
    slots, matched_by = slots_by_name(entry, sources)
    owner = slots[0].source if slots else None
    try:
        return _identify(entry, sources, slots, matched_by, by_content=by_content)
    except ChatCorpusError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a plugin raises is the fault of its source alone
        reason = message("the source's code failed on this file: {error}", error=described(error))
        return UnrecognisedFile(file=entry.file, reason=reason, damaged_source=owner, warn=True)


def _identify(
    entry: Entry, sources: Mapping[str, Source], slots: list[Slot], matched_by: MatchedBy, *, by_content: bool
) -> FileMatch | UnrecognisedFile:
    """Return the result of `identify_file` for a file with a name that fits `slots`, which may be empty."""
    owner = slots[0].source if slots else None
    if entry.problem:
        return UnrecognisedFile(file=entry.file, reason=entry.problem, damaged_source=owner, warn=entry.warn)
    if not entry.file.size:
        return UnrecognisedFile(file=entry.file, reason=message("empty file"), damaged_source=owner)
    if not slots and (leftover := unusable_files.leftover(entry.file.name)):
        quiet = UnrecognisedFile(file=entry.file, reason=leftover.message)
        return _unusable(entry, None, leftover, sources) if leftover.may_hold_data else quiet
    if not (slots or by_content):
        return UnrecognisedFile(
            file=entry.file, reason=message("not opened: too many files do not have the name of a corpus")
        )
    try:
        head = head_of(entry.file) if entry.head is None else entry.head
    except FileError as error:
        return UnrecognisedFile(file=entry.file, reason=error.fault, damaged_source=owner, warn=True)
    if head.startswith(MARK) and not entry.file.compressed and entry.file.member is None:
        return _identify_parquet(entry, slots, matched_by, sources)
    kind = unusable_files.by_content(head, content_name(entry.file.name))
    if kind is not None:
        return _unusable(entry, owner, kind, sources)
    converted = None if owner else file_names.converted_source(content_name(entry.file.name), sources)
    if converted is not None:
        return UnrecognisedFile(file=entry.file, reason=_converted(converted), unusable_source=converted)
    text = text_of(head)
    result = _match_by_name(entry, slots, matched_by, head, text, sources) or _identify_by_content(
        entry, owner, head, text, sources
    )
    if isinstance(result, FileMatch) and (fault := _end_fault(result, head, sources)):
        return UnrecognisedFile(file=entry.file, reason=fault, damaged_source=result.slot.source, warn=True)
    return result


def _converted(source: str) -> Message:
    return message(
        "converted from {source} by another program, judging by its name, so it is not read; get the original corpus, "
        "or rename the file if it is your own data",
        source=source,
    )


def _match_by_name(
    entry: Entry,
    slots: list[Slot],
    matched_by: MatchedBy,
    head: bytes,
    text: str | None,
    sources: Mapping[str, Source],
) -> FileMatch | None:
    """Return the first of the slots that the name fits and the content does not contradict."""
    fewest = FEW if slots and has_exact_name(entry, sources[slots[0].source]) else 1
    for slot in slots:
        input_ = _input(slot, sources)
        if input_.format.accepts(text_head(head)) and (text is None or _is_plausible(input_, head, text, fewest)):
            return _match(slot, entry.file, matched_by, head, sources)
    return None


def _is_plausible(input_: Input, head: bytes, text: str, fewest: int) -> bool:
    """Return whether a file with the name of an input has its layout, or can be read nevertheless."""
    if not contradicts(input_.layout, text, fewest):
        return True
    return input_.format.parts == 1 and is_most_of(input_.format, input_.layout, head, text)


def _identify_parquet(
    entry: Entry, slots: list[Slot], matched_by: MatchedBy, sources: Mapping[str, Source]
) -> FileMatch | UnrecognisedFile:
    """Return the result of `identify_file` for a Parquet file, by its name, otherwise by its rows as JSON."""
    owner = slots[0].source if slots else None
    file = replace(entry.file, encoding=PARQUET)
    try:
        head = head_of(file)
    except FileError as error:
        return UnrecognisedFile(file=entry.file, reason=error.fault, damaged_source=owner, warn=True)
    readable = [slot for slot in slots if _input(slot, sources).format.accepts(head)]
    if readable:
        return _match(readable[0], file, matched_by, head, sources)
    if owner is not None:
        reason = message("a Parquet file without the columns of {source}", source=owner)
        return UnrecognisedFile(file=entry.file, reason=reason, unusable_source=owner)
    text = text_of(head)
    fitting = [] if text is None else list(slots_by_content(content_name(file.name), head, text, sources))
    if len({slot.source for slot in fitting}) == 1:
        return _match(fitting[0], file, MatchedBy.CONTENT, head, sources)
    reason = message(
        "a Parquet file that is not a known corpus, by name or content: give it the name of a corpus, such as "
        "belle/NAME.parquet"
    )
    return UnrecognisedFile(file=entry.file, reason=reason, warn=True)


def _end_fault(match: FileMatch, head: bytes, sources: Mapping[str, Source]) -> str:
    """Return a message about a fault at the end of a file; empty if there is none or only a full read would show it."""
    fault_at_end, file = _input(match.slot, sources).format.fitted(text_head(head)).fault_at_end, match.file
    if fault_at_end is None:
        return ""
    if match.sample.whole:
        return fault_at_end(text_head(head))
    if file.streamed:
        return ""
    tail = read_range(file, max(0, file.size - _TAIL), file.size)
    return "" if b"\0" in tail else fault_at_end(tail)


def _unusable(
    entry: Entry, owner: str | None, kind: unusable_files.Kind, sources: Mapping[str, Source]
) -> UnrecognisedFile:
    """Return a file of a kind that is not read, with the source that it may belong to."""
    if owner is not None:
        return UnrecognisedFile(file=entry.file, reason=kind.message, damaged_source=owner, warn=True)
    names = map(content_name, entry.names)
    intended = (file_names.intended_source(name, sources, by_folder=kind.may_hold_data) for name in names)
    source = next((source for source in intended if source), None)
    warn = kind.may_hold_data and source is None
    return UnrecognisedFile(file=entry.file, reason=kind.message, unusable_source=source, warn=warn)


def _match(slot: Slot, file: RawFile, matched_by: MatchedBy, head: bytes, sources: Mapping[str, Source]) -> FileMatch:
    """Return a match with the number of records in the first bytes of the file."""
    sample = _sample(_input(slot, sources).format, head)
    return FileMatch(slot=slot, file=file, matched_by=matched_by, sample=sample)


def _sample(format_: Format, head: bytes) -> HeadSample:
    is_whole = len(head) < HEAD_BYTES
    data = head if is_whole else head[: cut_at_line(head) or len(head)]
    fitted = format_.fitted(text_head(head))
    return HeadSample(records=fitted.count(text_head(data)), bytes=len(data), whole=is_whole)


def _input(slot: Slot, sources: Mapping[str, Source]) -> Input:
    return sources[slot.source].inputs[slot.input]


def _identify_by_content(
    entry: Entry, owner: str | None, head: bytes, text: str | None, sources: Mapping[str, Source]
) -> FileMatch | UnrecognisedFile:
    """Return the result of `identify_file` by content. A file with a name of `owner` does not match other sources."""
    name = content_name(entry.file.name)
    kind = unusable_files.by_ending(name, is_text=text is not None) if owner is None else None
    if kind is not None:
        return _unusable(entry, None, kind, sources)
    if text is None:
        return UnrecognisedFile(file=entry.file, reason=message("not a text file, judging by its first bytes"))
    if owner is None and unusable_files.is_document_or_code(name):
        return UnrecognisedFile(file=entry.file, reason=unknown())
    slots = list(slots_by_content(name, head, text, sources))
    fitting = list(dict.fromkeys(slot.source for slot in slots))
    if owner is not None:
        is_data = has_exact_name(entry, sources[owner]) or re.search(HAN, text)
        reason = _misnamed(owner, fitting)
        return UnrecognisedFile(file=entry.file, reason=reason, unusable_source=owner if is_data else None)
    if len(fitting) == 1:
        return _match(slots[0], entry.file, MatchedBy.CONTENT, head, sources)
    if fitting:
        reason = message(
            "looks like {sources}: give it a file name of the right source", sources=joined(" or ", fitting)
        )
        return UnrecognisedFile(file=entry.file, reason=reason)
    candidates = tuple(
        _match(slot, entry.file, MatchedBy.SIBLINGS, head, sources) for slot in slots_by_siblings(entry, text, sources)
    )
    unfinished = unusable_files.by_ending(name) if not candidates else None
    if unfinished is not None and unfinished.may_hold_data:
        return _unusable(entry, None, unfinished, sources)
    reason = unknown_with_advice(entry.names[0], text, sources)
    return UnrecognisedFile(file=entry.file, reason=reason, possible_matches=candidates)


def _misnamed(owner: str, fitting: list[str]) -> Message:
    if not fitting:
        return message("has a name of {source}, but not its layout", source=owner)
    return message(
        "has a name of {source}, but not its layout; it looks like {others}, so rename it",
        source=owner,
        others=joined(" or ", fitting),
    )
