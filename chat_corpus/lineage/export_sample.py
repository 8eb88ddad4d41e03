"""Random records of an export, before and after cleaning; their dialogues are read again from the raw files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports.manifest import INDEX
from chat_corpus.lineage.export_trace import TracedRecord, trace_records
from chat_corpus.lineage.open_export import OpenExport, open_export
from chat_corpus.lineage.sample import check_names
from chat_corpus.lineage.sample_model import Sample, SampledRow, SampledText, SampleRequest, allot, without_rows
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.outputs import sampling

#: Number of records that are drawn for each changed record that is requested.
_TRIES = 10


def sample_export(folder: Path, request: SampleRequest) -> Sample:
    """Return random records of an export; if `request.rejected` is set, records that are in no split.

    Raises UsageError if the folder has no manifest, or has no requested source or reason. Raises ChatCorpusError if the
    export cannot be read or, if only changed records are requested, if the raw files cannot be read again.
    """
    export = open_export(folder, request.raw, request.plugins, request.places)
    available = [one.name for one in export.summary.sources]
    check_names(folder, request.sources, available)
    indices = {name: _index(export, name, request) for name in available if name in (request.sources or available)}
    totals = {name: int(_read(folder, index.select(pl.len())).item()) for name, index in indices.items()}
    if request.reason and not any(totals.values()) and request.reason not in (known := _reasons(export, available)):
        raise UsageError(
            message(
                "{folder}: no record has the reason '{reason}'; reasons here: {reasons}",
                folder=folder,
                reason=request.reason,
                reasons=joined(", ", sorted(known)) if known else message("none"),
            )
        )
    rows: list[SampledRow] = []
    remarks = without_rows(request, totals)
    for name, count in allot(request.count, totals).items():
        drawn = count * _TRIES if request.changed else count
        numbers = sampling.draw(totals[name], drawn, request.seed, name)
        found = indices[name].with_row_index("number").filter(pl.col("number").is_in(numbers))
        places = _read(folder, found).rows(named=True)
        sampled = _rows(export, places, remarks, changed=request.changed)
        if request.changed:
            sampled = [row for row in sampled if any(text.changed for text in row.texts)][:count]
            if len(sampled) < count:
                remarks.append(_few(name, len(sampled), len(places)))
        rows += sampled
    return Sample(rows=tuple(rows), remarks=tuple(remarks))


def _few(name: str, found: int, drawn: int) -> Message:
    return message(
        "{source}: {found} found among the {drawn:,} that were drawn",
        source=name,
        found=count_noun(found, "changed record"),
        drawn=drawn,
    )


def _index(export: OpenExport, name: str, request: SampleRequest) -> pl.LazyFrame:
    """Return the index rows of the records to draw from: those in a split, or the requested ones in no split."""
    index = pl.scan_parquet(export.folder / INDEX / f"{name}.parquet", glob=False)
    if not request.rejected:
        return index.filter(pl.col("reason").is_null())
    return index.filter(pl.col("reason") == request.reason if request.reason else pl.col("reason").is_not_null())


def _reasons(export: OpenExport, names: Sequence[str]) -> set[str]:
    """Return the values of `reason` in the index of an export, which is set for records in no split."""
    indices = [pl.scan_parquet(export.folder / INDEX / f"{name}.parquet", glob=False) for name in names]
    reasons = pl.concat([index.select(pl.col("reason").drop_nulls()) for index in indices]).unique()
    return set(_read(export.folder, reasons)["reason"])


def _read(folder: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ChatCorpusError(
            message("{folder}: its index cannot be read: {error}; export again", folder=folder, error=str(error))
        ) from error


def _rows(
    export: OpenExport, places: Sequence[dict[str, Any]], remarks: list[Message], *, changed: bool
) -> list[SampledRow]:
    """Return the records for rows of the index; a duplicate has the texts of the record that it equals.

    If the raw files cannot be read again, the records lack the texts before cleaning, and a remark gives the reason;
    with `changed`, ChatCorpusError is raised.
    """
    ids = [place["id"] or place["same_as"] for place in places]
    try:
        traced = {one.id: one for one in trace_records(export, list(dict.fromkeys(ids)))}
    except ChatCorpusError as error:
        if changed:
            raise
        remarks.append(message("no texts before cleaning: {reason}", reason=error.message))
        texts = dict(_written(export, set(ids)))
        return [_row(place, texts.get(id_, ())) for id_, place in zip(ids, places, strict=True)]
    return [_row(place, tuple(_texts(traced[id_]))) for id_, place in zip(ids, places, strict=True)]


def _row(place: dict[str, Any], texts: tuple[SampledText, ...]) -> SampledRow:
    """Return a record. One in no split has a reason and, as message, the record that it equals or resembles."""
    address = f"{place['file']}:{place['record']}"
    other = place["same_as"] or place["resembles"]
    return SampledRow(
        source=str(place["id"] or place["same_as"]).rpartition("-")[0],
        address=place["id"] or address,
        texts=texts,
        reason=place["reason"],
        message=other,
    )


def _texts(traced: TracedRecord) -> Iterator[SampledText]:
    for one in traced.messages:
        first = one.turns[0] if one.turns else None
        yield SampledText(
            role=one.role,
            address=f"{first.file}:{first.record}" if first else None,
            before="\n".join(turn.read for turn in one.turns) if one.turns else None,
            after=one.content,
        )


def _written(export: OpenExport, ids: Iterable[str]) -> Iterator[tuple[str, tuple[SampledText, ...]]]:
    """Yield the ids of records and their messages from the Parquet files, without texts before cleaning."""
    for file in export.summary.data_files():
        frame = pl.scan_parquet(export.folder / file.path, glob=False).filter(pl.col("id").is_in(list(ids)))
        for id_, messages in _read(export.folder, frame.select("id", "messages")).iter_rows():
            yield (
                id_,
                tuple(
                    SampledText(role=one["role"], address=None, before=None, after=one["content"]) for one in messages
                ),
            )
