r"""Tables of questions and answers, a record a line: which columns, between which separators, quoted or not.

What a table looks like is found in its first bytes: a header in any spelling names the columns, so that their order,
others beside them and a column of row numbers do not matter; without one, the layout is the one that was declared, or
else the one in which the lines have two fields. Fields in quotes follow RFC 4180: ``"`` around a field that holds
separators, quotes (doubled) or line breaks. A quote inside an unquoted field is a character like any other. A quoted
field that never closes, or not within `_REACH` lines, costs the line that opens it and no other: so neither Python's
csv nor Polars reads the records, for which one stray quote swallows what follows; csv reads the header.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import zip_longest

import polars as pl

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
from chat_corpus.formats.names import NO_TURN, columns, is_row_number, normal
from chat_corpus.lines import BOM, cut_at_line, numbered_lines
from chat_corpus.schema import Reason
from chat_corpus.signature import HEAD_BYTES

#: Lines a quoted field may span. The longest seen in PTT's second release is 1; a stray quote must not eat a file.
_REACH = 100
#: Quotes that a record of several lines may hold: each costs memory while it is looked for.
_QUOTES = 10_000
#: What is tried as a separator, in this order; the wide ones are what an input method makes of them.
_SEPARATORS = (",", "\t", ";", " | ", "|", "，", "；", "｜")
#: So many of the first lines may be blank before a header.
_BLANKS = 10
#: Where so many lines have two fields, the declared separator is right; another needs nearly all of them.
_ENOUGH, _NEARLY_ALL = 0.5, 0.9
#: A header of more columns is none.
_MOST_COLUMNS = 100
#: Row numbers, or quotes, are shown by so many lines.
_ROWS = 3
#: So many lines tell how many columns a table without header may have, which are no more than that.
_SHOWN, _WIDEST = 20, 8
#: What may stand before a header: a remark, or what tells Excel the separator.
_REMARK = re.compile(r"\ufeff?\s*(?:#|//|(?i:\"?sep=))")
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
        if not 1 < facts["width"] <= _MOST_COLUMNS or not facts["separator"]:
            raise ValueError(f"{facts['width']} columns")
        others = tuple((place, name) for place, name in facts.pop("others"))
        return cls(**{**facts, "places": tuple(facts["places"]), "others": others})

    def dialect(self) -> str:
        """This table as text."""
        return json.dumps(asdict(self))


def table_format(table: Table, *, certain: bool = False) -> Format:
    """The format of files that look like `table`, or else as their first lines show.

    A `certain` one only accepts files most of whose first records can be read.
    """
    found = replace(_format(table), dialect_of=partial(_dialect_of, declared=table), in_dialect=_in_dialect)
    return replace(found, accepts=lambda head: is_table(head, table)) if certain else found


@lru_cache(maxsize=64)
def _in_dialect(dialect: str) -> Format:
    return _format(Table.of(dialect))


def _format(table: Table) -> Format:
    read = partial(_read, table=table)
    if not table.quoted:
        return Format(read=read)
    return Format(read=read, cut=partial(_cut, table=table), split=partial(_split, table=table))


def _dialect_of(head: bytes, declared: Table) -> str:
    found = look(head, declared)
    return "" if found == declared else found.dialect()


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
    if _has_tabs(lines):
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
    return sum(line.count("\t") == 1 for line in filled) > _NEARLY_ALL * len(filled)


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
    records = _format(table).split(data, 1)
    good = _fields(records, table).good["text"]
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
        places = columns(names) if 1 < len(names) <= _MOST_COLUMNS else None
        if places is None:
            continue
        if not all(names[place].isascii() for place in places) and _say(following, names, places, separator):
            return None
        others = [place for place in range(len(names)) if place not in places and not is_row_number(names[place])]
        unread = tuple((place, names[place].strip()[:80]) for place in others if normal(names[place]) not in NO_TURN)
        quoted = separator == "," or '"' in line
        return Table(separator=separator, quoted=quoted, places=places, width=len(names), header=number, others=unread)
    return None


def _say(lines: Sequence[str], names: Sequence[str], places: tuple[int, int], separator: str) -> bool:
    """Whether lines have the same texts as a header that would name their columns: people say 问题 and 回答 too."""
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
    format_ = _format(table)
    rows = format_.read((format_.split(data, 1),)).rows
    lost = rows["reason"].is_in([str(Reason.FIELDS), str(Reason.ENCODING)]).fill_null(value=False)
    return 1 - rows.filter(lost)["line"].n_unique() / max(1, rows["line"].n_unique()) if len(rows) else 0.0


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
    fields = _fields(records, table)
    good, unread = _chosen(fields.good, table)
    rows = exchanges(good, fields.bad)
    return Reading(rows=mark_empty(rows), structural=(pl.concat([headings, fields.blank]),), unread=unread)


def without_headings(lines: Records, table: Table) -> tuple[Records, pl.Series]:
    """The records without the line that names the columns and what belongs to it, and the numbers of these."""
    if not table.header or lines.is_empty() or lines["line"][0] > table.header + 1:
        return lines, lines["line"].clear()
    number, text = pl.col("line"), pl.col("text")
    above = (number < table.header) & text.str.contains(_SEPARATOR_NAMED)
    below = (number == table.header + 1) & text.str.contains(_RULE) & pl.lit("|" in table.separator)
    named = (number == table.header) | (above | below).fill_null(value=False)
    return lines.filter(~named), lines.filter(named)["line"]


def _fields(records: Records, table: Table) -> Fields:
    if not table.quoted:
        return two_fields(records, table.separator, table.width)
    text, pattern = pl.col("text"), _patterns(table)[0]
    structural = (pl.col("continues") | (text.str.strip_chars() == "")).fill_null(value=False)
    matched = records.filter(~structural).with_columns(fields=text.str.extract_groups(pattern))
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
        good=matched.filter(sound).select("line", text=fields),
        bad=pl.concat([bad, undecodable(matched)]),
        blank=records.filter(structural)["line"],
    )


def _chosen(good: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """Question and answer of records, and where text is in the other columns."""
    unread = [
        (line, name)
        for place, name in table.others
        for line in good.filter(pl.col("text").list.get(place).str.contains(r"\p{L}"))["line"]
    ]
    if table.places != (0, 1) or table.width > len(table.places):
        good = good.with_columns(text=pl.concat_list(*(pl.col("text").list.get(place) for place in table.places)))
    return good, unread


def _unquoted(field: pl.Expr) -> pl.Expr:
    inner = field.str.slice(1, field.str.len_chars().cast(pl.Int64) - 2).str.replace_all('""', '"', literal=True)
    return pl.when(field.str.starts_with('"')).then(inner).otherwise(field)
