"""XML with one element per message. Each is parsed separately, so that a damaged message does not affect the others.

No entity is expanded. Layout: the NUS SMS corpus, ``<message id="…"><text>…</text>…</message>``. Records are numbered
from 1 in their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from xml.etree import ElementTree as ET

import polars as pl

from chat_corpus.files.lines import numbered
from chat_corpus.formats.base import NOT_UTF8, SPEAKER, Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.schema import Reason

#: Maximum length of an element in characters, since parsing needs a hundred bytes of memory per character.
_LONGEST = 1 << 20


def _starts(data: bytes, element: str) -> list[int]:
    return [match.start() for match in re.finditer(rb"<%s[\s>]" % element.encode(), data)]


def _cut(data: bytes, *, element: str) -> int:
    """Return the offset of the last message; 0 if there is none."""
    starts = _starts(data, element)
    return starts[-1] if starts else 0


def _split(data: bytes, first: int, *, element: str) -> Records:
    bounds = [*_starts(data, element), len(data)]
    return numbered([data[start:stop].strip() for start, stop in pairwise(bounds)], first)


def _read(parts: Sequence[Records], *, element: str, child: str, speaker: str) -> Reading:
    (records,) = parts
    messages = [_message(text, element, child, speaker) for text in records["text"]]
    rows = pl.DataFrame(
        messages,
        schema=dict.fromkeys(("text", "reason", "message", SPEAKER), pl.String),
        orient="row",
    ).with_columns(records["record"], dialogue_id=pl.int_range(pl.len(), dtype=pl.UInt32), turn_index=pl.lit(0))
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(pl.Series("record", [], dtype=pl.UInt32),))


def _message(record: str | None, element: str, child: str, speaker: str) -> tuple[str | None, ...]:
    """Return the row (text, reason, message, speaker) of one message; only end tags may follow it."""
    if record is None:
        return None, str(Reason.ENCODING), NOT_UTF8, None
    if len(record) > _LONGEST:
        return None, str(Reason.LAYOUT), f"{len(record):,} characters, more than the {_LONGEST:,} of any message", None
    whole, end, rest = record.partition(f"</{element}>")
    try:
        message = ET.fromstring(whole + end)  # noqa: S314 a fragment can declare no entity
    except ET.ParseError as error:
        return None, str(Reason.LAYOUT), f"not a well-formed <{element}>: {error}", None
    text = message.find(child)
    if text is None or re.sub(r"</\w+>", "", rest).strip():
        return None, str(Reason.LAYOUT), f"a <{child}> in <{element}> and nothing after it expected", None
    name = (message.findtext(speaker) or "").strip() if speaker else ""  # the corpus has "unknown" for a missing value
    return "".join(text.itertext()), None, None, None if name in ("", "unknown") else name


def xml_messages(element: str, child: str, speaker: str = "") -> Format:
    """Return the format in which each `element` is a dialogue of one turn, the text of its `child`.

    `speaker` is the path, below `element`, of the element with the name of the sender.
    """
    return Format(
        read=partial(_read, element=element, child=child, speaker=speaker),
        cut=partial(_cut, element=element),
        split=partial(_split, element=element),
        count=lambda data: len(_starts(data, element)),
    )
