"""Make dialogues from turns: user and assistant alternate, user first, in even number, and none is empty.

Every trainer loads such dialogues. A dialogue of the source becomes one or more records:

- A rejected turn or a gap in the turns ends a piece. The turns after it begin the next piece.
- Consecutive turns of the same known speaker become one message, joined by line breaks.
- Each alternative response gives a separate record, with the turns before it.
- The pairing of the source decides where a record can begin: at any turn (adjacent), at an even one (exchange), at the
  first one (first), or nowhere (none). Turns count from 0.
- Windows cut long dialogues between exchanges (a user message and its answer), never within one.

For every frame, the number of turns equals the turns in records plus the turns dropped, which are counted by reason.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import polars as pl

from chat_corpus.exports import special_tokens, windows
from chat_corpus.exports.preference import rejected_responses
from chat_corpus.exports.sequences import Sequences, sequences
from chat_corpus.exports.windows import Records
from chat_corpus.messages import message
from chat_corpus.row_masks import row_mask
from chat_corpus.schema import Pairing, Reason

#: One message of a dialogue; `role` is system, user or assistant.
MESSAGE = pl.Struct({"role": pl.String(), "content": pl.String()})
#: One dialogue per row, ready to be written. `id` is the source, a hyphen and 16 hexadecimal digits.
DIALOGUES = pl.Schema({"id": pl.String(), "source": pl.String(), "messages": pl.List(MESSAGE)})
#: Columns of the result of `assemble`: one dialogue per row, in the order of the source.
#:
#: messages      the dialogue, with the system prompt if there is one
#: file, record  address of its first turn, as in the frame of turns
#: dialogue_id   number of the source's dialogue, as in the frame of turns
#: opener, reply the first two messages of the sequence that the dialogue was cut from; they decide its split
#: rejected      texts of responses that the source labels as wrong (`preference`)
ASSEMBLED = ("messages", "file", "record", "dialogue_id", "opener", "reply", "rejected")
_NO_RECORD = (1 << 32) - 1


#: Largest limit of turns or characters: sums with it must fit 64 bits.
MOST = 1_000_000_000


class DropReason(StrEnum):
    """The reason why a turn without a `schema.Reason` is in no record."""

    UNANSWERED = "unanswered"  # no turn answers it: it is the last turn of an odd number, or a single turn
    WITHOUT_QUERY = "without_query"  # it answers a rejected or missing turn
    ALTERNATIVE = "alternative"  # an alternative response that `alternatives: first` leaves out
    TOO_LONG = "too_long"  # its exchange has more characters than `max_chars`
    SPECIAL_TOKEN = "special_token"  # noqa: S105 it holds a control token of a tokenizer


class DialogueOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How turns become records."""

    #: dialogue: a record is a dialogue; pairs: a record is a query and its answer, as in the TSVs.
    turns: Literal["dialogue", "pairs"] = "dialogue"
    #: all: each alternative response gives a record; first: only one does: the one that later turns answer, or else
    #: the first usable one.
    alternatives: Literal["all", "first"] = "all"
    #: Text of a system message at the beginning of each record; empty for none.
    system: str = ""
    #: Most turns of a record, without the system message; 0 for no limit. Longer dialogues are cut into several.
    max_turns: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = 0
    #: Most characters of a record, without the system message; 0 for no limit. Longer dialogues are cut into several.
    max_chars: Annotated[int, msgspec.Meta(ge=0, le=MOST)] = 0
    #: What to do with a turn that holds a special token such as <|im_end|>: refuse it, or escape the token.
    special_tokens: Literal["refuse", "escape"] = "refuse"

    def __post_init__(self) -> None:
        if self.max_turns == 1:
            raise ValueError(
                message("max_turns: 1 found, but a record has at least a query and its answer; use 2 or more")
            )
        if self.system and not self.system.strip():
            raise ValueError(message("system: only whitespace; set a text, or an empty one for no system message"))
        # Defaults are made on import. Polars must not start threads then, because the process may be forked later.
        if self.system and special_tokens.holds_special_token(pl.Series([self.system]))[0]:
            raise ValueError(message("system: has a special token such as <|im_start|>; remove it from the text"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnBalance:
    """Counts of the turns of a frame; `read` is the sum of `exported` and all of `dropped`.

    `exported` counts the turns that are in at least one record, and `dropped` the others by reason. `messages` counts
    the messages of all records, without system messages. `special_tokens` counts the turns that hold a special token,
    whether refused or escaped, without turns that have a `schema.Reason`.
    """

    read: int
    exported: int
    dropped: Counter[str]
    records: int
    messages: int
    special_tokens: int

    @classmethod
    def zero(cls) -> TurnBalance:
        """Return the balance of no turns."""
        return cls(read=0, exported=0, dropped=Counter(), records=0, messages=0, special_tokens=0)

    def __add__(self, other: TurnBalance) -> TurnBalance:
        """Return the balance of both frames together."""
        return TurnBalance(
            read=self.read + other.read,
            exported=self.exported + other.exported,
            dropped=self.dropped + other.dropped,
            records=self.records + other.records,
            messages=self.messages + other.messages,
            special_tokens=self.special_tokens + other.special_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Assembly:
    """Dialogues with the columns `ASSEMBLED`, and the balance of the turns that they were made from."""

    dialogues: pl.DataFrame
    balance: TurnBalance


def assemble(turns: pl.DataFrame, pairing: Pairing, options: DialogueOptions | None = None) -> Assembly:
    """Return the dialogues of a frame of turns.

    `turns` has the columns `file, record, dialogue_id, turn_index, text, reason`, and `speaker` if speakers are known;
    `file` may have any type. Rows with a dialogue are sorted by `dialogue_id` and `turn_index`; rows that share both
    are alternative responses. A row with a reason is in no record.
    """
    options = options or DialogueOptions()
    rows, special = _prepared(turns, pairing, options)
    found, records = _records(rows, pairing, options)
    made = _dialogues(turns, found, records, options.system)
    exported = _rows_of(found, records.messages["message"])
    balance = TurnBalance(
        read=len(turns),
        exported=len(exported),
        dropped=_dropped(rows["reason"], exported, found, records),
        records=len(made),
        messages=len(records.messages),
        special_tokens=special,
    )
    return Assembly(dialogues=made, balance=balance)


def turns_of_records(turns: pl.DataFrame, pairing: Pairing, options: DialogueOptions) -> pl.DataFrame:
    """Return `record, position, row`: the turns that each message was made of, for the same arguments as `assemble`.

    `record` is the row in `Assembly.dialogues`, `position` the position of the message in the record, without the
    system message, and `row` the row in `turns`; all count from 0. A message that joins several turns has a row for
    each of them, in order.
    """
    rows, _ = _prepared(turns, pairing, options)
    found, records = _records(rows, pairing, options)
    position = pl.int_range(pl.len(), dtype=pl.UInt32).over("record")
    placed = records.messages.select("record", "message", position=position)
    joined = placed.join(found.members, on="message", how="inner")
    return joined.select("record", "position", "row").sort("record", "position", "row")


def _records(rows: pl.DataFrame, pairing: Pairing, options: DialogueOptions) -> tuple[Sequences, Records]:
    """Return the sequences of rows from `_prepared`, and the records that they are cut into."""
    placed = rows.filter(pl.col("dialogue_id").is_not_null())
    found = sequences(placed, pairing, first_only=options.alternatives == "first")
    if options.turns == "pairs":
        return found, windows.pairs(found, pairing, max_chars=options.max_chars)
    return found, windows.dialogues(found, max_turns=options.max_turns, max_chars=options.max_chars)


def _prepared(turns: pl.DataFrame, pairing: Pairing, options: DialogueOptions) -> tuple[pl.DataFrame, int]:
    """Return rows for `sequences`, with a `reason`, and the number of turns that hold a special token.

    Turns that already have a reason in `turns` are not in this number.
    """
    speaker = "speaker" if "speaker" in turns.columns else pl.lit(None, pl.String).alias("speaker")
    rows = turns.select("dialogue_id", "turn_index", speaker, "text", "reason").with_row_index("row")
    special = special_tokens.holds_special_token(rows["text"]) & rows["reason"].is_null()
    count = int(special.sum())
    if count and options.special_tokens == "escape":
        rows = rows.with_columns(special_tokens.escape(rows["text"]))
    blank = pl.col("text").str.strip_chars().str.len_bytes().fill_null(0) == 0
    found: list[pl.Expr | str] = ["reason", pl.when(blank).then(pl.lit(str(Reason.EMPTY)))]
    if count and options.special_tokens == "refuse":
        found.append(pl.when(special).then(pl.lit(str(DropReason.SPECIAL_TOKEN))))
    if pairing is Pairing.NONE:
        found.append(pl.lit(str(DropReason.UNANSWERED)))
    rows = rows.with_columns(reason=pl.coalesce(found))
    return rows.with_columns(usable=pl.col("reason").is_null()), count


def _rows_of(found: Sequences, messages: pl.Series) -> pl.Series:
    """Return the distinct row numbers of the turns in these messages."""
    chosen = row_mask(len(found.messages), messages.unique())
    return found.members.filter(chosen[found.members["message"]])["row"].unique()


def _dropped(reasons: pl.Series, exported: pl.Series, found: Sequences, records: Records) -> Counter[str]:
    """Return the number of turns that are in no record, by reason."""
    unused = ~row_mask(len(reasons), exported)
    marks = (
        (DropReason.TOO_LONG, _rows_of(found, records.too_long)),
        (DropReason.WITHOUT_QUERY, found.without_query),
        (DropReason.ALTERNATIVE, found.alternatives),
    )
    outcome = reasons.fill_null(str(DropReason.UNANSWERED))
    for reason, rows in marks:
        if len(rows):
            outcome = outcome.scatter(rows, str(reason))
    return Counter(dict(outcome.filter(unused).value_counts(sort=True).iter_rows()))


def _dialogues(turns: pl.DataFrame, found: Sequences, records: Records, system: str) -> pl.DataFrame:
    """Return the records as rows with the columns `ASSEMBLED`."""
    messages = records.messages
    content = found.messages["content"]
    role = pl.when("is_user").then(pl.lit("user")).otherwise(pl.lit("assistant"))
    flat = messages.select("record", role=role, content=content[messages["message"]])
    first = messages.filter(messages["record"] != messages["record"].shift(1).fill_null(_NO_RECORD))
    if system:
        prompts = first.select("record", role=pl.lit("system"), content=pl.lit(system))
        flat = pl.concat([prompts, flat]).sort("record", maintain_order=True)
    # With a sorted key, Polars slices the lists; `pl.concat_list` of structs takes six times as long.
    lists = (
        flat.with_columns(pl.col("record").set_sorted())
        .group_by("record", maintain_order=True)
        .agg(messages=pl.struct("role", "content"))
    )
    address = turns.select("file", "record", "dialogue_id")[found.messages["row"][first["message"]]]
    last = messages.filter(messages["record"] != messages["record"].shift(-1).fill_null(_NO_RECORD))
    rejected = rejected_responses(turns, found.messages["row"][last["message"]])
    return (
        lists.select("messages")
        .with_columns(*address, rejected, opener=content[first["begin"]], reply=content[first["begin"] + 1])
        .select(ASSEMBLED)
    )
