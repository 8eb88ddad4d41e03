"""What a format is: how a file of this layout is cut, numbered and read. A format knows a layout, never a corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from chat_corpus.files.lines import count_lines, cut_at_line, numbered_lines
from chat_corpus.row_masks import row_mask
from chat_corpus.schema import TURNS, Reason


class RecordError(ValueError):
    """A record of another layout than the format's; the message says what was expected and what was met."""


#: What is said of a record that was to be UTF-8 by then.
NOT_UTF8 = "not UTF-8"

#: Numbered records of one raw file: `line: u32, text: str, bytes: binary`; where the bytes are not UTF-8 text is null.
Records = pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a reader made of the records of a shard.

    Each record is the address of at least one row of `rows` (`schema.TURNS`, sorted by dialogue and turn), or its
    number stands in the `non_turns` series of its part: marks, headers, blanks, continuations of the record before.
    `unread` has the record and the name of each field that holds text and that the format does not know; only a format
    of one part has such.
    """

    rows: pl.DataFrame
    non_turns: tuple[pl.Series, ...]
    unread: Sequence[tuple[int, str]] = ()


class Turns(list["str | None"]):
    """The turns of one record, None for a place that nobody fills, and the fields with text that were not read."""

    def __init__(self, turns: Sequence[str | None], unread: Sequence[str] = ()) -> None:
        super().__init__(turns)
        self.unread = tuple(unread)


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A file layout.

    `read` maps the records of each part to a `Reading`. `cut` is given bytes that begin at a record and says how long
    the longest prefix is that can be read on its own, 0 for none; without it the file is read as a whole. `split`
    numbers the records of a prefix, `count` counts them without decoding. `accepts` looks at the first bytes of a file.
    `fault_at_end` looks at the last bytes of a file and says what is wrong with them, if anything: then it is damaged.
    A format of more than one `parts` reads as many files together, cut at the same record. A record `repeats` up to so
    many turns of its dialogue that stand right before its own, and are those of an earlier record. `labelled`: the last
    turns of a dialogue are candidate responses, each labelled right or wrong (`Reason.NEGATIVE`).

    A layout may have dialects, facts of a whole file that no record tells by itself, as the order of a table's columns.
    `dialect_of` finds the dialect in the first bytes of a file, as UTF-8, and `in_dialect` gives the format that reads
    it; an empty one is the format as it is.
    """

    read: Callable[[Sequence[Records]], Reading]
    cut: Callable[[bytes], int] | None = cut_at_line
    split: Callable[[bytes, int], Records] = numbered_lines
    count: Callable[[bytes], int] = count_lines
    accepts: Callable[[bytes], bool] = lambda head: True  # noqa: ARG005 the name says what it is given
    parts: int = 1
    repeats: int = 0
    labelled: bool = False
    fault_at_end: Callable[[bytes], str] | None = None
    dialect_of: Callable[[bytes], str] = lambda head: ""  # noqa: ARG005 the name says what it is given
    in_dialect: Callable[[str], Format] | None = None

    def of(self, dialect: str) -> Format:
        """The format that reads files of a dialect that `dialect_of` has found. Raises ValueError for any other."""
        if self.in_dialect is None or not dialect:
            return self
        try:
            return self.in_dialect(dialect)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(f"no dialect of this layout: {error}") from error

    def fitted(self, head: bytes) -> Format:
        """The format that reads the file with these first bytes, which are UTF-8."""
        return self.of(self.dialect_of(head))


def undecodable(records: Records) -> pl.DataFrame:
    """The rows of records that are not text: line, reason, message; a format places them in dialogues as it can."""
    return rejected(records.filter(pl.col("text").is_null()), Reason.ENCODING, NOT_UTF8)


def rejected(records: Records, reason: Reason, message: str | pl.Expr) -> pl.DataFrame:
    """Rows that say why each of `records` is not a turn, placed in no dialogue."""
    told = pl.lit(message) if isinstance(message, str) else message
    return records.select("record", reason=pl.lit(str(reason)), message=told)


def turns_frame(*frames: pl.DataFrame) -> pl.DataFrame:
    """Frames with some of the columns of `schema.TURNS` as one frame with all of them; a missing part is 0."""
    return pl.concat(
        frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(0 if name == "file_index" else None))
            .cast(dtype)
            .alias(name)
            for name, dtype in TURNS.items()
        )
        for frame in frames
    )


def mark_empty(rows: pl.DataFrame) -> pl.DataFrame:
    """Give each turn that holds nothing but blanks its reason; it keeps its place in the dialogue."""
    text = rows["text"]
    # Whatever begins with a blank stands in one of these two ranges, and hardly anything else.
    some = ((text < "!") | ((text >= "\x7f") & (text < "\u3001"))).arg_true()
    some = some.filter(text.gather(some).str.strip_chars() == "")
    blank = row_mask(len(rows), some) & rows["reason"].is_null()
    if not blank.any():
        return rows
    return rows.with_columns(
        reason=pl.when(blank).then(pl.lit(str(Reason.EMPTY))).otherwise("reason"),
        message=pl.when(blank).then(pl.lit("a turn without text")).otherwise("message"),
    )


def position_within(group: str) -> pl.Expr:
    """The position of each row, from 0, within its run of equal values of the column `group`."""
    index = pl.int_range(pl.len(), dtype=pl.UInt32)
    starts = pl.col(group) != pl.col(group).shift(1)
    return index - pl.when(starts.fill_null(value=True)).then(index).forward_fill()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """Records of so many fields: `good` (line, text: list of them), `bad` rows with a reason, and `blank` lines."""

    good: pl.DataFrame
    bad: pl.DataFrame
    blank: pl.Series


def two_fields(records: Records, separator: str, width: int = 2) -> Fields:
    """Split records at a separator that must occur exactly once, or between so many fields."""
    fields = records.select("record", "bytes", raw="text", text=pl.col("text").str.split(separator))
    count = pl.col("text").list.len()
    other = fields.filter((count != width) | count.is_null())
    blank = pl.col("raw").str.strip_chars() == ""
    wrong = rejected(
        other.filter(~blank),
        Reason.FIELDS,
        pl.format(f"{width} fields separated by {{}} expected, {{}} met", pl.lit(repr(separator)), count),
    )
    return Fields(
        good=fields.filter(count == width).select("record", "text"),
        bad=pl.concat([wrong, undecodable(other.select("record", text="raw"))]),
        blank=other.filter(blank)["record"],
    )


def exchanges(pairs: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Dialogues of two turns from a frame `line, text: list of two`, with rejected rows of the same shard."""
    index = pl.int_range(pl.len(), dtype=pl.UInt32)
    rows = pairs.explode("text").with_columns(dialogue_id=index // 2, turn_index=index % 2)
    return turns_frame(rows, bad)
