"""Keys of pairs in files, in buckets by their value, so that counting by key takes bounded memory.

The key of a text is a 128-bit hash. Equal keys of a frame are one row with a count, so that a frequent text does not
make its bucket large.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from chat_corpus.exports.splitting import canonical

#: Average number of keys in a bucket. Counting them takes about 100 MB.
_KEYS_PER_BUCKET = 1_000_000
_KEY = ("low", "high")


class Kind(StrEnum):
    """Kinds of keys: of the two texts of a pair, of the pair, and of query and pair in canonical form."""

    QUERY = "query"
    ANSWER = "answer"
    PAIR = "pair"
    CANONICAL_QUERY = "canonical_query"
    CANONICAL_PAIR = "canonical_pair"


class PairKeys:
    """The keys of the pairs of several sources, in the files of a folder."""

    def __init__(self, folder: Path, pairs: int) -> None:
        """Store keys of about `pairs` pairs in an empty folder."""
        self._folder = folder
        self.buckets = 1 + pairs // _KEYS_PER_BUCKET

    def add(self, source: int, pairs: pl.DataFrame, first: int) -> None:
        """Write the keys of pairs, `query, answer`, of a source; `first` is the number of the first pair in its source.

        Raises OSError.
        """
        query, answer = canonical(pairs["query"]), canonical(pairs["answer"])
        columns = {
            Kind.QUERY: pairs.select("query"),
            Kind.ANSWER: pairs.select("answer"),
            Kind.PAIR: pairs.select("query", "answer"),
            Kind.CANONICAL_QUERY: query.to_frame("query"),
            Kind.CANONICAL_PAIR: pl.DataFrame({"query": query, "answer": answer}),
        }
        for kind, frame in columns.items():
            hashed = pl.struct(pl.all())
            keys = frame.select(low=hashed.hash(seed=1), high=hashed.hash(seed=2))
            rows = keys.with_row_index("row", offset=first).group_by(_KEY).agg(pl.col("row").min(), count=pl.len())
            self._write(source, kind, rows.select(pl.all().cast(pl.UInt64)))

    def _write(self, source: int, kind: Kind, rows: pl.DataFrame) -> None:
        low = rows["low"].to_numpy()
        numbers = ((low >> np.uint64(32)) * np.uint64(self.buckets)) >> np.uint64(32)
        order = np.argsort(numbers, kind="stable")
        data = rows.to_numpy()[order]
        ends = np.searchsorted(numbers[order], np.arange(self.buckets + 1, dtype=np.uint64))
        for bucket in range(self.buckets):
            with self._path(source, kind, bucket).open("ab") as stream:
                stream.write(np.ascontiguousarray(data[ends[bucket] : ends[bucket + 1]]).tobytes())

    def read(self, source: int, kind: Kind, bucket: int) -> pl.DataFrame:
        """Return `low, high, row, count` of the distinct keys of a bucket; `row` is the first pair with the key."""
        path = self._path(source, kind, bucket)
        data = np.fromfile(path, np.uint64).reshape(-1, 4) if path.exists() else np.zeros((0, 4), np.uint64)
        rows = pl.DataFrame(data, schema=dict.fromkeys((*_KEY, "row", "count"), pl.UInt64), orient="row")
        return rows.group_by(_KEY).agg(pl.col("row").min(), pl.col("count").sum())

    def _path(self, source: int, kind: Kind, bucket: int) -> Path:
        return self._folder / f"{source}-{kind}-{bucket}"


def shared(keys: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the number of keys that each two sources share: `first, second, count`.

    `keys` has the distinct keys of each source in one bucket. `first` and `second` are positions in `keys`. Sources
    that share no keys have no row.
    """
    sources = [
        frame.select(*_KEY, pl.lit(number, dtype=pl.UInt32).alias("source")) for number, frame in enumerate(keys)
    ]
    every = pl.concat(sources)
    several = every.filter(pl.struct(_KEY).is_duplicated())
    pairs = several.join(several, on=_KEY, suffix="_second").filter(pl.col("source") < pl.col("source_second"))
    return pairs.group_by(first="source", second="source_second").agg(count=pl.len())
