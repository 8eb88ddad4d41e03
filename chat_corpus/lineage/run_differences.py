"""In what two runs of one source are not alike, by their reports, and in which of their shards the outputs differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chat_corpus.lineage.cause_kinds import CauseKind, Factors
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.outputs import layout, report
from chat_corpus.outputs.report import FinishedSource
from chat_corpus.outputs.shard_index import Entry, Span
from chat_corpus.runs import previous

_BLOCK = 1 << 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A setting and its two values."""

    key: str
    old: object
    new: object


@dataclass(frozen=True, kw_only=True, slots=True)
class RunDifferences:
    """What is not the same of two runs: settings; code, as two digests; raw files, by name; plugins, or their modules.

    `edited` are outputs that are not, by size and time, as their run left them; `known` says that both reports tell all
    of it.
    """

    known: bool
    settings: tuple[Setting, ...] = ()
    code: tuple[str, str] | None = None
    inputs: tuple[str, ...] = ()
    plugins: bool = False
    edited: tuple[str, ...] = ()

    def only(self) -> CauseKind | None:
        """What alone is not the same, if it is one thing: all that decides an output is among them."""
        told = {
            CauseKind.SETTINGS: self.settings,
            CauseKind.CODE: self.code,
            CauseKind.INPUT: self.inputs,
            CauseKind.PLUGINS: self.plugins,
        }
        found = [name for name, value in told.items() if value]
        return found[0] if self.known and not self.edited and len(found) == 1 else None

    def steering(self, factors: Factors) -> tuple[str, ...]:
        """The settings, of those not the same, that a cause hangs on."""
        keys = [told.key for factor in factors or () for told in self.settings if factor.steered_by(told.key)]
        return tuple(dict.fromkeys(keys))


def unlike(outs: tuple[Path, Path], name: str) -> RunDifferences:
    """What is not the same of two runs of source `name` into two folders."""
    old, new = (report.report_entry(out).get(name) for out in outs)
    if not isinstance(old, FinishedSource) or not isinstance(new, FinishedSource):
        return RunDifferences(known=False)
    tsv = f"{name}.tsv"
    edited = tuple(
        str(out / tsv)
        for out, one in zip(outs, (old, new), strict=True)
        if one.outputs[tsv] != layout.outputs(out, name).get(tsv)
    )
    made = (old.fingerprint, new.fingerprint)
    settings = (Setting(key=key, old=a, new=b) for key, a, b in previous.changes(old.settings, new.settings))
    return RunDifferences(
        known=True,
        settings=tuple(settings),
        code=(made[0].code, made[1].code) if made[0].code != made[1].code else None,
        inputs=tuple(_inputs(old, new)),
        plugins=(made[0].plugins, made[0].source) != (made[1].plugins, made[1].source),
        edited=edited,
    )


def _inputs(old: FinishedSource, new: FinishedSource) -> Iterator[str]:
    """The files that are not the same: by SHA-256, or where one was not read to its end, by size and time."""
    sides = []
    for told in (old, new):
        digests = {file.file: file.sha256 for file in told.files}
        sides.append({name: (digests.get(name), size, time) for name, size, time in told.fingerprint.input})
    for name in sorted(sides[0].keys() | sides[1].keys()):
        one, other = (side.get(name) for side in sides)
        known = one is not None and other is not None and one[0] is not None and other[0] is not None
        same = one is not None and other is not None and (one[0] == other[0] if known else one[1:] == other[1:])
        if not same:
            yield name


Pair = tuple["Entry | None", "Entry | None"]


def shards(old: RecordedRun, new: RecordedRun) -> list[Pair] | None:
    """The shards of both, those of the same records together; null where the files were cut at other places."""
    sides = [
        {tuple((one.file, one.first) for one in entry.pieces): entry for entry in made.entries} for made in (old, new)
    ]
    pairs = [(sides[0].get(at), sides[1].get(at)) for at in {**sides[0], **sides[1]}]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    cut = all(_same(*pieces) for one, other in both for pieces in zip(one.pieces, other.pieces, strict=True))
    limited = bool(old.own.read.limit or new.own.read.limit)
    return pairs if cut and (limited or len(both) == len(pairs)) else None


def _same(old: Span, new: Span) -> bool:
    """Whether two pieces that begin with the same record hold the same ones; in another encoding they are as alike."""
    return old == new or (old.encoding != new.encoding and old.records == new.records)


def moved(old: RecordedRun, new: RecordedRun) -> str:
    """Why files were cut at other places: read in another encoding, they have other places; else it is the size."""
    sides = [{one.file: one.encoding for entry in made.entries for one in entry.pieces} for made in (old, new)]
    other = [name for name in sides[0] if sides[1].get(name, sides[0][name]) != sides[0][name]]
    if not other:
        return "the raw files were cut at other places (shard_bytes)"
    told = ", ".join(f"{name} as {sides[0][name]}, now {sides[1][name]}" for name in other)
    return f"raw files were read in another encoding, and so cut at other places: {told}"


def differing(old: RecordedRun, new: RecordedRun, pairs: list[Pair]) -> list[Pair]:
    """Those of `pairs` whose rows are not the same, byte for byte."""
    with old.tsv.open("rb") as first, new.tsv.open("rb") as second:
        return [
            pair
            for pair in pairs
            if _differ((first, pair[0], old.extent(pair[0])), (second, pair[1], new.extent(pair[1])))
        ]


_Rows = tuple[IO[bytes], "Entry | None", int]


def _differ(old: _Rows, new: _Rows) -> bool:
    if old[2] != new[2]:
        return True
    for stream, entry, _ in (old, new):
        stream.seek(entry.tsv if entry else 0)
    left = old[2]
    while left:
        size = min(left, _BLOCK)
        if old[0].read(size) != new[0].read(size):
            return True
        left -= size
    return False
