r"""CSV of two fields (RFC 4180): ``"`` around a field that holds commas, quotes (doubled) or line breaks.

A quote inside an unquoted field is a character like any other. A quoted field that never closes, or not within
`_REACH` lines, costs the line that opens it and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest

import polars as pl

from chat_corpus.formats.base import Format, Reading, Records, exchanges, mark_empty, rejected, undecodable
from chat_corpus.lines import BOM, numbered_lines
from chat_corpus.schema import Reason

_FIELD = r'"[^"]*(?:""[^"]*)*"|[^",\n][^,\n]*|'
_RECORD = rf"(?s)^({_FIELD}),({_FIELD})$"
_WHOLE = re.compile(_RECORD.encode())
_OPEN = re.compile(rb'(?:^|,)"[^"]*(?:""[^"]*)*$')
#: Lines a quoted field may span. The longest seen in PTT's second release is 1; a stray quote must not eat a file.
_REACH = 100
#: Quotes that a record of several lines may hold: each costs memory while it is looked for.
_QUOTES = 10_000


def _spans(data: bytes, *, final: bool) -> Iterator[tuple[int, int]]:
    """The line index spans `(first, last)` of records of several lines; `last` is -1 where data ends before they do."""
    lines = data.removeprefix(BOM).split(b"\n")
    odd = [index for index, line in enumerate(lines) if (quotes := line.count(b'"')) % 2 and quotes < _QUOTES]
    after = -1
    for index, closing in zip_longest(odd, odd[1:]):
        if index <= after or not _OPEN.search(lines[index].rstrip(b"\r")):
            continue
        if closing is not None and closing - index <= _REACH and _is_record(lines[index : closing + 1]):
            after = closing
            yield index, closing
        elif closing is None and not final and len(lines) - index <= _REACH + 1:
            yield index, -1
            return


def _is_record(lines: list[bytes]) -> bool:
    record = b"\n".join(lines).removesuffix(b"\r")
    return record.count(b'"') < _QUOTES and _WHOLE.match(record) is not None


def _cut(data: bytes) -> int:
    """Cut at the last line break, before a quoted field that may go on."""
    end = data.rfind(b"\n") + 1
    unfinished = [first for first, last in _spans(data[:end], final=False) if last < 0]
    if not unfinished:
        return end
    return sum(len(line) + 1 for line in data.split(b"\n", unfinished[0])[: unfinished[0]])


def _split(data: bytes, first: int) -> Records:
    """Physical lines, those of a record of several joined into its first, the others null and marked as continuing."""
    lines = numbered_lines(data, first).with_columns(continues=pl.lit(value=False))
    spans = list(_spans(data, final=True)) if b'"' in data else []
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


def _read(parts: Sequence[Records], *, header: str) -> Reading:
    (lines,) = parts
    text = pl.col("text")
    is_header = (pl.col("line") == 1) & (text == header)
    structural = pl.col("continues") | is_header | (text.str.strip_chars() == "")
    records = lines.filter(~structural.fill_null(value=False))
    matched = records.with_columns(fields=text.str.extract_groups(_RECORD))
    sound = pl.col("fields").struct["1"].is_not_null()
    bad = rejected(
        matched.filter(~sound & text.is_not_null()), Reason.FIELDS, "not two comma-separated fields with closed quotes"
    )
    good = matched.filter(sound).select(
        "line", text=pl.concat_list(*(_unquoted(pl.col("fields").struct[number]) for number in ("1", "2")))
    )
    rows = exchanges(good, pl.concat([bad, undecodable(records)]))
    return Reading(rows=mark_empty(rows), structural=(lines.filter(structural.fill_null(value=False))["line"],))


def _unquoted(field: pl.Expr) -> pl.Expr:
    inner = field.str.slice(1, field.str.len_chars().cast(pl.Int64) - 2).str.replace_all('""', '"', literal=True)
    return pl.when(field.str.starts_with('"')).then(inner).otherwise(field)


def quoted(header: str) -> Format:
    """The layout `query,response` with quoted fields; a first line that equals `header` is structural."""
    return Format(read=partial(_read, header=header), cut=_cut, split=_split)
