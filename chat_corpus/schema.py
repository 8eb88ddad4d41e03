"""The words that every module uses: the table of turns, and the closed sets of its facts.

This module imports nothing of ours. A frame of turns has one row for each thing a reader met that is, or should have
been, a turn; a row is never removed afterwards, it is only given a `reason`. What is missing from the output is
therefore still in the frame, with its address and its reason, which is what makes the ledger possible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

#: Columns of a frame of turns, in order.
#:
#: file_index   index of the raw file within the shard: 0, or 1 for the second of two parallel files
#: record       number of the record in that file, from 1: the physical line where the record begins, or, in layouts
#:              that are not made of lines (JSON arrays, XML), the ordinal of the record
#: dialogue_id  number of the dialogue within the shard, from 0; null for a record that could not be placed in one
#: turn_index   position within the dialogue, from 0; rows that share one are alternative responses to the turn before
#: text         the utterance; null where the record could not be decoded or split
#: reason       why the row is not a usable turn (a `Reason`), or null
#: message      what was found and what was expected, for a person; null without a reason
TURNS = pl.Schema(
    {
        "file_index": pl.UInt8(),
        "record": pl.UInt32(),
        "dialogue_id": pl.UInt32(),
        "turn_index": pl.UInt32(),
        "text": pl.String(),
        "reason": pl.String(),
        "message": pl.String(),
    }
)


#: Names that Windows keeps for devices: a file of that name is none, whatever its ending.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}
)
_NAME = re.compile("[a-z0-9][a-z0-9_-]*")


def is_source_name(name: object) -> bool:
    """Whether a text can be the name of a source, which is typed in lists and becomes the name of files.

    >>> is_source_name("ptt-2"), is_source_name("../victim"), is_source_name("con")
    (True, False, False)
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and name not in _DEVICES


class State(StrEnum):
    """What was found of a source, and of one that was done, whether its last run failed. The value is told as it is."""

    FOUND = "found"
    RENAMED = "renamed"  # known by its content, or by files beside it
    PARTIAL = "partial"  # some of its files are missing
    DAMAGED = "damaged"  # a file of it cannot be read
    UNUSABLE = "unusable"  # it is there in a form that is not read
    SAMPLE = "sample"  # the bundled sample alone
    ABSENT = "absent"
    FAILED = "failed"  # in reports: it was read, and no output came of it


class Script(StrEnum):
    """The script a source is written in, as its publisher or our measurement says (BCP 47 subtags)."""

    HANS = "Hans"
    HANT = "Hant"
    TAIWAN = "Hant-TW"
    MIXED = "mixed"


class Pairing(StrEnum):
    """How the turns of a dialogue become query/response pairs."""

    ADJACENT = "adjacent"  # each turn answers the one before
    EXCHANGE = "exchange"  # the second turn answers the first, the fourth the third: user and assistant take turns
    FIRST = "first"  # each turn answers the first
    NONE = "none"  # nobody answers


class Segmentation(StrEnum):
    """What stands between the words of a word-segmented text."""

    NONE = "none"
    BLANK = "blank"
    SLASH = "slash"


class Markup(StrEnum):
    """Kinds of markup that a source's platform left in its text."""

    TEMPLATE = "template"  # {br} {face:51} {r+}: the answer templates of a QQ bot
    SUBTITLE = "subtitle"  # {\an8} <i>: ASS and SRT tags
    FORUM = "forum"  # 回复 name ： ——来自 iPhone 6
    BBCODE = "bbcode"  # [b] [/b] [url=…] [mw_shl_code=…]: the tags of Discuz
    HYPHEN = "hyphen"  # a soft hyphen where a minus sign was
    SOFTBANK = "softbank"  # private-use characters of SoftBank's phones, which are emoji
    MICROBLOG = "microblog"  # @name //@name: [哈哈] # topic # alink


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What the text of one source is like: facts that the text steps and the script conversion depend on."""

    script: Script = Script.HANS
    segmentation: Segmentation = Segmentation.NONE
    markup: frozenset[Markup] = frozenset()
    structured: bool = False  # turns are documents: code, tables, Markdown, LaTeX


class Reason(StrEnum):
    """Why a record, a turn or a pair is not in the output. The value is what reports and rejects say."""

    ENCODING = "encoding"  # bytes that are not text in the file's encoding
    LAYOUT = "layout"  # the record is not of the file's layout
    FIELDS = "fields"  # too many or too few fields
    EMPTY = "empty"  # a turn without text, as it was or once cleaned
    NO_ANSWER = "no_answer"  # the source's own way of saying that there is no answer
    NEGATIVE = "negative"  # a random response that the source labels as wrong
    UNPAIRED = "unpaired"  # its counterpart in a parallel file is missing
    DAMAGED = "damaged"  # too many replacement characters to be read
    LENGTH = "length"  # shorter or longer than the configuration allows
    DUPLICATE = "duplicate"  # the same pair stands earlier in the output
