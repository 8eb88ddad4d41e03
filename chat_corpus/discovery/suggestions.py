"""Reasons why a file is unknown, with advice on how to name it if it is a corpus."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chat_corpus.discovery import file_names
from chat_corpus.messages import Message, joined, message
from chat_corpus.sources.base import Source
from chat_corpus.sources.signature import HAN, share

#: Minimum share of lines in the layout of a source that is suggested.
_MIN_IN_LAYOUT = 0.9
#: Number of name patterns of a source that a message shows.
_SHOWN = 8
#: Layouts that fit any text.
_COMMON = ("", ",")


def unknown() -> Message:
    """Return the reason for a file that no source fits."""
    return message("not a known corpus, by name or content")


def unknown_with_advice(name: str, text: str, sources: Mapping[str, Source]) -> Message:
    """Return the reason for a file that no source fits: the sources with its layout, and how to name it for them.

    If the name mentions a source, only that source is suggested.
    """
    mentioned = _mentioned(name, sources)
    patterns = {
        source.name: input_.files[0]
        for source in sources.values()
        for input_ in source.inputs
        if input_.layout not in _COMMON and (share(input_.layout, text) or 0) >= _MIN_IN_LAYOUT
    }
    if mentioned:
        patterns = {source: pattern for source, pattern in patterns.items() if source in mentioned}
        if not patterns:
            return _unsupported(sources[mentioned[0]])
    if not patterns or not re.search(HAN, text):
        return unknown()
    names, files = joined(", ", patterns), joined(", ", patterns.values())
    if len(patterns) > 1:
        return message(
            "has the layout of {sources}, but nothing shows which; if it is one of these corpora, rename it: {names}",
            sources=names,
            names=files,
        )
    return message(
        "has the layout of {source}, but nothing else of it; if it is that corpus, rename it: {names}",
        source=names,
        names=files,
    )


def _mentioned(name: str, sources: Mapping[str, Source]) -> list[str]:
    """Return the sources that a name mentions, or that it would fit with a different ending."""
    mentioned = file_names.mentioned_sources(name, sources)
    intended = file_names.intended_source(name, sources, by_folder=False)
    return mentioned if intended is None or intended in mentioned else [*mentioned, intended]


def _unsupported(source: Source) -> Message:
    patterns = list(dict.fromkeys(name for input_ in source.inputs for name in input_.files))
    names: Message = joined(", ", patterns[:_SHOWN])
    if len(patterns) > _SHOWN:
        names = message("{names} and {count:,} more", names=names, count=len(patterns) - _SHOWN)
    return message(
        "its name mentions {source}, but its layout is not one of that source; expected file names: {names}",
        source=source.name,
        names=names,
    )
