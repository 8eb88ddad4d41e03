"""Checks that no stage loses or invents records or turns.

`counts` has the figures, and `Counts.check` checks their sums. This module checks the stages from reading to the
filters, `pair_checks` the pairs, and `output_checks` the written files.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum

import polars as pl
from msgspec.structs import replace

from chat_corpus.errors import DEFECT, LedgerError
from chat_corpus.formats.base import Reading
from chat_corpus.messages import message
from chat_corpus.pipeline.counts import Example, FileCounts
from chat_corpus.row_masks import filtered, row_mask
from chat_corpus.schema import Reason

#: Reasons of records that cannot be read.
UNREADABLE = (Reason.ENCODING, Reason.FIELDS, Reason.LAYOUT)
#: Columns that identify a row.
_ADDRESS = ("file_index", "record", "dialogue_id", "turn_index")


def check_reading(reading: Reading, part: int, first: int, records: int, where: str) -> tuple[int, int]:
    """Check that each record is the address of a row, or is not a turn; return how many were used and rejected.

    `records` is the number of records in the raw bytes, `first` the number of the first one. Raises LedgerError.
    """
    record, reason = _of_part(reading.rows, part)
    non_turns = reading.non_turns[part]
    distinct = _distinct(record)
    if record.null_count() or not _are_all_others(distinct, non_turns, range(first, first + records)):
        addresses = pl.concat([distinct, non_turns])
        fault = message(
            "{where}: {records:,} records from {first:,} on were read; the reader returned {distinct:,} of them at "
            "{addresses:,} addresses; {defect}",
            where=where,
            records=records,
            first=first,
            distinct=addresses.n_unique(),
            addresses=len(addresses),
            defect=DEFECT,
        )
        raise LedgerError(fault)
    used = _distinct(record.filter(reason.is_null())) if reason.null_count() < len(reason) else distinct
    return len(used), len(distinct) - len(used)


def _of_part(rows: pl.DataFrame, part: int) -> tuple[pl.Series, pl.Series]:
    """Return the records and the reasons of the rows of one file."""
    record, reason, inside = rows["record"], rows["reason"], rows["file_index"] == part
    return (record, reason) if inside.all(ignore_nulls=False) else (record.filter(inside), reason.filter(inside))


def _distinct(numbers: pl.Series) -> pl.Series:
    """Return the different numbers in ascending order; most readers return them in that order."""
    before, after = numbers.head(-1), numbers.slice(1)
    if not (before <= after).all():
        return numbers.unique().sort()
    steps = before < after
    return numbers if steps.all() else pl.concat([numbers.head(1), after.filter(steps)])


def _are_all_others(record: pl.Series, non_turns: pl.Series, numbers: range) -> bool:
    """Whether `record`, in ascending order, has all `numbers` but `non_turns`, which must be distinct and in range."""
    expected = pl.int_range(numbers.start, numbers.stop, dtype=pl.UInt32, eager=True)
    if len(non_turns):
        if non_turns.null_count() or non_turns.min() not in numbers or non_turns.max() not in numbers:
            return False
        without_turn = row_mask(len(numbers), non_turns - numbers.start)
        if without_turn.sum() != len(non_turns):
            return False
        expected = expected.filter(~without_turn)
    return record.equals(expected)


def file_counts(rows: pl.DataFrame, part: int, used: int, rejected: int) -> FileCounts:
    """Return the counts of one file of a shard; `rows` are the rows that the reader returned."""
    counts = replace(FileCounts.zero(), used=used, rejected=rejected)
    unreadable = (
        rows.filter((pl.col("file_index") == part) & pl.col("reason").is_in(UNREADABLE)) if rejected else rows.clear()
    )
    if unreadable.is_empty():
        return counts
    useful = rows.filter((pl.col("file_index") == part) & pl.col("reason").is_null())["record"].unique()
    lost = unreadable.filter(~pl.col("record").is_in(useful.implode())).unique("record", keep="first").sort("record")
    counts.unreadable = Counter(dict(lost["reason"].value_counts().iter_rows()))
    if not lost.is_empty():
        record, reason, details = lost.select("record", "reason", "message").row(0)
        counts.example = Example(record=record, reason=reason, message=details)
    return counts


def check_order(rows: pl.DataFrame, where: str) -> None:
    """Check that the rows of a reader are in the order of `Reading`: by dialogue, with turns numbered without gaps.

    Alternatives to a turn come from separate records, a record in no dialogue has one row, and each reason is a
    `Reason` with a message. Raises LedgerError.
    """
    in_order = _are_in_order(rows) and not _is_repeated(rows)
    if not in_order or not _have_reasons(rows["reason"], rows["message"]):
        fault = message(
            "{where}: stage 'read' duplicated or moved turns, or returned an unknown reason; {defect}",
            where=where,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def _are_in_order(rows: pl.DataFrame) -> bool:
    """Whether each turn has the next position, or is an alternative to the one before; ignores rows in no dialogue."""
    dialogue, turn, line = (rows[name] for name in ("dialogue_id", "turn_index", "record"))
    before, after = dialogue.head(-1), dialogue.slice(1)
    place, next_place = turn.head(-1), turn.slice(1)
    same_place = next_place == place
    follows = next_place == place + 1
    if same_place.any():
        follows |= same_place & (line.slice(1) > line.head(-1))
    moved = (after < before) | ((after > before) & (next_place > 1)) | ((after == before) & ~follows)
    return not moved.any()


def _is_repeated(rows: pl.DataFrame) -> bool:
    """Whether a record has several rows that are in no dialogue."""
    dialogues = rows["dialogue_id"]
    if not dialogues.null_count():
        return False
    return bool(filtered(rows[["file_index", "record"]], dialogues.is_null()).is_duplicated().any())


def _have_reasons(reasons: pl.Series, messages: pl.Series) -> bool:
    """Whether each reason is a `Reason` with a message, and there is no message without a reason."""
    if reasons.null_count() == len(reasons):
        return messages.null_count() == len(messages)
    unknown = set(reasons.drop_nulls().unique()) - set(map(str, Reason))
    return not unknown and bool((reasons.is_null() == messages.is_null()).all())


def check_length(before: pl.DataFrame, after: int, stage: str, where: str) -> None:
    """Check that a stage returns as many rows as it gets. Raises LedgerError."""
    if len(before) != after:
        fault = message(
            "{where}: stage '{stage}' lost or added turns: {before:,} in, {after:,} out; {defect}",
            where=where,
            stage=stage,
            before=len(before),
            after=after,
            defect=DEFECT,
        )
        raise LedgerError(fault)


class Law(Enum):
    """What a stage may do to rows."""

    KEEPS_REASONS = "every row stays at its address, and so does each reason"
    MAY_REJECT = "every row stays at its address; rows without a reason may get one"
    MAY_SPLIT = "a row may become several, in its place"


def checked(law: Law, before: pl.DataFrame, after: pl.DataFrame, stage: str, where: str) -> pl.DataFrame:
    """Return the rows after a stage; `after` has all columns, or only those that the stage adds or changes.

    Raises LedgerError if the stage did more than its law allows. A stage that returns `before` itself did nothing.
    """
    if after is before:
        return after
    if law is Law.MAY_SPLIT:
        check_split(before, after, stage, where)
        return after
    check_length(before, len(after), stage, where)
    rows = before.with_columns(after)
    check_rows(before, rows, stage, where, judges=law is Law.MAY_REJECT)
    return rows


def check_rows(before: pl.DataFrame, after: pl.DataFrame, stage: str, where: str, *, judges: bool = False) -> None:
    """Check that a stage changed no address and no reason of a row; a stage that `judges` may add reasons.

    Raises LedgerError.
    """
    check_length(before, len(after), stage, where)
    if not all(before[name].equals(after[name]) for name in _ADDRESS):
        raise LedgerError(
            message("{where}: stage '{stage}' moved turns; {defect}", where=where, stage=stage, defect=DEFECT)
        )
    if not _keeps_reasons(before["reason"], after["reason"], judges=judges):
        fault = message(
            "{where}: stage '{stage}' changed reasons of turns; {defect}", where=where, stage=stage, defect=DEFECT
        )
        raise LedgerError(fault)


def _keeps_reasons(before: pl.Series, after: pl.Series, *, judges: bool) -> bool:
    """Whether no row changed or lost its reason, and no row got one unless the stage `judges`."""
    if not judges and before.null_count() != after.null_count():
        return False
    if before.null_count() == len(before):
        return True
    given = before.is_not_null()
    return before.filter(given).equals(after.filter(given))


def check_split(before: pl.DataFrame, after: pl.DataFrame, stage: str, where: str) -> None:
    """Check that a stage that splits rows puts the new rows in place of the old one. Raises LedgerError."""
    records = pl.struct("file_index", "record", "dialogue_id").rle().struct.field("value")
    if len(after) < len(before) or not before.select(records).equals(after.select(records)):
        fault = message(
            "{where}: stage '{stage}' lost or moved turns: {before:,} in, {after:,} out; {defect}",
            where=where,
            stage=stage,
            before=len(before),
            after=len(after),
            defect=DEFECT,
        )
        raise LedgerError(fault)
