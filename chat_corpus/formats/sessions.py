"""Messages of a log as dialogues: sessions end at a gap in time, consecutive messages of one speaker merge.

A file is cut into shards where a session begins, which the bytes before it show, so that no dialogue is split.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.files.lines import lines_end
from chat_corpus.formats.base import position_within, turns_frame

#: What `turns_of_messages` expects: one row for each message, in the order of the file.
#:
#: record   record where the message begins
#: speaker  who sent it; null if unknown, so that it never merges
#: stamp    seconds on any clock, null if unknown
#: key      name of the dialogue, null if unknown
#: text     the message, null for a message that cannot be read
#: reason   why it cannot be read, or null
#: message  the same for a person, or null
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
    """Which messages begin a dialogue: where the key changes or, without any key, after more than `gap` seconds.

    Columns `stamp` and `key` are those of `MESSAGES`. The first message is not marked. Time that runs backwards by more
    than the gap ends a session too: exports hold one chat after the other.

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
    """Turns of `MESSAGES`, as `schema.TURNS` and `speaker`, and the records of messages that belong to the turn before.

    Texts of one turn are joined by a line break, those without text left out; a message with a reason is a turn alone.
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
        # A turn of one message keeps its text, blank or not, as it does where no messages merge.
        joined = pl.when(pl.len() == 1).then(pl.col("text").first()).otherwise(texts.str.join("\n"))
        text = pl.when(pl.col("text").is_null().all()).then(None).otherwise(joined)
        first = [pl.col(name).first() for name in ("record", "speaker", "dialogue_id", "reason", "message")]
        grouped = placed.with_columns(group=begins.cum_sum()).group_by("group", maintain_order=True)
        rows = grouped.agg(*first, text=text)
    rows = rows.with_columns(turn_index=position_within("dialogue_id"))
    return turns_frame(rows), placed.filter(~begins)["record"]


def cut_before(data: bytes, records: pl.Series) -> int:
    """Offset of the last of the lines with these numbers, counted from 1; 0 if there is none after the first line."""
    last = records.max()
    return lines_end(data, last - 1) if isinstance(last, int) and last > 1 else 0


def whole_lines(data: bytes) -> bytes:
    """Data up to its last line break."""
    return data[: data.rfind(b"\n") + 1]
