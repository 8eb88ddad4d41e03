"""Detect tables of questions and answers, one record per line: their columns, separators and quotes.

The table is detected in the first bytes of a file. A header names the columns in one of many spellings, so their order,
other columns and a column of row numbers do not matter. Without a header, the layout is the declared one, or else one
in which lines have two fields besides row numbers and empty fields. `formats.table_rows` reads rows; Python's csv reads
the header.
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
from chat_corpus.formats.table_rows import MOST_COLUMNS, REMARK, Table, fields_of, plain_format
from chat_corpus.schema import Reason

#: Candidates for the separator, in this order; Chinese input methods produce the full-width ones.
_SEPARATORS = (",", "\t", ";", " | ", "|", "，", "；", "｜")
#: Number of first lines, blank or not, that may hold the header.
_BLANKS = 10
#: Minimum share of lines with two fields for the declared separator, and for a different one.
_ENOUGH, _NEARLY_ALL = 0.5, 0.9
#: Minimum number of lines below a header of single characters.
_FEW_LINES = 4
#: Minimum number of lines that show row numbers or quotes.
_ROWS = 3
#: Number of lines that show the width of a table without header, and its maximum width.
_SHOWN, _WIDEST = 20, 8


def table_format(table: Table, *, certain: bool = False) -> Format:
    """Return the format of files with `table`, or with the table that their first lines show.

    If `certain`, the format accepts a file only if it can read at least half of the first records.
    """
    format_ = replace(plain_format(table), dialect_of=partial(_dialect_of, declared=table), in_dialect=_in_dialect)
    return replace(format_, accepts=lambda head: is_table(head, table)) if certain else format_


@lru_cache(maxsize=64)
def _in_dialect(dialect: str) -> Format:
    return plain_format(Table.of(dialect))


def _dialect_of(head: bytes, declared: Table) -> str:
    table = detect_table(head, declared)
    return "" if table == declared else table.dialect()


@lru_cache(maxsize=8)  # discovery checks the same head several times
def detect_table(head: bytes, declared: Table) -> Table:
    """Return the table of a file with these first bytes; `declared` unless they show a different one."""
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
    fitting = next((table for table in dict.fromkeys(likely) if _share(data, table) >= _ENOUGH), None)
    return fitting or next(_others(data, lines, declared), declared)


def is_table(head: bytes, declared: Table) -> bool:
    """Return whether at least half of the records in these first bytes of a file can be read."""
    table = detect_table(head, declared)
    return _share(head[: cut_at_line(head) or len(head)], table) >= _ENOUGH


def _has_borders(lines: Sequence[str]) -> bool:
    """Return whether lines are the rows of a Markdown table, which begin and end with a bar."""
    filled = [line.strip() for line in lines if line.strip()]
    return sum(line.startswith("|") and line.endswith("|") for line in filled) > _NEARLY_ALL * len(filled)


def _has_tabs(lines: Sequence[str]) -> bool:
    """Return whether lines have one tab each, which is rare in texts, unlike commas."""
    filled = [line for line in lines if line.strip()]
    return len(filled) >= _ROWS and sum(line.count("\t") == 1 for line in filled) > _NEARLY_ALL * len(filled)


def _others(data: bytes, lines: Sequence[str], declared: Table) -> Iterator[Table]:
    """Yield tables without header that nearly all lines fit: two fields, besides row numbers and empty fields."""
    separators = ["|"] if _has_borders(lines) else list(dict.fromkeys([*_SEPARATORS, declared.separator]))
    for separator in separators:
        for quoted in {separator == "," or _is_quoted(lines, separator): 0, separator == ",": 0}:
            table = replace(declared, separator=separator, quoted=quoted)
            if table != declared and _share(data, table) >= _NEARLY_ALL:
                yield table
    for separator in separators:
        widths = {line.count(separator) + 1 for line in lines[:_SHOWN]}
        for quoted in {_is_quoted(lines, separator): 0, False: 0}:
            for width in sorted(width for width in widths if len(declared.places) < width <= _WIDEST):
                table = replace(declared, separator=separator, quoted=quoted, width=width)
                places = _text_columns(data, table) if _share(data, table) >= _NEARLY_ALL else []
                if len(places) == len(declared.places):
                    yield replace(table, places=(places[0], places[1]))


def _text_columns(data: bytes, table: Table) -> list[int]:
    """Return the indices of the columns that are neither empty nor row numbers."""
    records = plain_format(table).split(data, 1)
    good = fields_of(records, table).good["text"]
    columns = [good.list.get(index).str.strip_chars() for index in range(table.width)]
    return [index for index, column in enumerate(columns) if not (_is_empty(column) or _are_numbers(column))]


def _is_empty(column: pl.Series) -> bool:
    return column.str.contains(r"\A[\s:+-]*\z").sum() >= _NEARLY_ALL * len(column)


def _are_numbers(column: pl.Series) -> bool:
    return len(column) >= _ROWS and column.str.contains(r"\A\d+(?:\.0)?\z").all() and column.n_unique() == len(column)


def _header(lines: Sequence[str], declared: Table) -> Table | None:
    """Return the table with the columns that the first line names, after comments; None if it is not a header."""
    filled = [(number, line) for number, line in enumerate(lines[:_BLANKS], 1) if line.strip("\ufeff \t\r")]
    number, line = next(((n, text) for n, text in filled if not REMARK.match(text)), (0, ""))
    following = [text for text in lines[number:] if text.strip()]
    for separator in dict.fromkeys([declared.separator, *_SEPARATORS]):
        names = _names(line, separator)
        places = columns(names) if 1 < len(names) <= MOST_COLUMNS else None
        if places is None:
            continue
        if not all(names[index].isascii() for index in places) and _are_texts(following, names, places, separator):
            return None
        others = [index for index in range(len(names)) if index not in places and not is_row_number(names[index])]
        unread = tuple((index, names[index].strip()[:80]) for index in others if normal(names[index]) not in NO_TURN)
        quoted = separator == "," or '"' in line
        return Table(separator=separator, quoted=quoted, places=places, width=len(names), header=number, others=unread)
    return None


def _are_texts(lines: Sequence[str], names: Sequence[str], places: tuple[int, int], separator: str) -> bool:
    """Return whether names in a header may be texts of a first record, since 问题 and 回答 also occur in dialogues.

    They may be texts if a line below repeats them, if there is no line below, or if there are only few lines below
    names of one character, such as 问 and 答.
    """
    if len(lines) < _FEW_LINES and all(len(names[index].strip()) == 1 for index in places):
        return True
    fields = (_names(line, separator) for line in lines)
    rows = (row for row in fields if len(row) == len(names))
    return not lines or any(all(row[index] == names[index] for index in places) for row in rows)


def _names(line: str, separator: str) -> list[str]:
    if len(separator) > 1:
        return line.split(separator)
    try:
        return next(csv.reader([line.replace("\r", "")], delimiter=separator), [])
    except csv.Error:
        return []


def _of_rows(data: bytes, lines: Sequence[str], named: Table, declared: Table) -> Table:
    """Return a table with a header, adjusted to its rows, which may have a different separator and quotes."""
    best, below = named, lines[named.header :]
    for separator in dict.fromkeys([named.separator, declared.separator, *_SEPARATORS]):
        candidate = replace(named, separator=separator, quoted=separator == "," or _is_quoted(below, separator))
        if named.quoted and separator == named.separator:
            candidate = replace(candidate, quoted=True)
        share = _share(data, candidate)
        if separator == named.separator and share >= _ENOUGH:
            return candidate
        if share > _share(data, best):
            best = candidate
    return best


def _is_quoted(lines: Sequence[str], separator: str) -> bool:
    """Return whether fields that begin with a quote are quoted fields.

    All of them must close, except that the sample may end inside the last one. Besides, some field must need its
    quotes, or all fields must have quotes.
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
    """Return the share of records that the format of a table can read."""
    format_ = plain_format(table)
    rows = format_.read((format_.split(data, 1),)).rows
    lost = rows["reason"].is_in([str(Reason.FIELDS), str(Reason.ENCODING)]).fill_null(value=False)
    return 1 - rows.filter(lost)["record"].n_unique() / max(1, rows["record"].n_unique()) if len(rows) else 0.0
