"""The slots that a file may fill, by its name, its content, or the other files in its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from chat_corpus.discovery.model import MatchedBy, Slot
from chat_corpus.discovery.trial import is_most_of
from chat_corpus.discovery.walk import Entry
from chat_corpus.errors import described
from chat_corpus.files.encoding_detection import text_head
from chat_corpus.messages import message
from chat_corpus.sources.base import Input, Source, matches
from chat_corpus.sources.signature import share

_log = logging.getLogger(__name__)
#: Sources with failing code that has been reported.
_warned: set[str] = set()
#: Minimum share of lines in the layout, in a file that its siblings identify.
_MIN_IN_LAYOUT = 0.9


def slots_by_name(entry: Entry, sources: Mapping[str, Source]) -> tuple[list[Slot], MatchedBy]:
    """Return the slots that fit the first of a file's names that fits any, and whether this name was garbled."""
    for name in entry.names:
        slots = [
            Slot(source.name, number, index)
            for source in sources.values()
            for number, input_ in enumerate(source.inputs)
            if (index := input_.part_of(name)) is not None
        ]
        if slots:
            return slots, MatchedBy.NAME if name == entry.names[0] else MatchedBy.GARBLED_NAME
    return [], MatchedBy.NAME


def has_exact_name(entry: Entry, source: Source) -> bool:
    """Return whether a name of a file matches a pattern of a source that is more than a folder and an ending."""
    patterns = (pattern for input_ in source.inputs for pattern in input_.files)
    exact = [pattern for pattern in patterns if PurePosixPath(pattern).stem != "*"]
    return any(matches(name, pattern) for name in entry.names for pattern in exact)


def slots_by_content(name: str, head: bytes, text: str, sources: Mapping[str, Source]) -> Iterator[Slot]:
    """Yield the slots with a signature that fits the head of a file, if most of the head has their layout."""
    for source in sources.values():
        for number, input_ in enumerate(source.inputs):
            fitting = [
                signature
                for signature in input_.signatures
                if not signature.needs_partner and signature.fits(text, name)
            ]
            # Signatures are checked first because this takes least time.
            if fitting and _accepts(source, input_, head) and is_most_of(input_.format, input_.layout, head, text):
                yield Slot(source.name, number, fitting[0].file_index)


def _accepts(source: Source, input_: Input, head: bytes) -> bool:
    """Return whether a format accepts a file; False, with one warning per source, if its code fails."""
    try:
        return bool(input_.format.accepts(text_head(head)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 whatever a plugin raises is the fault of its source alone
        if source.name not in _warned:
            _warned.add(source.name)
            warning = message(
                "{source}: its code failed while checking the format of a file: {error}",
                source=source.name,
                error=described(error),
            )
            _log.warning("%s", warning, extra={"event": "source.code", "source": source.name})
        return False


def slots_by_siblings(entry: Entry, text: str, sources: Mapping[str, Source]) -> Iterator[Slot]:
    """Yield the slots that a file may fill if other files of the source are in its folder."""
    for source in sources.values():
        for number, input_ in enumerate(source.inputs):
            index = input_.part_of_base(entry.names[0])
            if index is not None and input_.layout and (share(input_.layout, text) or 0) >= _MIN_IN_LAYOUT:
                yield Slot(source.name, number, index)
            for signature in input_.signatures:
                if signature.needs_partner and signature.fits(text):
                    yield Slot(source.name, number, signature.file_index)
