"""The output of `trace` and `explain` for people: lines in the current language, without control characters."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.cli.language import translate
from chat_corpus.cli.terminal import padded
from chat_corpus.lineage.export_trace import TracedRecord
from chat_corpus.lineage.trace_model import CONVERSION, Address, PairOutcome, Record, Row, TurnOutcome, TurnTrace
from chat_corpus.messages import Message, joined, message, one_line
from chat_corpus.terms import pairing_name, reason_name, script_name, stored_text

#: Width of the names of fields in columns.
_NAME = 12
_QUERY, _ANSWER = message("query"), message("answer")
_UNREAD = message("unknown: the file was not read to its end")


def row(traced: Row) -> Iterator[str]:
    """Yield the lines about the origin of a row."""
    yield one_line(f"{traced.tsv}:{traced.row}")
    for name, text in zip((_QUERY, _ANSWER), traced.line.split("\t"), strict=True):
        yield _field(name, text)
    for name, turn in ((_QUERY, traced.query), (_ANSWER, traced.answer)):
        yield _line(message("{role}: {address}", role=name, address=address(turn.at)))
        yield _field("sha256", traced.sha256[turn.at.file] or _UNREAD)
        yield _field(message("raw"), turn.raw)
        yield from _steps(turn)
    yield _line(message("pairing: {pairing}", pairing=pairing_name(traced.pairing)))


def record(explained: Record) -> Iterator[str]:
    """Yield the lines about the fate of a raw record."""
    yield one_line(f"{explained.file}:{explained.record}")
    yield _field(message("source"), explained.source)
    yield _field("sha256", explained.sha256 or _UNREAD)
    yield _field(message("raw"), explained.raw)
    if explained.repeated:
        yield _field(message("context"), _repeated(explained.repeated))
    if explained.note is not None:
        yield _line(explained.note)
    for turn in explained.turns:
        yield from _turn(turn)


def exported(traced: TracedRecord) -> Iterator[str]:
    """Yield the lines about the origin of a record of an export."""
    yield one_line(traced.id)
    yield _field(message("split"), traced.split or message("held: in no split"))
    yield _field(message("dialogue"), traced.dialogue_id)
    for spoken in traced.messages:
        yield _field(spoken.role, spoken.content)
        for turn in spoken.turns:
            at = message(
                "{file}:{record}, turn {turn_index} of its dialogue",
                file=turn.file,
                record=turn.record,
                turn_index=turn.turn_index,
            )
            yield "  " + _line(at)
            yield "  " + _field(message("raw"), turn.raw)
            if turn.read not in (turn.raw, turn.text):
                yield "  " + _field(message("read as"), turn.read)


def address(at: Address) -> Message:
    """Return the address of a turn: `file:record` and, if it has one, its number in the dialogue."""
    if at.turn_index is None:
        return message("{file}:{record}", file=at.file, record=at.record)
    return message(
        "{file}:{record}, turn {turn_index} of its dialogue", file=at.file, record=at.record, turn_index=at.turn_index
    )


def _repeated(turns: tuple[Address, ...]) -> Message:
    first, last = turns[0].turn_index, turns[-1].turn_index
    records = joined(", ", dict.fromkeys(f"{turn.file}:{turn.record}" for turn in turns))
    if len(turns) == 1:
        return message("repeats turn {turn_index} of the dialogue, from {records}", turn_index=first, records=records)
    return message(
        "repeats turns {first} to {last} of the dialogue, from {records}", first=first, last=last, records=records
    )


def _turn(turn: TurnOutcome) -> Iterator[str]:
    at = turn.said.at
    if at.turn_index is None:
        yield _line(message("turn {place} of the record", place=at.place))
    else:
        yield _line(
            message(
                "turn {place} of the record, turn {turn_index} of its dialogue",
                place=at.place,
                turn_index=at.turn_index,
            )
        )
    yield from _steps(turn.said)
    yield from map(_pair, turn.pairs)
    if turn.note:
        yield _field(message("no pair"), turn.note)


def _steps(turn: TurnTrace) -> Iterator[str]:
    yield _field(message("read"), message("(no text)") if turn.read is None else turn.read)
    for change in turn.changes:
        if change.step == CONVERSION:
            text = message(
                "{before}  ->  {after} (from {script})",
                before=change.before,
                after=change.after,
                script=script_name(turn.script),
            )
            yield _field(message("conversion"), text)
        else:
            yield _field(change.step, f"{change.before}  ->  {change.after}")
    if turn.passed:
        yield _field(message("passed"), joined(", ", turn.passed))
    if turn.reason:
        yield _field(message("rejected"), _rejection(turn))


def _rejection(turn: TurnTrace) -> Message:
    reason, text = reason_name(turn.reason or ""), stored_text(turn.message or "")
    if turn.filter_name:
        return message("{reason} by filter {name}: {message}", reason=reason, name=turn.filter_name, message=text)
    return message("{reason} while reading: {message}", reason=reason, message=text)


def _pair(pair: PairOutcome) -> str:
    role = {"query": message("answered by"), "answer": message("answers")}[pair.side]
    other = address(pair.other)
    if pair.row is not None:
        return _field(role, message("{address}: row {row}", address=other, row=pair.row))
    reason, why = reason_name(pair.reason or ""), stored_text(pair.message or "")
    if pair.first is not None:
        text = message(
            "{address}: not written, {reason}: {message}, row {row}",
            address=other,
            reason=reason,
            message=why,
            row=pair.first,
        )
    else:
        text = message("{address}: not written, {reason}: {message}", address=other, reason=reason, message=why)
    return _field(role, text)


def _line(text: str) -> str:
    return one_line(translate(text))


def _field(name: str, text: str) -> str:
    return f"  {padded(translate(name), _NAME)} {_line(text)}"
