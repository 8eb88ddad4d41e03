"""Preference data: answers that a source labels as wrong, beside those that it labels as right.

Response selection sets such as Douban's have several responses to one context, each with a label. If the last
message of a record is a right one, the record gets wrong ones to the same context. Each wrong response is used once.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.exports import special_tokens
from chat_corpus.json_lines import encode_json_lines
from chat_corpus.schema import Reason

#: Name of the format.
PREFERENCE = "preference"
#: Column of the wrong answers to the prompt of a record, beside those of `dialogues.DIALOGUES`.
REJECTED = "rejected"
REJECTED_TYPE = pl.List(pl.String())


def rejected_responses(turns: pl.DataFrame, last: pl.Series) -> pl.Series:
    """The wrong answers beside the last message of each record: a list of texts for each.

    `turns` is the frame that records were made of, with `dialogue_id, turn_index, text, reason`, and `last` has the row
    of the last message of each record. Blank texts and those with a special token are left out.
    """
    wrong = turns.filter(turns["reason"].eq_missing(pl.Series([str(Reason.NEGATIVE)])))
    wrong = wrong.filter((wrong["text"].str.strip_chars() != "").fill_null(value=False))
    wrong = wrong.filter(~special_tokens.holds_special_token(wrong["text"]))
    if wrong.is_empty():
        return pl.Series(REJECTED, [[]], dtype=REJECTED_TYPE).new_from_index(0, len(last))
    keys = ("dialogue_id", "turn_index")
    number = pl.int_range(pl.len()).over(keys)
    places = turns.select(keys)[last].with_columns(number=number, count=pl.len().over(keys))
    counts = places.unique(keys).select(*keys, "count")
    wrong = wrong.select(*keys, "text").join(counts, on=keys, how="inner", maintain_order="left")
    dealt = (
        wrong.with_columns(number=number % pl.col("count")).group_by(*keys, "number", maintain_order=True).agg("text")
    )
    found = places.join(dealt, on=(*keys, "number"), how="left", maintain_order="left")["text"]
    return found.fill_null(pl.Series([[]], dtype=REJECTED_TYPE)).rename(REJECTED)


def preferences(dialogues: pl.DataFrame) -> pl.DataFrame:
    """`prompt, chosen, rejected, source, id`: a row for each wrong answer, as TRL reads it.

    `dialogues` have the columns of `DIALOGUES` and `rejected`. All three are lists of messages.
    """
    rows = dialogues.filter(pl.col(REJECTED).list.len() > 0).explode(REJECTED)
    messages = pl.col("messages")
    answer = pl.struct(role=pl.lit("assistant"), content=REJECTED)
    return rows.select(
        messages.list.head(messages.list.len() - 1).alias("prompt"),
        messages.list.tail(1).alias("chosen"),
        pl.concat_list(answer).alias("rejected"),
        "source",
        "id",
    )


def encode_preference(dialogues: pl.DataFrame) -> bytes:
    """Rows of `preferences` as JSON Lines; no bytes where no wrong answers are known."""
    if REJECTED not in dialogues.columns:
        return b""
    return encode_json_lines(preferences(dialogues))


def count_preferences(dialogues: pl.DataFrame) -> int:
    """How many rows `encode_preference` gives."""
    return int(dialogues[REJECTED].list.len().sum()) if REJECTED in dialogues.columns else 0
