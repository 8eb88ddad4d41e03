"""Where a row of an output came from, and what became of a raw record: both exact, by doing the shard again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.files.lines import printable
from chat_corpus.lineage.recorded_run import RecordedRun, ReplayedShard
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.text import normalizer
from chat_corpus.pipeline.text.normalizer import Change
from chat_corpus.schema import Pairing, Reason

#: What is told of the conversion, among the steps that changed a text.
CONVERSION = "conversion"
Side = Literal["query", "answer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A turn's place in the raw data.

    `record` is the number of its record as in the rejects; `place` its place among the turns of that record, and
    `turn_index` its place in its dialogue, both from 0; `turn_index` is null where it is in no dialogue.
    """

    file: str
    record: int
    place: int
    turn_index: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnTrace:
    """A turn from the raw record to what was kept or rejected.

    `read` is the text as its format read it, null where it could not; `changes` are the text steps that changed it, and
    last the conversion, from the script it was in; `text` is what came of it. `passed` are the filters that were asked
    and let it pass; `reason` and `message` say why it was rejected, and `filter_name` which filter did. A turn that was
    rejected without a filter was so at reading: no step and no filter is told of it.
    """

    at: Address
    raw: str
    read: str | None
    changes: tuple[Change, ...]
    script: str | None
    text: str | None
    passed: tuple[str, ...]
    filter_name: str | None
    reason: str | None
    message: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row of an output, and the two turns that it came from; `sha256` has the raw files that they are in."""

    source: str
    tsv: str
    row: int
    line: str
    pairing: str
    query: TurnTrace
    answer: TurnTrace
    sha256: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PairOutcome:
    """A pair that a turn is in, as its `side`, query or answer, with the turn `other`.

    `row` is its row in the TSV; where it has none, `reason` and `message` say why. Of a repeat `first` is the row in
    which the pair stands.
    """

    side: Side
    other: Address
    row: int | None
    reason: str | None
    message: str | None
    first: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnOutcome:
    """A turn of a record, and all pairs that it is in; `note` says why there are none."""

    said: TurnTrace
    pairs: tuple[PairOutcome, ...]
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What became of a raw record; one that holds no turn by nature has none.

    `repeated` are turns that stand in it too, but are those of an earlier record, which first told them.
    """

    source: str
    file: str
    record: int
    sha256: str | None
    raw: str
    repeated: tuple[Address, ...]
    turns: tuple[TurnOutcome, ...]


def trace(written: RecordedRun, row: int) -> Row:
    """Where row `row` of an output, from 1, came from. Raises UsageError where there is none."""
    again = written.again(written.of_row(row))
    pair = again.pairs.row(by_predicate=pl.col("row") == row, named=True)
    query, answer = (_said(written, again, pair[f"{side}_at"]) for side in ("query", "answer"))
    files = sorted({query.at.file, answer.at.file})
    return Row(
        source=written.name,
        tsv=str(written.tsv),
        row=row,
        line=written.line(row),
        pairing=str(written.own.pairs.pairing(written.source.pairing)),
        query=query,
        answer=answer,
        sha256={file: written.inputs[file][2] for file in files},
    )


def explain(written: RecordedRun, file: str, record: int) -> Record:
    """What became of a record. Raises UsageError where it was not read, and as `Written.again`."""
    entry = written.of_record(file, record)
    limit = written.own.read.limit
    if entry is None or (limit and record > limit):
        raise UsageError(f"{file}:{record}: no such record was read; {_extent(written, file)}")
    again = written.again(entry)
    part = [piece.file.name for piece in again.shard.pieces].index(file)
    turns = again.turns.filter((pl.col("file_index") == part) & (pl.col("record") == record))
    return Record(
        source=written.name,
        file=file,
        record=record,
        sha256=written.inputs[file][2],
        raw=_raw(again, part, record),
        repeated=_repeated(written, again, turns),
        turns=tuple(_told(written, again, at) for at in turns["at"]),
    )


def _extent(written: RecordedRun, file: str) -> str:
    spans = [span for entry in written.entries for span in entry.pieces if span.file == file]
    last = max((span.first + span.records - 1 for span in spans), default=0)
    limit = written.own.read.limit
    return f"the records read are 1 to {min(last, limit or last):,}{' (read.limit)' if limit else ''}"


def _repeated(written: RecordedRun, again: ReplayedShard, turns: pl.DataFrame) -> tuple[Address, ...]:
    """The turns that a record, of which these are the turns, repeats from an earlier one."""
    most = written.source.inputs[again.shard.input].format.repeats
    placed = turns.drop_nulls("dialogue_id")
    if not most or placed.is_empty():
        return ()
    at, _, line, dialogue, first = placed.select("at", "file_index", "record", "dialogue_id", "turn_index").row(0)
    before = again.turns[:at].filter(
        (pl.col("dialogue_id") == dialogue)
        & (pl.col("record") < line)
        & pl.col("turn_index").is_between(first - most, first - 1)
    )
    return tuple(_address(again, turn) for turn in before.iter_rows(named=True))


def _address(again: ReplayedShard, turn: Mapping[str, Any]) -> Address:
    file = again.shard.pieces[turn["file_index"]].file.name
    return Address(file=file, record=turn["record"], place=turn["place"], turn_index=turn["turn_index"])


def _raw(again: ReplayedShard, part: int, record: int) -> str:
    told = again.records[part].row(by_predicate=pl.col("record") == record, named=True)
    return str(printable(told["bytes"]) if told["text"] is None and told["bytes"] is not None else told["text"] or "")


def _said(written: RecordedRun, again: ReplayedShard, at: int) -> TurnTrace:
    frame = again.turns[at : at + 1]
    turn = frame.row(0, named=True)
    unread = turn["unread"]
    asked = (
        {} if unread else filter_table.evaluate_filters(frame, written.own.filters, written.source).row(0, named=True)
    )
    name = next((name for name, message in asked.items() if message is not None), None)
    return TurnTrace(
        at=_address(again, turn),
        raw=_raw(again, turn["file_index"], turn["record"]),
        read=turn["raw"],
        changes=() if unread else _changes(written, again, turn),
        script=None if unread else turn["script"],
        text=None if unread else turn["text"],
        passed=tuple(asked)[: tuple(asked).index(name)] if name else tuple(asked),
        filter_name=name,
        reason=turn["reason"],
        message=turn["message"],
    )


def _changes(written: RecordedRun, again: ReplayedShard, turn: Mapping[str, Any]) -> tuple[Change, ...]:
    """Each step that changed a turn. Raises ChatCorpusError where the steps one by one give another text."""
    if turn["raw"] is None:
        return ()
    traits = again.shard.traits(written.source.traits)
    changes = normalizer.explain(turn["raw"], written.own.text, traits)
    if (changes[-1].after if changes else turn["raw"]) != turn["before_conversion"]:
        where = f"{again.shard.pieces[turn['file_index']].file.name}:{turn['record']}"
        raise ChatCorpusError(f"{where}: its text steps one by one give another text than all at once: a defect")
    if turn["text"] != turn["before_conversion"]:
        changes.append(Change(step=CONVERSION, before=turn["before_conversion"], after=turn["text"]))
    return tuple(changes)


def _told(written: RecordedRun, again: ReplayedShard, at: int) -> TurnOutcome:
    said = _said(written, again, at)
    mine = again.pairs.filter((pl.col("query_at") == at) | (pl.col("answer_at") == at))
    fates = tuple(_fate(written, again, at, pair) for pair in mine.iter_rows(named=True))
    return TurnOutcome(said=said, pairs=fates, note=None if fates else _alone(written, again, at))


def _alone(written: RecordedRun, again: ReplayedShard, at: int) -> str | None:
    """Why a turn is in no pair that would be possible; null where it was rejected before it had a place."""
    pairing = written.own.pairs.pairing(written.source.pairing)
    dialogue = again.turns["dialogue_id"][at]
    if dialogue is None:
        return None
    if pairing is Pairing.NONE:
        return "nobody answers in this source: its pairing is none"
    if again.turns.filter(pl.col("dialogue_id") == dialogue)["turn_index"].n_unique() == 1:
        return "the only turn of its dialogue"
    return f"no turn stands where the pairing '{pairing}' looks for one that it answers, or that answers it"


def _fate(written: RecordedRun, again: ReplayedShard, at: int, pair: Mapping[str, Any]) -> PairOutcome:
    side: Side = "query" if pair["query_at"] == at else "answer"
    address = _address(again, again.turns.row(pair["answer_at" if side == "query" else "query_at"], named=True))
    reason, message, first = pair["reason"], None, None
    if reason is not None:
        turns = again.turns[[pair["query_at"], pair["answer_at"]]]
        query, answer = turns["message"]
        message = f"the query: {query}" if turns["reason"][0] is not None else f"the answer: {answer}"
    elif pair["row"] is None:
        reason = str(Reason.DUPLICATE)
        message, first = _first(written, again, pair)
    return PairOutcome(side=side, other=address, row=pair["row"], reason=reason, message=message, first=first)


def _first(written: RecordedRun, again: ReplayedShard, pair: Mapping[str, Any]) -> tuple[str, int]:
    """What the rejects say of a repeat, and the row in which its pair stands."""
    told = written.repeat(again, pair["repeat"])
    name, record = again.shard.pieces[pair["query_file_index"]].file.name, pair["query_record"]
    if (told.file, told.record) == (name, record):
        row = _row(written, told.same_as.file, told.same_as.record, pair["query"], pair["answer"])
        if row is not None:
            return dedup.STANDS.format(told.same_as.file, told.same_as.record), row
    raise ChatCorpusError(f"rejects of {written.name}: {name}:{record} is not where it was written; run it again")


def _row(written: RecordedRun, file: str, line: int, query: str, answer: str) -> int | None:
    """The row of a pair of these texts whose query is in a record."""
    entry = written.of_record(file, line)
    if entry is None:
        return None
    again = written.again(entry)
    part = [piece.file.name for piece in again.shard.pieces].index(file)
    at = (pl.col("query_file_index") == part) & (pl.col("query_record") == line)
    rows = again.pairs.filter(at & (pl.col("query") == query) & (pl.col("answer") == answer))["row"].drop_nulls()
    return int(rows[0]) if len(rows) else None
