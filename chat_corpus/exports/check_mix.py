"""Verify a mix and held records: shares, order, subsets, and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from chat_corpus.exports import splitting
from chat_corpus.exports.check_rules import Offence, counted
from chat_corpus.exports.manifest import MANIFEST, ExportFile, ExportMix, ExportSummary
from chat_corpus.exports.mixing import MixPlan
from chat_corpus.messages import joined, message

#: Keys of a held record.
_HELD = ["messages", "source", "id", "resembles", "similarity"]


class MixedRows:
    """A check of the rows of train of a mix, which must be read in order."""

    def __init__(self, mix: ExportMix) -> None:
        self._plan = MixPlan(sizes=mix.available, weights=mix.weights)
        self._read = 0
        self._last: dict[str, int] = {}

    def offences(self, frame: pl.DataFrame, file: ExportFile, before: int) -> Iterator[Offence]:
        """Yield offences of the next rows of train; `before` is the number of rows before them in their file.

        They are the first row that is not from the source that the mix has in this place, and for each source the first
        row that is not in the order of the source.
        """
        last = min(self._read + len(frame), self._plan.total)
        expected = pl.Series(self._plan.sources(min(self._read, last), last), dtype=pl.String)
        wrong = (~frame["source"][: len(expected)].eq_missing(expected)).arg_true()
        if len(wrong) or len(expected) < len(frame):
            at = int(wrong[0]) if len(wrong) else len(expected)
            found = str(frame["source"][at])
            fault = message("source {source} found; by the shares of the manifest it is a different one", source=found)
            yield Offence(path=file.path, line=before + at + 1, rule="mix", message=fault)
        self._read += len(frame)
        keys = frame.select("source", key=splitting.order_keys(frame["id"].fill_null(""))).with_row_index("at")
        for (source,), own in keys.group_by("source", maintain_order=True):
            first = pl.Series([self._last.get(str(source), 0)], dtype=pl.UInt64)
            wrong = (own["key"] < pl.concat([first, own["key"][:-1]])).arg_true()
            if len(wrong):
                line = before + int(own["at"][int(wrong[0])]) + 1
                fault = message("not in the order of {source}", source=source)
                yield Offence(path=file.path, line=line, rule="R10", message=fault)
            self._last[str(source)] = own["key"][-1] or 0


def counts(summary: ExportSummary, rows: Mapping[tuple[str, str], int]) -> Iterator[Offence]:
    """Yield an offence for each source with rows that differ from the ledger, and each subset that is not a prefix."""
    for source in summary.sources:
        expected = {split: number for split, number in source.ledger.written.items() if number}
        found = {split: rows[source.name, split] for split in splitting.SPLITS if rows[source.name, split]}
        if found != expected:
            fault = message(
                "{source}: rows found: {found}; in the manifest: {expected}",
                source=source.name, found=counted(found), expected=counted(expected),
            )  # fmt: skip
            yield Offence(path=MANIFEST, rule="counts", message=fault)
    sizes = {file.path: file.rows or 0 for file in summary.data_files() if file.split == "train"}
    for one in summary.mix.subsets if summary.mix is not None else ():
        first = list(sizes)[: len(one.files)]
        if list(one.files) != first or sum(sizes[path] for path in first) != one.rows:
            fault = message("subset {name} is not the first {rows:,} rows of train", name=one.name, rows=one.rows)
            yield Offence(path=MANIFEST, rule="mix", message=fault)


def held(folder: Path, file: ExportFile, summary: ExportSummary) -> Iterator[Offence]:
    """Yield offences of held records: malformed lines, and a number of lines that differs from the ledger."""
    number = 0
    with (folder / file.path).open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict) or list(record) != _HELD or record["source"] != file.source:
                fault = message(
                    "not a held record of {source} with the keys {keys}", source=file.source, keys=joined(", ", _HELD)
                )
                yield Offence(path=file.path, line=number, rule="record", message=fault)
    ledgers = [one.ledger.records_dropped.get("held_twin", 0) for one in summary.sources if one.name == file.source]
    if ledgers != [number] or file.rows != number:
        fault = message(
            "{found:,} held records found, {expected:,} in the manifest", found=number, expected=sum(ledgers)
        )
        yield Offence(path=file.path, rule="counts", message=fault)
