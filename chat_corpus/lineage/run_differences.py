"""Differences between two runs of one source according to their reports, and the shards with different outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chat_corpus.lineage.cause_kinds import CauseKind, Factors
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.messages import Message, joined, message
from chat_corpus.outputs import layout, report
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.outputs.shard_index import Entry, Span
from chat_corpus.runs import previous

_BLOCK = 1 << 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A changed setting: its dotted key, and its values in both runs."""

    key: str
    old: object
    new: object


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDifferences:
    """Differences between two runs of one source.

    known     whether both reports describe a finished run; otherwise, the other fields are empty
    settings  settings that differ
    code      digests of code and packages in both runs; None if they are the same
    inputs    names of raw files that differ
    plugins   whether the code of the source, of plugins, or of modules that they import differs
    edited    paths of the .tsv files with a size or time that differs from the report
    """

    known: bool
    settings: tuple[Setting, ...] = ()
    code: tuple[str, str] | None = None
    inputs: tuple[str, ...] = ()
    plugins: bool = False
    edited: tuple[str, ...] = ()

    def only(self) -> CauseKind | None:
        """Return the only difference; None if there are several or none, or if an output was edited.

        Settings, code, raw files and plugins are all that an output depends on.
        """
        differences = {
            CauseKind.SETTINGS: self.settings,
            CauseKind.CODE: self.code,
            CauseKind.INPUT: self.inputs,
            CauseKind.PLUGINS: self.plugins,
        }
        kinds = [kind for kind, value in differences.items() if value]
        return kinds[0] if self.known and not self.edited and len(kinds) == 1 else None

    def settings_behind(self, factors: Factors) -> tuple[str, ...]:
        """Return the keys of the differing settings that a cause depends on."""
        keys = [setting.key for factor in factors or () for setting in self.settings if factor.depends_on(setting.key)]
        return tuple(dict.fromkeys(keys))


def compare_reports(outs: tuple[Path, Path], name: str) -> RunDifferences:
    """Return the differences between the runs that wrote a source to two folders."""
    old, new = (report.report_entry(out).get(name) for out in outs)
    if not isinstance(old, FinishedSource) or not isinstance(new, FinishedSource):
        return RunDifferences(known=False)
    tsv = f"{name}.tsv"
    edited = tuple(
        str(out / tsv)
        for out, entry in zip(outs, (old, new), strict=True)
        if entry.outputs[tsv] != layout.outputs(out, name).get(tsv)
    )
    before, after = old.fingerprint, new.fingerprint
    settings = (Setting(key=key, old=a, new=b) for key, a, b in previous.changes(old.settings, new.settings))
    return RunDifferences(
        known=True,
        settings=tuple(settings),
        code=(before.code, after.code) if before.code != after.code else None,
        inputs=tuple(_inputs(old, new)),
        plugins=(before.plugins, before.source) != (after.plugins, after.source),
        edited=edited,
    )


def _inputs(old: FinishedSource, new: FinishedSource) -> Iterator[str]:
    """Yield the names of raw files that differ.

    Files are compared by SHA-256, or by size and modification time if one of the two runs did not read a file fully.
    """
    sides = []
    for entry in (old, new):
        digests = {file.file: file.sha256 for file in entry.files}
        sides.append({name: (digests.get(name), size, time) for name, size, time in entry.fingerprint.input})
    for name in sorted(sides[0].keys() | sides[1].keys()):
        if not _is_same_input(sides[0].get(name), sides[1].get(name)):
            yield name


_Input = tuple[str | None, int, int]


def _is_same_input(old: _Input | None, new: _Input | None) -> bool:
    if old is None or new is None:
        return False
    has_digests = old[0] is not None and new[0] is not None
    return old[0] == new[0] if has_digests else old[1:] == new[1:]


#: Index entries of a shard in the old and the new run; None in a run that does not have it.
ShardPair = tuple["Entry | None", "Entry | None"]


def pair_shards(old: RecordedRun, new: RecordedRun) -> list[ShardPair] | None:
    """Return pairs of shards with the same records; None if the two runs cut the files differently.

    A shard may be missing in one run if one of the runs has a `read.limit`.
    """
    sides = [
        {tuple((span.file, span.first) for span in entry.pieces): entry for entry in run.entries} for run in (old, new)
    ]
    pairs = [(sides[0].get(key), sides[1].get(key)) for key in {**sides[0], **sides[1]}]
    both = [(before, after) for before, after in pairs if before is not None and after is not None]
    is_same_cut = all(
        _holds_same_records(*spans) for before, after in both for spans in zip(before.pieces, after.pieces, strict=True)
    )
    is_limited = bool(old.source_settings.read.limit or new.source_settings.read.limit)
    return pairs if is_same_cut and (is_limited or len(both) == len(pairs)) else None


def _holds_same_records(old: Span, new: Span) -> bool:
    """Whether two spans that begin with the same record contain the same records.

    If the encodings differ, the byte ranges do too, so only the numbers of records are compared.
    """
    return old == new or (old.encoding != new.encoding and old.records == new.records)


def explain_different_cuts(old: RecordedRun, new: RecordedRun) -> Message:
    """Return why two runs cut the raw files differently: different encodings, or else different shard sizes."""
    sides = [{span.file: span.encoding for entry in run.entries for span in entry.pieces} for run in (old, new)]
    changed = [name for name in sides[0] if sides[1].get(name, sides[0][name]) != sides[0][name]]
    if not changed:
        return message("the two runs cut the raw files into different shards (shard_bytes)")
    files = joined(
        ", ",
        (message("{file} ({old}, now {new})", file=name, old=sides[0][name], new=sides[1][name]) for name in changed),
    )
    return message("the two runs read raw files in different encodings, so the shards differ: {files}", files=files)


def differing_shards(old: RecordedRun, new: RecordedRun, pairs: list[ShardPair]) -> list[ShardPair]:
    """Return the pairs of shards that have different rows, compared byte for byte."""
    with old.tsv.open("rb") as old_stream, new.tsv.open("rb") as new_stream:
        return [
            pair
            for pair in pairs
            if _differ((old_stream, pair[0], old.tsv_bytes(pair[0])), (new_stream, pair[1], new.tsv_bytes(pair[1])))
        ]


_Rows = tuple[IO[bytes], "Entry | None", int]


def _differ(old: _Rows, new: _Rows) -> bool:
    if old[2] != new[2]:
        return True
    for stream, entry, _ in (old, new):
        stream.seek(entry.tsv if entry else 0)
    remaining = old[2]
    while remaining:
        size = min(remaining, _BLOCK)
        if old[0].read(size) != new[0].read(size):
            return True
        remaining -= size
    return False
