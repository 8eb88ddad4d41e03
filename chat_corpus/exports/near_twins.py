"""Which training dialogues resemble an evaluation pair: an exact similarity join over character bigrams.

Two pairs resemble each other if the Jaccard similarity of their character bigrams is at least 0.8. A pair is compared
as canonical form of its query, U+001F, canonical form of its answer (`splitting.canonical`). A dialogue resembles a
pair if one of its exchanges does.

The join finds all such pairs and no others, without random numbers. It is a prefix filter with positions (Chaudhuri,
Ganti, Kaushik, ICDE 2006; Xiao, Wang, Lin, Yu, WWW 2008): all bigrams have a rank, the rarest first. Sets of sizes m
and n with that similarity share at least 4/9 (m + n) bigrams. So the first one that they share comes early in both:
from there on, each must have as many left. `twin_index` holds the evaluation pairs, and `twin_search` also covers data
in which nearly all texts share such a bigram.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.exports.splitting import canonical
from chat_corpus.exports.twin_index import TwinIndex
from chat_corpus.exports.twin_search import TWINS, find

#: Evaluation pairs of one index, which takes up to 1 kB for each.
INDEX_PAIRS = 100_000
#: Between the query and the answer of a pair that is compared.
PAIR_SEPARATOR = "\x1f"


def pair_texts(messages: pl.Series) -> pl.DataFrame:
    """The exchanges of dialogues as they are compared: `row: u32`, the number of the dialogue, and `text`.

    `messages` are those of `dialogues.DIALOGUES`. System messages do not count; a last query without an answer neither.
    """
    flat = messages.to_frame("messages").with_row_index("row").explode("messages").unnest("messages")
    flat = flat.filter(pl.col("role") != "system").with_columns(answers=pl.col("row") == pl.col("row").shift(1))
    at = pl.int_range(pl.len(), dtype=pl.Int64)
    position = at - pl.when(~pl.col("answers").fill_null(value=False)).then(at).forward_fill()
    flat = flat.with_columns(position=position, content=canonical(flat["content"]))
    flat = flat.with_columns(query=pl.col("content").shift(1)).filter(pl.col("position") % 2 == 1)
    return flat.select("row", text=pl.col("query") + PAIR_SEPARATOR + pl.col("content"))


def find_twins(index: TwinIndex, messages: pl.Series) -> pl.DataFrame:
    """Which dialogues resemble an evaluation pair: `TWINS`, one row for each dialogue that does, by row.

    `messages` are those of `dialogues.DIALOGUES`; `row` counts the dialogues from 0.
    """
    return find_in_pairs(index, pair_texts(messages))


def find_in_pairs(index: TwinIndex, pairs: pl.DataFrame) -> pl.DataFrame:
    """What `find_twins` finds, in the `pair_texts` of dialogues."""
    twins = find(index, pairs["text"])
    return _best(twins.with_columns(row=pairs["row"][twins["row"]]))


def _best(twins: pl.DataFrame) -> pl.DataFrame:
    ordered = twins.sort("row", "similarity", "id", descending=[False, True, False])
    return ordered.unique("row", keep="first", maintain_order=True)


def best_twins(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Join the twins that several indices have for the same rows, as if one index had all their pairs: `TWINS`."""
    return _best(pl.concat([TWINS.to_frame(), *frames]))
