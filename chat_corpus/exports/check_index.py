"""The index of a source: its counts are those of the ledger, its rows whole, its ids those of the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from chat_corpus.exports.check_rules import Offence
from chat_corpus.exports.manifest import MANIFEST, ExportFile, ExportSummary

_DUPLICATE = "duplicate"


def offences(folder: Path, file: ExportFile, summary: ExportSummary, ids: pl.Series | None) -> Iterator[Offence]:
    """Whether the index of a source has as many records in each split, and left out for each reason, as the ledger.

    `ids` are hashes of the ids of the records of the source; None if they are unknown.
    """
    (source,) = [one for one in summary.sources if one.name == file.source]
    try:
        index = pl.scan_parquet(folder / file.path, glob=False)
        counts = index.group_by(pl.coalesce("split", "reason").alias("where")).agg(pl.len()).collect()
        files = [one.file for one in source.raw]
        wrong = index.with_row_index("row", offset=1).filter(_is_wrong(files)).select("row").collect()["row"]
        written = index.filter(pl.col("split").is_not_null()).select(pl.col("id").hash().sort()).collect()["id"]
    except (OSError, pl.exceptions.PolarsError) as error:
        yield Offence(path=file.path, rule="index", message=f"cannot be read: {str(error).splitlines()[0]}")
        return
    found, expected = dict(counts.iter_rows()), {**source.ledger.written, **source.ledger.records_dropped}
    if found != {name: number for name, number in expected.items() if number}:
        yield Offence(path=file.path, rule="index", message=f"{found} records found, {expected} in {MANIFEST}")
    for row in wrong:
        message = "id, dialogue_id or address is missing, or the address is in no raw file of the source"
        yield Offence(path=file.path, line=row, rule="index", message=message)
    if ids is not None and not ids.sort().equals(written):
        yield Offence(path=file.path, rule="index", message="its ids are not those of the records")


def _is_wrong(files: list[str]) -> pl.Expr:
    """Whether a row of an index lacks what each has; only a duplicate has no id."""
    known = pl.col("file").is_in(files) if files else pl.lit(value=True)
    sound = (
        (pl.col("id").is_not_null() | (pl.col("reason") == _DUPLICATE))
        & (pl.col("dialogue_id").is_not_null() & pl.col("file").is_not_null() & known)
        & (pl.col("record") > 0)
    )
    return ~sound.fill_null(value=False)
