"""The schema that all modules share: the table of turns, and the enumerations of its facts.

This module imports no other module of the package. A frame of turns has one row for each turn, and for each record that
should have been a turn. No later step removes a row; it sets the `reason` of the row instead. So each turn that is
missing from the output is still in the frame, with its address and its reason, and the ledger can count it.
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
#:              without lines (JSON arrays, XML), the ordinal of the record
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


#: Names that Windows reserves for devices: a file cannot have such a name, with or without an ending.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}
)
_NAME = re.compile("[a-z0-9][a-z0-9_-]*")


def is_source_name(name: object) -> bool:
    """Return whether a value can be the name of a source: users type it in lists, and files are named after it.

    >>> is_source_name("ptt-2"), is_source_name("../victim"), is_source_name("con")
    (True, False, False)
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and name not in _DEVICES


class State(StrEnum):
    """The state of a source: the result of discovery, or `failed` after a failed run. Commands and reports show it."""

    FOUND = "found"
    RENAMED = "renamed"  # recognised by its content, or by other files in its folder
    PARTIAL = "partial"  # some files are missing
    DAMAGED = "damaged"  # a file cannot be read
    UNUSABLE = "unusable"  # present, but in a form that cannot be read
    SAMPLE = "sample"  # only the bundled sample
    ABSENT = "absent"
    FAILED = "failed"  # in reports: the run of the source failed, and wrote no output


class Script(StrEnum):
    """The script of a source, from its publisher or from our measurement (BCP 47 subtags)."""

    HANS = "Hans"
    HANT = "Hant"
    TAIWAN = "Hant-TW"
    MIXED = "mixed"


class Pairing(StrEnum):
    """How the turns of a dialogue become query/response pairs."""

    ADJACENT = "adjacent"  # each turn answers the one before
    EXCHANGE = "exchange"  # the second turn answers the first, the fourth the third: user and assistant alternate
    FIRST = "first"  # each turn answers the first
    NONE = "none"  # no turn answers a turn


class Segmentation(StrEnum):
    """The separator between the words of a word-segmented text."""

    NONE = "none"
    BLANK = "blank"
    SLASH = "slash"


class Markup(StrEnum):
    """Kinds of markup that the platform of a source left in the text."""

    TEMPLATE = "template"  # {br} 【换行】 {face:51} {r+}: the answer templates of a QQ bot
    SUBTITLE = "subtitle"  # {\an8} <i>: ASS and SRT tags
    FORUM = "forum"  # 回复 name ： ——来自 iPhone 6
    BBCODE = "bbcode"  # [b] [/b] [url=…] [mw_shl_code=…]: the tags of Discuz
    HYPHEN = "hyphen"  # soft hyphens in place of minus signs
    SOFTBANK = "softbank"  # emoji of SoftBank phones as private-use characters
    MICROBLOG = "microblog"  # @name //@name: [哈哈] # topic # alink


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """Facts about the text of a source that text steps and script conversion depend on."""

    script: Script = Script.HANS
    segmentation: Segmentation = Segmentation.NONE
    markup: frozenset[Markup] = frozenset()
    structured: bool = False  # turns are documents: code, tables, Markdown, LaTeX


class Reason(StrEnum):
    """Why a record, a turn or a pair is not in the output. Reports and rejects hold the value."""

    ENCODING = "encoding"  # bytes that are not text in the file's encoding
    LAYOUT = "layout"  # a record in a different layout than the file
    FIELDS = "fields"  # too many or too few fields
    EMPTY = "empty"  # a turn without text, before or after cleaning
    NO_ANSWER = "no_answer"  # the text that the source uses where there is no answer
    NEGATIVE = "negative"  # a random response that the source labels as wrong
    UNPAIRED = "unpaired"  # a line without counterpart in the parallel file
    DAMAGED = "damaged"  # too many replacement characters
    LENGTH = "length"  # shorter or longer than the configuration allows
    LITTLE_HAN = "little_han"  # too few of its letters and digits are Han
    SYMBOLS = "symbols"  # no letter and no digit
    MARK = "mark"  # a single mark
    URL = "url"  # a link
    PHONE = "phone"  # a mobile number
    ID = "id"  # an identity number
    QQ = "qq"  # a QQ number
    WECHAT = "wechat"  # a WeChat name
    EMAIL = "email"  # an e-mail address
    REPETITION = "repetition"  # the turn repeats itself
    DENIED = "denied"  # holds a word of a deny list
    TURNS = "turns"  # its dialogue has too few or too many turns
    PAIR_LENGTH = "pair_length"  # query or answer is shorter or longer than the configuration allows
    PAIR_ECHO = "pair_echo"  # the answer repeats the query
    DUPLICATE = "duplicate"  # the same pair is earlier in the output
    DUPLICATE_DIALOGUE = "duplicate_dialogue"  # a pair of a dialogue that repeats an earlier one
    NEAR_DUPLICATE = "near_duplicate"  # query and answer resemble those of an earlier pair
    ANSWERS_PER_QUERY = "answers_per_query"  # more pairs with this query than the configuration allows
    QUERIES_PER_ANSWER = "queries_per_answer"  # more pairs with this answer than the configuration allows
    UNRELATED = "unrelated"  # a lower relatedness of query and answer than the configuration allows


#: Reasons that begin with this are given to a pair of two usable turns.
PAIR_REASON = "pair_"
