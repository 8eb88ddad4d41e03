"""Preference data: answers that a source labels as wrong, paired with answers that it labels as right.

Response selection data sets such as Douban's have several labelled responses to a context. A record that ends with a
right response gets wrong responses to the same context. Each wrong response is used in one record only.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.exports import special_tokens
from chat_corpus.json_lines import encode_json_lines
from chat_corpus.schema import Reason

#: Name of the format.
PREFERENCE = "preference"
#: Column with the wrong answers to the prompt of a record, in addition to those of `dialogues.DIALOGUES`.
REJECTED = "rejected"
REJECTED_TYPE = pl.List(pl.String())


def rejected_responses(turns: pl.DataFrame, last: pl.Series) -> pl.Series:
    """Return the wrong alternatives to the last message of each record: a list of texts per record.

    `turns` is the frame that the records were made from, with `dialogue_id, turn_index, text, reason`. `last` is the
    row in `turns` of the last message of each record. Blank texts and texts with a special token are left out.
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
    """Return `prompt, chosen, rejected, source, id` in the format of TRL: one row for each wrong answer.

    `dialogues` has the columns of `DIALOGUES`, and `rejected`. The first three columns of the result are lists of
    messages.
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
    """Return the rows of `preferences` as JSON Lines; no bytes if the frame has no column of wrong answers."""
    if REJECTED not in dialogues.columns:
        return b""
    return encode_json_lines(preferences(dialogues))


def count_preferences(dialogues: pl.DataFrame) -> int:
    """Return the number of rows that `encode_preference` writes."""
    return int(dialogues[REJECTED].list.len().sum()) if REJECTED in dialogues.columns else 0
