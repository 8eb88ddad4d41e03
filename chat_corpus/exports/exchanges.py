"""Dialogues as rows of exchanges, which several formats of records use."""

from __future__ import annotations

import polars as pl


def exchanges(dialogues: pl.DataFrame) -> pl.DataFrame:
    """`at, query, answer, system`: the exchanges of all dialogues; `at` counts the dialogues."""
    flat = dialogues.select("messages").with_row_index("at").explode("messages").unnest("messages")
    is_system = pl.col("role") == "system"
    prompt = pl.when(is_system).then("content").forward_fill() if flat.select(is_system.any()).item() else pl.lit(None)
    spoken = flat.with_columns(system=prompt.cast(pl.String)).filter(~is_system)
    return spoken.gather_every(2).select("at", "system", query="content", answer=spoken["content"].gather_every(2, 1))


def system_column(frame: pl.DataFrame) -> list[str]:
    """The column of the system prompt, where there is one: it is the same for all records of an export."""
    return [] if frame["system"].null_count() else ["system"]
