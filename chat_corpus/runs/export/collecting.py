"""Collect the files of an export after its records are written: number Parquet files, and join files from pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from chat_corpus.exports import manifest
from chat_corpus.exports.manifest import ExportFile
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.files.atomic import BLOCK
from chat_corpus.runs.export.job import ExportJob, SourceExport
from chat_corpus.runs.export.twins import held_records
from chat_corpus.runs.export.writing import IDS, INDEX, WriteTask, Written


def collect(job: ExportJob, name: str, written: Sequence[tuple[WriteTask, Written]]) -> list[ExportFile]:
    """Number the Parquet files of a source, or of the mix, and join the pieces of other formats. Return all files."""
    files = []
    for split in SPLITS:
        own = [(task, made) for task, made in written if task.split == split and made.rows]
        for number, (task, made) in enumerate(own):  # a range without records has no file
            path = f"data/{name}/{split}-{number:05d}.parquet"
            (job.files / task.parquet).replace(job.files / path)
            files.append(
                ExportFile(
                    path=path, format="hf", bytes=made.bytes, sha256=made.sha256, source=name, split=split,
                    rows=made.rows,
                )
            )  # fmt: skip
        for format_ in (FORMATS[one] for one in job.options.formats if own):
            rows = sum(made.pieces[format_.name] for _, made in own)
            if not rows:  # for example, most sources have no preferences
                continue
            path = f"{format_.name}/{name}/{split}.{format_.suffix}"
            pieces = [task.piece(format_.name) for task, _ in own]
            about = (format_.name, name, split, rows)
            files.append(_joined(job, path, pieces, about, format_.header, format_.separator))
            if not format_.carries_id:
                pieces = [task.piece(format_.name + IDS) for task, _ in own]
                files.append(_joined(job, f"{path}.ids.jsonl", pieces, ("ids", name, split, rows)))
    return files


def _joined(
    job: ExportJob,
    path: str,
    pieces: Sequence[Path],
    about: tuple[str, str, str, int],
    header: bytes = b"",
    separator: bytes = b"",
) -> ExportFile:
    """Join pieces into a file, with a separator between them, and delete the pieces.

    `about` has the format, the source, the split and the number of rows of the file.
    """
    place, digest, size = job.files / path, hashlib.sha256(header), len(header)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as target:
        target.write(header)
        for number, piece in enumerate(pieces):
            between = separator if number else b""
            digest.update(between)
            size += target.write(between)
            with piece.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    size += target.write(block)
            piece.unlink()
    format_, source, split, rows = about
    return ExportFile(
        path=path, format=format_, bytes=size, sha256=digest.hexdigest(), source=source, split=split, rows=rows
    )


def index_file(job: ExportJob, one: SourceExport) -> ExportFile:
    """Join the index of a source from its parts."""
    path = job.files / "index" / f"{one.name}.parquet"
    path.parent.mkdir(exist_ok=True)
    frames = [INDEX.to_frame().lazy(), *(pl.scan_ipc(part.index, glob=False) for part in one.parts)]
    pl.concat(frames).sink_parquet(
        path, compression="zstd", compression_level=3, row_group_size=65_536, maintain_order=True
    )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    rows = pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    return ExportFile(
        path=f"index/{one.name}.parquet", format=manifest.INDEX, bytes=path.stat().st_size, sha256=digest,
        source=one.name, rows=rows,
    )  # fmt: skip


def held_file(job: ExportJob, one: SourceExport) -> ExportFile | None:
    """Write the records of a source that are held as near twins; None if there are none."""
    path = job.files / "held" / f"{one.name}.jsonl"
    digest, size, rows = hashlib.sha256(), 0, 0
    for part in one.parts:
        data, number = held_records(part)
        if not number:
            continue
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as target:
            target.write(data)
        digest.update(data)
        size, rows = size + len(data), rows + number
    if not rows:
        return None
    return ExportFile(
        path=f"held/{one.name}.jsonl", format=manifest.HELD, bytes=size, sha256=digest.hexdigest(), source=one.name,
        rows=rows,
    )  # fmt: skip
