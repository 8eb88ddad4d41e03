"""Messages of a log as dialogues: sessions end at a gap in time, and consecutive messages of one speaker merge.

A file is cut into shards at the beginnings of sessions, so that no dialogue is split.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.files.lines import lines_end
from chat_corpus.formats.base import position_within, turns_frame

#: Columns of the messages for `turns_of_messages`: one row for each message, in the order of the file.
#:
#: record   record where the message begins
#: speaker  sender of the message; null if unknown: such a message never merges
#: stamp    seconds on any clock, null if unknown
#: key      name of the dialogue, null if unknown
#: text     the message, null for a message that cannot be read
#: reason   a `Reason` if the message cannot be read, or null
#: message  explanation of the reason for a person, or null
MESSAGES = pl.Schema(
    {
        "record": pl.UInt32(),
        "speaker": pl.String(),
        "stamp": pl.Int64(),
        "key": pl.String(),
        "text": pl.String(),
        "reason": pl.String(),
        "message": pl.String(),
    }
)


def session_starts(messages: pl.DataFrame, gap: int) -> pl.Series:
    """Return a mask of the messages at which the key changes or, without any key, that follow a gap in time.

    The columns `stamp` and `key` are as in `MESSAGES`, and a gap is more than `gap` seconds. The first message is not
    marked. Time that runs backwards by more than the gap also begins a dialogue: an export may hold several chats.

    >>> frame = pl.DataFrame({"stamp": [0, 10, None, 99, 5], "key": [None] * 5}, schema_overrides={"key": pl.String})
    >>> session_starts(frame, 60).to_list()
    [False, False, False, True, True]
    """
    if messages["key"].null_count() < len(messages):
        key = messages["key"].forward_fill()
        return key.ne_missing(key.shift(1)) & (pl.int_range(len(key), eager=True) > 0)
    stamp = messages["stamp"].forward_fill()
    return ((stamp - stamp.shift(1)).abs() > gap).fill_null(value=False)


def turns_of_messages(messages: pl.DataFrame, gap: int) -> tuple[pl.DataFrame, pl.Series]:
    """Return the turns as `schema.TURNS` with `speaker`, and the records of messages that continue a turn.

    `messages` has the schema `MESSAGES`. The texts of a turn, except blank ones, are joined by line breaks. A message
    with a reason is a separate turn.
    """
    if messages.is_empty():
        return turns_frame(messages.select("record")), messages["record"]
    placed = messages.with_columns(dialogue_id=session_starts(messages, gap).cum_sum())
    speaker, reason = pl.col("speaker"), pl.col("reason")
    apart = (
        (pl.col("dialogue_id") != pl.col("dialogue_id").shift(1))
        | (speaker != speaker.shift(1)).fill_null(value=True)
        | reason.is_not_null()
        | reason.shift(1).is_not_null()
    )
    placed = placed.with_columns(begins=apart.fill_null(value=True))
    begins = placed["begins"]
    if begins.all():
        rows = placed
    else:
        texts = pl.col("text").filter(pl.col("text").str.strip_chars() != "")
        # A turn of one message has its text, blank or not, as in the other branch.
        joined = pl.when(pl.len() == 1).then(pl.col("text").first()).otherwise(texts.str.join("\n"))
        text = pl.when(pl.col("text").is_null().all()).then(None).otherwise(joined)
        first = [pl.col(name).first() for name in ("record", "speaker", "dialogue_id", "reason", "message")]
        grouped = placed.with_columns(group=begins.cum_sum()).group_by("group", maintain_order=True)
        rows = grouped.agg(*first, text=text)
    rows = rows.with_columns(turn_index=position_within("dialogue_id"))
    return turns_frame(rows), placed.filter(~begins)["record"]


def cut_before(data: bytes, records: pl.Series) -> int:
    """Return the offset of the last of the lines with these numbers (from 1); 0 if none is after the first line."""
    last = records.max()
    return lines_end(data, last - 1) if isinstance(last, int) and last > 1 else 0


def whole_lines(data: bytes) -> bytes:
    """Return the data up to its last line break."""
    return data[: data.rfind(b"\n") + 1]
