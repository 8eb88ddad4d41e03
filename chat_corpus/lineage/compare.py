"""Two output folders held against each other: which rows appeared, vanished or changed, and why, where that is certain.

Where both runs can be done again from the same raw files, rows are matched by address, and the cause of each difference
is looked for in what both do with it. Otherwise the files are aligned as text, and a cause is named only where the
reports leave no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.lineage.cause_kinds import CauseKind, Factor, Factors, read, words
from chat_corpus.lineage.comparison_model import Cause, Change, Compared, Matched, Row
from chat_corpus.lineage.line_diff import Gap, gaps
from chat_corpus.lineage.open_run import INTERRUPTED, load
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.lineage.row_causes import RunSide, differences
from chat_corpus.lineage.run_differences import Pair, RunDifferences, differing, moved, shards, unlike
from chat_corpus.outputs import report
from chat_corpus.runs import previous

_BLOCK = 1 << 24
#: So many shards that could not be done again are told of.
_REMARKS = 3


def compare(
    old: Path, new: Path, raw: str | None = None, *, examples: int, most: int, plugins: Sequence[str] = ()
) -> Iterator[Compared]:
    """Compare the files of pairs of two folders, source by source.

    Up to `examples` rows are given for each kind and cause, and up to `most` shards of a source are done again, 0 for
    all of them; `raw` is where the raw files are now, if not where the reports say. Raises UsageError where a folder
    has nothing to compare.
    """
    names = {out: {path.stem for path in out.glob("*.tsv")} for out in (old, new)}
    for out, found in names.items():
        if not found:
            raise UsageError(f"{out}: no .tsv files; an output folder expected")
    for name in sorted(names[old] | names[new]):
        paths = [out / f"{name}.tsv" for out in (old, new)]
        rows = [_rows(path) if path.is_file() else None for path in paths]
        if None in rows or _identical(*paths):
            yield Compared(source=name, old_rows=rows[0], new_rows=rows[1])
        else:
            yield _Comparison(
                outs=(old, new), name=name, raw=raw, examples=examples, most=most, plugins=plugins
            ).result(*rows)


def _rows(path: Path) -> int:
    with path.open("rb") as stream:
        count, last = 0, b"\n"
        while block := stream.read(_BLOCK):
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")


def _identical(old: Path, new: Path) -> bool:
    with old.open("rb") as first, new.open("rb") as second:
        while (block := first.read(_BLOCK)) == second.read(_BLOCK):
            if not block:
                return True
    return False


@dataclass(kw_only=True, slots=True)
class _Comparison:
    """One source on its way: what was found so far."""

    outs: tuple[Path, Path]
    name: str
    raw: str | None
    plugins: Sequence[str]
    examples: int
    most: int
    #: Whether a run that should do again what it did, by its report, does not.
    doubtful: bool = False
    remarks: list[str] = field(default_factory=list)
    causes: Counter[tuple[Change, Factors]] = field(default_factory=Counter)
    shown: dict[tuple[Change, Factors], list[Row]] = field(default_factory=dict)

    def result(self, old_rows: int | None, new_rows: int | None) -> Compared:
        found = unlike(self.outs, self.name)
        pairs, made = self._shards(found)
        traced = self._traced(pairs, made) if made else 0
        whole = bool(pairs) and traced == len(pairs)
        unknown = bool(traced) or (self.doubtful and found.only() is CauseKind.SETTINGS)
        by_report = None if unknown else found.only()
        kinds: Counter[Change] = Counter()
        if whole:
            for (kind, _), rows in self.causes.items():
                kinds[kind] += rows
        else:
            kinds = self._as_text(by_report, keep=not traced)
        return Compared(
            source=self.name,
            old_rows=old_rows,
            new_rows=new_rows,
            appeared=kinds[Change.APPEARED],
            vanished=kinds[Change.VANISHED],
            changed=kinds[Change.CHANGED],
            aligned=Matched.ADDRESS if whole else Matched.TEXT,
            unlike=found,
            shards=len(pairs) if made else None,
            traced=traced,
            by_report=by_report is not None,
            causes=tuple(self._causes(found)),
            examples=tuple(row for rows in self.shown.values() for row in rows),
            remarks=tuple(self._remarks()),
        )

    def _remarks(self) -> Iterator[str]:
        yield from self.remarks[:_REMARKS]
        if len(self.remarks) > _REMARKS:
            yield f"and {len(self.remarks) - _REMARKS} shards more that could not be traced"

    def _shards(self, found: RunDifferences) -> tuple[list[Pair], tuple[RecordedRun, RecordedRun] | None]:
        """The shards whose rows are not the same, and the two runs; no runs where they cannot be done again."""
        cut_off = [
            out
            for out in self.outs
            if previous.was_interrupted(out, self.name, report.report_entry(out).get(self.name))
        ]
        if cut_off:
            self.remarks += [f"not traced: {INTERRUPTED.format(out)}" for out in cut_off]
        elif not found.known:
            self.remarks.append("not traced: not both folders have a report of a finished run of it")
        elif found.inputs or found.plugins:
            self.remarks.append("not traced: the raw files or the plugins are not the same")
        else:
            try:
                old, new = (load(out, self.name, self.raw, plugins=self.plugins, other_code=True) for out in self.outs)
            except ChatCorpusError as error:
                self._doubt(error)
                return [], None
            pairs = shards(old, new)
            if pairs is not None:
                return differing(old, new, pairs), (old, new)
            self.remarks.append(f"not traced: {moved(old, new)}")
            try:
                for one in (old, new):  # to see whether their reports tell the truth
                    one.again(one.entries[len(one.entries) // 2])
            except ChatCorpusError as error:
                self._doubt(error)
        return [], None

    def _doubt(self, error: ChatCorpusError) -> None:
        self.doubtful = True
        self.remarks.append(f"not traced: {error}")

    def _traced(self, pairs: list[Pair], made: tuple[RecordedRun, RecordedRun]) -> int:
        """Do shards again on both sides, up to `most` of them, evenly spread; returns how many could be."""
        wanted = min(self.most or len(pairs), len(pairs))
        done = 0
        for pair in (pairs[number * len(pairs) // wanted] for number in range(wanted)):
            try:
                sides = [
                    RunSide(written=one, again=one.again(entry) if entry else None)
                    for one, entry in zip(made, pair, strict=True)
                ]
            except ChatCorpusError as error:
                self._doubt(error)
                continue
            self._add(_rows_of(differences(*sides), sides))
            done += 1
        return done

    def _as_text(self, only: CauseKind | None, *, keep: bool) -> Counter[Change]:
        """Count rows by aligning the files; with `keep`, as causes and examples too."""
        kinds: Counter[Change] = Counter()
        factors = None if only is None else (Factor(only),)
        for gap in gaps(*(out / f"{self.name}.tsv" for out in self.outs)):
            rows = [(row, factors) for row in _paired(gap, words(factors))]
            kinds.update(row.kind for row, _ in rows)
            if keep:
                self._add(rows)
        return kinds

    def _add(self, rows: Iterable[tuple[Row, Factors]]) -> None:
        for row, factors in rows:
            at = (row.kind, factors)
            self.causes[at] += 1
            if len(some := self.shown.setdefault(at, [])) < self.examples:
                some.append(row)

    def _causes(self, found: RunDifferences) -> Iterator[Cause]:
        for (kind, factors), rows in self.causes.most_common():
            yield Cause(cause=words(factors), kind=kind, rows=rows, settings=found.steering(factors))


def _rows_of(found: pl.DataFrame, sides: list[RunSide]) -> Iterator[tuple[Row, Factors]]:
    """Differences as `attribution.differences` makes them, with their addresses in words, and what parts them."""
    shard = next(side.again.shard for side in sides if side.again)
    files = [piece.file.name for piece in shard.pieces]
    for row in found.iter_rows(named=True):
        gone, there = row["tsv"] is not None, row["tsv_new"] is not None
        factors = read(row["causes"])
        told = Row(
            kind=Change.CHANGED if gone and there else Change.VANISHED if gone else Change.APPEARED,
            old_row=row["row"],
            old=row["tsv"],
            new_row=row["row_new"],
            new=row["tsv_new"],
            query=f"{files[row['query_file_index']]}:{row['query_record']}",
            answer=f"{files[row['answer_file_index']]}:{row['answer_record']}",
            reason=row["reason_new"] if gone else row["reason"],
            cause=words(factors),
        )
        yield told, factors


def _paired(gap: Gap, cause: str | None) -> Iterator[Row]:
    """The rows of a gap; one on each side that share their query or their answer are one row that changed."""
    new = dict(enumerate(gap.new, gap.new_at + 1))
    columns: dict[tuple[int, bytes], list[int]] = {}
    for row, line in new.items():
        for column, text in enumerate(line.split(b"\t")[:2]):
            columns.setdefault((column, text), []).append(row)
    for row, line in enumerate(gap.old, gap.old_at + 1):
        alike = (columns.get(at, []) for at in enumerate(line.split(b"\t")[:2]))
        other = next((one for rows in alike for one in rows if one in new), None)
        old = line.decode(errors="backslashreplace")
        if other is None:
            yield Row(kind=Change.VANISHED, old_row=row, old=old, new_row=None, new=None, cause=cause)
        else:
            told = new.pop(other).decode(errors="backslashreplace")
            yield Row(kind=Change.CHANGED, old_row=row, old=old, new_row=other, new=told, cause=cause)
    for row, line in new.items():
        told = line.decode(errors="backslashreplace")
        yield Row(kind=Change.APPEARED, old_row=None, old=None, new_row=row, new=told, cause=cause)
