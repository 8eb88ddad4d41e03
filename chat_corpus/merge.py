"""From the parts of a source to its files: `<source>.tsv` and `rejects/<source>.jsonl`, each whole or absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from chat_corpus import distinct
from chat_corpus.errors import LedgerError
from chat_corpus.ledger import Counts
from chat_corpus.schema import Reason
from chat_corpus.work import Part, whole


def merge(name: str, parts: Sequence[Part], out: Path, counts: Counts, *, with_keys: bool) -> None:
    """Write the files of source `name` under `out`; where the parts have keys, each pair once.

    Adds the duplicates to `counts`. Raises LedgerError where the files do not hold what was counted.
    """
    repeats = distinct.repeated([part.keys for part in parts]) if with_keys and parts else None
    rejects = out / "rejects" / f"{name}.jsonl"
    rejects.parent.mkdir(parents=True, exist_ok=True)
    duplicates = 0 if repeats is None else len(repeats)
    counts.duplicates += duplicates
    counts.written -= duplicates
    counts.check(name)
    expected = counts.turns_rejected.total() + duplicates
    whole(rejects, lambda path: _rejects(path, name, parts, repeats, expected))
    whole(out / f"{name}.tsv", lambda path: _pairs(path, name, parts, repeats, counts.written))


def _pairs(path: Path, name: str, parts: Sequence[Part], repeats: pl.DataFrame | None, expected: int) -> None:
    with path.open("wb") as target:
        if repeats is None or repeats.is_empty():
            for part in parts:
                with part.pairs.open("rb") as stream:
                    shutil.copyfileobj(stream, target, 1 << 20)
        else:
            for lines, dropped in _lines(parts, repeats):
                target.writelines(line for row, line in enumerate(lines) if row not in dropped)
    _count(path, expected, f"{name}.tsv")


def _lines(parts: Sequence[Part], repeats: pl.DataFrame) -> Iterator[tuple[list[bytes], dict[int, tuple[str, int]]]]:
    """The TSV lines of each part, and the rows among them to leave out with the address of their first occurrence."""
    first = 0
    for part in parts:
        lines = part.pairs.read_bytes().splitlines(keepends=True)
        mine = repeats.filter(pl.col("row").is_between(first, first + len(lines), closed="left"))
        yield lines, {row - first: (file, line) for row, file, line in mine.iter_rows()}
        first += len(lines)


def _rejects(path: Path, name: str, parts: Sequence[Part], repeats: pl.DataFrame | None, expected: int) -> None:
    with path.open("wb") as target:
        for part in parts:
            with part.rejects.open("rb") as stream:
                shutil.copyfileobj(stream, target, 1 << 20)
        if repeats is not None:
            for part, (lines, dropped) in zip(parts, _lines(parts, repeats), strict=True):
                _duplicates(part, name, lines, dropped).write_ndjson(target)
    _count(path, expected, f"rejects/{name}.jsonl")


def _duplicates(part: Part, name: str, lines: list[bytes], dropped: dict[int, tuple[str, int]]) -> pl.DataFrame:
    rows = pl.read_ipc(part.keys, columns=["file", "line"])[list(dropped)]
    return rows.select(
        "file",
        "line",
        source=pl.lit(name),
        reason=pl.lit(str(Reason.DUPLICATE)),
        detail=pl.Series(
            [f"the same pair stands at {file}:{line}" for file, line in dropped.values()], dtype=pl.String
        ),
        raw=pl.Series([lines[row].decode("utf-8").rstrip("\n") for row in dropped], dtype=pl.String),
    ).select("source", "file", "line", "reason", "detail", "raw")


def _count(path: Path, expected: int, name: str) -> None:
    with path.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
    if lines != expected:
        raise LedgerError(
            f"{name}: {lines} rows were written, {expected} accounted for; the old file was left as it was"
        )
