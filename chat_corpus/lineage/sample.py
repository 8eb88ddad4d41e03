"""Random rows of the output of a run, before and after cleaning. The shards of the rows are processed again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import tsv
from chat_corpus.lineage import open_run
from chat_corpus.lineage.recorded_run import RERUN, RecordedRun
from chat_corpus.lineage.replayed_shard import ReplayedShard
from chat_corpus.lineage.sample_model import Sample, SampledRow, SampledText, SampleRequest, allot, without_rows
from chat_corpus.messages import Message, count_noun, error_text, joined, message
from chat_corpus.outputs import layout, sampling, shard_index
from chat_corpus.outputs.report import FinishedSource, read_report
from chat_corpus.schema import Reason

_ROLES = ("query", "answer")
#: Maximum number of shards that are processed to find the next changed row after a random one.
_SHARDS = 8


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file of a source, and the lines to draw from: the `total` lines that contain the bytes `containing`."""

    source: str
    path: Path
    marks: sampling.Marks
    total: int
    containing: bytes = b"\n"

    def draw(self, count: int, seed: int) -> list[tuple[int, str]]:
        """Return random lines as (number, text), in the order of the file; lines to draw from are numbered from 0."""
        numbers = sampling.draw(self.total, count, seed, self.source)
        lines = sampling.read_lines(self.path, self.marks, numbers, self.containing)
        return [(number, line.decode("utf-8", errors="backslashreplace")) for number, line in lines.items()]


def sample_output(out: Path, request: SampleRequest) -> Sample:
    """Return random rows or rejects from the output folder of a run.

    Raises UsageError if the folder has no report, or has no requested source or reason. Raises ChatCorpusError if an
    output cannot be read or, if only changed rows are requested, if the raw files cannot be processed again.
    """
    names = _sources(out, request)
    files = {name: _rejects(out, name, request.reason) if request.rejected else _pairs(out, name) for name in names}
    if (
        request.reason
        and request.reason not in set(map(str, Reason))
        and not any(file.total for file in files.values())
    ):
        raise UsageError(
            message(
                "{folder}: no reject has the reason '{reason}'; reasons here: {reasons}",
                folder=out,
                reason=request.reason,
                reasons=_reasons(out, names),
            )
        )
    rows: dict[str, list[SampledRow]] = {}
    totals = {name: file.total for name, file in files.items()}
    remarks = without_rows(request, totals)
    counts = allot(request.count, totals)
    for name, count in counts.items():
        if request.rejected:
            rows[name] = list(map(_reject, files[name].draw(count, request.seed)))
        elif count:
            rows[name] = list(_rows(out, files[name], count, request, remarks))
    if request.changed:
        _draw_more(out, files, rows, request)
    return Sample(rows=tuple(row for name in files for row in rows.get(name, ())), remarks=tuple(remarks))


def _draw_more(out: Path, files: dict[str, _File], rows: dict[str, list[SampledRow]], request: SampleRequest) -> None:
    """Draw more changed rows from sources that have them, if other sources have too few. Updates `rows`."""
    for name, file in files.items():
        missing = request.count - sum(map(len, rows.values()))
        drawn = rows.get(name, [])
        if missing and (drawn or name not in rows) and len(drawn) < file.total:
            rows[name] = list(_rows(out, file, len(drawn) + missing, request, []))


def _sources(out: Path, request: SampleRequest) -> list[str]:
    """Return the names of the sources to draw from. Raises UsageError if there is no report, or no such source."""
    report = read_report(out)
    if report is None:
        raise UsageError(
            message(
                "{folder}: neither the output of a run nor an export: {report} and {manifest} are missing",
                folder=out,
                report=layout.REPORT,
                manifest="manifest.json",
            )
        )
    finished = [name for name, entry in report.sources.items() if isinstance(entry, FinishedSource)]
    check_names(out, request.sources, finished)
    return [name for name in finished if not request.sources or name in request.sources]


def _reasons(out: Path, names: Sequence[str]) -> Message:
    """Return the reasons of the rejects of sources, separated by commas."""
    report = read_report(out)
    entries = [report.sources[name] for name in names] if report else []
    reasons: set[str] = set()
    for entry in entries:
        if isinstance(entry, FinishedSource):
            reasons |= {*entry.turns.rejected, *entry.pairs.rejected}
            reasons |= {Reason.DUPLICATE} if entry.pairs.duplicates else set()
    return joined(", ", sorted(reasons)) if reasons else message("none")


def check_names(folder: Path, names: Sequence[str], available: Sequence[str]) -> None:
    """Raise UsageError if one of `names` is not in `available`, the names of the sources in a folder."""
    for name in names:
        if name not in available:
            raise UsageError(
                message(
                    "{file}: no source '{source}'; available: {sources}",
                    file=folder,
                    source=name,
                    sources=joined(", ", available),
                )
            )


def _pairs(out: Path, name: str) -> _File:
    """Return the file of pairs of a source, with marks from its index. Raises ChatCorpusError if that is damaged."""
    path = layout.places(out, name)[0]
    with _reading(layout.index(out, name)):
        entries = shard_index.read(layout.index(out, name))
    total = entries[-1].row + entries[-1].rows - 1 if entries else 0
    return _File(source=name, path=path, marks=sampling.row_marks(entries), total=total)


def _rejects(out: Path, name: str, reason: str | None) -> _File:
    """Return the rejects file of a source; the lines to draw from are all, or those with one reason.

    The bytes of the key `reason` and its value are searched for. They cannot be in a text, where quotes are escaped.
    Raises ChatCorpusError if the file cannot be read.
    """
    path = layout.places(out, name)[1]
    containing = b"\n" if reason is None else f'"reason":{json.dumps(reason)}'.encode()
    with _reading(path):
        marks, total = sampling.count_lines(path, containing)
    return _File(source=name, path=path, marks=marks, total=total, containing=containing)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise ChatCorpusError, which names the file, if reading it in the block fails."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise ChatCorpusError(
            message("{file}: cannot be read: {error}; {advice}", file=path, error=error_text(error), advice=RERUN)
        ) from error


def _reject(line: tuple[int, str]) -> SampledRow:
    """Return a line of the rejects file, given as (number, text), as a row."""
    reject = json.loads(line[1])
    address = f"{reject['file']}:{reject['record']}"
    text = SampledText(role="raw", address=address, before=reject.get("raw"), after=None)
    return SampledRow(
        source=reject["source"], address=address, texts=(text,), reason=reject["reason"], message=reject.get("message")
    )


def _rows(out: Path, file: _File, count: int, request: SampleRequest, remarks: list[Message]) -> Iterator[SampledRow]:
    """Yield random rows of a source.

    If the shards cannot be processed again, the rows lack the texts before cleaning, and a remark gives the reason; if
    only changed rows are requested, ChatCorpusError is raised.
    """
    try:
        run = open_run.load(out, file.source, request.raw, plugins=request.plugins, places=request.places)
        numbers = sorted(sampling.draw(file.total, count, request.seed, file.source))
        if request.changed:
            numbers = _next_changed(run, numbers)
            if len(numbers) < count:
                remarks.append(_few(file.source, len(numbers)))
        rows = [_row(run, number + 1) for number in numbers]
    except ChatCorpusError as error:
        if request.changed:
            raise
        remarks.append(message("no texts before cleaning: {reason}", reason=error.message))
        with _reading(file.path):
            rows = [_written(file, number, line) for number, line in file.draw(count, request.seed)]
    yield from rows


def _few(source: str, rows: int) -> Message:
    return message(
        "{source}: {rows} found: the others that were drawn have no changed row in the next {shards} shards",
        source=source,
        rows=count_noun(rows, "changed row"),
        shards=_SHARDS,
    )


def _written(file: _File, number: int, line: str) -> SampledRow:
    """Return a row without texts before cleaning. Raises ChatCorpusError if the line does not have two fields."""
    fields = line.split("\t")
    if len(fields) != len(_ROLES):
        raise ChatCorpusError(
            message(
                "{file}:{row}: edited after the run: {fields} found, 2 expected; {advice}",
                file=file.path,
                row=number + 1,
                fields=count_noun(len(fields), "field"),
                advice=RERUN,
            )
        )
    texts = zip(_ROLES, fields, strict=True)
    return SampledRow(
        source=file.source,
        address=f"{file.path}:{number + 1}",
        texts=tuple(SampledText(role=role, address=None, before=None, after=text) for role, text in texts),
    )


def _row(run: RecordedRun, row: int) -> SampledRow:
    """Return a row of the TSV, by its number from 1, with the texts of its turns before cleaning."""
    shard = run.replay(run.entry_of_row(row))
    pair = shard.pairs.row(by_predicate=pl.col("row") == row, named=True)
    clean = {role: pair[role] for role in _ROLES}
    columns = run.line(row).split("\t")
    # The TSV has line breaks as two characters. This is not a change by cleaning, so the clean texts are shown instead.
    written = tuple(columns) == tsv.columns(pl.DataFrame([clean])).row(0)
    after = zip(_ROLES, clean.values() if written else columns, strict=True)
    texts = tuple(_text(shard, role, pair[f"{role}_at"], text) for role, text in after)
    return SampledRow(source=run.name, address=f"{run.tsv}:{row}", texts=texts)


def _text(shard: ReplayedShard, role: str, at: int, text: str) -> SampledText:
    turn = shard.turns.row(at, named=True)
    address = f"{shard.shard.pieces[turn['file_index']].file.name}:{turn['record']}"
    return SampledText(role=role, address=address, before=turn["raw"], after=text)


def _next_changed(run: RecordedRun, numbers: Sequence[int]) -> list[int]:
    """Return, for each row number, the number of the next changed row; numbers count from 0.

    A changed row is used once. If the next `_SHARDS` shards have no further one, the number is left out. After the last
    shard, the search continues with the first.
    """
    found: set[int] = set()
    for number in numbers:
        first = run.entry_of_row(number + 1).shard
        entries = (*run.entries[first:], *run.entries[:first])[:_SHARDS]
        changed = (row for entry in entries for row in _changed_rows(run.replay(entry)))
        after = (row - 1 for row in changed if row > number or row < run.entries[first].row)
        row = next((row for row in after if row not in found), None)
        if row is not None:
            found.add(row)
    return sorted(found)


def _changed_rows(shard: ReplayedShard) -> list[int]:
    """Return the numbers, from 1, of the rows of a shard with a text that cleaning changed."""
    rows = shard.pairs.filter(pl.col("row").is_not_null())
    raw = shard.turns["raw"]
    changed = [raw.gather(rows[f"{side}_at"]).ne_missing(rows[side]) for side in ("query", "answer")]
    return rows.filter(changed[0] | changed[1])["row"].to_list()
