r"""Rows of a table whose separator, columns and quotes are known; what they are is found by `formats.tables`.

Fields in quotes follow RFC 4180: ``"`` around a field that holds separators, quotes (doubled) or line breaks. A quote
inside an unquoted field is a character like any other. A quoted field that never closes, or not within `_REACH` lines,
costs the line that opens it and no other: so neither Python's csv nor Polars reads the records, for which one stray
quote swallows what follows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from itertools import zip_longest

import polars as pl

from chat_corpus.files.lines import BOM, numbered_lines
from chat_corpus.formats.base import (
    Fields,
    Format,
    Reading,
    Records,
    exchanges,
    mark_empty,
    rejected,
    two_fields,
    undecodable,
)
from chat_corpus.schema import Reason

#: Lines a quoted field may span. The longest seen in PTT's second release is 1; a stray quote must not eat a file.
_REACH = 100
#: Quotes that a record of several lines may hold: each costs memory while it is looked for.
_QUOTES = 10_000
#: A header of more columns is none.
MOST_COLUMNS = 100
#: What tells Excel the separator.
_SEPARATOR_NAMED = r'^(?i:"?sep=).{1,2}"?$'
#: The line below the header of a Markdown table.
_RULE = r"^[\s|:-]*-{2,}[\s|:-]*$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table: its `separator`, the places of question and answer in `width` columns, whether fields may be `quoted`.

    `header` is the number of the line that names the columns, 0 for none; `others` are places and names of columns that
    may hold text which is not read.
    """

    separator: str
    quoted: bool = False
    places: tuple[int, int] = (0, 1)
    width: int = 2
    header: int = 0
    others: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, dialect: str) -> Table:
        """The table that a dialect describes, as `dialect` writes it."""
        facts = json.loads(dialect)
        if not 1 < facts["width"] <= MOST_COLUMNS or not facts["separator"]:
            raise ValueError(f"{facts['width']} columns")
        others = tuple((place, name) for place, name in facts.pop("others"))
        return cls(**{**facts, "places": tuple(facts["places"]), "others": others})

    def dialect(self) -> str:
        """This table as text."""
        return json.dumps(asdict(self))


def plain_format(table: Table) -> Format:
    """The format of files that are such a table."""
    read = partial(_read, table=table)
    if not table.quoted:
        return Format(read=read)
    return Format(read=read, cut=partial(_cut, table=table), split=partial(_split, table=table))


@lru_cache(maxsize=64)
def _patterns(table: Table) -> tuple[str, re.Pattern[bytes], re.Pattern[bytes]]:
    """What finds the fields of a record, the same for bytes, and a line that ends inside of a quoted field."""
    mark = re.escape(table.separator)
    field = rf'"[^"]*(?:""[^"]*)*"|[^"{mark}\n][^{mark}\n]*|'
    if len(table.separator) > 1:
        field = r'"[^"]*(?:""[^"]*)*"|(?:[^"\n][^\n]*?)??'
    record = "(?s)^" + mark.join([f"({field})"] * table.width) + "$"
    return record, re.compile(record.encode()), re.compile(rf'(?:^|{mark})"[^"]*(?:""[^"]*)*$'.encode())


def _spans(data: bytes, table: Table, *, final: bool) -> Iterator[tuple[int, int]]:
    """The line index spans `(first, last)` of records of several lines; `last` is -1 where data ends before they do."""
    _, whole, opens = _patterns(table)

    def is_record(lines: list[bytes]) -> bool:
        record = b"\n".join(lines).removesuffix(b"\r")
        return record.count(b'"') < _QUOTES and whole.match(record) is not None

    lines = data.removeprefix(BOM).split(b"\n")
    odd = [index for index, line in enumerate(lines) if (quotes := line.count(b'"')) % 2 and quotes < _QUOTES]
    after = -1
    for index, closing in zip_longest(odd, odd[1:]):
        if index <= after or not opens.search(lines[index].rstrip(b"\r")):
            continue
        if closing is not None and closing - index <= _REACH and is_record(lines[index : closing + 1]):
            after = closing
            yield index, closing
        elif closing is None and not final and len(lines) - index <= _REACH + 1:
            yield index, -1
            return


def _cut(data: bytes, table: Table) -> int:
    """Cut at the last line break, before a quoted field that may go on."""
    end = data.rfind(b"\n") + 1
    unfinished = [first for first, last in _spans(data[:end], table, final=False) if last < 0]
    if not unfinished:
        return end
    return sum(len(line) + 1 for line in data.split(b"\n", unfinished[0])[: unfinished[0]])


def _split(data: bytes, first: int, table: Table) -> Records:
    """Physical lines, those of a record of several joined into its first, the others null and marked as continuing."""
    lines = numbered_lines(data, first).with_columns(continues=pl.lit(value=False))
    spans = list(_spans(data, table, final=True)) if b'"' in data else []
    if not spans:
        return lines
    texts, bad, continues = lines["text"].to_list(), lines["bytes"].to_list(), [False] * len(lines)
    raw = data.split(b"\n")
    for begin, end in spans:
        joined = texts[begin : end + 1]
        if None in joined:
            texts[begin], bad[begin] = None, b"\n".join(raw[begin : end + 1])
        else:
            texts[begin] = "\n".join(joined)
        continues[begin + 1 : end + 1] = [True] * (end - begin)
    told = {"text": pl.Series(texts, dtype=pl.String), "bytes": pl.Series(bad, dtype=pl.Binary)}
    return lines.with_columns(**told, continues=pl.Series(continues))


def _read(parts: Sequence[Records], *, table: Table) -> Reading:
    (lines,) = parts
    records, headings = without_headings(lines, table)
    fields = fields_of(records, table)
    good, unread = _chosen(fields.good, table)
    rows = exchanges(good, fields.bad)
    return Reading(rows=mark_empty(rows), non_turns=(pl.concat([headings, fields.blank]),), unread=unread)


def without_headings(lines: Records, table: Table) -> tuple[Records, pl.Series]:
    """The records without the line that names the columns and what belongs to it, and the numbers of these."""
    if not table.header or lines.is_empty() or lines["record"][0] > table.header + 1:
        return lines, lines["record"].clear()
    number, text = pl.col("record"), pl.col("text")
    above = (number < table.header) & text.str.contains(_SEPARATOR_NAMED)
    below = (number == table.header + 1) & text.str.contains(_RULE) & pl.lit("|" in table.separator)
    named = (number == table.header) | (above | below).fill_null(value=False)
    headings = lines.filter(number <= table.header + 1).filter(named)["record"]
    return lines.filter(~number.is_in(headings.implode())), headings


def fields_of(records: Records, table: Table) -> Fields:
    """The records of a table, each as the list of all of its fields."""
    if not table.quoted:
        return two_fields(records, table.separator, table.width)
    text, pattern = pl.col("text"), _patterns(table)[0]
    non_turns = (pl.col("continues") | (text.str.strip_chars() == "")).fill_null(value=False)
    matched = records.filter(~non_turns).with_columns(fields=text.str.extract_groups(pattern))
    sound = pl.col("fields").struct["1"].is_not_null()
    named = {",": "comma", "\t": "tab"}.get(table.separator, repr(table.separator))
    number = {2: "two"}.get(table.width, str(table.width))
    bad = rejected(
        matched.filter(~sound & text.is_not_null()),
        Reason.FIELDS,
        f"not {number} {named}-separated fields with closed quotes",
    )
    groups = [str(place + 1) for place in range(table.width)]
    fields = pl.concat_list(*(_unquoted(pl.col("fields").struct[group]) for group in groups))
    return Fields(
        good=matched.filter(sound).select("record", text=fields),
        bad=pl.concat([bad, undecodable(matched)]),
        blank=records.filter(non_turns)["record"],
    )


def _chosen(good: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Question and answer of records, and where text is in the other columns."""
    unread = [
        (line, name)
        for place, name in table.others
        for line in good.filter(pl.col("text").list.get(place).str.contains(r"\p{L}"))["record"]
    ]
    if table.places != (0, 1) or table.width > len(table.places):
        good = good.with_columns(text=pl.concat_list(*(pl.col("text").list.get(place) for place in table.places)))
    return good, unread


def _unquoted(field: pl.Expr) -> pl.Expr:
    inner = field.str.slice(1, field.str.len_chars().cast(pl.Int64) - 2).str.replace_all('""', '"', literal=True)
    return pl.when(field.str.starts_with('"')).then(inner).otherwise(field)
