"""Dialogues as rows of exchanges (a query and its answer), for the formats of records that need them."""

from __future__ import annotations

import polars as pl


def exchanges(dialogues: pl.DataFrame) -> pl.DataFrame:
    """Return `at, system, query, answer`: one exchange per row.

    `at` is the row of its dialogue in `dialogues`; `system` is the system prompt, or null.
    """
    flat = dialogues.select("messages").with_row_index("at").explode("messages").unnest("messages")
    is_system = pl.col("role") == "system"
    prompt = pl.when(is_system).then("content").forward_fill() if flat.select(is_system.any()).item() else pl.lit(None)
    spoken = flat.with_columns(system=prompt.cast(pl.String)).filter(~is_system)
    return spoken.gather_every(2).select("at", "system", query="content", answer=spoken["content"].gather_every(2, 1))


def system_column(frame: pl.DataFrame) -> list[str]:
    """Return `["system"]` if the records have a system prompt, else an empty list.

    All records of an export have the same prompt, or none.
    """
    return [] if frame["system"].null_count() else ["system"]
