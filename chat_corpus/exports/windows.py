"""From sequences of messages to records: whole dialogues, windows of them, or pairs."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from chat_corpus.exports.sequences import Sequences
from chat_corpus.schema import Pairing

_INDEX = pl.UInt32


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """The messages of records, in order.

    messages  `record, message, is_user, begin`: number of the record from 0 (increasing); number of the message in
              `Sequences.messages`; whether its role is user; number of the first message of its sequence
    too_long  numbers of the messages that are in no record because their exchange is too long
    """

    messages: pl.DataFrame
    too_long: pl.Series


def dialogues(sequences: Sequences, *, max_turns: int = 0, max_chars: int = 0) -> Records:
    """Records of whole exchanges: each sequence, or windows of at most so many messages and characters; 0: no limit.

    The last message of a sequence of odd length is left out. If it is the sequence of an
    alternative response, all of it is left out, since the rest is the sequence of its dialogue.
    """
    even = pl.col("length") % 2 == 0
    indexed = _indexed(sequences.messages)
    answered = indexed.filter(even | (~pl.col("branch") & (pl.col("position") + 1 < pl.col("length"))))
    exchanges = answered.gather_every(2).select("sequence", "begin", query="message")
    if not max_turns and not max_chars:
        starts = _changes(exchanges["sequence"])
        return Records(messages=_two_each(exchanges, starts.cum_sum() - 1), too_long=_none())
    too_long = _none()
    cut = exchanges.with_columns(sequence=_changes(exchanges["sequence"]).cum_sum())
    if max_chars:
        chars = answered["content"].str.len_chars()
        cut = cut.with_columns(chars=chars.gather_every(2) + chars.gather_every(2, 1))
        cut, too_long = _without_long(cut, max_chars)
    starts = _window_starts(cut, max_turns // 2, max_chars)
    return Records(messages=_two_each(cut, starts.cum_sum() - 1), too_long=too_long)


def pairs(sequences: Sequences, pairing: Pairing, *, max_chars: int = 0) -> Records:
    """A record for each query and its answer, as `pipeline.pairing` pairs them, of at most so many characters."""
    messages = _indexed(sequences.messages)
    followed = pl.col("position") + 1 < pl.col("length")
    # The pairs before the last one of a branch are those of its dialogue.
    new = ~pl.col("branch") | (pl.col("position") + 2 == pl.col("length"))
    query = (pl.col("position") % 2 == 0) if pairing is Pairing.EXCHANGE else pl.lit(value=True)
    chars = pl.col("content").str.len_chars()
    rows = messages.with_columns(chars=chars + chars.shift(-1)).filter(followed & new & query)
    exchanges = rows.select("sequence", "begin", "chars", query="message")
    too_long = _none()
    if max_chars:
        exchanges, too_long = _without_long(exchanges, max_chars)
    number = pl.int_range(len(exchanges), dtype=_INDEX, eager=True)
    return Records(messages=_two_each(exchanges, number), too_long=too_long)


def _indexed(messages: pl.DataFrame) -> pl.DataFrame:
    """Messages with `message`, their number, and `begin`, that of the first one of their sequence."""
    indexed = messages.with_row_index("message")
    begin = pl.when((pl.col("sequence") != pl.col("sequence").shift(1)).fill_null(value=True)).then("message")
    return indexed.with_columns(begin=begin.forward_fill())


def _none() -> pl.Series:
    return pl.Series(dtype=_INDEX)


def _changes(values: pl.Series) -> pl.Series:
    """Whether each value differs from the one before; true for the first."""
    return (values != values.shift(1)).fill_null(value=True)


def _two_each(exchanges: pl.DataFrame, record: pl.Series) -> pl.DataFrame:
    """The query and the answer, which is the next message, of each exchange, as rows of `Records.messages`."""
    twice = pl.int_range(2 * len(exchanges), dtype=_INDEX, eager=True)
    doubled = exchanges.select("begin", "query").with_columns(record=record.cast(_INDEX))[twice // 2]
    return doubled.select("record", message=pl.col("query") + twice % 2, is_user=twice % 2 == 0, begin="begin")


def _without_long(exchanges: pl.DataFrame, max_chars: int) -> tuple[pl.DataFrame, pl.Series]:
    """Exchanges that fit, in sequences that end where one does not; and the messages that are left out."""
    long = exchanges["chars"] > max_chars
    if not long.any():
        return exchanges, _none()
    left_out = exchanges.filter(long)["query"]
    split = exchanges.with_columns(sequence=pl.col("sequence") + long.cum_sum().cast(_INDEX))
    # Numbers stay increasing: those of later sequences grow by at least as much.
    return split.filter(~long), pl.concat([left_out, left_out + 1])


def _window_starts(exchanges: pl.DataFrame, most: int, max_chars: int) -> pl.Series:
    """Whether a window begins at each exchange: as long ones as the limits allow, from the beginning of the sequence.

    For each exchange, `after` is where the window that begins there ends. The windows are found by following `after`
    from the beginnings of all sequences at once.
    """
    size = len(exchanges)
    starts = _changes(exchanges["sequence"])
    number = pl.int_range(size, dtype=pl.Int64, eager=True)
    ends = exchanges.select(end=pl.when(_shifted(starts)).then(number + 1).backward_fill()).to_series()
    after = ends
    if most:
        after = pl.select(pl.min_horizontal(after, number + most)).to_series()
    if max_chars:
        total = exchanges["chars"].cast(pl.Int64).cum_sum()
        reach = total.search_sorted(total - exchanges["chars"] + max_chars, side="right").cast(pl.Int64)
        after = pl.select(pl.min_horizontal(after, reach)).to_series()
    begins, reached = [], number.filter(starts)
    while len(reached):
        begins.append(reached)
        following = after[reached]
        reached = following.filter(following < ends[reached])
    mask = pl.repeat(value=False, n=size, eager=True)
    return mask.scatter(pl.concat(begins), True) if begins else mask


def _shifted(starts: pl.Series) -> pl.Series:
    """Whether each exchange is the last of its sequence."""
    return starts.shift(-1, fill_value=True)
