"""Layouts of corpora that a user adds, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from chat_corpus.formats.base import Format
from chat_corpus.formats.blank_lines import BLANK_LINES
from chat_corpus.formats.chat_exports import GAP, chat_export
from chat_corpus.formats.chat_json import chat_array, chat_lines
from chat_corpus.formats.conv import CONV
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.message_tables import ANSWER, QUERY, message_table, named_pairs
from chat_corpus.formats.own_records import joined_characters, record_turns
from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.formats.subtitles import subrip, substation
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format
from chat_corpus.messages import Message, message
from chat_corpus.schema import Markup

#: Columns that the user names: pairs of a role, such as `speaker`, and the name or number of the column.
ColumnNames = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A layout: its name, other names for it, a description, and the formats that read its files.

    `formats` returns the formats for the columns that the user names and for the gap in seconds that ends a dialogue,
    0 for the default. The first format that accepts a file reads it. If `has_columns` or `has_gap` is true, a
    definition may set this key. `markup` is the usual markup of such files.
    """

    name: str
    description: Message
    formats: Callable[[ColumnNames, int], tuple[Format, ...]]
    aliases: tuple[str, ...] = ()
    has_columns: bool = False
    has_gap: bool = False
    markup: frozenset[Markup] = frozenset()

    @property
    def parts(self) -> int:
        """The number of files that are read together."""
        return self.formats((), 0)[0].parts


def _tables(names: ColumnNames, gap: int) -> tuple[Format, ...]:
    messages = message_table(names, gap) if gap else message_table(names)
    if {QUERY, ANSWER} & {what for what, _ in names}:
        return (named_pairs(names),)
    if names:
        return (messages,)
    return messages, table_format(Table(separator=",", quoted=True), certain=True)


JSON = Layout(
    name="json",
    description=message("JSON Lines, JSON or Parquet: messages, dialogues, instructions"),
    formats=lambda _names, _gap: (
        json_lines(record_turns, certain=True),
        json_array(record_turns, certain=True),
    ),
    aliases=("jsonl", "ndjson", "parquet", "lccc"),
)
TABLE = Layout(
    name="table",
    description=message("CSV or TSV: a query and its answer, or a message a row"),
    formats=_tables,
    aliases=("csv", "tsv"),
    has_columns=True,
    has_gap=True,
)
BLANK_LINE_CHATS = Layout(
    name="blank-lines",
    description=message("one utterance a line, a blank line between dialogues"),
    formats=lambda _names, _gap: (BLANK_LINES,),
    aliases=("txt", "lines"),
)
CONV_FILES = Layout(
    name="conv",
    description=message("lines 'E' and 'M text'"),
    formats=lambda _names, _gap: (CONV,),
)
PARALLEL_FILES = Layout(
    name="parallel",
    description=message("two files: line n of the second answers line n of the first"),
    formats=lambda _names, _gap: (PARALLEL,),
)
SUBTITLES = Layout(
    name="subtitles",
    description=message("SubRip, WebVTT or SubStation Alpha"),
    formats=lambda _names, gap: (substation(gap), subrip(gap)) if gap else (substation(), subrip()),
    aliases=("srt", "vtt", "ass", "ssa"),
    has_gap=True,
    markup=frozenset({Markup.SUBTITLE}),
)
CHAT_EXPORT = Layout(
    name="chat-export",
    description=message("chats exported by WeChat, QQ, LINE, WhatsApp, Telegram or Discord: time, speaker, message"),
    formats=lambda _names, gap: (chat_lines(gap or GAP), chat_array(gap or GAP), chat_export(gap or GAP)),
    aliases=("whatsapp", "wechat", "qq", "line", "telegram", "discord", "chat"),
    has_gap=True,
)
LAYOUTS = (JSON, TABLE, BLANK_LINE_CHATS, CONV_FILES, PARALLEL_FILES, SUBTITLES, CHAT_EXPORT)


@cache
def by_name() -> dict[str, Layout]:
    """Return the layouts by name and by alias."""
    return {name: layout for layout in LAYOUTS for name in (layout.name, *layout.aliases)}


def formats_of(layout: Layout, names: ColumnNames, gap: int, *, characters: bool) -> tuple[Format, ...]:
    """Return the formats that read files of a layout. If `characters`, blanks between characters are removed."""
    formats = layout.formats(names, gap)
    return tuple(map(joined_characters, formats)) if characters else formats
