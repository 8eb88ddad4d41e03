"""Verify the index of a source: its counts must equal the ledger, and its ids the records; each row must be valid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from chat_corpus.exports.check_rules import Offence, counted
from chat_corpus.exports.manifest import ExportFile, ExportSource, ExportSummary
from chat_corpus.messages import Message, message

_DUPLICATE, _TWIN = "duplicate", "held_twin"
#: `dialogue_id` is `file:record`, where the dialogue begins, and `#number` if it is not the first one in the record.
_DIALOGUE_ID = r"^(.+):([1-9][0-9]*)(?:#[0-9]+)?$"


def offences(folder: Path, file: ExportFile, summary: ExportSummary, ids: pl.Series | None) -> Iterator[Offence]:
    """Yield the offences of the index of a source.

    The number of records in each split, and of dropped records by reason, must be as in the ledger. `ids` are hashes of
    the ids of the records of the source; None to skip the comparison of ids.
    """
    (source,) = [one for one in summary.sources if one.name == file.source]
    try:
        index = pl.scan_parquet(folder / file.path, glob=False)
        counts = index.group_by(pl.coalesce("split", "reason").alias("where")).agg(pl.len()).collect()
        rows = list(_wrong_rows(index, source))
        written = index.filter(pl.col("split").is_not_null()).select(pl.col("id").hash().sort()).collect()["id"]
    except (OSError, pl.exceptions.PolarsError) as error:
        fault = message("cannot be read: {error}", error=str(error).splitlines()[0])
        yield Offence(path=file.path, rule="index", message=fault)
        return
    found, ledger = dict(counts.iter_rows()), {**source.ledger.written, **source.ledger.records_dropped}
    expected = {name: number for name, number in ledger.items() if number}
    if found != expected:
        fault = message(
            "records found: {found}; in the manifest: {expected}", found=counted(found), expected=counted(expected)
        )
        yield Offence(path=file.path, rule="index", message=fault)
    for row, fault in rows:
        yield Offence(path=file.path, line=row, rule="index", message=fault)
    if ids is not None and not ids.sort().equals(written):
        yield Offence(path=file.path, rule="index", message=message("its ids are not those of the records"))


def _wrong_rows(index: pl.LazyFrame, source: ExportSource) -> Iterator[tuple[int, Message]]:
    """Yield number (from 1) and fault of each row that has missing or extra values, or an impossible address."""
    checks = (
        (
            ~_is_whole(),
            message("a value is missing or too much: see the columns of the index in the documentation"),
        ),
        (~_is_address(source), message("the address is in no raw file of the source, or after its last record")),
        (~_is_of_dialogue(), message("dialogue_id is not the address of a record, or not in the order of its file")),
    )
    faulty = [check.fill_null(value=True).alias(str(number)) for number, (check, _) in enumerate(checks)]
    frame = index.with_columns(_begin()).with_row_index("row", offset=1).select("row", *faulty)
    found = frame.filter(pl.any_horizontal(str(number) for number in range(len(checks)))).collect()
    for row, *wrong in found.iter_rows():
        yield row, next(text for is_wrong, (_, text) in zip(wrong, checks, strict=True) if is_wrong)


def _begin() -> pl.Expr:
    """Return the column `begin`: a struct with the file and record where the dialogue begins, from `dialogue_id`."""
    parts = pl.col("dialogue_id").str.extract_groups(_DIALOGUE_ID)
    return pl.struct(file=parts.struct.field("1"), record=parts.struct.field("2").cast(pl.UInt32, strict=False)).alias(
        "begin"
    )


def _is_whole() -> pl.Expr:
    """Return whether a row has exactly the values that it needs.

    A row has a split or a reason, and always an address. Only a duplicate has no id but has `same_as`; only a held twin
    has `resembles`.
    """
    reason = pl.col("reason").fill_null("")
    return (
        (pl.col("split").is_null() == pl.col("reason").is_not_null())
        & (pl.col("id").is_null() == (reason == _DUPLICATE))
        & (pl.col("same_as").is_not_null() == (reason == _DUPLICATE))
        & (pl.col("resembles").is_not_null() == (reason == _TWIN))
        & pl.all_horizontal(pl.col("dialogue_id", "file", "record").is_not_null())
    )


def _is_address(source: ExportSource) -> pl.Expr:
    """Return whether the address of a row is a record of a raw file of the source.

    The last record is unknown if a file has no number of records in the manifest.
    """
    records = {one.file: one.records for one in source.raw}
    last = pl.col("file").replace_strict(
        list(records), [(1 << 32) - 1 if number is None else number for number in records.values()],
        default=0, return_dtype=pl.UInt32,
    )  # fmt: skip
    return (pl.col("record") > 0) & (pl.col("record") <= last)


def _is_of_dialogue() -> pl.Expr:
    """Return whether the dialogue of a row begins in the file of the row, in the order of the dialogues there."""
    begin = pl.col("begin").struct.field("record")
    ordered = begin >= begin.shift(1).over("file").fill_null(0)
    return (pl.col("begin").struct.field("file") == pl.col("file")) & ordered
