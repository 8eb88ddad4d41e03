"""Origin of an output row, and fate of a raw record. Both are exact, because the shard is processed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.files.lines import printable
from chat_corpus.lineage.dropped_pairs import dropped_pair, why_dropped
from chat_corpus.lineage.recorded_run import RecordedRun
from chat_corpus.lineage.replayed_shard import ReplayedShard
from chat_corpus.lineage.trace_model import (
    CONVERSION,
    MASKING,
    Address,
    PairOutcome,
    Record,
    Row,
    Side,
    TurnOutcome,
    TurnTrace,
)
from chat_corpus.lineage.turnless import why_no_turn
from chat_corpus.messages import Message, message
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.text import normalizer
from chat_corpus.pipeline.text.normalizer import Change
from chat_corpus.schema import Pairing
from chat_corpus.terms import pairing_name, stored_text


def trace(run: RecordedRun, row: int) -> Row:
    """Return the origin of an output row, numbered from 1. Raises UsageError if it is missing, and as `run.replay`."""
    shard = run.replay(run.entry_of_row(row))
    pair = shard.pairs.row(by_predicate=pl.col("row") == row, named=True)
    query, answer = (_trace_turn(run, shard, pair[f"{side}_at"]) for side in ("query", "answer"))
    files = sorted({query.at.file, answer.at.file})
    return Row(
        source=run.name,
        tsv=str(run.tsv),
        row=row,
        line=run.line(row),
        pairing=str(run.source_settings.pairs.pairing(run.source.pairing)),
        query=query,
        answer=answer,
        sha256={file: run.inputs[file][2] for file in files},
    )


def explain(run: RecordedRun, file: str, record: int) -> Record:
    """Return the fate of a raw record. Raises UsageError if the run did not read it, and as `run.replay`."""
    entry = run.entry_of_record(file, record)
    limit = run.source_settings.read.limit
    if entry is None or (limit and record > limit):
        raise UsageError(_no_such_record(run, file, record))
    shard = run.replay(entry)
    file_index = [piece.file.name for piece in shard.shard.pieces].index(file)
    turns = shard.turns.filter((pl.col("file_index") == file_index) & (pl.col("record") == record))
    return Record(
        source=run.name,
        file=file,
        record=record,
        sha256=run.inputs[file][2],
        raw=_raw(shard, file_index, record),
        repeated=_repeated(run, shard, turns),
        turns=tuple(_turn_outcome(run, shard, at) for at in turns["at"]),
        note=None if len(turns) else why_no_turn(shard, file_index, record),
    )


def _no_such_record(run: RecordedRun, file: str, record: int) -> Message:
    spans = [span for entry in run.entries for span in entry.pieces if span.file == file]
    last = max((span.first + span.records - 1 for span in spans), default=0)
    limit = run.source_settings.read.limit
    if limit:
        return message(
            "{file}:{record}: no such record; the run read records 1 to {last:,} (read.limit)",
            file=file,
            record=record,
            last=min(last, limit),
        )
    return message(
        "{file}:{record}: no such record; the run read records 1 to {last:,}", file=file, record=record, last=last
    )


def _repeated(run: RecordedRun, shard: ReplayedShard, turns: pl.DataFrame) -> tuple[Address, ...]:
    """Return the addresses of the turns of earlier records that a record repeats; `turns` are those of the record.

    Only some layouts repeat turns (see `Format.repeats`).
    """
    max_repeats = run.source.inputs[shard.shard.input].format.repeats
    in_dialogue = turns.drop_nulls("dialogue_id")
    if not max_repeats or in_dialogue.is_empty():
        return ()
    at, record, dialogue, first = in_dialogue.select("at", "record", "dialogue_id", "turn_index").row(0)
    before = shard.turns[:at].filter(
        (pl.col("dialogue_id") == dialogue)
        & (pl.col("record") < record)
        & pl.col("turn_index").is_between(first - max_repeats, first - 1)
    )
    return tuple(_address(shard, turn) for turn in before.iter_rows(named=True))


def _address(shard: ReplayedShard, turn: Mapping[str, Any]) -> Address:
    file = shard.shard.pieces[turn["file_index"]].file.name
    return Address(file=file, record=turn["record"], place=turn["place"], turn_index=turn["turn_index"])


def _raw(shard: ReplayedShard, file_index: int, number: int) -> str:
    record = shard.records[file_index].row(by_predicate=pl.col("record") == number, named=True)
    text, data = record["text"], record["bytes"]
    return str(printable(data) if text is None and data is not None else text or "")


def _trace_turn(run: RecordedRun, shard: ReplayedShard, at: int) -> TurnTrace:
    turn = shard.turns.row(at, named=True)
    unread = turn["unread"]
    messages = {} if unread else _filter_messages(run, shard, at)
    filters = tuple(messages)
    failed = next((name for name in filters if messages[name] is not None), None)
    return TurnTrace(
        at=_address(shard, turn),
        raw=_raw(shard, turn["file_index"], turn["record"]),
        read=turn["raw"],
        changes=() if unread else _changes(run, shard, turn),
        script=None if unread else turn["script"],
        text=None if unread else turn["text"],
        passed=filters[: filters.index(failed)] if failed else filters,
        filter_name=failed,
        reason=turn["reason"],
        message=turn["message"],
    )


def _filter_messages(run: RecordedRun, shard: ReplayedShard, at: int) -> dict[str, str | None]:
    """Return the message of each filter for a turn, by filter name; None for filters that accept it.

    All turns of its dialogue are evaluated, because filters of dialogues need them.
    """
    dialogue = shard.turns["dialogue_id"][at]
    turns = shard.turns[at : at + 1] if dialogue is None else shard.turns.filter(pl.col("dialogue_id") == dialogue)
    messages = filter_table.evaluate_filters(turns, run.source_settings.filters, run.source)
    return messages.row(int(turns["at"].index_of(at) or 0), named=True)


def _changes(run: RecordedRun, shard: ReplayedShard, turn: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the steps that changed a turn. Raises ChatCorpusError if their result differs from that of the run."""
    if turn["raw"] is None:
        return ()
    traits = shard.shard.traits(run.source.traits)
    changes = normalizer.explain(turn["raw"], run.source_settings.text, traits)
    if (changes[-1].after if changes else turn["raw"]) != turn["before_conversion"]:
        raise ChatCorpusError(
            message(
                "{file}:{record}: the text steps give another text one by one than together; this is a defect of "
                "chat-corpus, please report it",
                file=shard.shard.pieces[turn["file_index"]].file.name,
                record=turn["record"],
            )
        )
    converted = turn.get("before_masking", turn["text"])
    for step, before, after in ((CONVERSION, turn["before_conversion"], converted), (MASKING, converted, turn["text"])):
        if before != after:
            changes.append(Change(step=step, before=before, after=after))
    return tuple(changes)


def _turn_outcome(run: RecordedRun, shard: ReplayedShard, at: int) -> TurnOutcome:
    turn = _trace_turn(run, shard, at)
    pairs = shard.pairs.filter((pl.col("query_at") == at) | (pl.col("answer_at") == at))
    outcomes = tuple(_pair_outcome(run, shard, at, pair) for pair in pairs.iter_rows(named=True))
    return TurnOutcome(said=turn, pairs=outcomes, note=None if outcomes else _no_pairs(run, shard, at))


def _no_pairs(run: RecordedRun, shard: ReplayedShard, at: int) -> Message | None:
    """Return the reason why a turn is in no possible pair; None if it is not in a dialogue."""
    pairing = run.source_settings.pairs.pairing(run.source.pairing)
    dialogue = shard.turns["dialogue_id"][at]
    if dialogue is None:
        return None
    if pairing is Pairing.NONE:
        return message("turns of this source do not answer each other (pairing: none)")
    if shard.turns.filter(pl.col("dialogue_id") == dialogue)["turn_index"].n_unique() == 1:
        return message("the only turn of its dialogue")
    return message("no turn of its dialogue is its query or answer (pairing: {pairing})", pairing=pairing_name(pairing))


def _pair_outcome(run: RecordedRun, shard: ReplayedShard, at: int, pair: Mapping[str, Any]) -> PairOutcome:
    side: Side = "query" if pair["query_at"] == at else "answer"
    other = _address(shard, shard.turns.row(pair["answer_at" if side == "query" else "query_at"], named=True))
    reason: str | None = pair["reason"]
    details: str | None = None
    first: int | None = None
    if pair["message"] is not None:
        details = message("the pair: {reason}", reason=stored_text(pair["message"]))
    elif reason is not None:
        turns = shard.turns[[pair["query_at"], pair["answer_at"]]]
        query, answer = turns["message"]
        if turns["reason"][0] is not None:
            details = message("the query: {reason}", reason=stored_text(query))
        else:
            details = message("the answer: {reason}", reason=stored_text(answer))
    elif pair["row"] is None:
        dropped, first = dropped_pair(run, shard, pair)
        reason, details = dropped.reason, why_dropped(dropped)
    return PairOutcome(side=side, other=other, row=pair["row"], reason=reason, message=details, first=first)
