"""Pairs that passes over all pairs drop: what is left of the lines of a part, and the rejects of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import polars as pl

from chat_corpus.outputs import dialogue_store
from chat_corpus.outputs.parts import Part
from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pair_passes.table import Dropped, PairPass
from chat_corpus.pipeline.rejects import raw_for_some
from chat_corpus.pipeline.settings import SourceSettings

#: Returns the raw records, `file, record, raw`, of the part with this number.
RawOf = Callable[[int], pl.DataFrame]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The passes over all pairs of a source, its settings, and what returns the raw records of a part."""

    passes: tuple[PairPass, ...]
    settings: SourceSettings
    raw_of: RawOf

    def find_dropped(self, parts: Sequence[Part], work: Path) -> Dropped:
        """What the passes drop, each row with the address of the pair that it repeats: `Dropped`."""
        facts = [{name: part.fact(name) for name in table.needed_facts(self.passes)} for part in parts]
        return table.find_dropped(self.passes, facts, self.settings, work)

    def with_scores(self, part: Part, limits: tuple[int, int], work: Path) -> Path:
        """The turns of a part with scores; its pairs have the numbers from `limits[0]` to before `limits[1]`."""
        from chat_corpus.pipeline.pair_passes import relatedness

        path = part.fact("scored")
        rows = dialogue_store.add_scores(exact.read(part.turns), relatedness.read_scores(work, *limits))
        rows.write_ipc(path, compression="uncompressed")
        return path

    def rejects(self, name: str, part: Part, rows: pl.DataFrame, raw: pl.DataFrame) -> bytes:
        """The rejects of dropped pairs of a part: address and raw record of the query.

        `rows` are those of `Dropped.rows` and of `exact.with_addresses`, numbered within the part. `same_as` is the
        address of the pair that the dropped pair repeats, or null.
        """
        number = pl.col("number")
        whens = [(number == at, each) for at, each in enumerate(self.passes)]
        texts = [pl.when(is_it).then(each.message(self.settings)) for is_it, each in whens]
        reasons = [pl.when(is_it).then(pl.lit(str(each.reason))) for is_it, each in whens]
        described = rows.select(
            source=pl.lit(name),
            reason=pl.coalesce(*reasons),
            message=pl.coalesce(*texts),
            same_as=pl.when(pl.col("file").is_not_null()).then(pl.struct("file", "record")),
        )
        addresses = exact.addresses(part.keys, rows["row"])
        raw = raw.filter(pl.col("record").is_in(addresses["record"].unique().implode()))
        rejects = pl.concat([addresses, described], how="horizontal")
        rejects = rejects.join(raw, on=["file", "record"], how="left", maintain_order="left")
        rejects = rejects.select("source", "file", "record", "reason", "message", "same_as", "raw")
        return raw_for_some(rejects).write_ndjson().encode()


def cut(data: bytes, keys: Path, lengths: Sequence[int]) -> list[bytes]:
    """The lines of a part in pieces, written and dropped in turn, `lengths` as in `outputs.shard_index.Place`."""
    begins = exact.read(keys, "begin")["begin"].append(pl.Series([len(data)], dtype=pl.UInt32))
    borders = begins[list(accumulate(lengths))]
    return [data[begin:end] for begin, end in pairwise([0, *borders, len(data)])]


def are_lines(pieces: Sequence[bytes], lengths: Sequence[int]) -> bool:
    """Whether each piece has this number of whole lines."""
    return len(pieces) == len(lengths) and all(
        piece.count(b"\n") == length and (piece.endswith(b"\n") or not piece)
        for piece, length in zip(pieces, lengths, strict=True)
    )
