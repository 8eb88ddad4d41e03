"""From the parts of a source to its files: `<source>.tsv` and `rejects/<source>.jsonl`, both or neither."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from chat_corpus import distinct
from chat_corpus.errors import LedgerError
from chat_corpus.ledger import Counts
from chat_corpus.schema import Reason
from chat_corpus.work import Part, staged

_BLOCK = 1 << 20


#: The raw records, `file, line, raw`, that the part at this place among the parts was made from.
RawOf = Callable[[int], pl.DataFrame]


def merge(name: str, parts: Sequence[Part], out: Path, counts: Counts, raw_of: RawOf | None = None) -> None:
    """Write the files of source `name` under `out` from its finished parts.

    With `raw_of`, the parts have keys: each pair is written once, and the rejects show the raw records of the others.
    Adds the duplicates to `counts`. Raises LedgerError where the files do not hold what was counted; the old files then
    stay as they were.
    """
    repeats = distinct.repeated([part.keys for part in parts]) if raw_of and parts else None
    duplicates = 0 if repeats is None else len(repeats)
    counts.duplicates += duplicates
    counts.written -= duplicates
    counts.check(name)
    (out / "rejects").mkdir(parents=True, exist_ok=True)
    with staged(out / f"{name}.tsv") as pairs, staged(out / "rejects" / f"{name}.jsonl") as rejects:
        _join([part.rejects for part in parts], rejects)
        if raw_of is None or repeats is None or repeats.is_empty():
            _join([part.pairs for part in parts], pairs)
        else:
            _distinct(name, parts, repeats, raw_of, pairs, rejects)
        _count(pairs, counts.written, f"{name}.tsv")
        _count(rejects, counts.turns_rejected.total() + duplicates, f"rejects/{name}.jsonl")


def _join(parts: Sequence[Path], target: Path) -> None:
    with target.open("wb") as joined:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, joined, _BLOCK)


def _distinct(
    name: str, parts: Sequence[Part], repeats: pl.DataFrame, raw_of: RawOf, pairs: Path, rejects: Path
) -> None:
    """Write the pairs that are no repeats, and add the repeats to the rejects."""
    first = 0
    with pairs.open("wb") as kept, rejects.open("ab") as told:
        for number, part in enumerate(parts):
            lines = part.pairs.read_bytes().splitlines(keepends=True)
            mine = repeats.filter(pl.col("row").is_between(first, first + len(lines), closed="left"))
            dropped = mine.with_columns(pl.col("row") - first)
            left_out = set(dropped["row"])
            kept.writelines(line for row, line in enumerate(lines) if row not in left_out)
            if left_out:
                _duplicates(name, part, dropped, raw_of(number)).write_ndjson(told)
            first += len(lines)


def _duplicates(name: str, part: Part, dropped: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """The rejects of repeated pairs: the address of the query, its raw record, and where the pair stands first."""
    own = pl.read_ipc(part.keys, columns=["file", "line"])[dropped["row"]]
    told = own.with_columns(
        source=pl.lit(name),
        reason=pl.lit(str(Reason.DUPLICATE)),
        detail=pl.format("the same pair stands at {}:{}", dropped["file"], dropped["line"]),
    )
    whole = told.join(raw, on=["file", "line"], how="left", maintain_order="left")
    return whole.select("source", "file", "line", "reason", "detail", "raw")


def _count(path: Path, expected: int, name: str) -> None:
    with path.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(_BLOCK), b""))
    if lines != expected:
        raise LedgerError(
            f"{name}: {lines} rows were written, {expected} accounted for; the old file was left as it was"
        )
