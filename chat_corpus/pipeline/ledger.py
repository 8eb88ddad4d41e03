"""Checks that no stage loses or invents turns, pairs or records.

`counts` has the figures, and `Counts.check` checks their sums. Here are the checks of each stage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import Enum

import polars as pl
from msgspec.structs import replace

from chat_corpus.errors import DEFECT, LedgerError
from chat_corpus.files.lines import count
from chat_corpus.formats.base import Reading
from chat_corpus.messages import message
from chat_corpus.pipeline.counts import Counts, Example, FileCounts
from chat_corpus.row_masks import row_mask
from chat_corpus.schema import PAIR_REASON, Pairing, Reason

#: Reasons of records that cannot be read.
UNREADABLE = (Reason.ENCODING, Reason.FIELDS, Reason.LAYOUT)
#: The turns of a dialogue, where dialogue and turn are one number.
_DIALOGUE = 1 << 32
#: Columns that identify a row.
_ADDRESS = ("file_index", "record", "dialogue_id", "turn_index")
#: Columns that identify a pair.
_PAIR_ADDRESS = ("query_file_index", "query_record", "answer_file_index", "answer_record")
#: Number of pairs of a shard whose text is compared.
_LOOKS = 1000


def check_reading(reading: Reading, part: int, first: int, records: int, where: str) -> tuple[int, int]:
    """Check that each record is the address of a row or not a turn; return the numbers of used and rejected records.

    `records` is their number in the raw bytes, `first` the number of the first one. Raises LedgerError.
    """
    numbers = reading.rows.select("file_index", "record", used=pl.col("reason").is_null())
    rows = numbers.filter(pl.col("file_index") == part).sort("record")
    repeats = (rows["record"] == rows["record"].shift(1)).any()
    by_line = rows.group_by("record").agg(pl.col("used").any()) if repeats else rows
    addresses = pl.concat([by_line["record"], reading.non_turns[part]])
    inside = addresses.is_between(first, first + records, closed="left")
    if len(addresses) != records or not row_mask(records, addresses.filter(inside) - first).all():
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
    used = int(by_line["used"].sum())
    return used, len(by_line) - used


def file_counts(rows: pl.DataFrame, part: int, used: int, rejected: int) -> FileCounts:
    """Return the counts of one file of a shard; `rows` are those of the reader."""
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
    places, line = _places(rows), rows["record"]
    step, same = places.diff(), places == places.shift(1)
    begins = places.shift(1) // _DIALOGUE != places // _DIALOGUE
    moved = (step < 0) | (same & (line <= line.shift(1))) | (~begins & (step > 1)) | (begins & (places % _DIALOGUE > 1))
    addresses = rows.select("dialogue_id", "file_index", "record")
    unplaced = addresses.filter(pl.col("dialogue_id").is_null()).drop("dialogue_id")
    invalid = set(rows["reason"].drop_nulls().unique()) - set(map(str, Reason))
    incomplete = rows["reason"].is_null() != rows["message"].is_null()
    if moved.any() or unplaced.is_duplicated().any() or invalid or incomplete.any():
        fault = message(
            "{where}: stage 'read' duplicated or moved turns, or returned an unknown reason; {defect}",
            where=where,
            defect=DEFECT,
        )
        raise LedgerError(fault)


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
    """Return the rows after a stage; `after` has all columns, or those that the stage adds to `before` or changes.

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
    """Check that a stage kept every row at its address, and every reason; one that `judges` may add reasons.

    Raises LedgerError.
    """
    check_length(before, len(after), stage, where)
    if not all(before[name].equals(after[name]) for name in _ADDRESS):
        raise LedgerError(
            message("{where}: stage '{stage}' moved turns; {defect}", where=where, stage=stage, defect=DEFECT)
        )
    reasons = after["reason"]
    if judges:
        reasons = reasons.set(before["reason"].is_null(), None) if before["reason"].null_count() else reasons
    if not before["reason"].equals(reasons):
        fault = message(
            "{where}: stage '{stage}' changed reasons of turns; {defect}", where=where, stage=stage, defect=DEFECT
        )
        raise LedgerError(fault)


def check_split(before: pl.DataFrame, after: pl.DataFrame, stage: str, where: str) -> None:
    """Check that a stage which splits rows puts the new rows in place of the old one. Raises LedgerError."""
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


def check_pairs(rows: pl.DataFrame, pairs: pl.DataFrame, pairing: Pairing, where: str) -> None:
    """Check that the pairs are those that the positions of the turns imply: each answer is paired once.

    `rows` is the argument of `pairing.pair`, `pairs` its result. Number, addresses and reasons of all pairs are
    compared, and texts of some. Raises LedgerError.
    """
    placed = rows.select("dialogue_id", "turn_index").with_row_index("at")
    placed = placed.filter(pl.col("dialogue_id").is_not_null()) if placed["dialogue_id"].null_count() else placed
    places, turn = _places(placed), placed["turn_index"].cast(pl.Int64)
    first = pairing is Pairing.FIRST
    # The query is the first row of the dialogue, or the last row before those at the position of the answer.
    query = _begins(placed["dialogue_id"]) if first else _begins(places) - 1
    possible = (turn % 2 == 1) if pairing is Pairing.EXCHANGE else (turn > 0) & (pairing is not Pairing.NONE)
    answered: pl.Series = places - turn if first else places - 1
    answers = (possible & (query >= 0) & (places.gather(query.clip(0)) == answered)).arg_true()
    sides = {"query": placed["at"].gather(query.gather(answers)), "answer": placed["at"].gather(answers)}
    if len(pairs) != len(answers) or not _are(pairs, rows, sides):
        fault = message(
            "{where}: stage 'pair' lost, added or moved pairs: {pairs:,} made, {expected:,} expected from the turns; "
            "{defect}",
            where=where,
            pairs=len(pairs),
            expected=len(answers),
            defect=DEFECT,
        )
        raise LedgerError(fault)


def check_filtered_pairs(before: pl.DataFrame, after: pl.DataFrame, where: str) -> None:
    """Check that filters of pairs kept every pair in its place, with its reason if it had one, and only added reasons.

    A reason that they add is that of a pair (`schema.PAIR_REASON`). Raises LedgerError.
    """
    given = before["reason"]
    same = len(before) == len(after) and all(before[name].equals(after[name]) for name in _PAIR_ADDRESS)
    if same and given.null_count():
        added = after["reason"].filter(given.is_null()).drop_nulls()
        same = bool(added.str.starts_with(PAIR_REASON).all())
        same = same and after["reason"].set(given.is_null(), None).equals(given)
    elif same:
        same = after["reason"].equals(given)
    if not same:
        fault = message(
            "{where}: stage 'filter pairs' lost, added or moved pairs, or changed their reasons; {defect}",
            where=where,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def reject_lines(counts: Counts) -> int:
    """The lines of rejects of a shard: one for each rejected turn, and for each pair that a filter of pairs rejects."""
    pairs = sum(number for reason, number in counts.pairs.rejected.items() if reason.startswith(PAIR_REASON))
    return counts.turns.rejected.total() + pairs


def _are(pairs: pl.DataFrame, rows: pl.DataFrame, sides: Mapping[str, pl.Series]) -> bool:
    """Whether pairs are made of the rows with these indices."""
    same = all(
        pairs[f"{side}_{name}"].equals(rows[name].gather(index))
        for side, index in sides.items()
        for name in ("file_index", "record")
    )
    apart = 1 + len(pairs) // _LOOKS
    texts = all(
        pairs[side].gather_every(apart).equals(rows["text"].gather(index.gather_every(apart)))
        for side, index in sides.items()
    )
    return same and texts and _reasons_are(pairs["reason"], rows["reason"], *sides.values())


def _reasons_are(given: pl.Series, reasons: pl.Series, query: pl.Series, answer: pl.Series) -> bool:
    """Whether each pair has the reason of its query's row, or else of its answer's; nearly all have none."""
    if reasons.null_count() == len(reasons):
        return given.null_count() == len(given)
    rejected = reasons.is_not_null()
    either = rejected.gather(query) | rejected.gather(answer)
    if not either.any() or not given.is_not_null().equals(either):
        return not either.any() and given.null_count() == len(given)
    first, second = (reasons.gather(index.filter(either)) for index in (query, answer))
    return bool(given.filter(either).equals(first.zip_with(first.is_not_null(), second)))


def check_written(pairs: int, columns: pl.DataFrame, encoded: bytes, where: str) -> None:
    """Check that the encoded bytes are the rows of these columns of text, one line per pair.

    Lines and bytes are counted, and some lines are compared. Raises LedgerError.
    """
    ends = columns.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64) + 1).cum_sum()).to_series()
    lines = count(encoded, b"\n")
    whole = pairs == len(columns) == lines == count(encoded, b"\t") and b"\r" not in encoded
    whole = whole and (ends[-1] if lines else 0) == len(encoded)
    if not whole or not _are_in_place(columns, ends, encoded, 1 + lines // _LOOKS):
        fault = message(
            "{where}: stage 'write' lost, added, changed or moved pairs: {pairs:,} to write, {lines:,} lines made; "
            "{defect}",
            where=where,
            pairs=pairs,
            lines=lines,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def check_rejected(rejected: int, encoded: bytes, where: str) -> None:
    """Check that there is one line of rejects for each rejected turn. Raises LedgerError."""
    lines = count(encoded, b"\n")
    if lines != rejected:
        fault = message(
            "{where}: stage 'reject' lost or duplicated turns: {rejected:,} rejected, {lines:,} lines made; {defect}",
            where=where,
            rejected=rejected,
            lines=lines,
            defect=DEFECT,
        )
        raise LedgerError(fault)


def _are_in_place(columns: pl.DataFrame, ends: pl.Series, encoded: bytes, every: int) -> bool:
    """Whether every n-th row begins where the row before it ends, and has its bytes."""
    begins = ends.shift(1, fill_value=0).gather_every(every)
    rows = columns.gather_every(every).select(pl.concat_str(pl.all(), separator="\t") + "\n").to_series()
    lines = zip(begins.to_list(), ends.gather_every(every).to_list(), strict=True)
    return b"".join(encoded[begin:end] for begin, end in lines) == "".join(rows).encode()


def _begins(values: pl.Series) -> pl.Series:
    """The index at which the run of equal values begins that each row is in."""
    if not (values == values.shift(1)).any() and not values.null_count():
        return pl.int_range(len(values), eager=True)
    value = pl.col(values.name)
    begins = value.ne_missing(value.shift(1)) | (pl.int_range(pl.len()) == 0)
    return values.to_frame().select(pl.when(begins).then(pl.int_range(pl.len())).forward_fill()).to_series()


def _places(rows: pl.DataFrame) -> pl.Series:
    """Dialogue and turn as one number."""
    return rows.select(pl.col("dialogue_id").cast(pl.Int64) * _DIALOGUE + pl.col("turn_index")).to_series()
