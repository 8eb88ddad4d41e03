"""Verify an export: every record, every file, every count. Reads as a stream, and trusts nothing that it reads.

The rules R1 to R10 are what the trainers need of a record:

R1   a message has exactly `role` and `content`, both texts       R6   UTF-8, LF, one record a line
R2   no content is blank                                          R7   no lone surrogates
R3   user and assistant alternate, from user, of even number;     R8   no special tokens
     a system message comes first, or not at all                  R9   no record is empty
R4   all rows of a file have the same columns and types           R10  rows are in the order that the manifest says
R5   the columns are messages, source and id

Parquet files are held to the rules. Files of other formats must be byte for byte what those rows give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import check_rules, check_texts, manifest, splitting
from chat_corpus.exports.check_rules import Offence
from chat_corpus.exports.documents import DOCUMENT, documents
from chat_corpus.exports.manifest import INDEX, MANIFEST, ExportFile, ExportSummary
from chat_corpus.messages import Message, error_text, message

_BLOCK = 1 << 20
#: Rows that are checked together.
_BATCH = 50_000


def check_export(folder: Path) -> Iterator[Offence]:
    """Yield every offence of an export: those of files first, then those of records.

    Raises UsageError if the folder is not an export, and ChatCorpusError if its manifest cannot be read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            message(
                "{folder}: has no {file}; name the folder that 'chat-corpus export' wrote", folder=folder, file=MANIFEST
            )
        )
    try:
        summary = manifest.decode(path.read_bytes())
    except (OSError, ValueError) as error:
        fault = message("{file}: {error}; export again", file=path, error=error_text(error))
        raise ChatCorpusError(fault) from error
    yield from _files(folder, summary)
    yield from _counts(summary)
    present = [file for file in summary.files if (folder / file.path).is_file()]
    yield from _records(folder, summary, [file for file in present if file.format == "hf"])
    yield from check_texts.offences(
        folder, [file for file in present if file.format not in ("hf", INDEX, DOCUMENT)], summary
    )
    for file in present:
        if file.format == INDEX:
            yield from _index(folder, file, summary)


def _index(folder: Path, file: ExportFile, summary: ExportSummary) -> Iterator[Offence]:
    """Check that an index has as many records in each split, and dropped for each reason, as the ledger."""
    (ledger,) = [source.ledger for source in summary.sources if source.name == file.source]
    try:
        lazy = pl.scan_parquet(folder / file.path, glob=False)
        counts = lazy.group_by(pl.coalesce("split", "reason").alias("where")).agg(pl.len()).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        yield Offence(path=file.path, rule="index", message=unreadable(error))
        return
    actual, expected = dict(counts.iter_rows()), {**ledger.written, **ledger.records_dropped}
    if actual != {name: number for name, number in expected.items() if number}:
        text = message(
            "records in the index: {found}; in {manifest}: {expected}",
            found=_listed(actual),
            manifest=MANIFEST,
            expected=_listed(expected),
        )
        yield Offence(path=file.path, rule="index", message=text)


def unreadable(error: Exception) -> Message:
    """Return the message for a file that cannot be read, with the first line of the error."""
    return message("cannot be read: {error}", error=str(error).partition("\n")[0])


def _listed(counts: Mapping[str, int]) -> str:
    """Counts by name, in order of name: `test 3, train 97`."""
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or "0"


def _files(folder: Path, summary: ExportSummary) -> Iterator[Offence]:
    """Files that are missing, changed, or not in the manifest; and documents that contradict it."""
    listed = {file.path for file in summary.files} | {MANIFEST}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)  # which no loader reads
        if not path.is_dir() and not is_hidden and name not in listed:
            text = message("not in {manifest}; remove it, since loaders may read it as data", manifest=MANIFEST)
            yield Offence(path=name, rule="files", message=text)
    for file in summary.files:
        path = folder / file.path
        if not path.is_file():
            text = message("missing, but {manifest} lists it", manifest=MANIFEST)
            yield Offence(path=file.path, rule="files", message=text)
        elif _digest(path) != file.sha256:
            text = message("changed: its SHA-256 differs from the one in {manifest}", manifest=MANIFEST)
            yield Offence(path=file.path, rule="sha256", message=text)
    for name, content in documents(summary).items():
        path = folder / name
        if path.is_file() and path.read_bytes() != content:
            text = message("differs from the document that {manifest} gives", manifest=MANIFEST)
            yield Offence(path=name, rule="documents", message=text)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _counts(summary: ExportSummary) -> Iterator[Offence]:
    """Sums of the manifest that do not balance."""
    for source in summary.sources:
        for imbalance in source.ledger.imbalances():
            text = message("{source}: {imbalance}", source=source.name, imbalance=imbalance)
            yield Offence(path=MANIFEST, rule="counts", message=text)
        written = {split: rows for split, rows in source.ledger.written.items() if rows}
        if written != summary.splits(source.name):
            text = message(
                "{source}: records written: {written}; rows of its files: {rows}",
                source=source.name,
                written=_listed(written),
                rows=_listed(summary.splits(source.name)),
            )
            yield Offence(path=MANIFEST, rule="counts", message=text)


@dataclass(kw_only=True)
class _Seen:
    """What has been read so far: ids by source, and the content groups of test and validation with their address."""

    ids: dict[str, list[pl.Series]] = field(default_factory=dict)
    groups: dict[str, list[pl.DataFrame]] = field(default_factory=dict)


def _records(folder: Path, summary: ExportSummary, files: list[ExportFile]) -> Iterator[Offence]:
    """Offences of the records of Parquet files. Train is read last, so that its groups need not be remembered."""
    seen = _Seen()
    for split in reversed(splitting.SPLITS):
        for file in files:
            if file.split == split:
                yield from _file(folder, file, summary, seen)
    for source, ids in seen.ids.items():
        together = pl.concat(ids)
        repeated = together.filter(together.is_duplicated()).unique()
        if len(repeated):
            yield from _addresses(folder, [file for file in files if file.source == source], repeated)


def _file(folder: Path, file: ExportFile, summary: ExportSummary, seen: _Seen) -> Iterator[Offence]:
    rows, last = 0, None
    for frame in batches(folder / file.path):
        if isinstance(frame, Message):
            yield Offence(path=file.path, rule="R4", message=frame)
            return
        yield from check_rules.offences(frame, file, rows)
        if summary.order == "shuffled":
            keys = splitting.order_keys(frame["id"].fill_null(""))
            yield from check_rules.disorder(keys, last, file, rows)
            last = int(keys[-1])
        seen.ids.setdefault(str(file.source), []).append(frame["id"].drop_nulls().hash())
        if summary.group_of == "record":
            yield from _groups(frame, file, rows, seen)
        rows += len(frame)
    if rows != file.rows:
        yield Offence(path=file.path, rule="counts", message=check_rules.wrong_rows(rows, file))


def batches(path: Path) -> Iterator[pl.DataFrame | Message]:
    """Yield the rows of a Parquet file in batches; if it cannot be read or has other columns, a message says so."""
    try:
        schema = pl.read_parquet_schema(path)
        if dict(schema) != dict(check_rules.PARQUET) or list(schema) != list(check_rules.PARQUET):
            yield message(
                "columns found: {found}; expected: {expected}", found=dict(schema), expected=dict(check_rules.PARQUET)
            )
            return
        lazy, start = pl.scan_parquet(path, glob=False), 0
        while len(frame := lazy.slice(start, _BATCH).collect()):
            yield frame
            start += len(frame)
    except (OSError, pl.exceptions.PolarsError) as error:
        yield unreadable(error)


def _groups(frame: pl.DataFrame, file: ExportFile, before: int, seen: _Seen) -> Iterator[Offence]:
    """Rows with a content group that a different split has too."""
    split = str(file.split)
    groups = check_rules.groups(frame, before).with_columns(path=pl.lit(file.path))
    for other, frames in seen.groups.items():
        if other != split:
            together = pl.concat(frames).unique("group", keep="first", maintain_order=True)
            both = groups.join(together, on="group", how="inner", suffix="_other", maintain_order="left")
            for row, path, line in both.select("row", "path_other", "row_other").iter_rows():
                text = message(
                    "begins like {path}:{line} of split {split}; records that begin alike must be in one split",
                    path=path,
                    line=line,
                    split=other,
                )
                yield Offence(path=file.path, line=row, rule="split", message=text)
    if split != "train":
        seen.groups.setdefault(split, []).append(groups)


def _addresses(folder: Path, files: list[ExportFile], repeated: pl.Series) -> Iterator[Offence]:
    """Rows with an id whose hash is one of these."""
    for file in files:
        rows = 0
        for frame in batches(folder / file.path):
            if isinstance(frame, Message):
                break
            same = frame["id"].hash().is_in(repeated.implode()).arg_true()
            for index in same:
                text = message("more than one record has the id {id}", id=frame["id"][index])
                yield Offence(path=file.path, line=rows + index + 1, rule="id", message=text)
            rows += len(frame)
