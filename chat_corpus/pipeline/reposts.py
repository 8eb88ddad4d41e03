"""Repost chains as dialogues: each comment becomes a turn, oldest first, at the address of the record."""

from __future__ import annotations

import polars as pl

from chat_corpus.formats.base import mark_empty, position_within
from chat_corpus.pipeline.text.social_media import GATES, comments
from chat_corpus.schema import TURNS


def split_reposts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `schema.TURNS` with one row per comment of each repost chain; turns are numbered again.

    For layouts with one row per position of a dialogue. A comment without words is a turn without text.
    """
    chain = pl.col("reason").is_null() & pl.col("text").str.contains(GATES["reposts"])
    if not rows.select(chain.any()).item():
        return rows
    parts = pl.when(chain).then(comments(pl.col("text"))).otherwise(pl.concat_list("text"))
    unfolded = rows.with_columns(text=parts).explode("text")
    counted = pl.when(pl.col("dialogue_id").is_not_null()).then(position_within("dialogue_id"))
    return mark_empty(unfolded.with_columns(turn_index=counted).cast({"turn_index": TURNS["turn_index"]}))
