"""Find training dialogues that resemble an evaluation pair: an exact similarity join over character bigrams.

Two pairs resemble each other if the Jaccard similarity of their character bigrams is at least 0.8. The compared text of
a pair is the canonical form of its query, U+001F, and the canonical form of its answer (`splitting.canonical`). A
dialogue resembles a pair if one of its exchanges does.

The join finds all such pairs and no others, without random numbers. It is a positional prefix filter (Chaudhuri, Ganti,
Kaushik, ICDE 2006; Xiao, Wang, Lin, Yu, WWW 2008): bigrams are ranked, the rarest first. Two sets of m and n bigrams
with this similarity share at least 4/9 (m + n) of them. From the first shared bigram on, both sets must have at least
this number left, so it comes early in both. `twin_index` holds the evaluation pairs. `twin_search` also handles data in
which nearly all texts share such a bigram.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.exports.splitting import canonical
from chat_corpus.exports.twin_index import TwinIndex
from chat_corpus.exports.twin_search import TWINS, find

#: Largest number of evaluation pairs in an index, which takes up to 1 kB for each.
INDEX_PAIRS = 100_000
#: Separator of query and answer in the compared text of a pair.
PAIR_SEPARATOR = "\x1f"


def pair_texts(messages: pl.Series) -> pl.DataFrame:
    """Return `row` (UInt32), the number of the dialogue from 0, and `text`, the compared text, of each exchange.

    `messages` is the column of `dialogues.DIALOGUES`. System messages and a last query without an answer are ignored.
    """
    flat = messages.to_frame("messages").with_row_index("row").explode("messages").unnest("messages")
    flat = flat.filter(pl.col("role") != "system").with_columns(answers=pl.col("row") == pl.col("row").shift(1))
    at = pl.int_range(pl.len(), dtype=pl.Int64)
    position = at - pl.when(~pl.col("answers").fill_null(value=False)).then(at).forward_fill()
    flat = flat.with_columns(position=position, content=canonical(flat["content"]))
    flat = flat.with_columns(query=pl.col("content").shift(1)).filter(pl.col("position") % 2 == 1)
    return flat.select("row", text=pl.col("query") + PAIR_SEPARATOR + pl.col("content"))


def find_twins(index: TwinIndex, messages: pl.Series) -> pl.DataFrame:
    """Return the dialogues that resemble an evaluation pair: one row each with the columns `TWINS`, sorted by `row`.

    `messages` is the column of `dialogues.DIALOGUES`; `row` counts the dialogues from 0.
    """
    return find_in_pairs(index, pair_texts(messages))


def find_in_pairs(index: TwinIndex, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the result of `find_twins` for dialogues with the `pair_texts` `pairs`."""
    twins = find(index, pairs["text"])
    return _best(twins.with_columns(row=pairs["row"][twins["row"]]))


def _best(twins: pl.DataFrame) -> pl.DataFrame:
    ordered = twins.sort("row", "similarity", "id", descending=[False, True, False])
    return ordered.unique("row", keep="first", maintain_order=True)


def best_twins(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the best twin of each row from the results of several indices, as if one index had all pairs: `TWINS`."""
    return _best(pl.concat([TWINS.to_frame(), *frames]))
