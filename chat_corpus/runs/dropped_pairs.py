"""Drop the pairs that passes over all pairs select: separate the lines of a part, and make the rejects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import polars as pl

from chat_corpus.json_lines import encode_json_lines
from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pair_passes.table import Dropped, PairPass
from chat_corpus.pipeline.rejects import raw_for_some
from chat_corpus.pipeline.settings import SourceSettings

#: Takes the number of a part, and addresses in it: `file, record, raw_begin`. Returns the raw records: `raw: str`.
RawOf = Callable[[int, pl.DataFrame], pl.Series]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The passes over all pairs of a source, its settings, and a function that returns the raw records of a part."""

    passes: tuple[PairPass, ...]
    settings: SourceSettings
    raw_of: RawOf

    def find_dropped(self, parts: Sequence[Part], work: Path) -> Dropped:
        """Return the pairs of all parts that the passes drop; `work` is a folder for temporary files."""
        facts = [{name: part.fact(name) for name in table.needed_facts(self.passes)} for part in parts]
        return table.find_dropped(self.passes, facts, self.settings, work)

    def with_scores(self, part: Part, limits: tuple[int, int], work: Path) -> Path:
        """Write the turns of a part with the scores of its pairs, and return the path of the file.

        Over all parts, the pairs of this part have the numbers from `limits[0]` to `limits[1] - 1`.
        """
        from chat_corpus.pipeline.pair_passes import relatedness

        path = part.fact("scored")
        rows = dialogue_store.add_scores(exact.read(part.turns), relatedness.read_scores(work, *limits))
        rows.write_ipc(path, compression="uncompressed")
        return path

    def rejects(self, name: str, number: int, addresses: pl.DataFrame, rows: pl.DataFrame) -> bytes:
        """Return the rejects of dropped pairs as JSON Lines, with the address and the raw record of the query.

        `name` is the source, and `number` is that of the part. `addresses` are those of the pairs (`exact.ADDRESS`).
        `rows` are their rows of `Dropped.rows` with the columns of `exact.with_addresses`, in the same order. In the
        rejects, `same_as` is the address of the pair that the dropped pair repeats, or null.
        """
        whens = [(pl.col("number") == at, each) for at, each in enumerate(self.passes)]
        described = rows.select(
            reason=pl.coalesce(pl.when(is_it).then(pl.lit(str(each.reason))) for is_it, each in whens),
            message=pl.coalesce(pl.when(is_it).then(each.message(self.settings)) for is_it, each in whens),
            same_as=pl.when(pl.col("file").is_not_null()).then(pl.struct("file", "record")),
        )
        rejects = addresses.with_columns(*described, self.raw_of(number, addresses), source=pl.lit(name))
        rejects = rejects.select("source", "file", "record", "reason", "message", "same_as", "raw")
        return encode_json_lines(raw_for_some(rejects))


def cut(data: bytes, begins: pl.Series, lengths: Sequence[int]) -> list[memoryview] | None:
    """Return the lines of a part in pieces, alternately to be written and to be dropped.

    `begins` has the byte at which each pair begins, and `lengths` are numbers of pairs, as `dropped` in
    `outputs.shard_index.Place`. Returns None if a piece does not have this number of whole lines.
    """
    ends = pl.concat([begins, pl.Series([len(data)], dtype=begins.dtype)])
    limits = list(pairwise([0, *ends[list(accumulate(lengths))], len(data)]))
    counts = [*lengths, len(begins) - sum(lengths)]
    if any(not _are_lines(data, *each, count) for each, count in zip(limits, counts, strict=True)):
        return None
    view = memoryview(data)
    return [view[begin:end] for begin, end in limits]


def _are_lines(data: bytes, begin: int, end: int, count: int) -> bool:
    return data.count(b"\n", begin, end) == count and (begin == end or data[end - 1 : end] == b"\n")
