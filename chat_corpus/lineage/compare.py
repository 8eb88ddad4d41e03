"""Comparison of two output folders: which rows appeared, vanished or changed, and the cause if it is certain.

If both runs can be reproduced from the same raw files, rows are matched by address, and each difference is traced to
its cause. Otherwise, the files are aligned as text, and a cause is given only if the reports differ in one thing alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.lineage.cause_kinds import CauseKind, Factor, Factors, describe, parse
from chat_corpus.lineage.comparison_model import Cause, Change, Compared, Matched, Row
from chat_corpus.lineage.line_diff import Hunk, hunks
from chat_corpus.lineage.open_run import NOWHERE, interrupted, load
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.lineage.row_causes import RunSide, row_differences
from chat_corpus.lineage.run_differences import (
    RunDifferences,
    ShardPair,
    compare_reports,
    differing_shards,
    explain_different_cuts,
    pair_shards,
)
from chat_corpus.messages import count_noun, message
from chat_corpus.outputs import report
from chat_corpus.runs import previous

_BLOCK = 1 << 24
#: Maximum number of remarks that are shown; a further one counts the rest.
_REMARKS = 3


def compare(
    old: Path,
    new: Path,
    raw: str | None = None,
    *,
    examples: int,
    max_shards: int,
    plugins: Sequence[str] = (),
    places: Mapping[str, str] = NOWHERE,
) -> Iterator[Compared]:
    """Yield the comparison of two output folders, one result per source.

    A result has up to `examples` rows for each kind of change and cause. Up to `max_shards` shards of each source are
    processed again; 0 means all. `raw` is the folder of the raw files if it was moved since the runs. `places` are the
    files or folders of added corpora, by name, if they were moved. Raises UsageError if a folder has no .tsv file.
    """
    names = {out: {path.stem for path in out.glob("*.tsv")} for out in (old, new)}
    for out, outputs in names.items():
        if not outputs:
            raise UsageError(message("{folder}: no .tsv files found; expected an output folder", folder=out))
    for name in sorted(names[old] | names[new]):
        paths = [out / f"{name}.tsv" for out in (old, new)]
        rows = [_count_rows(path) if path.is_file() else None for path in paths]
        if None in rows or _identical(*paths):
            yield Compared(source=name, old_rows=rows[0], new_rows=rows[1])
        else:
            yield _Comparison(
                outs=(old, new),
                name=name,
                raw=raw,
                examples=examples,
                max_shards=max_shards,
                plugins=plugins,
                places=places,
            ).result(*rows)


def _count_rows(path: Path) -> int:
    with path.open("rb") as stream:
        count, last = 0, b"\n"
        while block := stream.read(_BLOCK):
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")


def _identical(old: Path, new: Path) -> bool:
    with old.open("rb") as old_stream, new.open("rb") as new_stream:
        while (block := old_stream.read(_BLOCK)) == new_stream.read(_BLOCK):
            if not block:
                return True
    return False


@dataclass(kw_only=True, slots=True)
class _Comparison:
    """The state of the comparison of one source."""

    outs: tuple[Path, Path]
    name: str
    raw: str | None
    plugins: Sequence[str]
    places: Mapping[str, str]
    examples: int
    max_shards: int
    #: Whether a run could not be reproduced, although its report does not show a reason.
    doubtful: bool = False
    remarks: list[str] = field(default_factory=list)
    causes: Counter[tuple[Change, Factors]] = field(default_factory=Counter)
    shown: dict[tuple[Change, Factors], list[Row]] = field(default_factory=dict)

    def result(self, old_rows: int | None, new_rows: int | None) -> Compared:
        differences = compare_reports(self.outs, self.name)
        pairs, runs = self._differing_shards(differences)
        traced = self._trace(pairs, runs) if runs else 0
        is_complete = bool(pairs) and traced == len(pairs)
        is_undetermined = bool(traced) or (self.doubtful and differences.only() is CauseKind.SETTINGS)
        report_cause = None if is_undetermined else differences.only()
        kinds: Counter[Change] = Counter()
        if is_complete:
            for (kind, _), rows in self.causes.items():
                kinds[kind] += rows
        else:
            kinds = self._compare_as_text(report_cause, count_causes=not traced)
        return Compared(
            source=self.name,
            old_rows=old_rows,
            new_rows=new_rows,
            appeared=kinds[Change.APPEARED],
            vanished=kinds[Change.VANISHED],
            changed=kinds[Change.CHANGED],
            aligned=Matched.ADDRESS if is_complete else Matched.TEXT,
            unlike=differences,
            shards=len(pairs) if runs else None,
            traced=traced,
            by_report=report_cause is not None,
            causes=tuple(self._causes(differences)),
            examples=tuple(row for rows in self.shown.values() for row in rows),
            remarks=tuple(self._remarks()),
        )

    def _remarks(self) -> Iterator[str]:
        yield from self.remarks[:_REMARKS]
        more = len(self.remarks) - _REMARKS
        if more > 0:
            yield message("{shards} could not be traced", shards=count_noun(more, "more shard"))

    def _differing_shards(
        self, differences: RunDifferences
    ) -> tuple[list[ShardPair], tuple[RecordedRun, RecordedRun] | None]:
        """Return the shards with rows that differ, and the two runs.

        The runs are None if one of them cannot be reproduced, or if the two cut the raw files differently.
        """
        entries = [report.report_entry(out).get(self.name) for out in self.outs]
        interrupted_outs = [
            out
            for out, entry in zip(self.outs, entries, strict=True)
            if previous.was_interrupted(out, self.name, entry)
        ]
        if interrupted_outs:
            self.remarks += [message("not traced: {reason}", reason=interrupted(out)) for out in interrupted_outs]
        elif not differences.known:
            self.remarks.append(message("not traced: both folders need a report of a finished run of this source"))
        elif differences.inputs or differences.plugins:
            self.remarks.append(message("not traced: the two runs used different raw files or plugins"))
        else:
            try:
                old, new = (
                    load(out, self.name, self.raw, plugins=self.plugins, places=self.places, other_code=True)
                    for out in self.outs
                )
            except ChatCorpusError as error:
                self._doubt(error)
                return [], None
            pairs = pair_shards(old, new)
            if pairs is not None:
                return differing_shards(old, new, pairs), (old, new)
            self.remarks.append(message("not traced: {reason}", reason=explain_different_cuts(old, new)))
            self._check_reports(old, new)
        return [], None

    def _check_reports(self, *runs: RecordedRun) -> None:
        """Replay the middle shard of each run; the comparison is doubtful if a replay fails."""
        try:
            for run in runs:
                run.replay(run.entries[len(run.entries) // 2])
        except ChatCorpusError as error:
            self._doubt(error)

    def _doubt(self, error: ChatCorpusError) -> None:
        self.doubtful = True
        self.remarks.append(message("not traced: {reason}", reason=error.message))

    def _trace(self, pairs: list[ShardPair], runs: tuple[RecordedRun, RecordedRun]) -> int:
        """Replay up to `max_shards` evenly spaced shards of both runs. Return the number of shards that succeeded."""
        count = min(self.max_shards or len(pairs), len(pairs))
        traced = 0
        for pair in (pairs[number * len(pairs) // count] for number in range(count)):
            try:
                sides = [
                    RunSide(run=run, shard=run.replay(entry) if entry else None)
                    for run, entry in zip(runs, pair, strict=True)
                ]
            except ChatCorpusError as error:
                self._doubt(error)
                continue
            self._add(_rows_of(row_differences(*sides), sides))
            traced += 1
        return traced

    def _compare_as_text(self, report_cause: CauseKind | None, *, count_causes: bool) -> Counter[Change]:
        """Align the files as text and count the rows by kind of change.

        With `count_causes`, the rows are added to the causes and examples too.
        """
        kinds: Counter[Change] = Counter()
        factors = None if report_cause is None else (Factor(report_cause),)
        for hunk in hunks(*(out / f"{self.name}.tsv" for out in self.outs)):
            rows = [(row, factors) for row in _rows_of_hunk(hunk, describe(factors))]
            kinds.update(row.kind for row, _ in rows)
            if count_causes:
                self._add(rows)
        return kinds

    def _add(self, rows: Iterable[tuple[Row, Factors]]) -> None:
        for row, factors in rows:
            key = (row.kind, factors)
            self.causes[key] += 1
            if len(examples := self.shown.setdefault(key, [])) < self.examples:
                examples.append(row)

    def _causes(self, differences: RunDifferences) -> Iterator[Cause]:
        for (kind, factors), rows in self.causes.most_common():
            settings = differences.settings_behind(factors)
            yield Cause(cause=describe(factors), kind=kind, rows=rows, settings=settings)


def _rows_of(differences: pl.DataFrame, sides: list[RunSide]) -> Iterator[tuple[Row, Factors]]:
    """Yield each row of `row_differences`, with addresses as text, and its factors."""
    shard = next(side.shard.shard for side in sides if side.shard)
    files = [piece.file.name for piece in shard.pieces]
    for row in differences.iter_rows(named=True):
        in_old, in_new = row["tsv"] is not None, row["tsv_new"] is not None
        factors = parse(row["causes"])
        difference = Row(
            kind=Change.CHANGED if in_old and in_new else Change.VANISHED if in_old else Change.APPEARED,
            old_row=row["row"],
            old=row["tsv"],
            new_row=row["row_new"],
            new=row["tsv_new"],
            query=f"{files[row['query_file_index']]}:{row['query_record']}",
            answer=f"{files[row['answer_file_index']]}:{row['answer_record']}",
            reason=row["reason_new"] if in_old else row["reason"],
            cause=describe(factors),
        )
        yield difference, factors


def _rows_of_hunk(hunk: Hunk, cause: str | None) -> Iterator[Row]:
    """Yield the rows of a hunk. An old and a new row with the same query or answer count as one changed row."""
    new_lines = dict(enumerate(hunk.new, hunk.new_start + 1))
    rows_by_text: dict[tuple[int, bytes], list[int]] = {}
    for row, line in new_lines.items():
        for column, text in enumerate(line.split(b"\t")[:2]):
            rows_by_text.setdefault((column, text), []).append(row)
    for row, line in enumerate(hunk.old, hunk.old_start + 1):
        candidates = (rows_by_text.get(key, []) for key in enumerate(line.split(b"\t")[:2]))
        new_row = next((number for rows in candidates for number in rows if number in new_lines), None)
        old = _decoded(line)
        if new_row is None:
            yield Row(kind=Change.VANISHED, old_row=row, old=old, new_row=None, new=None, cause=cause)
        else:
            new = _decoded(new_lines.pop(new_row))
            yield Row(kind=Change.CHANGED, old_row=row, old=old, new_row=new_row, new=new, cause=cause)
    for row, line in new_lines.items():
        yield Row(kind=Change.APPEARED, old_row=None, old=None, new_row=row, new=_decoded(line), cause=cause)


def _decoded(line: bytes) -> str:
    return line.decode(errors="backslashreplace")
