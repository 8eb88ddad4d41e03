"""Make records from sequences of messages: whole dialogues, windows of dialogues, or pairs."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from chat_corpus.exports.sequences import Sequences
from chat_corpus.schema import Pairing

_INDEX = pl.UInt32


@dataclass(frozen=True, kw_only=True, slots=True)
class Records:
    """The messages of records, in order.

    messages  `record, message, is_user, begin`: number of the record, from 0 (increasing); row of the message in
              `Sequences.messages`; whether its role is user; row of the first message of its sequence
    too_long  rows of the messages that are in no record because their exchange is too long
    """

    messages: pl.DataFrame
    too_long: pl.Series


def dialogues(sequences: Sequences, *, max_turns: int = 0, max_chars: int = 0) -> Records:
    """Return records of whole exchanges: sequences, or windows of them.

    A window has at most `max_turns` messages and `max_chars` characters; 0 means no limit. The last message of a
    sequence of odd length is left out. If the sequence is that of an alternative response, all of it is left out, since
    the sequence of its dialogue has the other messages.
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
    """Return a record for each query and its answer, paired as in `pipeline.pairing`.

    Pairs of more than `max_chars` characters are left out; 0 means no limit.
    """
    messages = _indexed(sequences.messages)
    followed = pl.col("position") + 1 < pl.col("length")
    # In a branch, only the last pair is new; the others are pairs of its dialogue.
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
    """Return messages with `message`, their row number, and `begin`, that of the first message of their sequence."""
    indexed = messages.with_row_index("message")
    begin = pl.when((pl.col("sequence") != pl.col("sequence").shift(1)).fill_null(value=True)).then("message")
    return indexed.with_columns(begin=begin.forward_fill())


def _none() -> pl.Series:
    return pl.Series(dtype=_INDEX)


def _changes(values: pl.Series) -> pl.Series:
    """Return whether each value differs from the value before it; true for the first."""
    return (values != values.shift(1)).fill_null(value=True)


def _two_each(exchanges: pl.DataFrame, record: pl.Series) -> pl.DataFrame:
    """Return two rows of `Records.messages` for each exchange: the query, and the answer, which is the next message."""
    twice = pl.int_range(2 * len(exchanges), dtype=_INDEX, eager=True)
    doubled = exchanges.select("begin", "query").with_columns(record=record.cast(_INDEX))[twice // 2]
    return doubled.select("record", message=pl.col("query") + twice % 2, is_user=twice % 2 == 0, begin="begin")


def _without_long(exchanges: pl.DataFrame, max_chars: int) -> tuple[pl.DataFrame, pl.Series]:
    """Return the exchanges within the limit, in sequences that end before a longer one, and the messages left out."""
    long = exchanges["chars"] > max_chars
    if not long.any():
        return exchanges, _none()
    left_out = exchanges.filter(long)["query"]
    split = exchanges.with_columns(sequence=pl.col("sequence") + long.cum_sum().cast(_INDEX))
    # Sequence numbers still increase: those of later sequences grow by at least as much.
    return split.filter(~long), pl.concat([left_out, left_out + 1])


def _window_starts(exchanges: pl.DataFrame, most: int, max_chars: int) -> pl.Series:
    """Return whether a window begins at each exchange.

    From the beginning of a sequence, each window is as long as the limits allow: `most` exchanges and `max_chars`
    characters. For each exchange, `after` is the end (exclusive) of a window that begins there. Following `after` from
    the beginnings of all sequences at once gives the windows.
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
    """Return whether each exchange is the last of its sequence."""
    return starts.shift(-1, fill_value=True)
