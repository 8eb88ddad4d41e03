"""Chats with one utterance per line and a blank line between dialogues, as GPT2-chitchat reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from chat_corpus.files.lines import BOM
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records, places_between, turns_frame
from chat_corpus.schema import Reason

_BLANK = re.compile(rb"\n[ \t\r]*\n")
#: Minimum number of dialogues in the first bytes of such a file, and of lines per dialogue on average.
_DIALOGUES, _LINES = 2, 2


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = parts
    bad = pl.col("text").is_null()
    blank = (records["text"].str.strip_chars() == "").fill_null(value=False)
    dialogues, turns = places_between(blank)
    rows = records.filter(~blank).with_columns(
        dialogue_id=dialogues,
        turn_index=turns,
        reason=pl.when(bad).then(pl.lit(str(Reason.ENCODING))),
        message=pl.when(bad).then(pl.lit(NOT_UTF8)),
    )
    return Reading(rows=turns_frame(rows), non_turns=(records.filter(blank)["record"],))


def _cut(data: bytes) -> int:
    """Return the offset after the last blank line; 0 if there is none."""
    end = len(data)
    while (end := data.rfind(b"\n", 0, end)) > 0:
        begin = data.rfind(b"\n", 0, end)
        if begin >= 0 and not data[begin + 1 : end].strip(b" \t\r"):
            return end + 1
    return 0


def is_blank_separated(head: bytes) -> bool:
    """Return whether first bytes of a file hold dialogues separated by blank lines, of two or more lines on average."""
    dialogues = [part for part in _BLANK.split(head.removeprefix(BOM)) if part.strip()]
    lines = sum(1 for part in dialogues for line in part.split(b"\n") if line.strip())
    return len(dialogues) >= _DIALOGUES and lines >= _LINES * len(dialogues)


#: A line is an utterance; a blank line ends the dialogue.
BLANK_LINES = Format(read=_read, cut=_cut, accepts=is_blank_separated)
