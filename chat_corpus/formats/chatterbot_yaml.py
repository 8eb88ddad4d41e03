"""The ChatterBot corpus layout: YAML with `conversations`, a list of lists of utterances.

Each conversation is composed separately, so that a malformed one does not affect the others. Utterances stay as
written, also `1963`, `yes` and `他说: 好`. Tags construct no objects, and aliases are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl
import yaml

from chat_corpus.files.lines import printable
from chat_corpus.files.yaml_safety import LOADER, check_nesting
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.schema import Reason

_Row = tuple[int, int | None, int | None, str | None, str | None, str | None]
_ITEM = re.compile(r"( *)-(?: |$)")
_SECTION = re.compile(r"[A-Za-z_]+:(?: |$)")
_REMARK = re.compile(r"\s*(?:#|$)")
#: Lines of a YAML file besides conversations; lines of a document do not match.
_OTHER = re.compile(r"\s*(?:#|$)|---|\.\.\.|%|\s*- |[\w-]+:|\s+\S")


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = parts
    lines = [_Line(*row) for row in records.select("record", "text", "bytes").iter_rows()]
    chunks, outside = _conversations(lines)
    turns: list[_Row] = []
    for dialogue, chunk in enumerate(chunks):
        turns.extend((row[0], dialogue, *row[1:]) for row in _utterances(chunk))
    placed = {line for line, *_ in turns}
    turns.extend(_outside(line) for line in outside if _is_lost(line, chunks))
    turns.extend(
        (line.number, None, None, None, str(Reason.ENCODING), NOT_UTF8)
        for chunk in chunks
        for line in chunk
        if line.text is None and line.number not in placed
    )
    schema = {"record": pl.UInt32, "dialogue_id": pl.UInt32, "turn_index": pl.UInt32, "text": pl.String}
    rows = pl.DataFrame(turns, schema={**schema, "reason": pl.String, "message": pl.String}, orient="row")
    non_turns = records.filter(~pl.col("record").is_in(rows["record"].implode()))["record"]
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(non_turns,))


class _Line(NamedTuple):
    """A raw line. A line that is not UTF-8 has no text; YAML gets it with escapes for invalid bytes."""

    number: int
    text: str | None
    bytes: bytes | None

    @property
    def shown(self) -> str:
        return printable(self.bytes or b"") if self.text is None else self.text


def _is_lost(line: _Line, chunks: list[list[_Line]]) -> bool:
    """Return whether a line outside of conversations is an error.

    It is if it is not UTF-8, is not YAML, or has text in a file without conversations.
    """
    return line.text is None or not (_OTHER if chunks else _REMARK).match(line.text)


def _outside(line: _Line) -> _Row:
    if line.text is None:
        return line.number, None, None, None, str(Reason.ENCODING), NOT_UTF8
    text = "a list of conversations under 'conversations:' expected"
    return line.number, None, None, None, str(Reason.LAYOUT), text


def _conversations(lines: list[_Line]) -> tuple[list[list[_Line]], list[_Line]]:
    """Return the lines of each conversation, an item of the list under `conversations:`, and the lines outside."""
    chunks: list[list[_Line]] = []
    outside: list[_Line] = []
    indent: str | None = None
    inside = False
    for line in lines:
        if _SECTION.match(line.shown):
            inside = line.shown.startswith("conversations:")
        item = _ITEM.match(line.shown) if inside else None
        if item and indent in (None, item[1]):
            indent = item[1]
            chunks.append([line])
        elif inside and chunks and not _SECTION.match(line.shown):
            chunks[-1].append(line)
        else:
            outside.append(line)
    return chunks, outside


def _utterances(chunk: list[_Line]) -> Iterator[tuple[int, int, str | None, str | None, str | None]]:
    """Yield rows (record, turn, text, reason, message) of one conversation.

    A line that is not UTF-8 rejects its utterance only.
    """
    bad = {index for index, line in enumerate(chunk) if line.text is None}
    source = "\n".join(line.shown for line in chunk)
    first = chunk[0].number
    try:
        if check_nesting(source):
            raise ValueError("an alias, which is not followed")
        node: Any = yaml.compose(source, Loader=LOADER)
        (conversation,) = node.value
        items = conversation.value
        if not isinstance(conversation, yaml.SequenceNode) or not items:
            raise ValueError("a list of utterances expected")
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        reason = Reason.ENCODING if bad else Reason.LAYOUT
        yield first, 0, None, str(reason), " ".join(f"not a conversation in YAML: {error}".split())
        return
    at = seen = 0
    for turn, item in enumerate(items):
        # Counted here, because YAML also counts U+0085 and U+2028 inside a scalar as line breaks.
        start = item.start_mark.index
        at, seen = at + source.count("\n", seen, start), start
        end = at + source.count("\n", start, max(start, item.end_mark.index - 1))
        text = _as_written(item, source)
        if bad and not bad.isdisjoint(range(at, end + 1)):
            yield first + at, turn, None, str(Reason.ENCODING), NOT_UTF8
        elif text is None:
            yield first + at, turn, None, str(Reason.LAYOUT), f"a text expected, a {item.id} met"
        else:
            yield first + at, turn, text, None, None


def _as_written(item: yaml.Node, source: str) -> str | None:
    """Return the text of an item: a scalar, or a text with a colon, which YAML reads as a mapping."""
    if isinstance(item, yaml.ScalarNode):
        return str(item.value)
    written = source[item.start_mark.index : item.end_mark.index].strip()
    sentence = isinstance(item, yaml.MappingNode) and not item.flow_style and "\n" not in written
    return written if sentence else None


CORPUS_YAML = Format(read=_read, cut=None)
