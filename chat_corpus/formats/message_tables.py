"""Tables with a message in each row (speaker, text, dialogue, time), and tables with columns that the user names.

The columns are named by a header, in any order, or by the user, by name or number. Rows of one dialogue are contiguous.
A table without a column of dialogues is split at gaps in time. A table that also has no times is a single dialogue,
which is read as a whole. Consecutive messages of one speaker merge (`formats.sessions`). Messages of media are blank;
notices are not messages (`formats.placeholders`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial

import polars as pl

from chat_corpus.files.lines import cut_at_line
from chat_corpus.formats import sessions, times
from chat_corpus.formats.base import Format, Reading, Records, mark_empty, turns_frame
from chat_corpus.formats.field_names import NO_TURN, columns, is_row_number, normal
from chat_corpus.formats.message_headers import (
    DIALOGUE,
    NAMES,
    SEPARATORS,
    SPEAKER,
    TEXT,
    TIME,
    TYPE,
    header_line,
    header_of,
    is_of_wechat,
    lines_of,
    places_of,
    split_fields,
    whole_lines,
)
from chat_corpus.formats.placeholders import (
    MEDIA,
    MEDIA_NUMBER,
    MEDIA_TYPE,
    NOTICE_NUMBER,
    NOTICE_TYPE,
    PROGRAM,
    of_type,
)
from chat_corpus.formats.table_rows import MOST_COLUMNS, Table, fields_of, plain_format, without_headings

#: Seconds without a message that end a session.
GAP = 3600
QUERY, ANSWER = "query", "answer"
#: Number of first lines, blank or not, that show the number of columns.
_SHOWN = 20
#: Minimum share of readable rows in such a table.
_READABLE = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """A table, and the indices of its columns by role: those of `message_headers.NAMES`, `query`, `answer`.

    `numbered` means that numbers in the column of types are WeChat's.
    """

    table: Table
    places: Mapping[str, int]
    order: times.Order = times.Order.DAY_FIRST
    numbered: bool = False

    def dialect(self) -> str:
        return json.dumps(asdict(self) | {"table": self.table.dialect(), "places": dict(self.places)})

    @classmethod
    def of(cls, dialect: str) -> _Layout:
        facts = json.loads(dialect)
        order, numbered = times.Order(facts["order"]), bool(facts["numbered"])
        return cls(table=Table.of(facts["table"]), places=facts["places"], order=order, numbered=numbered)


def _messages(records: Records, layout: _Layout) -> tuple[pl.DataFrame, pl.Series, pl.DataFrame]:
    """Return rows as `sessions.MESSAGES`, numbers of blank lines and notices, and the fields of messages.

    The fields are those of readable rows (`record, text`).
    """
    fields = fields_of(records, layout.table)

    def column(name: str) -> pl.Expr:
        place = layout.places.get(name)
        return pl.lit(None, dtype=pl.String) if place is None else pl.col("text").list.get(place)

    notice, media = (NOTICE_NUMBER, MEDIA_NUMBER) if layout.numbered else ("", "")
    is_program = column(SPEAKER).str.contains(PROGRAM).fill_null(value=False)
    is_media = of_type(column(TYPE), MEDIA_TYPE, media) | column(TEXT).str.contains(MEDIA)
    rows = fields.good.with_columns(is_notice=of_type(column(TYPE), NOTICE_TYPE, notice) | is_program)
    notices, rows = rows.filter("is_notice")["record"], rows.filter(~pl.col("is_notice"))
    good = rows.select(
        "record",
        speaker=pl.when(column(SPEAKER).str.strip_chars() != "").then(column(SPEAKER).str.strip_chars()),
        stamp=times.stamp_of(column(TIME), layout.order),
        key=pl.when(column(DIALOGUE).str.strip_chars() != "").then(column(DIALOGUE).str.strip_chars()),
        text=pl.when(is_media).then(pl.lit("")).otherwise(column(TEXT)),
        reason=pl.lit(None, dtype=pl.String),
        message=pl.lit(None, dtype=pl.String),
    )
    missing = [name for name in sessions.MESSAGES if name not in fields.bad.columns]
    bad = fields.bad.with_columns(pl.lit(None, dtype=sessions.MESSAGES[name]).alias(name) for name in missing)
    messages = pl.concat([good, bad.select(sessions.MESSAGES.names())]).sort("record")
    return messages, pl.concat([fields.blank, notices]), rows


def _read(parts: Sequence[Records], *, layout: _Layout, gap: int) -> Reading:
    (lines,) = parts
    records, headings = without_headings(lines, layout.table)
    messages, blank, good = _messages(records, layout)
    rows, merged = sessions.turns_of_messages(messages, gap)
    unread = [
        (record, name)
        for place, name in layout.table.others
        for record in good.filter(pl.col("text").list.get(place).str.contains(r"\p{L}"))["record"]
    ]
    return Reading(rows=mark_empty(turns_frame(rows)), non_turns=(pl.concat([headings, blank, merged]),), unread=unread)


def _cut(data: bytes, *, layout: _Layout, gap: int) -> int:
    """Return the offset of the last row that begins a dialogue; 0 if there is none."""
    format_ = plain_format(layout.table)
    whole = data[: (format_.cut or cut_at_line)(data)]
    if not whole:
        return 0
    messages, _, _ = _messages(format_.split(whole, 1), layout)
    return sessions.cut_before(data, messages.filter(sessions.session_starts(messages, gap))["record"])


def _format(layout: _Layout, gap: int) -> Format:
    plain = plain_format(layout.table)
    cut = partial(_cut, layout=layout, gap=gap) if {TIME, DIALOGUE} & set(layout.places) else None
    return replace(plain, read=partial(_read, layout=layout, gap=gap), cut=cut)


def message_table(names: tuple[tuple[str, str], ...] = (), gap: int = GAP) -> Format:
    """Return the format of tables of messages.

    `names` are pairs of a role and the name or number of its column, such as ``("speaker", "谁")``.
    """

    def dialect_of(head: bytes) -> str:
        found = _look(head, names)
        return "" if found is None else found.dialect()

    return replace(
        _format(_PLAIN, gap),
        accepts=lambda head: _look(head, names) is not None,
        dialect_of=dialect_of,
        in_dialect=lambda dialect: _format(_Layout.of(dialect), gap),
    )


_PLAIN = _Layout(table=Table(separator=",", quoted=True), places={SPEAKER: 0, TEXT: 1})


@lru_cache(maxsize=8)
def _look(head: bytes, names: tuple[tuple[str, str], ...]) -> _Layout | None:
    """Return the table of messages in a file with these first bytes; None for any other file."""
    if not names and columns(header_of(head)[1]) is not None:  # a table of questions and answers
        return None
    found = _located(head, {*NAMES}, names)
    if found is None or TEXT not in found.places or not {SPEAKER, DIALOGUE, TIME} & set(found.places):
        return None
    records = plain_format(found.table).split(whole_lines(head), 1)
    good = fields_of(without_headings(records, found.table)[0], found.table).good
    numbered = TYPE in dict(names) or is_of_wechat(header_of(head)[1])
    found = replace(found, numbered=numbered)
    return replace(found, order=_order(good["text"], found.places[TIME]) if TIME in found.places else found.order)


def _order(fields: pl.Series, place: int) -> times.Order:
    groups = fields.list.get(place).str.strip_chars().to_frame("time")
    parted = groups.select(groups=pl.col("time").str.extract_groups(f"^{times.STAMP}$"))["groups"].struct
    halves = pl.select(pl.coalesce(parted.field("4"), parted.field("8"))).to_series()
    return times.order_of(parted.field("1"), parted.field("2"), halves)


@lru_cache(maxsize=8)
def pair_columns(head: bytes, names: tuple[tuple[str, str], ...]) -> Table | None:
    """Return the table of questions and answers in columns that the user names; None if the file lacks them."""
    found = _located(head, {QUERY, ANSWER}, names)
    if found is None or {QUERY, ANSWER} - set(found.places):
        return None
    return replace(found.table, places=(found.places[QUERY], found.places[ANSWER]))


def named_pairs(names: tuple[tuple[str, str], ...]) -> Format:
    """Return the format of tables of questions and answers in columns that the user names."""

    def dialect_of(head: bytes) -> str:
        found = pair_columns(head, names)
        return "" if found is None else found.dialect()

    return replace(
        plain_format(Table(separator=",", quoted=True)),
        accepts=lambda head: pair_columns(head, names) is not None,
        dialect_of=dialect_of,
        in_dialect=lambda dialect: plain_format(Table.of(dialect)),
    )


def _located(head: bytes, roles: set[str], names: tuple[tuple[str, str], ...]) -> _Layout | None:
    """Return the table in which the header or the user names columns for some of `roles`; None if there is none."""
    data = whole_lines(head)
    lines = lines_of(head)
    given = {what: name for what, name in names if what in roles}
    if names and not given:
        return None
    number, line = header_line(lines, given)
    for separator in SEPARATORS:
        header = split_fields(line, separator)
        if not 1 < len(header) <= MOST_COLUMNS:
            continue
        places = _numbered(given) if given else None
        at = 0 if places is not None else number
        places = places if places is not None else places_of(header, given, roles)
        width = _width(lines, separator) if not at else len(header)
        if places and max(places.values()) < width:
            others = () if not at else _others(header, places)
            table = Table(separator=separator, quoted=True, width=width, header=at, others=others)
            best = max((table, replace(table, quoted=False)), key=lambda one: _share(data, one))
            if _share(data, best) >= _READABLE:
                return _Layout(table=best, places=places)
    return None


def _numbered(given: Mapping[str, str]) -> dict[str, int] | None:
    """Return the indices of columns that are given by numbers, from 1; None if they are given by names."""
    if not all(re.fullmatch(r"[1-9]\d?", name) for name in given.values()):
        return None
    return {what: int(name) - 1 for what, name in given.items()}


def _others(header: Sequence[str], places: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    """Return indices and names of columns that may hold text that is not read."""
    rest = [place for place in range(len(header)) if place not in places.values()]
    again = {name for role in places for name in NAMES.get(role, ()) if role != TEXT}  # such as a nickname and an id
    return tuple(
        (place, header[place].strip()[:80])
        for place in rest
        if normal(header[place]) not in NO_TURN | again and not is_row_number(header[place])
    )


def _width(lines: Sequence[str], separator: str) -> int:
    counts = Counter(len(split_fields(line, separator)) for line in lines[:_SHOWN] if line.strip())
    return counts.most_common(1)[0][0] if counts else 0


def _share(data: bytes, table: Table) -> float:
    """Return the share of rows that fit a table."""
    records, _ = without_headings(plain_format(table).split(data, 1), table)
    fields = fields_of(records, table)
    return len(fields.good) / max(1, len(fields.good) + len(fields.bad))
