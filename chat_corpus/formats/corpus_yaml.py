"""The ChatterBot corpus layout: YAML with `conversations`, a list of lists of utterances.

Each conversation is composed on its own, so that a malformed one costs itself; utterances are taken as their author
wrote them, `1963`, `yes` and `他说: 好` included. Nothing is constructed from tags, and no alias is followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import yaml

from chat_corpus.formats.base import Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.schema import Reason

_Row = tuple[int, int | None, int | None, str | None, str | None, str | None]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ITEM = re.compile(r"( *)-(?: |$)")
_SECTION = re.compile(r"[A-Za-z_]+:(?: |$)")
_REMARK = re.compile(r"\s*(?:#|$)")


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = parts
    lines: list[tuple[int, str | None]] = list(records.select("line", "text").iter_rows())
    found: list[_Row] = []
    for dialogue, chunk in enumerate(_conversations(lines)):
        found.extend((row[0], dialogue, *row[1:]) for row in _utterances(chunk))
    placed = {line for line, *_ in found}
    found.extend(
        (line, None, None, None, str(Reason.ENCODING), "not UTF-8")
        for line, text in lines
        if text is None and line not in placed
    )
    schema = {"line": pl.UInt32, "dialogue": pl.UInt32, "turn": pl.UInt32, "text": pl.String}
    rows = pl.DataFrame(found, schema={**schema, "reason": pl.String, "detail": pl.String}, orient="row")
    structural = records.filter(~pl.col("line").is_in(rows["line"].implode()))["line"]
    return Reading(rows=mark_empty(turns_frame(rows)), structural=(structural,))


def _conversations(lines: list[tuple[int, str | None]]) -> Iterator[list[tuple[int, str | None]]]:
    """The lines of each conversation: from an item of the list under `conversations:` up to the next."""
    chunk: list[tuple[int, str | None]] = []
    indent: str | None = None
    inside = False
    for line, text in lines:
        if not inside or (text and _SECTION.match(text)):
            inside = text is not None and text.rstrip() == "conversations:"
            continue
        item = _ITEM.match(text or "")
        if indent is None and text is not None and _REMARK.match(text):
            continue
        indent = item[1] if item and indent is None else indent
        if item and item[1] == indent:
            if chunk:
                yield chunk
            chunk = []
        chunk.append((line, text))
    if chunk:
        yield chunk


def _utterances(chunk: list[tuple[int, str | None]]) -> Iterator[tuple[int, int, str | None, str | None, str | None]]:
    """The rows (line, turn, text, reason, detail) of one conversation; an undecodable line keeps its place."""
    bad = {index for index, (_, text) in enumerate(chunk) if text is None}
    source = "\n".join("  - ?" if text is None else text for _, text in chunk)
    first = chunk[0][0]
    try:
        if "*" in source and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, Loader=_LOADER)):
            raise ValueError("an alias, which is not followed")
        node: Any = yaml.compose(source, Loader=_LOADER)
        (conversation,) = node.value
        items = conversation.value
        if not isinstance(conversation, yaml.SequenceNode) or not items:
            raise ValueError("a list of utterances expected")
    except (yaml.YAMLError, AttributeError, TypeError, ValueError, RecursionError) as error:
        yield first, 0, None, str(Reason.LAYOUT), " ".join(f"not a conversation in YAML: {error}".split())
        return
    for turn, item in enumerate(items):
        # Counted here, since YAML takes U+0085 and U+2028 inside a scalar for line breaks too.
        at = source.count("\n", 0, item.start_mark.index)
        text = _as_written(item, source)
        if at in bad:
            yield first + at, turn, None, str(Reason.ENCODING), "not UTF-8"
        elif text is None:
            yield first + at, turn, None, str(Reason.LAYOUT), f"a text expected, a {item.id} met"
        else:
            yield first + at, turn, text, None, None


def _as_written(item: yaml.Node, source: str) -> str | None:
    """The text of an item: a scalar, or what YAML takes for a mapping because its author wrote a colon."""
    if isinstance(item, yaml.ScalarNode):
        return str(item.value)
    written = source[item.start_mark.index : item.end_mark.index].strip()
    sentence = isinstance(item, yaml.MappingNode) and not item.flow_style and "\n" not in written
    return written if sentence else None


CORPUS_YAML = Format(read=_read, cut=None)
