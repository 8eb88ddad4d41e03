"""The interface of formats: cut, number and read files of one layout. A format holds no facts about a corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from chat_corpus.files.lines import count_lines, cut_at_line, numbered_lines
from chat_corpus.messages import error_text, message
from chat_corpus.row_masks import AFTER_BLANKS, filtered, may_begin_with_blank, row_mask
from chat_corpus.schema import TURNS, Reason


class RecordError(ValueError):
    """A record does not have the layout of the format; the message names what was expected and what was found."""


#: The name of the column of speakers in `Reading.rows`, which only formats with speakers have.
SPEAKER = "speaker"
#: Speakers of a chat with a model.
USER, ASSISTANT = "user", "assistant"
#: The message in rejects about a record that is not UTF-8.
NOT_UTF8 = "not UTF-8"

#: Numbered records of a raw file: `record: u32, text: str, bytes: binary`. A record that is not UTF-8 has its bytes and
#: a null text; other records have null bytes. A `split` that joins the lines of a record adds `continues: bool`, true
#: for lines that belong to the record before them, and leaves all other lines as they are.
Records = pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """The turns in the records of a shard.

    Each record is the address of at least one row of `rows` (`schema.TURNS`, sorted by dialogue and turn), or its
    number is in the series `non_turns` of its part: marks, headers, blanks, continuations of the record before.
    `unread` has the record and the name of each field with text that the format does not read; it is empty for formats
    with several parts. If the layout has speakers, `rows` has the column `speaker: str`: the speaker of the turn as
    named in the file, or null.
    """

    rows: pl.DataFrame
    non_turns: tuple[pl.Series, ...]
    unread: Sequence[tuple[int, str]] = ()


class Turns(list["str | None"]):
    """The turns of one record, None for a missing turn, and the names of fields with text that were not read.

    `speakers` has the speaker of each turn, or is empty if the record does not name them.
    """

    def __init__(self, turns: Sequence[str | None], unread: Sequence[str] = (), speakers: Sequence[str] = ()) -> None:
        super().__init__(turns)
        self.unread = tuple(unread)
        self.speakers = tuple(speakers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A file layout.

    `read` maps the records of each part to a `Reading`. `cut` takes bytes that begin at a record, and returns the
    length of the longest prefix that can be read by itself, 0 for none; without `cut` the file is read as a whole.
    `split` numbers the records of a prefix, `count` counts them without decoding. `accepts` checks the first bytes.
    `fault_at_end` checks the last bytes of a file, and returns a message if they show damage, otherwise an empty text.
    A format with several `parts` reads as many files together, cut at the same record. `repeats` is the maximum number
    of turns of earlier records that a record repeats before its new turns. `labelled` means that the last turns of a
    dialogue are candidate responses, each labelled right or wrong.

    A layout may have dialects: facts about a whole file, such as the order of columns, that single records do not show.
    `dialect_of` finds the dialect in the first bytes of a file, as UTF-8, and `in_dialect` returns the format that
    reads it; an empty dialect is the format itself.
    """

    read: Callable[[Sequence[Records]], Reading]
    cut: Callable[[bytes], int] | None = cut_at_line
    split: Callable[[bytes, int], Records] = numbered_lines
    count: Callable[[bytes], int] = count_lines
    accepts: Callable[[bytes], bool] = lambda head: True  # noqa: ARG005 the name documents the argument
    parts: int = 1
    repeats: int = 0
    labelled: bool = False
    fault_at_end: Callable[[bytes], str] | None = None
    dialect_of: Callable[[bytes], str] = lambda head: ""  # noqa: ARG005 the name documents the argument
    in_dialect: Callable[[str], Format] | None = None

    def of(self, dialect: str) -> Format:
        """Return the format that reads a dialect of `dialect_of`. Raises ValueError for any other text."""
        if self.in_dialect is None or not dialect:
            return self
        try:
            return self.in_dialect(dialect)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(message("not a dialect of this layout: {error}", error=error_text(error))) from error

    def fitted(self, head: bytes) -> Format:
        """Return the format that reads the file with these first bytes, as UTF-8."""
        return self.of(self.dialect_of(head))


def undecodable(records: Records) -> pl.DataFrame:
    """Return rows `record, reason, message` for records that are not UTF-8; a format may place them in dialogues."""
    texts = records["text"]
    unread = records.filter(texts.is_null()) if texts.null_count() else records.clear()
    return rejected(unread, Reason.ENCODING, NOT_UTF8)


def rejected(records: Records, reason: Reason, message: str | pl.Expr) -> pl.DataFrame:
    """Return rows `record, reason, message` for records that are not turns and are in no dialogue."""
    expression = pl.lit(message) if isinstance(message, str) else message
    return records.select("record", reason=pl.lit(str(reason)), message=expression)


def turns_frame(*frames: pl.DataFrame) -> pl.DataFrame:
    """Return frames with some of the columns of `schema.TURNS` as one frame with all; a missing file_index is 0.

    The result has the column `speaker` if one of the frames has it.
    """
    is_known = any(SPEAKER in frame.columns for frame in frames)
    columns = {**TURNS, SPEAKER: pl.String()} if is_known else TURNS
    frames = tuple(frame for frame in frames if len(frame)) or frames[:1]
    return pl.concat(
        frame.select(
            (pl.col(name) if name in frame.columns else pl.lit(0 if name == "file_index" else None))
            .cast(dtype)
            .alias(name)
            for name, dtype in columns.items()
        )
        for frame in frames
    )


def mark_empty(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with a reason and a message for blank turns; their position in the dialogue does not change."""
    texts = rows["text"]
    low = texts < AFTER_BLANKS  # false for most Chinese texts
    few = texts.filter(low)
    possible = may_begin_with_blank(few)
    empty = few.filter(possible).str.strip_chars() == ""
    if not empty.any():
        return rows
    blank = row_mask(len(rows), low.arg_true().filter(possible).filter(empty)) & rows["reason"].is_null()
    return rows.with_columns(
        reason=pl.when(blank).then(pl.lit(str(Reason.EMPTY))).otherwise("reason"),
        message=pl.when(blank).then(pl.lit("a turn without text")).otherwise("message"),
    )


def position_within(group: str) -> pl.Expr:
    """Return an expression for the position of each row, from 0, in its run of equal values of a column."""
    value, index = pl.col(group), pl.int_range(pl.len(), dtype=pl.UInt32)
    begins = value.ne_missing(value.shift(1)) | (index == 0)
    return index - index.filter(begins).gather(value.rle_id())


def places_between(ends: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return `dialogue_id` and `turn_index` of the lines that are turns: all but those that `ends` marks.

    >>> [places.to_list() for places in places_between(pl.Series([False, True, False, False, True, True, False]))]
    [[0, 1, 1, 3], [0, 0, 1, 0]]
    """
    index = pl.int_range(len(ends), dtype=pl.UInt32, eager=True)
    lines = index.filter(~ends)
    dialogues = lines - index.head(len(lines))  # the number of lines before it that are not turns
    begins = pl.concat([index.head(1), index.filter(ends) + 1])
    return dialogues, lines - begins.gather(dialogues)


#: The result of `rejected` for no records.
_NONE_REJECTED = pl.DataFrame(schema={name: TURNS[name] for name in ("record", "reason", "message")})


@dataclass(frozen=True, kw_only=True, slots=True)
class Fields:
    """Split records: `good` (record, text: list of fields), `bad` (rows of `rejected`), numbers of `blank` lines."""

    good: pl.DataFrame
    bad: pl.DataFrame
    blank: pl.Series


def two_fields(records: Records, separator: str, width: int = 2) -> Fields:
    """Return records split at a separator into fields; a record is good if it has exactly `width` fields."""
    split = pl.DataFrame({"record": records["record"].rechunk(), "text": records["text"].str.split(separator)})
    count = split["text"].list.len()
    good = count == width
    if good.all(ignore_nulls=False):
        return Fields(good=split, bad=_NONE_REJECTED, blank=split["record"].clear())
    good = good.fill_null(value=False)
    other = filtered(records, ~good).with_columns(count=count.filter(~good))
    blank = pl.col("text").str.strip_chars() == ""
    wrong = rejected(
        other.filter(~blank),
        Reason.FIELDS,
        pl.format(f"{width} fields separated by {{}} expected, {{}} met", pl.lit(repr(separator)), "count"),
    )
    return Fields(
        good=filtered(split, good),
        bad=pl.concat([wrong, undecodable(other)]),
        blank=other.filter(blank)["record"],
    )


def exchanges(pairs: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Return dialogues of two turns from a frame `record, text: list of two`, with the rejected rows of the shard."""
    texts = pairs["text"].explode()
    index = pl.int_range(len(texts), dtype=pl.UInt32, eager=True)
    dialogue = index // 2
    places = {"dialogue_id": dialogue, "turn_index": index % 2}
    rows = pl.DataFrame({"record": pairs["record"].gather(dialogue), "text": texts, **places})
    return turns_frame(rows, bad)
