"""What a person reads of a row traced and of a record explained: lines that cannot steer a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from chat_corpus.lineage.export_trace import TracedRecord
from chat_corpus.lineage.trace import CONVERSION, Address, PairOutcome, Record, Row, TurnOutcome, TurnTrace
from chat_corpus.messages import one_line


def row(told: Row) -> Iterator[str]:
    """The lines that tell where a row came from."""
    yield one_line(f"{told.tsv}:{told.row}")
    for name, text in zip(("query", "answer"), told.line.split("\t"), strict=True):
        yield _field(name, text)
    for name, said in (("query", told.query), ("answer", told.answer)):
        yield f"{name}: {address(said.at)}"
        yield _field("sha256", told.sha256[said.at.file] or "not known: the file was not read to its end")
        yield _field("raw", said.raw)
        yield from _said(said)
    yield f"pairing: {told.pairing}"


def record(told: Record) -> Iterator[str]:
    """The lines that tell what became of a record."""
    yield one_line(f"{told.file}:{told.record}")
    yield _field("source", told.source)
    yield _field("sha256", told.sha256 or "not known: the file was not read to its end")
    yield _field("raw", told.raw)
    if told.repeated:
        yield _field("context", _repeated(told.repeated))
    if not told.turns:
        yield "not a turn: the record holds none by nature, as a header does"
    for turn in told.turns:
        yield from _turn(turn)


def exported(told: TracedRecord) -> Iterator[str]:
    """The lines that tell where a record of an export came from."""
    yield one_line(told.id)
    yield _field("split", told.split or "held: in no split")
    yield _field("dialogue", told.dialogue_id)
    for message in told.messages:
        yield _field(message.role, message.content)
        for turn in message.turns:
            yield one_line(f"  {turn.file}:{turn.record}, turn {turn.turn_index} of its dialogue")
            yield _field("  raw", turn.raw)
            if turn.read not in (turn.raw, turn.text):
                yield _field("  read", turn.read)


def address(at: Address) -> str:
    """A turn's address: `file:record`, and which turn of its dialogue it is."""
    return one_line(f"{at.file}:{at.record}") + (
        "" if at.turn_index is None else f", turn {at.turn_index} of its dialogue"
    )


def _repeated(turns: tuple[Address, ...]) -> str:
    places = [turn.turn_index for turn in turns]
    which = f"turn {places[0]}" if len(places) == 1 else f"turns {places[0]} to {places[-1]}"
    records = " and ".join(dict.fromkeys(f"{turn.file}:{turn.record}" for turn in turns))
    return f"{which} of the dialogue, told at {records}"


def _turn(told: TurnOutcome) -> Iterator[str]:
    at = told.said.at
    yield f"turn {at.place} of the record" + (
        "" if at.turn_index is None else f", turn {at.turn_index} of its dialogue"
    )
    yield from _said(told.said)
    yield from map(_fate, told.pairs)
    if told.note:
        yield _field("no pair", told.note)


def _said(said: TurnTrace) -> Iterator[str]:
    yield _field("read", "(no text)" if said.read is None else said.read)
    for change in said.changes:
        from_ = f" (from {said.script})" if change.step == CONVERSION else ""
        yield _field(change.step, f"{change.before}  ->  {change.after}{from_}")
    if said.passed:
        yield _field("passed", ", ".join(said.passed))
    if said.reason:
        by = f" by filter {said.filter_name}" if said.filter_name else " at reading"
        yield _field("rejected", f"{said.reason}{by}: {said.message}")


def _fate(fate: PairOutcome) -> str:
    role = {"query": "answered by", "answer": "answers"}[fate.side]
    if fate.row is not None:
        became = f"row {fate.row}"
    elif fate.first is not None:
        became = f"not written, {fate.reason}: {fate.message}, row {fate.first}"
    else:
        became = f"not written, {fate.reason}: {fate.message}"
    return _field(role, f"{address(fate.other)}: {became}")


def _field(name: str, text: str) -> str:
    return f"  {name:<12} {one_line(text)}"
