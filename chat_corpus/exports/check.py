"""Verify an export: every record, every file, every count. Files are read in batches, and no content is trusted.

The rules R1 to R10 are what trainers require:

R1   a message has exactly `role` and `content`, both texts       R6   UTF-8, LF, one record a line
R2   no content is blank                                          R7   no lone surrogates
R3   user and assistant alternate, user first, in even number;    R8   no special tokens
     a system message, if any, comes first                        R9   no record is empty
R4   all rows of a file have the same columns and types           R10  rows are in the order that the manifest states
R5   the columns are messages, source and id, and relatedness if the settings of the export require it

No record of train may resemble a record of validation or test. The rules are checked on Parquet files. Files of other
formats must have exactly the bytes that the Parquet rows give; files of preferences, which hold texts that are in no
Parquet file, are checked line by line. The manifest has the SHA-256 of every file, and of its content.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import (
    check_index,
    check_manifest,
    check_mix,
    check_rules,
    check_texts,
    manifest_file,
    near_twins,
    splitting,
)
from chat_corpus.exports.check_rules import Offence, counted
from chat_corpus.exports.documents import DOCUMENT, documents
from chat_corpus.exports.manifest import HELD, INDEX, MANIFEST, PAGE, STATISTICS, ExportFile, ExportSummary
from chat_corpus.exports.twin_index import EVALUATION, TwinIndex, build_index
from chat_corpus.messages import Message, error_text, message

_BLOCK = 1 << 20
#: Number of rows that are checked at a time.
_BATCH = 50_000
#: Exceptions that edited or damaged data can raise.
_STOPS = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, OSError,
    pl.exceptions.PolarsError,
)  # fmt: skip


def check_export(folder: Path) -> Iterator[Offence]:
    """Yield every offence of an export: those of files first, then those of records.

    Raises UsageError if the folder is no export, and ChatCorpusError if its manifest cannot be read.
    """
    manifest_file.check_name(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            message(
                "{folder}: has no {file}; name the folder that 'chat-corpus export' wrote", folder=folder, file=MANIFEST
            )
        )
    try:
        summary = manifest_file.decode(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ChatCorpusError(message("{file}: {error}; export again", file=path, error=error_text(error))) from error
    faults = list(check_manifest.offences(summary))
    yield from faults
    yield from _guarded(MANIFEST, _files(folder, summary))
    if faults:  # all further checks use these names
        return
    yield from _guarded(MANIFEST, _counts(summary))
    seen = _Seen()
    there = [one for one in summary.files if (folder / one.path).is_file()]
    yield from _guarded("data", _records(folder, summary, [one for one in there if one.format == "hf"], seen))
    texts = [one for one in there if one.format not in ("hf", INDEX, HELD, STATISTICS, DOCUMENT)]
    yield from _guarded(MANIFEST, check_texts.offences(folder, texts, summary))
    for one in there:
        if one.format == INDEX:
            yield from _guarded(
                one.path, check_index.offences(folder, one, summary, _ids(seen, str(one.source), summary))
            )
        elif one.format == HELD:
            yield from _guarded(one.path, check_mix.held(folder, one, summary))


def _guarded(path: str, offences: Iterator[Offence]) -> Iterator[Offence]:
    """Yield the offences, and one more if edited data raise an exception. A bug in the check gives one too."""
    try:
        yield from offences
    except _STOPS as error:
        text = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
        yield Offence(path=path, rule="unreadable", message=message("the check stops here: {error}", error=text))


def _files(folder: Path, summary: ExportSummary) -> Iterator[Offence]:
    """Yield an offence for each file that is missing, changed or not in the manifest, and each edited document."""
    listed = {one.path for one in summary.files} | {MANIFEST}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield Offence(path=name, rule="files", message=message("a symbolic link; an export has none"))
            continue
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)  # loaders skip these
        if not path.is_dir() and not is_hidden and name not in listed and name != PAGE:
            fault = message("not in the manifest: loaders may take it for data; remove it")
            yield Offence(path=name, rule="files", message=fault)
    for one in summary.files:
        path = folder / one.path
        if not path.is_file():
            yield Offence(path=one.path, rule="files", message=message("missing, but in the manifest"))
        elif _digest(path) != one.sha256:
            fault = message("changed: its SHA-256 is not the one in the manifest")
            yield Offence(path=one.path, rule="sha256", message=fault)
    for name, content in documents(summary).items():
        path = folder / name
        if path.is_file() and path.read_bytes() != content:
            yield Offence(path=name, rule="documents", message=_document_fault(name))


def _document_fault(name: str) -> Message:
    if name == MANIFEST:
        return message("edited: its content does not have the SHA-256 that it states; export again")
    return message("not the document that the manifest gives; export again")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _counts(summary: ExportSummary) -> Iterator[Offence]:
    """Yield an offence for each sum of the manifest that does not balance."""
    for source in summary.sources:
        for imbalance in source.ledger.imbalances():
            fault = message("{source}: {fault}", source=source.name, fault=imbalance)
            yield Offence(path=MANIFEST, rule="counts", message=fault)
        written = {split: rows for split, rows in source.ledger.written.items() if rows}
        if written != summary.splits(source.name):
            fault = message(
                "{source}: written: {written}; rows of its files: {rows}",
                source=source.name, written=counted(written), rows=counted(summary.splits(source.name)),
            )  # fmt: skip
            yield Offence(path=MANIFEST, rule="counts", message=fault)


@dataclass(kw_only=True)
class _Seen:
    """What was read so far.

    ids      hashes of ids, by source, or under `mixed` for a mix
    groups   content groups of test and validation, with file and row, by split
    pairs    pairs of test and validation, which train must not resemble, before they are indexed
    indices  indices of these pairs
    rows     number of rows by source and split
    """

    ids: dict[str, list[pl.Series]] = field(default_factory=dict)
    groups: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    pairs: list[pl.DataFrame] = field(default_factory=list)
    indices: list[TwinIndex] = field(default_factory=list)
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)


def _ids(seen: _Seen, source: str, summary: ExportSummary) -> pl.Series | None:
    """Return hashes of the ids of a source; None for a mix, where the ids are not separated by source."""
    empty = pl.Series("id", dtype=pl.UInt64)
    return None if summary.mix is not None else pl.concat([empty, *seen.ids.get(source, [])])


def _records(folder: Path, summary: ExportSummary, files: list[ExportFile], seen: _Seen) -> Iterator[Offence]:
    """Yield the offences of the records of Parquet files.

    Train is read last, so that only the other splits, which are small, stay in memory.
    """
    for split in reversed(splitting.SPLITS):
        if split == "train":
            _index_pairs(seen)
        mixed = check_mix.MixedRows(summary.mix) if summary.mix is not None and split == "train" else None
        for one in files:
            if one.split == split:
                yield from _file(folder, one, summary, seen, mixed)
    for source, ids in seen.ids.items():
        together = pl.concat(ids)
        repeated = together.filter(together.is_duplicated()).unique()
        if len(repeated):
            own = [one for one in files if one.source == source]
            yield from _addresses(folder, own, repeated, check_rules.parquet_schema(summary))
    if summary.mix is not None:
        yield from check_mix.counts(summary, seen.rows)


def _index_pairs(seen: _Seen) -> None:
    """Build indices of the pairs of test and validation, with at most `INDEX_PAIRS` pairs each."""
    pairs = pl.concat([EVALUATION.to_frame(), *seen.pairs])
    seen.pairs.clear()
    for start in range(0, len(pairs), near_twins.INDEX_PAIRS):
        seen.indices.append(build_index(pairs[start : start + near_twins.INDEX_PAIRS]))


def _file(
    folder: Path, file: ExportFile, summary: ExportSummary, seen: _Seen, mixed: check_mix.MixedRows | None
) -> Iterator[Offence]:
    rows, last = 0, None
    sources = [one.name for one in summary.sources] if summary.mix is not None else [str(file.source)]
    for frame in batches(folder / file.path, check_rules.parquet_schema(summary)):
        if isinstance(frame, Message):
            yield Offence(path=file.path, rule="R4", message=frame)
            return
        yield from check_rules.offences(frame, file, rows, sources)
        yield from check_rules.wrong_ids(frame, file, rows, summary)
        if mixed is not None:
            yield from mixed.offences(frame, file, rows)
        elif summary.order == "shuffled":
            keys = splitting.order_keys(frame["id"].fill_null(""))
            yield from check_rules.disorder(keys, last, file, rows)
            last = last if keys[-1] is None else int(keys[-1])  # null if the id is malformed: an offence
        seen.ids.setdefault(str(file.source), []).append(frame["id"].drop_nulls().hash())
        seen.rows.update(
            {(name, str(file.split)): number for name, number in frame["source"].value_counts().iter_rows()}
        )
        if summary.group_of == "record":
            yield from _groups(frame, file, rows, seen)
        yield from _twins(frame, file, rows, seen)
        rows += len(frame)
    if rows != file.rows:
        fault = message("{found:,} rows found, {expected:,} in the manifest", found=rows, expected=file.rows or 0)
        yield Offence(path=file.path, rule="counts", message=fault)


def _twins(frame: pl.DataFrame, file: ExportFile, before: int, seen: _Seen) -> Iterator[Offence]:
    """Yield an offence for each row of train that resembles a row of validation or test. Remember the latter."""
    pairs = near_twins.pair_texts(frame["messages"]).drop_nulls()
    if file.split != "train":
        seen.pairs.append(pairs.select(id=frame["id"][pairs["row"]], text="text").drop_nulls())
        return
    found = near_twins.best_twins([near_twins.find_in_pairs(index, pairs) for index in seen.indices])
    for row, name, similarity in found.iter_rows():
        fault = message(
            "resembles {id} of another split ({similarity:.2f}): it must be held", id=name, similarity=similarity
        )
        yield Offence(path=file.path, line=before + row + 1, rule="twins", message=fault)


def batches(path: Path, schema: pl.Schema) -> Iterator[pl.DataFrame | Message]:
    """Yield the rows of a Parquet file in batches. Yield a message if the file has other columns or cannot be read."""
    try:
        lazy, start = pl.scan_parquet(path, glob=False), 0
        found = lazy.collect_schema()
        if dict(found) != dict(schema) or list(found) != list(schema):
            expected = str(dict(schema))
            yield message("columns {found} found, {expected} expected", found=str(dict(found)), expected=expected)
            return
        while len(frame := lazy.slice(start, _BATCH).collect()):
            yield frame
            start += len(frame)
    except (OSError, pl.exceptions.PolarsError) as error:
        yield message("cannot be read: {error}", error=str(error).splitlines()[0])


def _groups(frame: pl.DataFrame, file: ExportFile, before: int, seen: _Seen) -> Iterator[Offence]:
    """Yield an offence for each row with a content group that is also in a different split."""
    split = str(file.split)
    found = check_rules.groups(frame, before).with_columns(path=pl.lit(file.path))
    for other, frames in seen.groups.items():
        if other != split:
            together = pl.concat(frames).unique("group", keep="first", maintain_order=True)
            both = found.join(together, on="group", how="inner", suffix="_other", maintain_order="left")
            for row, path, line in both.select("row", "path_other", "row_other").iter_rows():
                fault = message(
                    "begins like a record of {split}, {file}:{row}: a content group must be in one split",
                    split=other, file=path, row=line,
                )  # fmt: skip
                yield Offence(path=file.path, line=row, rule="split", message=fault)
    if split != "train":
        seen.groups.setdefault(split, []).append(found)


def _addresses(folder: Path, files: list[ExportFile], repeated: pl.Series, schema: pl.Schema) -> Iterator[Offence]:
    """Yield an offence for each row with an id that has one of the hashes `repeated`."""
    for file in files:
        rows = 0
        for frame in batches(folder / file.path, schema):
            if isinstance(frame, Message):
                break
            same = frame["id"].hash().is_in(repeated.implode()).arg_true()
            for at in same:
                fault = message("id {id} is there more than once", id=frame["id"][at])
                yield Offence(path=file.path, line=rows + at + 1, rule="id", message=fault)
            rows += len(frame)
