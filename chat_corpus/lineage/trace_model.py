"""The results of `trace` and `explain`: rows, records and turns, with their addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chat_corpus.pipeline.text.normalizer import Change

#: Names of the script conversion and of the masking of personal data in `TurnTrace.changes`.
CONVERSION, MASKING = "conversion", "masking"
Side = Literal["query", "answer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Address of a turn in the raw data.

    `file` and `record` are the name of the raw file and the number of the record, as in the rejects. `place` is the
    number of the turn in the record, from 0. `turn_index` is the number of the turn in its dialogue, from 0; it is null
    if the turn is not in a dialogue.
    """

    file: str
    record: int
    place: int
    turn_index: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnTrace:
    """A turn, from the raw record to the clean text.

    `at` is the address of the turn, and `raw` the raw record. `read` is the text of the turn as read from the record,
    null if the record cannot be read. `changes` are the text steps that changed the text, then script conversion and
    masking of personal data if they did. `script` is the script of the text before conversion, and `text` the clean
    text; both are null if the turn was rejected before the filters.

    `passed` are the names of the filters that accepted the turn, up to `filter_name`, the filter that rejected it, null
    if no filter did. `reason` is the reason for a rejection, null if there is none, and `message` has the details.
    """

    at: Address
    raw: str
    read: str | None
    changes: tuple[Change, ...]
    script: str | None
    text: str | None
    passed: tuple[str, ...]
    filter_name: str | None
    reason: str | None
    message: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of an output, and the two turns that it came from.

    `tsv` is the path of the file of pairs, `row` the row number, from 1, and `line` the text of the row. `sha256` has
    the SHA-256 of the raw files by name; null for a file that the run did not read fully.
    """

    source: str
    tsv: str
    row: int
    line: str
    pairing: str
    query: TurnTrace
    answer: TurnTrace
    sha256: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PairOutcome:
    """A pair that contains the turn.

    `side` is the side of the turn in the pair, and `other` the address of the other turn. `row` is the row number in
    the TSV, from 1. It is null if the pair was not written; `reason` and `message` give the cause. If the pair repeats
    a pair that was written, `first` is the row number of that pair.
    """

    side: Side
    other: Address
    row: int | None
    reason: str | None
    message: str | None
    first: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnOutcome:
    """A turn of a record, and all pairs that contain it; if there are none, `note` may explain why."""

    said: TurnTrace
    pairs: tuple[PairOutcome, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Fate of a raw record.

    `raw` is the text of the record. `sha256` is the SHA-256 of the raw file, null if the run did not read the file
    fully. `turns` is empty if the record is a non-turn, and `note` says why. `repeated` are the addresses of the turns
    of earlier records that this record repeats.
    """

    source: str
    file: str
    record: int
    sha256: str | None
    raw: str
    repeated: tuple[Address, ...]
    turns: tuple[TurnOutcome, ...]
    note: str | None
