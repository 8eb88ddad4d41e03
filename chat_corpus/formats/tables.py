"""Tables of questions and answers, a record a line: which columns, between which separators, quoted or not.

What a table looks like is found in its first bytes: a header in any spelling names the columns, so that their order,
others beside them and a column of row numbers do not matter; without one, the layout is the one that was declared, or
else the one in which the lines have two fields, row numbers and empty ones aside. How the rows are read is in
`formats.table_rows`; Python's csv reads the header.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import polars as pl

from chat_corpus.files.lines import BOM, cut_at_line
from chat_corpus.files.raw_file import HEAD_BYTES
from chat_corpus.formats.base import Format
from chat_corpus.formats.field_names import NO_TURN, columns, is_row_number, normal
from chat_corpus.formats.table_rows import MOST_COLUMNS, Table, fields_of, plain_format
from chat_corpus.schema import Reason

#: What is tried as a separator, in this order; the wide ones are what an input method makes of them.
_SEPARATORS = (",", "\t", ";", " | ", "|", "，", "；", "｜")
#: So many of the first lines may be blank before a header.
_BLANKS = 10
#: Where so many lines have two fields, the declared separator is right; another needs nearly all of them.
_ENOUGH, _NEARLY_ALL = 0.5, 0.9
#: Of fewer lines a header of single characters is none.
_FEW_LINES = 4
#: Row numbers, or quotes, are shown by so many lines.
_ROWS = 3
#: So many lines tell how many columns a table without header may have, which are no more than that.
_SHOWN, _WIDEST = 20, 8
#: What may stand before a header: a remark, or what tells Excel the separator.
_REMARK = re.compile(r"\ufeff?\s*(?:#|//|(?i:\"?sep=))")


def table_format(table: Table, *, certain: bool = False) -> Format:
    """The format of files that look like `table`, or else as their first lines show.

    A `certain` one only accepts files most of whose first records can be read.
    """
    found = replace(plain_format(table), dialect_of=partial(_dialect_of, declared=table), in_dialect=_in_dialect)
    return replace(found, accepts=lambda head: is_table(head, table)) if certain else found


@lru_cache(maxsize=64)
def _in_dialect(dialect: str) -> Format:
    return plain_format(Table.of(dialect))


def _dialect_of(head: bytes, declared: Table) -> str:
    found = look(head, declared)
    return "" if found == declared else found.dialect()


@lru_cache(maxsize=8)  # a head is asked about as long as it is looked at whose file it is
def look(head: bytes, declared: Table) -> Table:
    """The table that a file with these first bytes is; `declared` if nothing speaks against it."""
    data = head.removeprefix(BOM)
    data = data[: cut_at_line(data) or len(data)] if len(head) >= HEAD_BYTES else data
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    named = _header(lines, declared)
    if named is not None:
        return _of_rows(data, lines, named, declared)
    quotes = replace(declared, quoted=declared.quoted or _is_quoted(lines, declared.separator))
    likely = [] if _has_borders(lines) else [quotes, declared]
    if declared.separator == "," and _has_tabs(lines):
        likely = [replace(declared, separator="\t", quoted=_is_quoted(lines, "\t")), *likely]
    found = next((one for one in dict.fromkeys(likely) if _share(data, one) >= _ENOUGH), None)
    return found or next(_others(data, lines, declared), declared)


def is_table(head: bytes, declared: Table) -> bool:
    """Whether most of the records of a file with these first bytes can be read."""
    found = look(head, declared)
    return _share(head[: cut_at_line(head) or len(head)], found) >= _ENOUGH


def _has_borders(lines: Sequence[str]) -> bool:
    """Whether lines are the rows of a Markdown table, which begin and end with a bar."""
    filled = [line.strip() for line in lines if line.strip()]
    return sum(line.startswith("|") and line.endswith("|") for line in filled) > _NEARLY_ALL * len(filled)


def _has_tabs(lines: Sequence[str]) -> bool:
    """Whether lines have a tab each, which nobody writes in a text as one does commas."""
    filled = [line for line in lines if line.strip()]
    return len(filled) >= _ROWS and sum(line.count("\t") == 1 for line in filled) > _NEARLY_ALL * len(filled)


def _others(data: bytes, lines: Sequence[str], declared: Table) -> Iterator[Table]:
    """Tables without a header that nearly all lines are of: two fields, or two between row numbers and empty ones."""
    separators = ["|"] if _has_borders(lines) else list(dict.fromkeys([*_SEPARATORS, declared.separator]))
    for separator in separators:
        for quoted in {separator == "," or _is_quoted(lines, separator): 0, separator == ",": 0}:
            table = replace(declared, separator=separator, quoted=quoted)
            if table != declared and _share(data, table) >= _NEARLY_ALL:
                yield table
    for separator in separators:
        widths = {line.count(separator) + 1 for line in lines[:_SHOWN]}
        for quoted in {_is_quoted(lines, separator): 0, False: 0}:
            for width in sorted(one for one in widths if len(declared.places) < one <= _WIDEST):
                table = replace(declared, separator=separator, quoted=quoted, width=width)
                places = _telling(data, table) if _share(data, table) >= _NEARLY_ALL else []
                if len(places) == len(declared.places):
                    yield replace(table, places=(places[0], places[1]))


def _telling(data: bytes, table: Table) -> list[int]:
    """The places of the columns that are neither empty nor row numbers."""
    records = plain_format(table).split(data, 1)
    good = fields_of(records, table).good["text"]
    columns = [good.list.get(place).str.strip_chars() for place in range(table.width)]
    return [place for place, column in enumerate(columns) if not (_is_empty(column) or _are_numbers(column))]


def _is_empty(column: pl.Series) -> bool:
    return column.str.contains(r"\A[\s:+-]*\z").sum() >= _NEARLY_ALL * len(column)


def _are_numbers(column: pl.Series) -> bool:
    return len(column) >= _ROWS and column.str.contains(r"\A\d+(?:\.0)?\z").all() and column.n_unique() == len(column)


def _header(lines: Sequence[str], declared: Table) -> Table | None:
    """The table that the first line names the columns of, if it does; remarks before it are none of its lines."""
    filled = [(number, line) for number, line in enumerate(lines[:_BLANKS], 1) if line.strip("\ufeff \t\r")]
    number, line = next(((n, one) for n, one in filled if not _REMARK.match(one)), (0, ""))
    following = [one for one in lines[number:] if one.strip()]
    for separator in dict.fromkeys([declared.separator, *_SEPARATORS]):
        names = _names(line, separator)
        places = columns(names) if 1 < len(names) <= MOST_COLUMNS else None
        if places is None:
            continue
        if not all(names[place].isascii() for place in places) and _are_said(following, names, places, separator):
            return None
        others = [place for place in range(len(names)) if place not in places and not is_row_number(names[place])]
        unread = tuple((place, names[place].strip()[:80]) for place in others if normal(names[place]) not in NO_TURN)
        quoted = separator == "," or '"' in line
        return Table(separator=separator, quoted=quoted, places=places, width=len(names), header=number, others=unread)
    return None


def _are_said(lines: Sequence[str], names: Sequence[str], places: tuple[int, int], separator: str) -> bool:
    """Whether the names of a header may be the texts of a first line: people say 问题 and 回答 too, and more than once.

    So they do 问 and 答, of which few lines do not tell.
    """
    if len(lines) < _FEW_LINES and all(len(names[place].strip()) == 1 for place in places):
        return True
    fields = (_names(line, separator) for line in lines)
    said = (row for row in fields if len(row) == len(names))
    return not lines or any(all(row[place] == names[place] for place in places) for row in said)


def _names(line: str, separator: str) -> list[str]:
    if len(separator) > 1:
        return line.split(separator)
    try:
        return next(csv.reader([line.replace("\r", "")], delimiter=separator), [])
    except csv.Error:
        return []


def _of_rows(data: bytes, lines: Sequence[str], named: Table, declared: Table) -> Table:
    """A table with a header as its rows show it: they may have another separator, and quotes."""
    best, below = named, lines[named.header :]
    for separator in dict.fromkeys([named.separator, declared.separator, *_SEPARATORS]):
        tried = replace(named, separator=separator, quoted=separator == "," or _is_quoted(below, separator))
        if named.quoted and separator == named.separator:
            tried = replace(tried, quoted=True)
        share = _share(data, tried)
        if separator == named.separator and share >= _ENOUGH:
            return tried
        if share > _share(data, best):
            best = tried
    return best


def _is_quoted(lines: Sequence[str], separator: str) -> bool:
    """Whether fields that begin with a quote are quoted: they close, and one holds what needs quotes, or all are.

    The last one may not close, where a file is seen up to there.
    """
    text, mark = "\n".join(line.removesuffix("\r") for line in lines), re.escape(separator)
    begun = len(re.findall(rf'(?m)(?:^|{mark})"', text))
    field = rf'(?m)(?:^|(?<={mark}))"((?:[^"]|"")*)"(?={mark}|$)'
    whole = re.findall(field, text)
    if not begun - 1 <= len(whole) <= begun:
        return False
    if any('""' in field or separator in field or "\n" in field for field in whole):
        return True
    return len(whole) >= _ROWS and not re.sub(field, "", text).replace(separator, "").strip()


def _share(data: bytes, table: Table) -> float:
    """The share of records that a table's format can read."""
    format_ = plain_format(table)
    rows = format_.read((format_.split(data, 1),)).rows
    lost = rows["reason"].is_in([str(Reason.FIELDS), str(Reason.ENCODING)]).fill_null(value=False)
    return 1 - rows.filter(lost)["record"].n_unique() / max(1, rows["record"].n_unique()) if len(rows) else 0.0
