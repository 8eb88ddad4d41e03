r"""Read the rows of a table with known separator, columns and quotes; `formats.tables` detects these.

Quoted fields follow RFC 4180: ``"`` around a field with separators, doubled quotes or line breaks. A quote inside an
unquoted field is an ordinary character. A quoted field that does not close within `_REACH` lines rejects only the line
that opens it. Python's csv and Polars are not used for the records, because an unclosed quote would make them read the
following rows as one field.
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
from chat_corpus.messages import message
from chat_corpus.schema import Reason

#: Maximum number of lines of a quoted field, so that an unclosed quote does not include the rest of a file. PTT's
#: second release has fields of one line only.
_REACH = 100
#: Maximum number of quotes in a record of several lines: each needs memory during the search.
_QUOTES = 10_000
#: Maximum number of columns of a header.
MOST_COLUMNS = 100
#: Lines before a header: a comment, or the line that names the separator for Excel.
REMARK = re.compile(r"\ufeff?\s*(?:#|//|(?i:\"?sep=))")
#: The line that names the separator for Excel.
_SEPARATOR_NAMED = r'^(?i:"?sep=).{1,2}"?$'
#: The line below the header of a Markdown table.
_RULE = r"^[\s|:-]*-{2,}[\s|:-]*$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table: its `separator`, the indices of question and answer among `width` columns, and whether it is `quoted`.

    `header` is the number of the line with the names of the columns, 0 for none; `others` are indices and names of
    columns with text that is not read.
    """

    separator: str
    quoted: bool = False
    places: tuple[int, int] = (0, 1)
    width: int = 2
    header: int = 0
    others: tuple[tuple[int, str], ...] = ()

    @classmethod
    def of(cls, dialect: str) -> Table:
        """Return the table from the text of `dialect`. Raises ValueError for a wrong width or an empty separator."""
        facts = json.loads(dialect)
        if not 1 < facts["width"] <= MOST_COLUMNS or not facts["separator"]:
            raise ValueError(message("{count} columns", count=facts["width"]))
        others = tuple((index, name) for index, name in facts.pop("others"))
        return cls(**{**facts, "places": tuple(facts["places"]), "others": others})

    def dialect(self) -> str:
        """Return the table as text for `of`."""
        return json.dumps(asdict(self))


def plain_format(table: Table) -> Format:
    """Return the format of files with such a table."""
    read = partial(_read, table=table)
    if not table.quoted:
        return Format(read=read)
    return Format(read=read, cut=partial(_cut, table=table), split=partial(_split, table=table))


@lru_cache(maxsize=64)
def _patterns(table: Table) -> tuple[str, re.Pattern[bytes], re.Pattern[bytes]]:
    """Return patterns for the fields of a record as text and as bytes, and for a line that ends in a quoted field."""
    mark = re.escape(table.separator)
    field = rf'"[^"]*(?:""[^"]*)*"|[^"{mark}\n][^{mark}\n]*|'
    if len(table.separator) > 1:
        field = r'"[^"]*(?:""[^"]*)*"|(?:[^"\n][^\n]*?)??'
    record = "(?s)^" + mark.join([f"({field})"] * table.width) + "$"
    return record, re.compile(record.encode()), re.compile(rf'(?:^|{mark})"[^"]*(?:""[^"]*)*$'.encode())


def _spans(data: bytes, table: Table, *, final: bool) -> Iterator[tuple[int, int]]:
    """Yield the first and last line index of each multi-line record; the last is -1 if the data ends inside of it."""
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
    """Return the offset after the last line break, or of a record before it that may be incomplete."""
    end = data.rfind(b"\n") + 1
    unfinished = [first for first, last in _spans(data[:end], table, final=False) if last < 0]
    if not unfinished:
        return end
    return sum(len(line) + 1 for line in data.split(b"\n", unfinished[0])[: unfinished[0]])


def _split(data: bytes, first: int, table: Table) -> Records:
    """Return the lines; the first line of a multi-line record has its whole text, the others have `continues` true."""
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
    columns = {"text": pl.Series(texts, dtype=pl.String), "bytes": pl.Series(bad, dtype=pl.Binary)}
    return lines.with_columns(**columns, continues=pl.Series(continues))


def _read(parts: Sequence[Records], *, table: Table) -> Reading:
    (lines,) = parts
    records, headings = without_headings(lines, table)
    fields = fields_of(records, table)
    good, unread = _chosen(fields.good, table)
    rows = exchanges(good, fields.bad)
    return Reading(rows=mark_empty(rows), non_turns=(pl.concat([headings, fields.blank]),), unread=unread)


def without_headings(lines: Records, table: Table) -> tuple[Records, pl.Series]:
    """Return the records without the header and the lines that belong to it, and the numbers of these lines."""
    if not table.header or lines.is_empty() or lines["record"][0] > table.header + 1:
        return lines, lines["record"].clear()
    number, text = pl.col("record"), pl.col("text")
    above = (number < table.header) & text.str.contains(_SEPARATOR_NAMED)
    below = (number == table.header + 1) & text.str.contains(_RULE) & pl.lit("|" in table.separator)
    named = (number == table.header) | (above | below).fill_null(value=False)
    headings = lines.filter(number <= table.header + 1).filter(named)["record"]
    return lines.filter(~number.is_in(headings.implode())), headings


def fields_of(records: Records, table: Table) -> Fields:
    """Return the records of a table, each as the list of all its fields."""
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
    groups = [str(index + 1) for index in range(table.width)]
    fields = pl.concat_list(*(_unquoted(pl.col("fields").struct[group]) for group in groups))
    return Fields(
        good=matched.filter(sound).select("record", text=fields),
        bad=pl.concat([bad, undecodable(matched)]),
        blank=records.filter(non_turns)["record"],
    )


def _chosen(good: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Return question and answer of records, and the records and names of other columns with text."""
    unread = [
        (line, name)
        for index, name in table.others
        for line in good.filter(pl.col("text").list.get(index).str.contains(r"\p{L}"))["record"]
    ]
    if table.places != (0, 1) or table.width > len(table.places):
        good = good.with_columns(text=pl.concat_list(*(pl.col("text").list.get(index) for index in table.places)))
    return good, unread


def _unquoted(field: pl.Expr) -> pl.Expr:
    inner = field.str.slice(1, field.str.len_chars().cast(pl.Int64) - 2).str.replace_all('""', '"', literal=True)
    return pl.when(field.str.starts_with('"')).then(inner).otherwise(field)
