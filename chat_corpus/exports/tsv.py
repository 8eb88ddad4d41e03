r"""``query TAB answer``, UTF-8, ``\n`` line ends, no header, no quoting.

A line break inside a turn is written as the two characters ``\n`` and a tab as a blank, so that each pair is one line
of two columns; a backslash that stood in the text stays as it is.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import polars as pl

from chat_corpus.row_masks import apply_where, holds_any, matches

#: How a line break inside a text is written.
LINE_BREAK = r"\n"
#: Characters that are written in another way, since tools take them for a line break or a column. The text steps leave
#: none but line breaks, but they can be switched off.
BREAKS = "\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
#: How they are written. The first one counts that begins at a place.
_WRITTEN = {"\r\n": LINE_BREAK, **dict.fromkeys(BREAKS, " "), "\r": LINE_BREAK, "\n": LINE_BREAK}


def encode(pairs: pl.DataFrame) -> bytes:
    """The TSV lines of a frame with the columns `query` and `answer`."""
    return joined(columns(pairs))


def columns(pairs: pl.DataFrame, breaks: Mapping[str, pl.Series] | None = None) -> pl.DataFrame:
    """`query` and `answer` of each pair as they are written, without a line break or a tab in them.

    `breaks` has a mask of the rows that hold one of `BREAKS` for each column with such rows; without it, all texts are
    searched.
    """
    if breaks is None:
        return pairs.select(_one_line(pairs[name]) for name in ("query", "answer"))
    rows = pairs[["query", "answer"]]
    return rows.with_columns(apply_where(rows[name], mask, _joined) for name, mask in breaks.items())


def texts(rows: pl.DataFrame) -> pl.DataFrame:
    r"""Such columns with each `\n` as the line break that it means."""
    return rows.select(pl.all().str.replace_all(LINE_BREAK, "\n", literal=True))


def rewritten(texts: pl.Series) -> pl.Series:
    r"""Texts as who reads a file has them, each `\n` as the line break that it means.

    >>> rewritten(pl.Series(["a\r\nb", r"a\nb", "a\tb"])).to_list()
    ['a\nb', 'a\nb', 'a b']
    """
    return _one_line(texts).str.replace_all(LINE_BREAK, "\n", literal=True)


def joined(rows: pl.DataFrame) -> bytes:
    """Rows of such columns as the bytes of a file."""
    out = io.BytesIO()
    rows.write_csv(out, separator="\t", include_header=False, quote_style="never", null_value="")
    return out.getvalue()


def byte_offsets(rows: pl.DataFrame) -> pl.Series:
    """Where the bytes of each row of such columns begin in the file: i64."""
    ends = rows.select(pl.sum_horizontal(pl.all().str.len_bytes().cast(pl.Int64) + 1).cum_sum()).to_series()
    return ends.shift(1, fill_value=0)


def _one_line(texts: pl.Series) -> pl.Series:
    return apply_where(texts, matches(texts, f"[{BREAKS}]"), _joined) if holds_any(texts, BREAKS) else texts


def _joined(texts: pl.Series) -> pl.Series:
    # One search for all, without an expression: Polars keeps few of them.
    return texts.str.replace_many(_WRITTEN, leftmost=True)
